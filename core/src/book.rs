//! Price-indexed trigger books: which stops, targets, pending orders and bands a price reaches.
//!
//! A book answers one question per quote: does the best threshold fire? It is a heap with lazy
//! removal: an entry whose owner has changed its mind is recognised when it surfaces, by asking the
//! owner (see `Slot` callers). Once stale entries outnumber live ones the book is rebuilt, so insert
//! and removal are O(1) on average and memory stays proportional to what is live. The order in
//! which entries fire is never observable: callers sort what fired by id.

use std::collections::BinaryHeap;

use crate::limits::BOOK_SLACK;

/// A threshold: owner slot and generation (low half of the owner's id) say whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    key: i64,
    pub slot: u32,
    pub generation: u32,
}

/// The books of one instrument, by what they hold and which way the price must move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Book {
    SlLong,
    SlShort,
    TpLong,
    TpShort,
    TrailLong,
    TrailShort,
    BuyLimit,
    BuyStop,
    SellLimit,
    SellStop,
    BandBidFall,
    BandBidRise,
    BandAskFall,
    BandAskRise,
}

pub const BOOKS: usize = 14;

impl Book {
    pub const ALL: [Book; BOOKS] = [
        Book::SlLong,
        Book::SlShort,
        Book::TpLong,
        Book::TpShort,
        Book::TrailLong,
        Book::TrailShort,
        Book::BuyLimit,
        Book::BuyStop,
        Book::SellLimit,
        Book::SellStop,
        Book::BandBidFall,
        Book::BandBidRise,
        Book::BandAskFall,
        Book::BandAskRise,
    ];

    /// Fires when the price is at or above the threshold (else: at or below).
    #[inline(always)]
    pub const fn rises(self) -> bool {
        matches!(
            self,
            Book::SlShort
                | Book::TpLong
                | Book::TrailLong
                | Book::BuyStop
                | Book::SellLimit
                | Book::BandBidRise
                | Book::BandAskRise
        )
    }

    /// Watches the bid (else the ask).
    #[inline(always)]
    pub const fn watches_bid(self) -> bool {
        matches!(
            self,
            Book::SlLong
                | Book::TpLong
                | Book::TrailLong
                | Book::SellLimit
                | Book::SellStop
                | Book::BandBidFall
                | Book::BandBidRise
        )
    }

    /// Heap key of a threshold, or of the price it is compared with.
    #[inline(always)]
    const fn key(self, price: i64) -> i64 {
        if self.rises() {
            -price
        } else {
            price
        }
    }
}

/// All books of one instrument. `head[b]` is the top key, so a quiet quote reads 14 numbers.
pub struct Books {
    head: [i64; BOOKS],
    heaps: [BinaryHeap<Entry>; BOOKS],
    live: [usize; BOOKS],
}

impl Default for Books {
    fn default() -> Self {
        Books {
            head: [i64::MIN; BOOKS],
            heaps: std::array::from_fn(|_| BinaryHeap::new()),
            live: [0; BOOKS],
        }
    }
}

impl Books {
    /// Adds a threshold price.
    #[inline]
    pub fn insert(&mut self, book: Book, price: i64, slot: u32, generation: u32) {
        let key = book.key(price);
        let b = book as usize;
        self.heaps[b].push(Entry { key, slot, generation });
        self.live[b] += 1;
        if key > self.head[b] {
            self.head[b] = key;
        }
    }

    /// Notes that one live entry became stale.
    #[inline(always)]
    pub fn forget(&mut self, book: Book) {
        let b = book as usize;
        self.live[b] = self.live[b].saturating_sub(1);
    }

    /// True when the book has outgrown its live entries and should be rebuilt.
    #[inline(always)]
    pub fn overgrown(&self, book: Book) -> bool {
        let b = book as usize;
        self.heaps[b].len() > 2 * self.live[b] + BOOK_SLACK
    }

    /// Keeps the entries that `alive` confirms (given slot, generation and threshold price).
    pub fn rebuild(&mut self, book: Book, alive: impl Fn(u32, u32, i64) -> bool) {
        let b = book as usize;
        let mut entries = std::mem::take(&mut self.heaps[b]).into_vec();
        entries.retain(|e| alive(e.slot, e.generation, book.key(e.key)));
        entries.sort_unstable();
        entries.dedup();
        self.live[b] = entries.len();
        self.heaps[b] = BinaryHeap::from(entries);
        self.set_head(b);
    }

    /// Does the top of the book fire at this price?
    #[inline(always)]
    pub fn hit(&self, book: Book, bid: i64, ask: i64) -> bool {
        let price = if book.watches_bid() { bid } else { ask };
        self.head[book as usize] >= book.key(price)
    }

    /// Any book at all that fires?
    #[inline(always)]
    pub fn any_hit(&self, bid: i64, ask: i64) -> bool {
        let mut hit = false;
        for book in Book::ALL {
            hit |= self.hit(book, bid, ask);
        }
        hit
    }

    /// Takes the top entry if it fires; the threshold price comes with it.
    #[inline]
    pub fn pop(&mut self, book: Book, bid: i64, ask: i64) -> Option<(Entry, i64)> {
        if !self.hit(book, bid, ask) {
            return None;
        }
        let b = book as usize;
        let entry = self.heaps[b].pop()?;
        self.live[b] = self.live[b].saturating_sub(1);
        self.set_head(b);
        Some((entry, book.key(entry.key)))
    }

    fn set_head(&mut self, b: usize) {
        self.head[b] = self.heaps[b].peek().map_or(i64::MIN, |e| e.key);
    }

    /// Bytes held by the heaps.
    pub fn bytes(&self) -> usize {
        self.heaps.iter().map(|h| h.capacity() * size_of::<Entry>()).sum()
    }
}
