//! Look-up tables of the hot path: flat arrays whose cache lines can be asked for in advance.
//!
//! A command touches its account, its position and the memory of commands at random places. Asking
//! for those lines while earlier commands of the batch are still at work hides most of the wait,
//! which an ordinary hash map cannot offer. Linear probing, power-of-two capacity at most half
//! full, deletion by shifting back, so probes stay short and nothing needs cleaning.

/// Slots by id (ids are never 0).
#[derive(Default)]
pub struct Table {
    cells: Vec<(u64, u32)>,
    len: usize,
}

/// Asks the processor for the cache line of a value; never faults.
#[inline(always)]
pub fn prefetch<T>(place: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch is a hint; it may be given any address.
    unsafe {
        use std::arch::x86_64::{_mm_prefetch, _MM_HINT_T0};
        _mm_prefetch::<_MM_HINT_T0>(place.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// Asks for every cache line of a value.
#[inline(always)]
pub fn prefetch_all<T>(value: &T) {
    let start = std::ptr::from_ref(value).cast::<u8>();
    for line in 0..size_of::<T>().div_ceil(64) {
        prefetch(start.wrapping_add(line * 64));
    }
}

#[inline(always)]
fn spread(key: u64) -> u64 {
    let wide = u128::from(key ^ 0x9E37_79B9_7F4A_7C15) * 0xE703_7ED1_A0B4_28DB;
    (wide as u64) ^ ((wide >> 64) as u64)
}

impl Table {
    #[inline(always)]
    fn mask(&self) -> usize {
        self.cells.len() - 1
    }

    #[inline(always)]
    fn home(&self, key: u64) -> usize {
        spread(key) as usize & self.mask()
    }

    #[inline(always)]
    pub fn prefetch(&self, key: u64) {
        if !self.cells.is_empty() {
            prefetch(&self.cells[self.home(key)]);
        }
    }

    #[inline(always)]
    pub fn get(&self, key: u64) -> Option<u32> {
        if self.cells.is_empty() || key == 0 {
            return None;
        }
        let mut at = self.home(key);
        loop {
            let (found, slot) = self.cells[at];
            if found == key {
                return Some(slot);
            }
            if found == 0 {
                return None;
            }
            at = (at + 1) & self.mask();
        }
    }

    #[inline(always)]
    pub fn contains(&self, key: u64) -> bool {
        self.get(key).is_some()
    }

    /// Adds a key that is not there yet.
    #[inline]
    pub fn insert(&mut self, key: u64, slot: u32) {
        debug_assert!(key != 0 && !self.contains(key));
        if (self.len + 1) * 2 > self.cells.len() {
            self.grow();
        }
        self.len += 1;
        let mut at = self.home(key);
        while self.cells[at].0 != 0 {
            at = (at + 1) & self.mask();
        }
        self.cells[at] = (key, slot);
    }

    #[cold]
    fn grow(&mut self) {
        let capacity = (self.cells.len() * 2).max(16);
        let old = std::mem::replace(&mut self.cells, vec![(0, 0); capacity]);
        for (key, slot) in old.into_iter().filter(|c| c.0 != 0) {
            let mut at = self.home(key);
            while self.cells[at].0 != 0 {
                at = (at + 1) & self.mask();
            }
            self.cells[at] = (key, slot);
        }
    }

    #[inline]
    pub fn remove(&mut self, key: u64) {
        if self.cells.is_empty() {
            return;
        }
        let mut hole = self.home(key);
        while self.cells[hole].0 != key {
            if self.cells[hole].0 == 0 {
                return;
            }
            hole = (hole + 1) & self.mask();
        }
        self.len -= 1;
        let mut at = hole;
        loop {
            at = (at + 1) & self.mask();
            let (next, _) = self.cells[at];
            if next == 0 {
                break;
            }
            // May the cell move back to the hole without passing its home?
            let distance = at.wrapping_sub(self.home(next)) & self.mask();
            if distance >= (at.wrapping_sub(hole) & self.mask()) {
                self.cells[hole] = self.cells[at];
                hole = at;
            }
        }
        self.cells[hole] = (0, 0);
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn behaves_like_a_map() {
        let mut table = Table::default();
        let mut model = BTreeMap::new();
        let mut x = 1u64;
        for n in 0..200_000u32 {
            x = x.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let key = (x >> 33) % 5_000 + 1;
            let known = model.contains_key(&key);
            if known && x & 1 == 0 {
                model.remove(&key);
                table.remove(key);
            }
            if !known {
                model.insert(key, n);
                table.insert(key, n);
            }
            assert_eq!(table.get(key), model.get(&key).copied());
        }
        assert_eq!(table.len(), model.len());
        for key in 1..=5_000 {
            assert_eq!(table.get(key), model.get(&key).copied(), "{key}");
        }
        table.remove(9_999);
        assert_eq!(table.get(0), None);
    }
}
