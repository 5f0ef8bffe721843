//! Routed execution: intents for a venue, and what its reports do.
//!
//! An intent is an order in state Routing with its margin reserved. The venue's reports move it;
//! a fill is booked once per (order, trade id), also when it comes late or is more than asked.

use crate::code::{At, Code, OrderState, Reason, Refusal, ReportKind, Side};
use crate::dedupe::Answer;
use crate::engine::{Engine, Outcome};
use crate::exec::{FILL_LATE, FILL_OVER, FILL_ROUTED};
use crate::limits::REMEMBERED_ROUTED;
use crate::money::post;
use crate::place::check_deviation;
use crate::state::Order;
use crate::wire;

const SUBMIT: u8 = 0;
const CANCEL: u8 = 1;

impl Engine {
    /// A client's order that executes at a venue: reserve, intent, TRADE_ACCEPTED.
    pub fn place_routed(
        &mut self,
        mut order: Order,
        place: &wire::PlaceOrder,
        price: i64,
        comment: &[u8],
    ) -> Outcome {
        let market = order.kind == crate::code::OrderType::Market;
        if market && order.position == 0 {
            check_deviation(order.side, price, place.price, place.max_deviation)?;
        }
        self.check_money(&order, order.volume, price, 0)?;
        let limit = if !market {
            order.price
        } else if place.price > 0 && place.max_deviation >= 0 {
            bounded(order.side, place.price, place.max_deviation)
        } else {
            0
        };
        order.id = self.next_id();
        let id = order.id;
        self.submit(order, price, limit, comment);
        Ok((Code::TradeAccepted, id))
    }

    /// A pending order that triggered: it goes to the venue instead of filling here.
    pub fn route_pending(&mut self, slot: u32, price: i64) {
        self.disarm_order(slot);
        let (a, oco, id) = {
            let order = &mut self.orders[slot];
            order.routed = true;
            order.state = OrderState::Routing;
            order.reason = Reason::Pending;
            (order.account, order.oco, order.id)
        };
        let order = self.orders[slot].clone();
        let limit = match order.kind {
            crate::code::OrderType::Stop => 0,
            _ => order.limit(),
        };
        let reserve = self.routed_reserve(&order, price);
        let change = reserve - order.margin;
        self.orders[slot].margin = reserve;
        if change != 0 {
            self.accounts[a as usize].margin += change;
            self.margin_leg(a, change);
            self.emit_ledger(a, id);
            self.touch(a);
        }
        let order = self.orders[slot].clone();
        self.emit_order(&order, 0, &[]);
        self.emit_route(&order, SUBMIT, limit);
        self.cancel_oco(a, oco, id);
    }

    /// A close that goes to the venue; the position waits for the report.
    pub fn route_close(&mut self, order: Order, slot: u32, limit: i64) {
        self.positions[slot].closing = order.id;
        self.submit(order, 0, limit.max(0), &[]);
    }

    fn submit(&mut self, mut order: Order, price: i64, limit: i64, comment: &[u8]) {
        let a = order.account;
        order.routed = true;
        order.state = OrderState::Routing;
        if order.position != 0 {
            if let Some(&slot) = self.position_by_id.get(&order.position) {
                self.positions[slot].closing = order.id;
            }
        } else {
            order.margin = self.routed_reserve(&order, price);
        }
        if order.margin != 0 {
            self.accounts[a as usize].margin += order.margin;
            self.margin_leg(a, order.margin);
            self.emit_ledger(a, order.id);
        }
        self.touch(a);
        self.emit_order(&order, 0, comment);
        self.emit_route(&order, SUBMIT, limit);
        self.add_order(order);
    }

    /// Margin a routed order holds until the venue answers: of the part that opens.
    fn routed_reserve(&self, order: &Order, price: i64) -> i128 {
        let (a, i) = (order.account, order.instrument);
        if self.reduces(a, i, order.side, order.rest(), order.isolated) {
            return 0;
        }
        let account = &self.accounts[a as usize];
        let unit = self.unit_of(a);
        if order.isolated {
            let ins = &self.instruments[i as usize];
            let path = self
                .path(i, ins.profit, account.currency)
                .unwrap_or_default();
            let deal = self.deal_of(order, order.rest(), price);
            return self.isolated_margin(i, &path, &deal, order.rest(), unit);
        }
        let kind = crate::code::OrderType::Market;
        self.margin_base(account, i, order.side, kind, order.rest(), price)
            .map_or(0, |m| post(m.0, unit))
    }

    pub fn cancel_routed(&mut self, slot: u32) -> Result<(), Refusal> {
        if self.orders[slot].state == OrderState::CancelPending {
            return Err(Refusal {
                code: Code::TradeIncorrectState,
                at: At::Order,
            });
        }
        self.orders[slot].state = OrderState::CancelPending;
        let order = self.orders[slot].clone();
        self.emit_order(&order, 0, &[]);
        self.emit_route(&order, CANCEL, 0);
        Ok(())
    }

