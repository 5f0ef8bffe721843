//! The tick path: a quote finds what it hits in the books and touches nothing else.
//!
//! Order of work (semantics section 9, after the MT5 server documentation): stop losses, take
//! profits, trailing stops, pending orders; then isolated positions, margin calls and stop-outs.
//! What fired is sorted by id before it acts, so the books' inner order is never observable.

use crate::bands::Guard;
use crate::book::Book;
use crate::code::{OrderState, PositionState, Posting, Reason, Trading};
use crate::engine::{Engine, Parked};
use crate::group::Mode;
use crate::money::muldiv;
use crate::state::NONE;
use crate::table::prefetch_all;
use crate::wire;

impl Engine {
    #[inline]
    pub fn on_quote(&mut self, quote: wire::Quote) {
        let i = quote.instrument as usize;
        let ins = &mut self.instruments[i];
        ins.bid = quote.bid;
        ins.ask = quote.ask;
        ins.quote_ts = self.now;
        if self.books[i].any_hit(quote.bid, quote.ask) {
            self.hits(i);
        }
        if !self.stuck[i].is_empty() || !self.stuck_isolated[i].is_empty() {
            self.wake(i);
        }
    }

    /// Accounts and isolated positions that waited for a quote of this instrument.
    fn wake(&mut self, i: usize) {
        for a in std::mem::take(&mut self.stuck[i]) {
            if self.accounts[a as usize].stuck && self.find_leg(a, i as u32).is_some() {
                self.touch(a);
            }
        }
        let waiting = std::mem::take(&mut self.stuck_isolated[i]);
        self.touched_isolated.extend(waiting);
    }

    fn hits(&mut self, i: usize) {
        if self.state != Trading::Halted && self.instruments[i].executable(self.now) {
            for id in self.fired_positions(i, Book::SlLong, Book::SlShort) {
                self.close_on_trigger(id, Reason::StopLoss);
            }
            for id in self.fired_positions(i, Book::TpLong, Book::TpShort) {
                self.close_on_trigger(id, Reason::TakeProfit);
            }
            for id in self.fired_positions(i, Book::TrailLong, Book::TrailShort) {
                self.trail(id);
            }
            for id in self.fired_orders(i) {
                self.activate(id);
            }
        }
        let (bid, ask) = (self.instruments[i].bid, self.instruments[i].ask);
        for book in [Book::BandBidFall, Book::BandBidRise, Book::BandAskFall, Book::BandAskRise] {
            while let Some((entry, price)) = self.books[i].pop(book, bid, ask) {
                self.fired.push((book, entry.slot, price));
            }
        }
        self.bands_fired(i);
    }

    /// Touches whom the fired bands belong to, asking for their memory a few entries ahead.
    fn bands_fired(&mut self, i: usize) {
        let fired = std::mem::take(&mut self.fired);
        for (n, &(book, slot, price)) in fired.iter().enumerate() {
            if let Some(&(_, later, _)) = fired.get(n + 8) {
                prefetch_all(&self.legs[later]);
            }
            if let Some(&(_, soon, _)) = fired.get(n + 4) {
                let a = self.legs[soon].account as usize;
                if let Some(account) = self.accounts.get(a) {
                    prefetch_all(account);
                }
            }
            if !self.leg_wants(i, book, slot, price) {
                continue;
            }
            self.band_fired(book, slot);
            let leg = &self.legs[slot];
            if leg.isolated {
                let id = self.positions[leg.first_position].id;
                self.touched_isolated.push(id);
            } else {
                let a = leg.account;
                self.touch(a);
            }
        }
        self.fired = fired;
        self.fired.clear();
    }

