//! The memory of commands: the same id and body gets the first answer again.
//!
//! A ring of 64-byte entries, oldest forgotten first, with an index by hash of (owner, id). Commands
//! use the account as owner and the command id; venue fills use the order and the trade id.

use crate::code::{At, Code};
use crate::wire::Id;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Entry {
    pub owner: u64,
    pub id: Id,
    pub body: u64,
    pub reference: u64,
    pub code: u16,
    pub at: u16,
    hash: u32,
}

impl Entry {
    fn answer(&self) -> Answer {
        Answer {
            code: Code::from_number(self.code).unwrap_or(Code::Ok),
            at: At::from_number(self.at).unwrap_or(At::None),
            reference: self.reference,
        }
    }
}

pub struct Dedupe {
    ring: Vec<Entry>,
    capacity: usize,
    /// Where the next entry goes once the ring is full.
    oldest: usize,
    /// (hash, ring slot + 1) by linear probing; 0 is empty.
    index: Vec<(u32, u32)>,
}

/// What is known of a command.
pub enum Seen {
    New,
    Same(Answer),
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    pub code: Code,
    pub at: At,
    pub reference: u64,
}

/// A fixed, fast 64-bit hash (folded multiplication over 8-byte words); not for adversaries.
#[inline]
pub fn hash_bytes(seed: u64, bytes: &[u8]) -> u64 {
    let mut h = seed ^ 0x9E37_79B9_7F4A_7C15;
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        let mut raw = [0u8; 8];
        raw.copy_from_slice(word);
        h = fold(h ^ u64::from_le_bytes(raw));
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let mut raw = [0u8; 8];
        raw[..rest.len()].copy_from_slice(rest);
        h = fold(h ^ u64::from_le_bytes(raw) ^ rest.len() as u64);
    }
    fold(h ^ bytes.len() as u64)
}

#[inline(always)]
fn fold(x: u64) -> u64 {
    let wide = u128::from(x ^ 0xA076_1D64_78BD_642F) * 0xE703_7ED1_A0B4_28DB;
    (wide as u64) ^ ((wide >> 64) as u64)
}

impl Dedupe {
    pub fn new(capacity: usize) -> Self {
        Dedupe { ring: Vec::new(), capacity, oldest: 0, index: vec![(0, 0); 64] }
    }

    /// The hash that `seen` and `remember` take.
    #[inline(always)]
    pub fn hash(owner: u64, id: &Id) -> u32 {
        let words = |n: usize| {
            let mut raw = [0u8; 8];
            raw.copy_from_slice(&id[n * 8..n * 8 + 8]);
            u64::from_le_bytes(raw)
        };
        let low = fold(fold(owner ^ words(0)) ^ words(1));
        fold(fold(low ^ words(2)) ^ words(3)) as u32
    }

    #[inline(always)]
    pub fn prefetch(&self, hash: u32) {
        crate::table::prefetch(&self.index[hash as usize & (self.index.len() - 1)]);
    }

    #[inline]
    pub fn seen(&self, hash: u32, owner: u64, id: &Id, body: u64) -> Seen {
        let mask = self.index.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let (found, slot) = self.index[at];
            if slot == 0 {
                return Seen::New;
            }
            if found == hash {
                let e = &self.ring[slot as usize - 1];
                if e.owner == owner && e.id == *id {
                    return if e.body == body { Seen::Same(e.answer()) } else { Seen::Other };
                }
            }
            at = (at + 1) & mask;
        }
    }

    #[inline]
    pub fn remember(&mut self, hash: u32, owner: u64, id: &Id, body: u64, answer: Answer) {
        let entry = Entry {
            owner,
            id: *id,
            body,
            reference: answer.reference,
            code: answer.code as u16,
            at: answer.at as u16,
            hash,
        };
        let slot = if self.ring.len() < self.capacity {
            self.ring.push(entry);
            if self.ring.len() * 2 > self.index.len() {
                self.grow();
                return;
            }
            self.ring.len() - 1
        } else {
            let slot = self.oldest;
            self.oldest = (self.oldest + 1) % self.capacity;
            self.unindex(self.ring[slot].hash, slot as u32 + 1);
            self.ring[slot] = entry;
            // The next to be forgotten: have its index cell at hand by then.
            self.prefetch(self.ring[(slot + 16) % self.capacity].hash);
            slot
        };
        self.put(hash, slot as u32 + 1);
    }

    #[inline(always)]
    fn put(&mut self, hash: u32, slot: u32) {
        let mask = self.index.len() - 1;
        let mut at = hash as usize & mask;
        while self.index[at].1 != 0 {
            at = (at + 1) & mask;
        }
        self.index[at] = (hash, slot);
    }

    #[cold]
    fn grow(&mut self) {
        self.index = vec![(0, 0); self.index.len() * 2];
        for slot in 0..self.ring.len() {
            self.put(self.ring[slot].hash, slot as u32 + 1);
        }
    }

    /// Takes an entry out of the index, shifting back what follows.
    fn unindex(&mut self, hash: u32, slot: u32) {
        let mask = self.index.len() - 1;
        let mut hole = hash as usize & mask;
        while self.index[hole].1 != slot {
            hole = (hole + 1) & mask;
        }
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let (next, taken) = self.index[at];
            if taken == 0 {
                break;
            }
            let distance = at.wrapping_sub(next as usize & mask) & mask;
            if distance >= (at.wrapping_sub(hole) & mask) {
                self.index[hole] = self.index[at];
                hole = at;
            }
        }
        self.index[hole] = (0, 0);
    }

    /// Entries from oldest to newest, for snapshots.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        let (new, old) = self.ring.split_at(self.oldest);
        old.iter().chain(new.iter())
    }

    pub fn len(&self) -> usize {
        self.ring.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_the_oldest() {
        let mut memory = Dedupe::new(4);
        let id = |n: u8| {
            let mut id = [0u8; 32];
            id[0] = n;
            id
        };
        for n in 1..=6u8 {
            let answer = Answer { code: Code::Ok, at: At::None, reference: u64::from(n) };
            memory.remember(Dedupe::hash(1, &id(n)), 1, &id(n), 7, answer);
        }
        assert!(matches!(memory.seen(Dedupe::hash(1, &id(2)), 1, &id(2), 7), Seen::New));
        assert!(
            matches!(memory.seen(Dedupe::hash(1, &id(3)), 1, &id(3), 7), Seen::Same(a) if a.reference == 3)
        );
        assert!(matches!(memory.seen(Dedupe::hash(1, &id(6)), 1, &id(6), 8), Seen::Other));
        assert!(matches!(memory.seen(Dedupe::hash(2, &id(6)), 2, &id(6), 7), Seen::New));
        let order: Vec<u64> = memory.entries().map(|e| e.reference).collect();
        assert_eq!(order, [3, 4, 5, 6]);
    }
}
