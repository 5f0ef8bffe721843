//! Safe price bands: an account is looked at only when a price leaves the band around it.
//!
//! Equity is K + Σ floating, and the floating profit of a leg is monotone in the bid (longs), in
//! the ask (shorts) and in the prices it is converted by. So over a box of prices the lowest and
//! highest equity are reached at corners, and evaluating those corners with the same rounding as
//! the exact valuation gives true bounds (half-even rounding is monotone). A band is a box in
//! which the lower bound stays at or above what the account must keep and, during a margin call,
//! the upper bound stays below the level that would clear it. While no price leaves the box
//! nothing can have happened; when one does, the account is valued exactly and gets a new box.
//! How wide to make each side is only a matter of speed: it follows the share of each leg in the
//! account's exposure. The narrowest box is the present quote itself, whose bounds are exact, so
//! the search always ends.

use crate::book::Book;
use crate::code::Side;
use crate::engine::Engine;
use crate::group::LevelUnit;
use crate::limits::PRICE_MAX;
use crate::money::{ceil_div, muldiv};
use crate::state::{Account, Band, Leg, NEVER_HIGH, NEVER_LOW, NONE};

/// Legs of a chain whose quote is outside their band.
enum Open {
    None,
    One(u32),
    Many,
}

/// A leg alone gets a new band only if it is at least bid / 2^9 (0.2 %) wide: narrower ones would
/// fire again soon, and then all legs share the room anew.
const QUICK_SHIFT: u32 = 9;

/// How often a band is narrowed before it becomes the present quote alone.
const NARROWINGS: u32 = 6;

/// Lower and upper limits of a valuation: lower <= value, and value < upper while that is set.
#[derive(Clone, Copy, Debug)]
pub struct Guard {
    pub lower: Option<i128>,
    pub upper: Option<i128>,
}

impl Engine {
    /// Equity below (margin call, stop-out) means that level is reached; `None`: it cannot be.
    pub fn levels(&self, account: &Account) -> (Option<i128>, Option<i128>) {
        let def = &self.groups[account.group as usize].def;
        let m = account.margin;
        let open = self.has_cross_position(account);
        match def.level_unit {
            LevelUnit::Percent if m > 0 => {
                let at = |level: i64| {
                    if let Some(scaled) =
                        i64::try_from(m).ok().and_then(|small| small.checked_mul(level))
                    {
                        return Some(i128::from(scaled / 10_000 + i64::from(scaled % 10_000 > 0)));
                    }
                    let scaled = i128::from(level).saturating_mul(m).min(i128::MAX - 10_000);
                    Some(ceil_div(scaled, 10_000))
                };
                (at(def.margin_call), at(def.stop_out))
            }
            LevelUnit::Percent => (None, (def.stop_out_hedged && open).then_some(0)),
            LevelUnit::Money if open || m > 0 => {
                (Some(i128::from(def.margin_call)), Some(i128::from(def.stop_out)))
            }
            LevelUnit::Money => (None, None),
        }
    }

    pub fn has_cross_position(&self, account: &Account) -> bool {
        let mut l = account.first_leg;
        while l != NONE {
            if self.legs[l].positions > 0 {
                return true;
            }
            l = self.legs[l].next;
        }
        false
    }

    /// Makes sure the chain of legs starting at `first` is inside a band that keeps the guard.
    /// `fixed` is the part of the valuation that no price moves.
    pub fn arm_chain(&mut self, first: u32, fixed: i128, value: i128, guard: Guard) {
        if first == NONE || (guard.lower.is_none() && guard.upper.is_none()) {
            return;
        }
        if matches!(self.open_legs(first), Open::None) && self.holds(first, fixed, guard) {
            return;
        }
        let mut room_low = guard.lower.map_or(i128::MAX, |t| (value - t).max(0));
        let mut room_high = guard.upper.map_or(i128::MAX, |t| (t - 1 - value).max(0));
        if room_low != i128::MAX {
            // An eighth is kept back, so that a small new position does not move every leg.
            room_low -= room_low / 8;
        }
        let exposure = self.exposure(first);
        for _ in 0..NARROWINGS {
            self.set_bands(first, exposure, room_low, room_high, guard);
            if self.holds(first, fixed, guard) {
                return;
            }
            room_low = if room_low == i128::MAX { room_low } else { room_low / 4 };
            room_high = if room_high == i128::MAX { room_high } else { room_high / 4 };
        }
        self.set_bands(first, 0, 0, 0, guard);
    }

