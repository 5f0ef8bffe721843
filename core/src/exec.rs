//! Fills: what one execution does to positions, legs, money and margin.
//!
//! Per fill the events are LEDGER, FILL, POSITION. A fill that closes more than is open goes on to
//! open the rest; each part is a fill of its own.

use crate::code::{Entry, Ledger, PositionState, Posting, Reason, Side};
use crate::engine::Engine;
use crate::group::{Commission, Mode};
use crate::ledger::SUB_BALANCE;
use crate::money::{muldiv, post};
use crate::state::{Path, Position, NONE};
use crate::value::average;
use crate::wire::{self, Id};

pub const FILL_ROUTED: u8 = 1;
pub const FILL_LATE: u8 = 2;
pub const FILL_OVER: u8 = 4;

/// Everything an execution needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Deal {
    pub order: u64,
    pub account: u32,
    pub instrument: u32,
    pub side: Side,
    pub volume: i64,
    pub price: i64,
    pub reason: Reason,
    /// Position to close (0: by the account's mode).
    pub target: u64,
    /// Position that an earlier part of the same order opened (hedging).
    pub opened: u64,
    pub isolated: bool,
    pub leverage: u32,
    pub sl: i64,
    pub tp: i64,
    pub trailing: i64,
    pub trailing_step: i64,
    pub markup: i64,
    /// Terms the command carried (netting positions take them over).
    pub own_terms: u8,
    /// The order's first fill.
    pub first: bool,
    pub commission: Commission,
    pub swap: Option<(i64, i64)>,
    pub tag: u64,
    /// Margin basis of the whole volume when the check has just computed it.
    pub basis: Option<i128>,
    /// Reserved margin of the order to give back with this fill.
    pub release: i128,
    pub flags: u8,
    pub trade: Id,
}

impl Engine {
    /// Executes a deal; returns the position it closed, changed or opened last.
    pub fn execute(&mut self, deal: &Deal) -> u64 {
        self.touch(deal.account);
        if deal.release != 0 {
            self.margin_leg(deal.account, -deal.release);
            self.accounts[deal.account as usize].margin -= deal.release;
        }
        let mut rest = deal.volume;
        let mut id = 0;
        if let Some(slot) = self.position_by_id.get(deal.target) {
            let closing = rest.min(self.positions[slot].volume);
            id = deal.target;
            self.close_part(deal, slot, closing);
            rest -= closing;
        }
        // More than the target (or all, when it is gone) goes on as an order without one.
        let netting = self.netting(deal.account);
        if rest > 0 && netting {
            if let Some(slot) = self.netting_position(deal.account, deal.instrument, deal.isolated)
            {
                if self.positions[slot].side == deal.side {
                    return self.add_part(deal, slot, rest);
                }
                let closing = rest.min(self.positions[slot].volume);
                id = self.positions[slot].id;
                self.close_part(deal, slot, closing);
                rest -= closing;
            }
        } else if rest > 0 {
            if let Some(slot) = self.position_by_id.get(deal.opened) {
                return self.add_part(deal, slot, rest);
            }
        }
        if rest == 0 {
            return id;
        }
        self.open_part(deal, rest)
    }

    /// Is the account a netting one?
    #[inline]
    pub fn netting(&self, a: u32) -> bool {
        self.groups[self.accounts[a as usize].group as usize].def.mode == Mode::Netting
    }

    /// The one position of a netting account on an instrument.
    pub fn netting_position(&self, a: u32, i: u32, isolated: bool) -> Option<u32> {
        let account = &self.accounts[a as usize];
        if isolated {
            let mut l = account.first_isolated;
            while l != NONE {
                let leg = &self.legs[l];
                if leg.instrument == i {
                    return Some(leg.first_position);
                }
                l = leg.next_isolated;
            }
            return None;
        }
        let l = self.find_leg(a, i)?;
        let first = self.legs[l].first_position;
        (first != NONE).then_some(first)
    }

