//! Stop loss, take profit and trailing stop of a position: their places in the books.

use crate::book::Book;
use crate::code::Side;
use crate::engine::Engine;
use crate::state::Position;

impl Engine {
    /// Moves a trailing stop to its distance from the present quote, if that is better by a step;
    /// tells whether it moved.
    pub fn trail_to_quote(&mut self, slot: u32) -> bool {
        let p = &self.positions[slot];
        if p.trailing == 0 {
            return false;
        }
        let ins = &self.instruments[self.legs[p.leg].instrument as usize];
        let step = p.trailing_step.max(1);
        let (better, moves) = if p.side == Side::Buy {
            let better = (ins.bid - p.markup).max(1) - p.trailing;
            (better, better >= 1 && (p.sl == 0 || better >= p.sl + step))
        } else {
            let better = ins.ask + p.markup + p.trailing;
            (better, better <= ins.def.price_max && (p.sl == 0 || better <= p.sl - step))
        };
        if moves && ins.bid > 0 {
            self.positions[slot].sl = better;
            return true;
        }
        false
    }

    /// Raw thresholds of a position's triggers: (book, price), where set.
    pub fn thresholds(p: &Position) -> [Option<(Book, i64)>; 3] {
        let long = p.side == Side::Buy;
        let shift = if long { p.markup } else { -p.markup };
        let step = p.trailing_step.max(1);
        let set = |on: bool, book: Book, price: i64| on.then_some((book, price));
        if long {
            let trail_from = if p.sl > 0 { p.sl + step } else { 1 };
            [
                set(p.sl > 0, Book::SlLong, p.sl + shift),
                set(p.tp > 0, Book::TpLong, p.tp + shift),
                set(p.trailing > 0, Book::TrailLong, trail_from + p.trailing + shift),
            ]
        } else {
            let trail_from = if p.sl > 0 { p.sl - step } else { i64::MAX / 4 };
            [
                set(p.sl > 0, Book::SlShort, p.sl + shift),
                set(p.tp > 0, Book::TpShort, p.tp + shift),
                set(p.trailing > 0, Book::TrailShort, trail_from - p.trailing + shift),
            ]
        }
    }

    pub fn arm_position(&mut self, slot: u32) {
        let p = &self.positions[slot];
        if p.sl == 0 && p.tp == 0 && p.trailing == 0 {
            return;
        }
        let i = self.legs[p.leg].instrument as usize;
        let generation = p.id as u32;
        for (book, price) in Self::thresholds(p).into_iter().flatten() {
            self.books[i].insert(book, price, slot, generation);
            if self.books[i].overgrown(book) {
                self.rebuild_book(i, book);
            }
        }
    }

    pub fn disarm_position(&mut self, slot: u32) {
        let p = &self.positions[slot];
        if p.sl == 0 && p.tp == 0 && p.trailing == 0 {
            return;
        }
        let i = self.legs[p.leg].instrument as usize;
        for (book, _) in Self::thresholds(p).into_iter().flatten() {
            self.books[i].forget(book);
        }
    }

    /// Is a book entry still what its position wants?
    pub fn position_wants(&self, book: Book, slot: u32, generation: u32, price: i64) -> bool {
        let Some(p) = self.positions.items.get(slot as usize) else {
            return false;
        };
        p.id != 0
            && p.id as u32 == generation
            && Self::thresholds(p).into_iter().flatten().any(|t| t == (book, price))
    }
}