    /// A closing order ended: its position may be closed by others again.
    pub fn release_closing(&mut self, order: &Order) {
        let Some(&slot) = self.position_by_id.get(&order.position) else {
            return;
        };
        if self.positions[slot].closing != order.id {
            return;
        }
        // Triggers that fired meanwhile left the books: arm them all again.
        self.disarm_position(slot);
        self.positions[slot].closing = 0;
        self.arm_position(slot);
        if self.positions[slot].isolated {
            let id = self.positions[slot].id;
            self.touched_isolated.push(id);
        }
        self.touch(order.account);
    }

    /// Keeps an ended routed order for late fills, forgetting the oldest.
    pub fn keep_ended(&mut self, order: Order) {
        self.ended_by_id.insert(order.id, self.ended_count);
        self.ended.push_back(order);
        self.ended_count += 1;
        if self.ended.len() > REMEMBERED_ROUTED {
            if let Some(old) = self.ended.pop_front() {
                self.ended_by_id.remove(&old.id);
            }
        }
    }

    pub fn ended_order(&self, id: u64) -> Option<usize> {
        let number = *self.ended_by_id.get(&id)?;
        let oldest = self.ended_count - self.ended.len() as u64;
        Some((number - oldest) as usize)
    }

    /// REPORT after admission.
    pub fn report(&mut self, r: &wire::Report) -> Outcome {
        let kind = ReportKind::from_number(r.kind).unwrap_or(ReportKind::Unknown);
        let outcome = Ok((Code::Ok, r.order));
        if kind == ReportKind::Fill {
            let answer = Answer {
                code: Code::Ok,
                at: At::None,
                reference: r.order,
            };
            self.fills.remember(r.order, &r.trade, 0, answer);
        }
        let Some(&slot) = self.order_by_id.get(&r.order) else {
            if kind == ReportKind::Fill {
                self.late_fill(r);
            }
            return outcome;
        };
        let state = match kind {
            ReportKind::Fill => {
                self.report_fill(slot, r);
                return outcome;
            }
            ReportKind::Accepted => OrderState::Routed,
            ReportKind::Unknown => OrderState::Unresolved,
            ReportKind::Rejected | ReportKind::Cancelled | ReportKind::Expired => {
                let state = match kind {
                    ReportKind::Rejected => OrderState::Rejected,
                    ReportKind::Expired => OrderState::Expired,
                    _ => OrderState::Cancelled,
                };
                self.end_order(slot, state, Reason::Venue, 0);
                return outcome;
            }
        };
        self.orders[slot].state = state;
        let order = self.orders[slot].clone();
        self.emit_order(&order, 0, &[]);
        outcome
    }

    fn venue_deal(&self, order: &Order, r: &wire::Report) -> crate::exec::Deal {
        let price = match order.side {
            Side::Buy => r.price + order.markup,
            Side::Sell => (r.price - order.markup).max(1),
        };
        let mut deal = self.deal_of(order, r.volume, price);
        deal.flags = FILL_ROUTED;
        deal.trade = r.trade;
        deal
    }

    fn report_fill(&mut self, slot: u32, r: &wire::Report) {
        let order = self.orders[slot].clone();
        let mut deal = self.venue_deal(&order, r);
        deal.release = self.release_part(&order, r.volume);
        if r.volume > order.rest() {
            deal.flags |= FILL_OVER;
        }
        let position = self.execute(&deal);
        let o = &mut self.orders[slot];
        o.margin -= deal.release;
        o.filled += r.volume;
        if o.position == 0 {
            o.opened_position = position;
        }
        if o.filled >= o.volume {
            self.finish_order(slot);
            return;
        }
        if !matches!(o.state, OrderState::CancelPending) {
            o.state = OrderState::Partial;
        }
        let shown = Order {
            state: OrderState::Partial,
            ..o.clone()
        };
        self.emit_order(&shown, 0, &[]);
    }

    fn late_fill(&mut self, r: &wire::Report) {
        let Some(n) = self.ended_order(r.order) else {
            return;
        };
        let order = self.ended[n].clone();
        let mut deal = self.venue_deal(&order, r);
        deal.flags |= FILL_LATE;
        if order.filled + r.volume > order.volume {
            deal.flags |= FILL_OVER;
        }
        let position = self.execute(&deal);
        let o = &mut self.ended[n];
        o.filled += r.volume;
        if o.position == 0 {
            o.opened_position = position;
        }
        let shown = o.clone();
        self.emit_order(&shown, 0, &[]);
    }

    fn emit_route(&mut self, order: &Order, action: u8, limit: i64) {
        let event = wire::EventRoute {
            order: order.id,
            account: self.accounts[order.account as usize].id,
            instrument: order.instrument,
            side: order.side as u8,
            action,
            tif: order.tif as u8,
            reason: order.reason as u8,
            volume: order.rest(),
            limit,
            position: order.position,
            tag: order.tag,
        };
        self.emit(&event, 0);
    }
}

/// The worst price a deviation allows.
fn bounded(side: Side, price: i64, deviation: i64) -> i64 {
    if side == Side::Buy {
        price + deviation
    } else {
        (price - deviation).max(1)
    }
}