    /// Opens a new position.
    fn open_part(&mut self, deal: &Deal, volume: i64) -> u64 {
        let id = self.next_id();
        let (a, i) = (deal.account, deal.instrument);
        let l = if deal.isolated { self.isolated_legs(a, i) } else { self.cross_leg(a, i) };
        let position = Position {
            id,
            leg: l,
            prev: NONE,
            next: self.legs[l].first_position,
            last_swap_day: (self.instruments[i as usize].trading_day(self.now) - 1).max(0) as u32,
            side: deal.side,
            isolated: deal.isolated,
            volume: 0,
            cost: 0,
            sl: deal.sl,
            tp: deal.tp,
            trailing: deal.trailing,
            trailing_step: deal.trailing_step,
            markup: deal.markup,
            margin: 0,
            swap: 0,
            commission: deal.commission,
            order: deal.order,
            opened: self.now,
            tag: deal.tag,
            closing: 0,
        };
        let slot = self.positions.add(position);
        let leg = &mut self.legs[l];
        if leg.first_position != NONE && !deal.isolated {
            let old = leg.first_position;
            self.positions[old].prev = slot;
        }
        let leg = &mut self.legs[l];
        leg.first_position = slot;
        leg.positions += 1;
        if deal.isolated {
            let mut c = leg.next;
            while c != NONE {
                self.legs[c].first_position = slot;
                c = self.legs[c].next;
            }
        }
        self.accounts[a as usize].positions += 1;
        self.instruments[i as usize].open += 1;
        self.position_by_id.insert(id, slot);
        if let Some(terms) = deal.swap {
            self.swap_terms.insert(id, terms);
        }
        self.trail_to_quote(slot);
        self.grow(deal, slot, volume);
        self.arm_position(slot);
        self.emit_position(slot, PositionState::Opened, deal.reason);
        id
    }

    /// Adds to an open position of the same side.
    fn add_part(&mut self, deal: &Deal, slot: u32, volume: i64) -> u64 {
        self.disarm_position(slot);
        if deal.first && self.netting(deal.account) {
            self.take_over(deal, slot);
        }
        if deal.first && deal.trailing != 0 {
            self.trail_to_quote(slot);
        }
        self.grow(deal, slot, volume);
        self.arm_position(slot);
        self.emit_position(slot, PositionState::Changed, deal.reason);
        self.positions[slot].id
    }

    /// Netting: what a position takes from an order that adds to it.
    fn take_over(&mut self, deal: &Deal, slot: u32) {
        self.unsum(slot);
        let p = &mut self.positions[slot];
        if deal.sl != 0 {
            p.sl = deal.sl;
        }
        if deal.tp != 0 {
            p.tp = deal.tp;
        }
        if deal.trailing != 0 {
            p.trailing = deal.trailing;
            p.trailing_step = deal.trailing_step;
        }
        if deal.own_terms & 1 != 0 {
            p.commission = deal.commission;
        }
        if deal.own_terms & 2 != 0 {
            p.markup = deal.markup;
        }
        let id = p.id;
        self.sum(slot);
        if let Some(terms) = deal.swap.filter(|_| deal.own_terms & 4 != 0) {
            self.swap_terms.insert(id, terms);
        }
    }

    /// Money and margin of the part that opens: LEDGER and FILL (entry in).
    fn grow(&mut self, deal: &Deal, slot: u32, volume: i64) {
        let (a, i) = (deal.account, deal.instrument);
        let l = self.positions[slot].leg;
        let path = self.legs[l].path;
        let unit = self.unit_of(a);
        let cost = i128::from(deal.price) * i128::from(volume);
        self.unsum(slot);
        let before = self.ledger_cost(slot);
        let base = if deal.isolated {
            self.isolated_margin(i, &path, deal, volume, unit)
        } else if let Some(basis) = deal.basis.filter(|_| volume == deal.volume) {
            basis
        } else {
            let account = &self.accounts[a as usize];
            let kind = crate::code::OrderType::Market;
            // The path existed when the order was checked; without one nothing is locked.
            self.margin_base(account, i, deal.side, kind, volume, deal.price).map_or(0, |m| m.1)
        };
        let p = &mut self.positions[slot];
        p.volume += volume;
        p.cost += cost;
        p.margin += base;
        let id = p.id;
        self.sum(slot);
        let currency = self.instruments[i as usize].profit;
        let change = self.ledger_cost(slot) - before;
        self.leg(a, Ledger::Position, SUB_BALANCE, Posting::Open, currency, change);
        let terms = deal.commission;
        let shape = (deal.side, volume, deal.price);
        let commission = self.commission(&terms, true, i, &path, unit, shape);
        self.charge(a, commission);
        if deal.isolated {
            self.touched_isolated.push(id);
            self.legs[l].base_long += base;
            self.legs[l].margin += base;
            self.accounts[a as usize].isolated += base;
            self.margin_leg(a, base);
        } else {
            self.repost_leg_margin(l);
        }
        self.emit_ledger(a, id);
        self.emit_fill(deal, id, volume, Entry::In, 0, commission);
    }

