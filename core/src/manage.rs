//! Commands on what is open: modify, cancel, close, close-by, close-all, reverse.

use crate::code::{no, At, Code, OrderState, PositionState, Reason, Refusal};
use crate::engine::{Engine, Outcome};
use crate::funds::Plan;
use crate::orders::opposite;
use crate::place::{check_deviation, check_sl_tp, deviation_limit, Intent};
use crate::state::Order;
use crate::wire;

/// `instrument` of CANCEL_ALL and CLOSE_ALL that stands for every instrument.
pub const EVERY: u32 = u32::MAX;

impl Engine {
    fn live_order(&self, id: u64) -> Result<u32, Refusal> {
        self.order_by_id.get(id).ok_or(Refusal { code: Code::TradeIncorrectOrder, at: At::Order })
    }

    fn need_quote(&self, i: u32) -> Result<(), Refusal> {
        if self.instruments[i as usize].bid == 0 {
            return no(Code::TradeOffquotes, At::Instrument);
        }
        Ok(())
    }

    pub fn modify_order(&mut self, a: u32, m: &wire::ModifyOrder) -> Outcome {
        let slot = self.live_order(m.order)?;
        self.count_rate(a)?;
        let i = self.orders[slot].instrument;
        self.check_account(a, Some(i))?;
        self.need_quote(i)?;
        let mut order = self.orders[slot].clone();
        order.price = m.price;
        order.limit_price = m.limit_price;
        order.sl = m.sl;
        order.tp = m.tp;
        if order.tif == crate::code::Tif::Gtd {
            order.expire = m.expire;
        }
        self.check_pending(&order)?;
        let reserve = self.reserve_of(&order, order.rest())?;
        let change = reserve - order.margin;
        let plan = self.plan(&order, 0);
        self.check_money(&order, &plan, 0, 0, change)?;
        self.disarm_order(slot);
        order.margin = reserve;
        let renewed = order.expire != self.orders[slot].expire;
        self.orders[slot] = order.clone();
        if renewed && order.expire > 0 {
            self.expiries.push(std::cmp::Reverse((order.expire, order.id)));
        }
        if change != 0 {
            self.accounts[a as usize].margin += change;
            self.margin_leg(a, change);
            self.emit_ledger(a, order.id);
            self.touch(a);
        }
        self.arm_order(slot);
        order.state = OrderState::Modified;
        order.reason = Reason::Client;
        self.emit_order(&order, 0, &[]);
        Ok((Code::Ok, m.order))
    }

    pub fn cancel_order(&mut self, id: u64) -> Outcome {
        let slot = self.live_order(id)?;
        if self.orders[slot].routed {
            self.cancel_routed(slot)?;
            return Ok((Code::TradeAccepted, id));
        }
        self.end_order(slot, OrderState::Cancelled, Reason::Client, 0);
        Ok((Code::Ok, id))
    }

    pub fn cancel_all(&mut self, a: u32, i: u32) -> Outcome {
        let mut count = 0;
        for slot in self.order_slots(a) {
            let order = &self.orders[slot];
            if order.working() && (i == EVERY || order.instrument == i) {
                self.end_order(slot, OrderState::Cancelled, Reason::Client, 0);
                count += 1;
            }
        }
        Ok((Code::Ok, count))
    }

    pub fn close_position(&mut self, a: u32, c: &wire::ClosePosition) -> Outcome {
        let slot = self.live_target(c.position)?;
        let i = self.legs[self.positions[slot].leg].instrument;
        self.count_rate(a)?;
        self.gate(a, i, Intent::Close)?;
        let p = &self.positions[slot];
        if p.closing != 0 {
            return no(Code::TradeIncorrectState, At::Position);
        }
        let volume = if c.volume == 0 { p.volume } else { c.volume.min(p.volume) };
        let side = opposite(p.side);
        let price = self.market_price(i, side, p.markup, volume);
        let routed = self.routed(a, i);
        if !routed {
            check_deviation(side, price, c.price, c.max_deviation)?;
        }
        let limit = deviation_limit(side, c.price, c.max_deviation);
        let mut order = self.closing_order(slot, volume, Reason::Client);
        order.price = c.price;
        let id = self.close_position_at(slot, order, price, limit);
        Ok((if routed { Code::TradeAccepted } else { Code::Ok }, id))
    }

