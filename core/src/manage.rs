//! Commands on what is open: modify, cancel, close, close-by, close-all, reverse.

use crate::code::{no, At, Code, OrderState, OrderType, PositionState, Reason, Refusal, Side};
use crate::engine::{Engine, Outcome};
use crate::group::Mode;
use crate::orders::opposite;
use crate::place::{check_deviation, check_sl_tp, Intent};
use crate::state::{Order, NONE};
use crate::wire;

/// `instrument` of CANCEL_ALL and CLOSE_ALL that stands for every instrument.
pub const EVERY: u32 = u32::MAX;

impl Engine {
    fn live_order(&self, id: u64) -> Result<u32, Refusal> {
        self.order_by_id.get(&id).copied().ok_or(Refusal {
            code: Code::TradeIncorrectOrder,
            at: At::Order,
        })
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
        let client = self.client_price(i, order.side, order.markup);
        let marketable = match order.side {
            Side::Buy => client <= order.limit(),
            Side::Sell => client >= order.limit(),
        };
        let as_limit = order.kind == OrderType::Limit
            || (order.kind == OrderType::StopLimit && order.state != OrderState::Working);
        if as_limit {
            let level = self.instruments[i as usize].def.stops_level;
            if !marketable && (order.limit() - client).abs() < level {
                return no(Code::TradeBadStops, At::Price);
            }
        } else {
            self.check_entry(&order, client, false)?;
        }
        self.check_stops(&order)?;
        self.check_collar(&order, order.limit())?;
        let reserve = self.reserve_of(&order)?;
        let change = reserve - order.margin;
        let account = &self.accounts[a as usize];
        if change > 0 && self.equity(account) - account.margin - change < 0 {
            return no(Code::TradeNoMoney, At::Volume);
        }
        self.disarm_order(slot);
        order.margin = reserve;
        let renewed = order.expire != self.orders[slot].expire;
        self.orders[slot] = order.clone();
        if renewed && order.expire > 0 {
            self.expiries
                .push(std::cmp::Reverse((order.expire, order.id)));
        }
        if change != 0 {
            self.accounts[a as usize].margin += change;
            self.margin_leg(a, change);
            self.emit_ledger(a, order.id);
            self.touch(a);
        }
        self.arm_order(slot);
        order.state = OrderState::Modified;
        self.emit_order(&order, 0, &[]);
        Ok((Code::Ok, m.order))
    }

    pub fn cancel_order(&mut self, id: u64) -> Outcome {
        let slot = self.live_order(id)?;
        self.cancel_slot(slot)?;
        Ok((Code::Ok, id))
    }

    fn cancel_slot(&mut self, slot: u32) -> Result<(), Refusal> {
        if self.orders[slot].routed {
            return self.cancel_routed(slot);
        }
        self.end_order(slot, OrderState::Cancelled, Reason::Client, 0);
        Ok(())
    }