    /// Closes part or all of a position: LEDGER, FILL (entry out), POSITION.
    pub fn close_part(&mut self, deal: &Deal, slot: u32, volume: i64) {
        let (a, i) = (deal.account, deal.instrument);
        let l = self.positions[slot].leg;
        let path = self.legs[l].path;
        let unit = self.unit_of(a);
        let currency = self.instruments[i as usize].profit;
        let before = self.ledger_cost(slot);
        let p = &self.positions[slot];
        let (id, side, terms) = (p.id, p.side, deal.commission);
        let whole = volume == p.volume;
        let shown = average(p.cost, p.volume);
        let cost_part =
            if whole { p.cost } else { muldiv(p.cost, i128::from(volume), i128::from(p.volume)) };
        let raw = Self::raw_profit(side, deal.price, volume, cost_part);
        let money = Self::money_of(&self.instruments[i as usize], raw);
        let rate = crate::value::Rate::of_profit(side);
        let profit = post(self.convert(money, &path, rate, None), unit);
        let margin_part = if whole {
            p.margin
        } else {
            let part = muldiv(p.margin, i128::from(volume), i128::from(p.volume));
            if p.isolated {
                post(part, unit)
            } else {
                part
            }
        };
        self.unsum(slot);
        let isolated = p_isolated(&self.positions[slot]);
        if isolated && !whole {
            let initial = self.legs[l].base_long;
            let volume_before = i128::from(self.positions[slot].volume);
            let part = post(muldiv(initial, i128::from(volume), volume_before), unit);
            self.legs[l].base_long -= part;
        }
        let p = &mut self.positions[slot];
        p.volume -= volume;
        p.cost -= cost_part;
        p.margin -= margin_part;
        self.sum(slot);
        let change = self.ledger_cost(slot) - before;
        self.leg(a, Ledger::Position, SUB_BALANCE, Posting::Close, currency, change);
        let own = self.accounts[a as usize].currency;
        self.leg(a, Ledger::RealisedPnl, SUB_BALANCE, Posting::Profit, own, profit);
        self.cash(a, Posting::Profit, profit);
        let shape = (side, volume, deal.price);
        let commission = if deal.reason == Reason::CloseBy {
            0
        } else {
            self.commission(&terms, false, i, &path, unit, shape)
        };
        self.charge(a, commission);
        if isolated {
            self.touched_isolated.push(id);
            self.legs[l].margin -= margin_part;
            self.accounts[a as usize].isolated -= margin_part;
            self.margin_leg(a, -margin_part);
        } else {
            self.repost_leg_margin(l);
        }
        self.emit_ledger(a, id);
        self.emit_fill(deal, id, volume, Entry::Out, profit, commission);
        if whole {
            self.emit_closed(slot, deal.reason, shown);
            self.remove_position(slot);
        } else {
            self.emit_position(slot, PositionState::Changed, deal.reason);
        }
        if isolated && deal.reason == Reason::Liquidation {
            let missing = -(margin_part + profit);
            if missing > 0 {
                self.missing = Some((a, id, missing));
            }
        }
    }

    /// After the ORDER of an isolated liquidation: the house pays what was lost beyond its margin.
    pub fn compensate_isolated(&mut self) {
        let Some((a, id, missing)) = self.missing.take() else { return };
        let own = self.accounts[a as usize].currency;
        self.cash(a, Posting::Compensation, missing);
        self.leg(a, Ledger::RealisedPnl, SUB_BALANCE, Posting::Compensation, own, missing);
        self.emit_ledger(a, id);
    }

    /// Commission: cash and fees.
    fn charge(&mut self, a: u32, commission: i128) {
        let currency = self.accounts[a as usize].currency;
        self.cash(a, Posting::Commission, -commission);
        self.leg(a, Ledger::Fees, SUB_BALANCE, Posting::Commission, currency, -commission);
    }