    pub fn close_by(&mut self, a: u32, c: &wire::CloseBy) -> Outcome {
        let (first, second) = (self.live_target(c.position)?, self.live_target(c.position_by)?);
        let i = self.legs[self.positions[first].leg].instrument;
        self.count_rate(a)?;
        self.gate(a, i, Intent::Close)?;
        let (p, q) = (&self.positions[first], &self.positions[second]);
        if p.closing != 0 {
            return no(Code::TradeIncorrectState, At::Position);
        }
        if q.closing != 0 {
            return no(Code::TradeIncorrectState, At::PositionBy);
        }
        let volume = p.volume.min(q.volume);
        // One price for both: two different ones would pay their difference twice.
        let price = crate::value::average(q.cost, q.volume);
        let mut order = self.closing_order(first, volume, Reason::CloseBy);
        let mut deal = self.deal_of(&order, volume, price);
        self.touch(a);
        self.close_part(&deal, first, volume);
        deal.side = opposite(deal.side);
        deal.target = c.position_by;
        self.close_part(&deal, second, volume);
        order.filled = volume;
        order.state = OrderState::Filled;
        let id = order.id;
        self.emit_order(&order, 0, &[]);
        Ok((Code::Ok, id))
    }

    pub fn close_all(&mut self, a: u32, i: u32) -> Outcome {
        self.count_rate(a)?;
        self.check_account(a, None)?;
        let matches = |e: &Self, s: u32| i == EVERY || e.legs[e.positions[s].leg].instrument == i;
        let slots: Vec<u32> =
            self.position_slots(a).into_iter().filter(|&s| matches(self, s)).collect();
        if slots.is_empty() {
            return no(Code::ErrNotfound, At::Position);
        }
        let mut count = 0;
        for slot in slots {
            let p = &self.positions[slot];
            let (volume, on) = (p.volume, self.legs[p.leg].instrument);
            if p.closing == 0 && self.gate(a, on, Intent::Close).is_ok() {
                self.close_position_now(slot, volume, Reason::CloseAll);
                count += 1;
            }
        }
        Ok((Code::Ok, count))
    }

    pub fn reverse(&mut self, a: u32, id: u64) -> Outcome {
        let slot = self.live_target(id)?;
        let p = &self.positions[slot];
        let (volume, side, markup) = (p.volume, opposite(p.side), p.markup);
        let i = self.legs[p.leg].instrument;
        self.count_rate(a)?;
        self.gate(a, i, Intent::Place { reduces: false, side })?;
        if self.positions[slot].closing != 0 {
            return no(Code::TradeIncorrectState, At::Position);
        }
        let netting = self.netting(a);
        let mut close = self.closing_order(slot, volume, Reason::Reverse);
        if netting {
            close.volume = volume * 2;
        }
        let price = self.market_price(i, side, markup, close.volume);
        let mut open = Order { position: 0, ..close.clone() };
        let plan = Plan { closes: Some(slot), close_volume: volume, open_volume: volume };
        if let Err(refusal) = self.check_money(&open, &plan, price, 0, 0) {
            // The closing order took an id: a rejected command uses none up.
            self.last_id -= 1;
            return Err(refusal);
        }
        if !netting {
            self.fill_close(close, slot, price, &[]);
            open.id = self.next_id();
        }
        let deal = self.deal_of(&open, open.volume, price);
        self.execute(&deal);
        open.filled = open.volume;
        open.state = OrderState::Filled;
        self.emit_order(&open, 0, &[]);
        Ok((Code::Ok, open.id))
    }

    pub fn modify_position(&mut self, a: u32, m: &wire::ModifyPosition) -> Outcome {
        let slot = self.live_target(m.position)?;
        let p = &self.positions[slot];
        let i = self.legs[p.leg].instrument;
        let (side, markup) = (p.side, p.markup);
        self.check_account(a, Some(i))?;
        self.need_quote(i)?;
        let reference = self.client_price(i, opposite(side), markup);
        let level = self.instruments[i as usize].def.stops_level;
        check_sl_tp(side, reference, m.sl, m.tp, level)?;
        self.disarm_position(slot);
        let p = &mut self.positions[slot];
        p.sl = m.sl;
        p.tp = m.tp;
        p.trailing = m.trailing;
        p.trailing_step = m.trailing_step;
        self.trail_to_quote(slot);
        self.arm_position(slot);
        self.emit_position(slot, PositionState::Changed, Reason::Client);
        Ok((Code::Ok, m.position))
    }
}