    /// The common case of an account in no danger: one leg left its band, and even with all others
    /// at their worst there is room left for it. True when it has a new band; the account's own
    /// value was not even needed.
    pub fn rearm_quickly(&mut self, a: u32) -> bool {
        let account = &self.accounts[a as usize];
        let first = account.first_leg;
        if first == NONE {
            return false;
        }
        let (call, out) = self.levels(account);
        let fixed = account.balance + account.credit - account.isolated;
        match (call.or(out), self.open_legs(first)) {
            (Some(lower), Open::One(l)) => {
                let least = self.instruments[self.legs[l].instrument as usize].bid >> QUICK_SHIFT;
                self.rearm_one(first, l, fixed, lower, least.max(1))
            }
            _ => false,
        }
    }

    /// Gives one leg a new band out of what the others, at their worst, do not use; false when that
    /// would be narrower than `least` points.
    fn rearm_one(&mut self, first: u32, l: u32, fixed: i128, lower: i128, least: i64) -> bool {
        let leg = &self.legs[l];
        let old = leg.band;
        let ins = &self.instruments[leg.instrument as usize];
        let (bid, ask) = (ins.bid, ins.ask);
        let (long, short) = (leg.volume_long > 0, leg.volume_short > 0);
        let around = |width: i64| Band {
            bid_low: if long { (bid - width).max(NEVER_LOW) } else { NEVER_LOW },
            ask_high: if short && ask + width <= PRICE_MAX { ask + width } else { NEVER_HIGH },
            ..Band::default()
        };
        // Worst case of the others, this leg standing at its quote.
        self.legs[l].band = around(1);
        let room = fixed + self.bound(first, false) - lower;
        let here = self.leg_bound(first, &self.legs[l], false);
        let mut fits = false;
        if room > 0 {
            let exposure = self.leg_exposure(l).max(1);
            let width = muldiv(i128::from(bid), room - room / 8, exposure);
            let width = width.clamp(1, i128::from(PRICE_MAX)) as i64;
            let band = around(width);
            self.legs[l].band = band;
            // What the band lets this leg lose must fit into the room.
            let there = self.leg_bound(first, &self.legs[l], false);
            fits = width >= least && here - there <= room;
            self.legs[l].band = old;
            if fits {
                self.set_band(l, band);
            }
        }
        if !fits {
            self.legs[l].band = old;
        }
        fits
    }

    /// Which legs stand outside their band, or have none where they need one.
    fn open_legs(&self, first: u32) -> Open {
        let mut open = Open::None;
        let mut simple = true;
        let mut l = first;
        while l != NONE {
            let leg = &self.legs[l];
            let ins = &self.instruments[leg.instrument as usize];
            let b = &leg.band;
            let outside = ins.bid <= b.bid_low
                || ins.bid >= b.bid_high
                || ins.ask <= b.ask_low
                || ins.ask >= b.ask_high;
            let bare = (leg.volume_long > 0 && b.bid_low == NEVER_LOW)
                || (leg.volume_short > 0 && b.ask_high == NEVER_HIGH);
            simple &= leg.converts_long == 0 && leg.path.steps == 0;
            if outside || bare {
                open = match open {
                    Open::None => Open::One(l),
                    _ => Open::Many,
                };
            }
            l = leg.next;
        }
        match open {
            // A leg that converts, or is converted, moves with more than its own price.
            Open::One(_) if !simple => Open::Many,
            _ => open,
        }
    }

    /// Notional of both sides of a leg in account money.
    fn leg_exposure(&self, l: u32) -> i128 {
        let leg = &self.legs[l];
        let ins = &self.instruments[leg.instrument as usize];
        let mut sum = 0;
        for (side, price, volume) in
            [(Side::Buy, ins.bid, leg.volume_long), (Side::Sell, ins.ask, leg.volume_short)]
        {
            if volume > 0 {
                sum += self.notional(leg.instrument, &leg.path, side, volume, price);
                if leg.path.steps > 0 {
                    sum += self.floating_side(leg, side).abs();
                }
            }
        }
        sum
    }