    /// Margin of an isolated deal: price × volume / leverage, posted in account currency.
    pub fn isolated_margin(
        &self,
        i: u32,
        path: &Path,
        deal: &Deal,
        volume: i64,
        unit: i128,
    ) -> i128 {
        let ins = &self.instruments[i as usize];
        let raw = i128::from(deal.price) * i128::from(volume);
        let lev = i128::from(deal.leverage.max(1));
        let money = muldiv(raw, ins.kn, ins.kd * lev);
        post(self.convert(money, path, crate::value::Rate::of_profit(deal.side), None), unit)
    }

    /// The signed, posted cost of a position as ledger 2 holds it.
    pub fn ledger_cost(&self, slot: u32) -> i128 {
        let p = &self.positions[slot];
        if p.volume == 0 {
            return 0;
        }
        let ins = &self.instruments[self.legs[p.leg].instrument as usize];
        let unit = self.currencies[ins.profit as usize].unit;
        let posted = post(Self::money_of(ins, p.cost), unit);
        if p.side == Side::Buy {
            posted
        } else {
            -posted
        }
    }

    pub fn unit_of(&self, a: u32) -> i128 {
        self.currencies[self.accounts[a as usize].currency as usize].unit
    }

    fn remove_position(&mut self, slot: u32) {
        self.disarm_position(slot);
        let p = &self.positions[slot];
        let (id, l, prev, next, isolated) = (p.id, p.leg, p.prev, p.next, p.isolated);
        let (a, i) = (self.legs[l].account, self.legs[l].instrument);
        self.position_by_id.remove(id);
        if !self.swap_terms.is_empty() {
            self.swap_terms.remove(&id);
        }
        if !isolated {
            if prev != NONE {
                self.positions[prev].next = next;
            } else {
                self.legs[l].first_position = next;
            }
            if next != NONE {
                self.positions[next].prev = prev;
            }
        }
        self.positions[slot].id = 0;
        self.positions.release(slot);
        self.accounts[a as usize].positions -= 1;
        self.instruments[i as usize].open -= 1;
        self.legs[l].positions -= 1;
        if self.legs[l].positions == 0 {
            if isolated {
                self.remove_isolated_legs(l);
            } else {
                self.retire_leg(l);
            }
        }
    }

    // ---- events -----------------------------------------------------------------------------

    fn emit_fill(
        &mut self,
        deal: &Deal,
        position: u64,
        volume: i64,
        entry: Entry,
        profit: i128,
        commission: i128,
    ) {
        let event = wire::EventFill {
            order: deal.order,
            position,
            account: self.accounts[deal.account as usize].id,
            instrument: deal.instrument,
            side: deal.side as u8,
            entry: entry as u8,
            reason: deal.reason as u8,
            flags: deal.flags,
            volume,
            price: deal.price,
            profit,
            commission,
            trade: deal.trade,
        };
        self.emit(&event, 0);
    }

    fn position_event(
        &self,
        slot: u32,
        state: PositionState,
        reason: Reason,
    ) -> wire::EventPosition {
        let p = &self.positions[slot];
        let leg = &self.legs[p.leg];
        wire::EventPosition {
            position: p.id,
            account: self.accounts[leg.account as usize].id,
            instrument: leg.instrument,
            side: p.side as u8,
            state: state as u8,
            reason: reason as u8,
            flags: u8::from(p.isolated),
            volume: p.volume,
            price: average(p.cost, p.volume),
            cost: p.cost,
            sl: p.sl,
            tp: p.tp,
            trailing: p.trailing,
            margin: p.margin,
            swap: p.swap,
            order: p.order,
            opened: p.opened,
            tag: p.tag,
        }
    }

    pub fn emit_position(&mut self, slot: u32, state: PositionState, reason: Reason) {
        if self.out.muted {
            self.event_seq += 1;
            return;
        }
        let event = self.position_event(slot, state, reason);
        self.emit(&event, 0);
    }

    fn emit_closed(&mut self, slot: u32, reason: Reason, shown: i64) {
        if self.out.muted {
            self.event_seq += 1;
            return;
        }
        let mut event = self.position_event(slot, PositionState::Closed, reason);
        event.price = shown;
        self.emit(&event, 0);
    }

    /// The POSITION record of an open position, for queries.
    pub fn view_position(&self, slot: u32) -> wire::EventPosition {
        self.position_event(slot, PositionState::Changed, Reason::Client)
    }
}

#[inline(always)]
fn p_isolated(p: &Position) -> bool {
    p.isolated
}