    /// Ids of the positions whose entries fire in either book, ascending.
    fn fired_positions(&mut self, i: usize, long: Book, short: Book) -> Vec<u64> {
        let (bid, ask) = (self.instruments[i].bid, self.instruments[i].ask);
        let mut ids = Vec::new();
        for book in [long, short] {
            while let Some((entry, price)) = self.books[i].pop(book, bid, ask) {
                if self.position_wants(book, entry.slot, entry.generation, price) {
                    ids.push(self.positions[entry.slot].id);
                }
            }
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn fired_orders(&mut self, i: usize) -> Vec<u64> {
        let (bid, ask) = (self.instruments[i].bid, self.instruments[i].ask);
        let mut ids = Vec::new();
        for book in [Book::BuyLimit, Book::BuyStop, Book::SellLimit, Book::SellStop] {
            while let Some((entry, price)) = self.books[i].pop(book, bid, ask) {
                if self.order_wants(book, entry.slot, entry.generation, price) {
                    ids.push(self.orders[entry.slot].id);
                }
            }
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Is the account of a trigger halted (itself or its group)?
    pub fn account_halted(&self, a: u32) -> bool {
        let account = &self.accounts[a as usize];
        account.state == Trading::Halted
            || self.groups[account.group as usize].state == Trading::Halted
            || self.state == Trading::Halted
    }

    fn close_on_trigger(&mut self, id: u64, reason: Reason) {
        let Some(slot) = self.position_by_id.get(id) else {
            return;
        };
        let p = &self.positions[slot];
        if p.closing != 0 {
            return;
        }
        if self.account_halted(self.legs[p.leg].account) {
            self.parked.insert(Parked::Position(id));
            return;
        }
        let volume = p.volume;
        self.close_position_now(slot, volume, reason);
    }

    /// Moves a trailing stop to its distance from the present quote.
    fn trail(&mut self, id: u64) {
        let Some(slot) = self.position_by_id.get(id) else {
            return;
        };
        let p = &self.positions[slot];
        if p.closing != 0 {
            return;
        }
        let leg = &self.legs[p.leg];
        if self.account_halted(leg.account) {
            self.parked.insert(Parked::Position(id));
            return;
        }
        self.disarm_position(slot);
        let moved = self.trail_to_quote(slot);
        self.arm_position(slot);
        if moved {
            self.emit_position(slot, PositionState::Changed, Reason::Trailing);
        }
    }

    /// End of an input: isolated positions, then every touched account in order of opening.
    #[inline]
    pub fn settle(&mut self, quoted: Option<u32>) {
        if !self.touched_isolated.is_empty() {
            self.isolated_stops(quoted);
        }
        if self.touched.is_empty() {
            return;
        }
        let mut accounts = std::mem::take(&mut self.touched);
        accounts.sort_unstable();
        for (n, &a) in accounts.iter().enumerate() {
            // A gap touches thousands: ask for the next ones' memory while this one is at work.
            if let Some(&later) = accounts.get(n + 6) {
                prefetch_all(&self.accounts[later as usize]);
            }
            if let Some(&soon) = accounts.get(n + 3) {
                let l = self.accounts[soon as usize].first_leg;
                if l != NONE {
                    prefetch_all(&self.legs[l]);
                }
            }
            if let Some(&next) = accounts.get(n + 1) {
                self.prefetch_legs(next);
            }
            self.evaluate(a);
            self.accounts[a as usize].touched = false;
        }
        accounts.clear();
        // `evaluate` only touches the account it evaluates, whose flag was still up.
        self.touched = accounts;
    }

    /// Asks for the legs of an account after its first.
    fn prefetch_legs(&self, a: u32) {
        let first = self.accounts[a as usize].first_leg;
        if first == NONE {
            return;
        }
        // Legs of an account are mostly neighbours in the slab, newest first.
        for n in 1..5 {
            if let Some(near) = first.checked_sub(n) {
                prefetch_all(&self.legs[near]);
            }
        }
    }

    /// Isolated positions at their stop close on a quote of their own; others get a new band.
    fn isolated_stops(&mut self, quoted: Option<u32>) {
        let mut ids = std::mem::take(&mut self.touched_isolated);
        ids.sort_unstable();
        ids.dedup();
        for &id in &ids {
            let Some(slot) = self.position_by_id.get(id) else {
                continue;
            };
            let p = &self.positions[slot];
            let l = p.leg;
            let leg = &self.legs[l];
            let (a, i) = (leg.account, leg.instrument);
            let account = &self.accounts[a as usize];
            let ppm = self.groups[account.group as usize].def.isolated_stop_ppm;
            let stop = muldiv(leg.base_long, i128::from(ppm), 1_000_000);
            let value = leg.margin + self.floating(leg);
            if value > stop {
                self.arm_isolated(l);
                continue;
            }
            let free = p.closing == 0
                && quoted.is_some_and(|q| self.on_chain(l, q))
                && !self.account_halted(a)
                && self.instruments[i as usize].executable(self.now);
            let volume = p.volume;
            if free {
                self.close_position_now(slot, volume, Reason::Liquidation);
            }
            if self.position_by_id.contains(id) {
                let mut c = l;
                while c != NONE {
                    let leg = &self.legs[c];
                    let (next, on) = (leg.next, leg.instrument as usize);
                    self.stuck_isolated[on].insert(id);
                    c = next;
                }
            }
        }
        ids.clear();
        // Liquidations push their own position again; it is gone or waits.
        self.touched_isolated = ids;
    }

    fn on_chain(&self, first: u32, i: u32) -> bool {
        let mut l = first;
        while l != NONE {
            if self.legs[l].instrument == i {
                return true;
            }
            l = self.legs[l].next;
        }
        false
    }

    /// Margin call and stop-out of one account; then a new band.
    fn evaluate(&mut self, a: u32) {
        if self.account_halted(a) {
            return;
        }
        let account = &mut self.accounts[a as usize];
        account.stuck = false;
        if account.first_leg == NONE && account.orders == 0 && account.level == 0 {
            return;
        }
        if account.level == 0 && self.rearm_quickly(a) {
            return;
        }
        let mut closed = false;
        let mut waits = false;
        let value = loop {
            let account = &self.accounts[a as usize];
            let (call, out) = self.levels(account);
            if call.is_none() && out.is_none() {
                self.set_level(a, 0, 0);
                break 0;
            }
            let e = self.equity(account);
            if out.is_some_and(|t| e < t) {
                self.set_level(a, 2, e);
                let in_flight = self.close_in_flight(a);
                if !in_flight && self.cancel_largest_pending(a) {
                    continue;
                }
                if !in_flight && self.close_largest_loss(a) {
                    closed = true;
                    continue;
                }
                waits = true;
                break e;
            }
            let level = u8::from(call.is_some_and(|t| e < t));
            self.set_level(a, level, e);
            break e;
        };
        if closed {
            self.compensate(a);
        }
        let account = &self.accounts[a as usize];
        let first = account.first_leg;
        if waits {
            self.accounts[a as usize].stuck = true;
            let mut l = first;
            while l != NONE {
                let leg = &self.legs[l];
                let (next, on) = (leg.next, leg.instrument as usize);
                self.stuck[on].insert(a);
                l = next;
            }
            return;
        }
        self.arm_with(a, value);
    }

    /// Gives an account its band; one that is below a level it has not acted on is looked at on
    /// every quote.
    pub fn arm_account(&mut self, a: u32) {
        let value = self.equity(&self.accounts[a as usize]);
        self.arm_with(a, value);
    }

    fn arm_with(&mut self, a: u32, value: i128) {
        let account = &self.accounts[a as usize];
        let (call, out) = self.levels(account);
        let guard = if account.level == 0 {
            Guard { lower: call.or(out), upper: None }
        } else {
            Guard { lower: out, upper: call }
        };
        let fixed = account.balance + account.credit - account.isolated;
        self.arm_chain(account.first_leg, fixed, value, guard);
    }

    /// Gives an isolated position (by its first leg) its band.
    pub fn arm_isolated(&mut self, l: u32) {
        let leg = &self.legs[l];
        let account = &self.accounts[leg.account as usize];
        let ppm = self.groups[account.group as usize].def.isolated_stop_ppm;
        let stop = muldiv(leg.base_long, i128::from(ppm), 1_000_000);
        let value = leg.margin + self.floating(leg);
        let guard = Guard { lower: Some(stop + 1), upper: None };
        let fixed = leg.margin;
        self.arm_chain(l, fixed, value, guard);
    }

    fn set_level(&mut self, a: u32, level: u8, equity: i128) {
        let account = &mut self.accounts[a as usize];
        if account.level == level {
            return;
        }
        account.level = level;
        let equity = if equity == 0 { self.equity(&self.accounts[a as usize]) } else { equity };
        let account = &self.accounts[a as usize];
        let event = wire::EventMargin {
            account: account.id,
            level,
            r0: 0,
            r1: 0,
            r2: 0,
            equity,
            margin: account.margin,
        };
        self.emit(&event, 0);
    }

    /// Is a routed close of one of the account's cross positions under way?
    fn close_in_flight(&self, a: u32) -> bool {
        let mut l = self.accounts[a as usize].first_leg;
        while l != NONE {
            let leg = &self.legs[l];
            let mut s = if leg.positions > 0 { leg.first_position } else { NONE };
            while s != NONE {
                if self.positions[s].closing != 0 {
                    return true;
                }
                s = self.positions[s].next;
            }
            l = leg.next;
        }
        false
    }

    /// Cancels the pending order that reserves most; false when none reserves anything.
    fn cancel_largest_pending(&mut self, a: u32) -> bool {
        let mut best: Option<(i128, u64, u32)> = None;
        let mut o = self.accounts[a as usize].first_order;
        while o != NONE {
            let order = &self.orders[o];
            if order.margin > 0 && order.working() {
                let better = best.is_none_or(|(margin, id, _)| {
                    order.margin > margin || (order.margin == margin && order.id < id)
                });
                if better {
                    best = Some((order.margin, order.id, o));
                }
            }
            o = order.next;
        }
        let Some((_, _, slot)) = best else {
            return false;
        };
        self.end_order(slot, OrderState::Cancelled, Reason::StopOut, 0);
        true
    }

    /// Closes the position with the largest loss that can be closed now.
    fn close_largest_loss(&mut self, a: u32) -> bool {
        let mut best: Option<(i128, u64, u32)> = None;
        let mut l = self.accounts[a as usize].first_leg;
        while l != NONE {
            let leg = &self.legs[l];
            let executable =
                leg.positions > 0 && self.instruments[leg.instrument as usize].executable(self.now);
            let mut s = leg.first_position;
            while s != NONE && leg.positions > 0 {
                let p = &self.positions[s];
                if executable {
                    let profit = self.position_profit(p);
                    let better = best.is_none_or(|(least, id, _)| {
                        profit < least || (profit == least && p.id < id)
                    });
                    if better {
                        best = Some((profit, p.id, s));
                    }
                }
                s = p.next;
            }
            l = leg.next;
        }
        let Some((_, id, slot)) = best else {
            return false;
        };
        let p = &self.positions[slot];
        let account = &self.accounts[a as usize];
        let netting = self.groups[account.group as usize].def.mode == Mode::Netting;
        let i = self.legs[p.leg].instrument;
        let most = self.instruments[i as usize].def.volume_max;
        let volume = if netting { p.volume.min(most) } else { p.volume };
        self.close_position_now(slot, volume, Reason::StopOut);
        // A routed close is under way: the account is being handled, not done.
        self.position_by_id.get(id).is_none_or(|s| self.positions[s].closing == 0)
    }

    /// Negative-balance protection after the last position was stopped out.
    fn compensate(&mut self, a: u32) {
        let account = &self.accounts[a as usize];
        let protect = self.groups[account.group as usize].def.negative_balance_protection;
        if !protect || account.positions > 0 || account.balance >= 0 {
            return;
        }
        let missing = -account.balance;
        self.cash(a, Posting::Compensation, missing);
        self.emit_ledger(a, 0);
    }
}