    pub fn cancel_all(&mut self, a: u32, i: u32) -> Outcome {
        let mut orders = Vec::new();
        let mut o = self.accounts[a as usize].first_order;
        while o != NONE {
            let order = &self.orders[o];
            if i == EVERY || order.instrument == i {
                orders.push((order.id, o));
            }
            o = order.next;
        }
        orders.sort_unstable();
        let mut count = 0;
        for (_, slot) in orders {
            count += u64::from(self.cancel_slot(slot).is_ok());
        }
        if count == 0 {
            return no(Code::ErrNotfound, At::Order);
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
        let volume = if c.volume == 0 {
            p.volume
        } else {
            c.volume.min(p.volume)
        };
        let side = opposite(p.side);
        let price = self.market_price(i, side, p.markup, volume);
        let routed = self.routed(a, i);
        let bounded = c.price > 0 && c.max_deviation >= 0;
        let limit = match side {
            _ if !bounded => -1,
            Side::Buy => c.price + c.max_deviation,
            Side::Sell => (c.price - c.max_deviation).max(1),
        };
        if !routed {
            check_deviation(side, price, c.price, c.max_deviation)?;
        }
        let id = self.close_position_at(slot, volume, price, Reason::Client, limit);
        Ok((
            if routed {
                Code::TradeAccepted
            } else {
                Code::Ok
            },
            id,
        ))
    }

    pub fn close_by(&mut self, a: u32, c: &wire::CloseBy) -> Outcome {
        let (first, second) = (
            self.live_target(c.position)?,
            self.live_target(c.position_by)?,
        );
        let i = self.legs[self.positions[first].leg].instrument;
        self.count_rate(a)?;
        self.gate(a, i, Intent::Close)?;
        let (p, q) = (&self.positions[first], &self.positions[second]);
        if p.closing != 0 || q.closing != 0 {
            return no(Code::TradeIncorrectState, At::Position);
        }
        let volume = p.volume.min(q.volume);
        let (at_q, at_p) = (
            crate::value::average(q.cost, q.volume),
            crate::value::average(p.cost, p.volume),
        );
        let mut order = self.closing_order(first, volume, Reason::CloseBy);
        let mut deal = self.deal_of(&order, volume, at_q);
        self.touch(a);
        self.close_part(&deal, first, volume);
        deal.side = opposite(deal.side);
        deal.price = at_p;
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
        let mut ids = Vec::new();
        for first in [self.accounts[a as usize].first_leg, NONE] {
            let mut l = first;
            while l != NONE {
                let leg = &self.legs[l];
                let mut s = leg.first_position;
                while s != NONE && leg.positions > 0 {
                    ids.push(self.positions[s].id);
                    s = self.positions[s].next;
                }
                l = leg.next;
            }
        }
        let mut l = self.accounts[a as usize].first_isolated;
        while l != NONE {
            let leg = &self.legs[l];
            ids.push(self.positions[leg.first_position].id);
            l = leg.next_isolated;
        }
        ids.sort_unstable();
        let mut count = 0;
        let mut refusal = Refusal {
            code: Code::ErrNotfound,
            at: At::Position,
        };
        for id in ids {
            let Ok(slot) = self.live_target(id) else {
                continue;
            };
            let p = &self.positions[slot];
            let on = self.legs[p.leg].instrument;
            if (i != EVERY && on != i) || p.closing != 0 {
                continue;
            }
            if let Err(why) = self.gate(a, on, Intent::Close) {
                refusal = why;
                continue;
            }
            let volume = p.volume;
            self.close_position_now(slot, volume, Reason::CloseAll);
            count += 1;
        }
        if count == 0 {
            return Err(refusal);
        }
        Ok((Code::Ok, count))
    }

    pub fn reverse(&mut self, a: u32, id: u64) -> Outcome {
        let slot = self.live_target(id)?;
        let p = &self.positions[slot];
        let (volume, side, markup) = (p.volume, opposite(p.side), p.markup);
        let i = self.legs[p.leg].instrument;
        self.count_rate(a)?;
        self.gate(
            a,
            i,
            Intent::Place {
                reduces: false,
                side,
            },
        )?;
        if self.positions[slot].closing != 0 {
            return no(Code::TradeIncorrectState, At::Position);
        }
        let account = &self.accounts[a as usize];
        let netting = self.groups[account.group as usize].def.mode == Mode::Netting;
        let mut close = self.closing_order(slot, volume, Reason::Reverse);
        if netting {
            close.volume = volume * 2;
            close.position = 0;
        }
        let price = self.market_price(i, side, markup, close.volume);
        if let Err(refusal) = self.check_reversal(&close, slot, volume, price) {
            self.last_id -= 1;
            return Err(refusal);
        }
        if netting {
            let deal = self.deal_of(&close, close.volume, price);
            self.execute(&deal);
            close.filled = close.volume;
            close.state = OrderState::Filled;
            self.emit_order(&close, 0, &[]);
            return Ok((Code::Ok, close.id));
        }
        let open = Order {
            id: 0,
            position: 0,
            ..close.clone()
        };
        self.fill_close(close, slot, volume, price);
        let mut open = Order {
            id: self.next_id(),
            ..open
        };
        let deal = self.deal_of(&open, volume, price);
        self.execute(&deal);
        open.filled = volume;
        open.state = OrderState::Filled;
        self.emit_order(&open, 0, &[]);
        Ok((Code::Ok, open.id))
    }

    /// Money after a reversal: the leg without the old position and with the new one.
    fn check_reversal(
        &self,
        order: &Order,
        slot: u32,
        volume: i64,
        price: i64,
    ) -> Result<(), Refusal> {
        let p = &self.positions[slot];
        let leg = &self.legs[p.leg];
        let account = &self.accounts[order.account as usize];
        let i = order.instrument;
        let (open, hold) =
            self.margin_base(account, i, order.side, OrderType::Market, volume, price)?;
        let mut base = (leg.base_long, leg.base_short);
        let mut sums = (leg.volume_long, leg.volume_short);
        if order.side == Side::Buy {
            base = (base.0 + hold, base.1 - p.margin);
            sums = (sums.0 + volume, sums.1 - volume);
        } else {
            base = (base.0 - p.margin, base.1 + hold);
            sums = (sums.0 - volume, sums.1 + volume);
        }
        let after =
            self.leg_margin(account, i, sums, base) - leg.margin + account.margin + (open - hold);
        let path = self.need_path(i, self.instruments[i as usize].profit, account.currency)?;
        let unit = self.unit_of(order.account);
        let deal = (order.side, volume, price);
        let commission = self.commission(&order.commission, true, i, &path, unit, deal);
        if after > account.margin && self.equity(account) - commission - after < 0 {
            return no(Code::TradeNoMoney, At::Volume);
        }
        Ok(())
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
        self.trail_at_start(slot);
        self.arm_position(slot);
        self.emit_position(slot, PositionState::Changed, Reason::Client);
        Ok((Code::Ok, m.position))
    }
}