    /// Do the bounds over the box keep the guard?
    fn holds(&self, first: u32, fixed: i128, guard: Guard) -> bool {
        let low = guard.lower.is_none_or(|t| fixed + self.bound(first, false) >= t);
        low && guard.upper.is_none_or(|t| fixed + self.bound(first, true) < t)
    }

    /// Lowest (or highest) floating profit of the chain over its box.
    fn bound(&self, first: u32, highest: bool) -> i128 {
        let mut sum = 0;
        let mut l = first;
        while l != NONE {
            let leg = &self.legs[l];
            sum += self.leg_bound(first, leg, highest);
            l = leg.next;
        }
        sum
    }

    /// Lowest (or highest) floating profit of one leg over the box.
    #[inline]
    fn leg_bound(&self, first: u32, leg: &Leg, highest: bool) -> i128 {
        let mut sum = 0;
        if leg.volume_long > 0 {
            let (low, high) = self.corner(leg, true);
            let p = if highest { high } else { low };
            let raw = i128::from(p) * i128::from(leg.volume_long) - leg.cost_long;
            sum += self.bound_converted(first, leg, true, raw, highest);
        }
        if leg.volume_short > 0 {
            let (low, high) = self.corner(leg, false);
            let p = if highest { low } else { high };
            let raw = leg.cost_short - i128::from(p) * i128::from(leg.volume_short);
            sum += self.bound_converted(first, leg, false, raw, highest);
        }
        sum
    }

    /// The last prices inside the band on one side of the quote: (lowest, highest).
    #[inline]
    fn corner(&self, leg: &Leg, bid: bool) -> (i64, i64) {
        let b = &leg.band;
        let (low, high) = if bid { (b.bid_low, b.bid_high) } else { (b.ask_low, b.ask_high) };
        let top = if high == NEVER_HIGH { PRICE_MAX } else { high - 1 };
        (low + 1, top)
    }

    #[inline]
    fn bound_converted(&self, first: u32, leg: &Leg, long: bool, raw: i128, highest: bool) -> i128 {
        let mut x = Self::money_of(&self.instruments[leg.instrument as usize], raw);
        for n in 0..leg.path.steps as usize {
            let i = leg.path.instrument[n];
            let divide = leg.path.divide[n];
            let ins = &self.instruments[i as usize];
            let (low, high) = self.corner(self.chain_leg(first, i), long);
            // More of a gain, or less of a loss, wants the higher rate.
            let high_rate = (x > 0) == highest;
            let p = if high_rate != divide { high } else { low };
            x = Self::step(x, ins.scale, divide, i128::from(p) * 2);
        }
        x
    }

    fn chain_leg(&self, first: u32, i: u32) -> &Leg {
        let mut l = first;
        while self.legs[l].instrument != i {
            l = self.legs[l].next;
        }
        &self.legs[l]
    }

    /// Rough sum of the chain's exposure in account money; only tunes the widths.
    fn exposure(&self, first: u32) -> i128 {
        let mut sum = 0;
        let mut l = first;
        while l != NONE {
            sum += self.leg_exposure(l);
            l = self.legs[l].next;
        }
        sum
    }

