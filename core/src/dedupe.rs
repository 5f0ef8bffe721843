//! The memory of commands: the same id and body gets the first answer again.
//!
//! A ring of 64-byte entries, oldest forgotten first, with a hash index on (owner, id). Commands
//! use the account as owner and the command id; venue fills use the order and the trade id.

use hashbrown::HashTable;

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
    pad: u32,
}

pub struct Dedupe {
    ring: Vec<Entry>,
    capacity: usize,
    /// Where the next entry goes once the ring is full.
    oldest: usize,
    index: HashTable<u32>,
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
        Dedupe { ring: Vec::new(), capacity, oldest: 0, index: HashTable::new() }
    }

    #[inline]
    pub fn seen(&self, owner: u64, id: &Id, body: u64) -> Seen {
        let hash = hash_bytes(owner, id);
        let found = self.index.find(hash, |&slot| {
            let e = &self.ring[slot as usize];
            e.owner == owner && e.id == *id
        });
        match found {
            None => Seen::New,
            Some(&slot) => {
                let e = &self.ring[slot as usize];
                if e.body != body {
                    return Seen::Other;
                }
                Seen::Same(Answer {
                    code: Code::from_number(e.code).unwrap_or(Code::Ok),
                    at: At::from_number(e.at).unwrap_or(At::None),
                    reference: e.reference,
                })
            }
        }
    }

    #[inline]
    pub fn remember(&mut self, owner: u64, id: &Id, body: u64, answer: Answer) {
        let entry = Entry {
            owner,
            id: *id,
            body,
            reference: answer.reference,
            code: answer.code as u16,
            at: answer.at as u16,
            pad: 0,
        };
        let slot = if self.ring.len() < self.capacity {
            self.ring.push(entry);
            self.ring.len() - 1
        } else {
            let slot = self.oldest;
            self.oldest = (self.oldest + 1) % self.capacity;
            let old = &self.ring[slot];
            let hash = hash_bytes(old.owner, &old.id);
            if let Ok(found) = self.index.find_entry(hash, |&s| s as usize == slot) {
                found.remove();
            }
            self.ring[slot] = entry;
            slot
        };
        let ring = &self.ring;
        let hash = hash_bytes(owner, id);
        self.index.insert_unique(hash, slot as u32, |&s| {
            let e = &ring[s as usize];
            hash_bytes(e.owner, &e.id)
        });
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
            memory.remember(1, &id(n), 7, answer);
        }
        assert!(matches!(memory.seen(1, &id(2), 7), Seen::New));
        assert!(matches!(memory.seen(1, &id(3), 7), Seen::Same(a) if a.reference == 3));
        assert!(matches!(memory.seen(1, &id(6), 8), Seen::Other));
        assert!(matches!(memory.seen(2, &id(6), 7), Seen::New));
        let order: Vec<u64> = memory.entries().map(|e| e.reference).collect();
        assert_eq!(order, [3, 4, 5, 6]);
    }
}