    /// Gives every leg a box around its quote: widths are room / exposure of the price.
    fn set_bands(
        &mut self,
        first: u32,
        exposure: i128,
        room_low: i128,
        room_high: i128,
        guard: Guard,
    ) {
        let mut l = first;
        while l != NONE {
            let leg = &self.legs[l];
            let next = leg.next;
            let ins = &self.instruments[leg.instrument as usize];
            let (bid, ask) = (ins.bid, ins.ask);
            let width = |room: i128| -> i64 {
                if exposure == 0 || room == i128::MAX {
                    return 1;
                }
                let w = muldiv(i128::from(bid), room, exposure);
                w.clamp(1, i128::from(PRICE_MAX)) as i64
            };
            let (lower, upper) = (guard.lower.is_some(), guard.upper.is_some());
            let narrow = match (lower, upper) {
                (true, true) => width(room_low).min(width(room_high)),
                (true, false) => width(room_low),
                _ => width(room_high),
            };
            let (low_room, high_room) =
                (if lower { width(room_low) } else { 1 }, if upper { width(room_high) } else { 1 });
            let mut band = Band::default();
            let down = |p: i64, w: i64| (p - w).max(NEVER_LOW);
            let up = |p: i64, w: i64| if p + w > PRICE_MAX { NEVER_HIGH } else { p + w };
            if leg.volume_long > 0 {
                if lower {
                    band.bid_low = down(bid, low_room);
                }
                if upper {
                    band.bid_high = up(bid, high_room);
                }
            }
            if leg.volume_short > 0 {
                if lower {
                    band.ask_high = up(ask, low_room);
                }
                if upper {
                    band.ask_low = down(ask, high_room);
                }
            }
            if leg.converts_long > 0 {
                band.bid_low = band.bid_low.max(down(bid, narrow));
                band.bid_high = band.bid_high.min(up(bid, narrow));
            }
            if leg.converts_short > 0 {
                band.ask_low = band.ask_low.max(down(ask, narrow));
                band.ask_high = band.ask_high.min(up(ask, narrow));
            }
            self.set_band(l, band);
            l = next;
        }
    }

    fn set_band(&mut self, l: u32, band: Band) {
        let leg = &mut self.legs[l];
        let old = std::mem::replace(&mut leg.band, band);
        let i = leg.instrument as usize;
        let sides = [
            (Book::BandBidFall, old.bid_low, band.bid_low, NEVER_LOW),
            (Book::BandBidRise, old.bid_high, band.bid_high, NEVER_HIGH),
            (Book::BandAskFall, old.ask_low, band.ask_low, NEVER_LOW),
            (Book::BandAskRise, old.ask_high, band.ask_high, NEVER_HIGH),
        ];
        for (book, before, after, never) in sides {
            if before == after {
                continue;
            }
            if before != never {
                self.books[i].forget(book);
            }
            if after != never {
                self.books[i].insert(book, after, l, 0);
                if self.books[i].overgrown(book) {
                    self.rebuild_book(i, book);
                }
            }
        }
    }

    /// Takes a leg out of the band books.
    pub fn disarm_band(&mut self, l: u32) {
        self.set_band(l, Band::default());
    }

    /// Is a band entry still what its leg wants?
    pub fn leg_wants(&self, i: usize, book: Book, slot: u32, price: i64) -> bool {
        let Some(leg) = self.legs.items.get(slot as usize) else {
            return false;
        };
        let b = &leg.band;
        let set = match book {
            Book::BandBidFall => b.bid_low,
            Book::BandBidRise => b.bid_high,
            Book::BandAskFall => b.ask_low,
            _ => b.ask_high,
        };
        leg.account != NONE && leg.instrument as usize == i && set == price
    }

    /// A band fired: the entry is gone from its book, so the leg must not count on it.
    pub fn band_fired(&mut self, book: Book, slot: u32) {
        let b = &mut self.legs[slot].band;
        match book {
            Book::BandBidFall => b.bid_low = NEVER_LOW,
            Book::BandBidRise => b.bid_high = NEVER_HIGH,
            Book::BandAskFall => b.ask_low = NEVER_LOW,
            _ => b.ask_high = NEVER_HIGH,
        }
    }

    pub fn rebuild_book(&mut self, i: usize, book: Book) {
        let mut books = std::mem::take(&mut self.books[i]);
        books.rebuild(book, |slot, generation, price| match book {
            Book::BandBidFall | Book::BandBidRise | Book::BandAskFall | Book::BandAskRise => {
                self.leg_wants(i, book, slot, price)
            }
            Book::BuyLimit | Book::BuyStop | Book::SellLimit | Book::SellStop => {
                self.order_wants(book, slot, generation, price)
            }
            _ => self.position_wants(book, slot, generation, price),
        });
        self.books[i] = books;
    }
}
