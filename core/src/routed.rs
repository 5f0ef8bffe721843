//! Routed execution: intents for a venue, and what its reports do.
//!
//! An intent is an order in state Routing with its margin reserved. The venue's reports move it;
//! a fill is booked once per (order, trade id), also when it comes late or is more than asked.

use crate::code::{At, Code, OrderState, OrderType, Reason, Refusal, ReportKind, Side};
use crate::dedupe::{Answer, Dedupe};
use crate::engine::{Engine, Outcome};
use crate::exec::{FILL_LATE, FILL_OVER, FILL_ROUTED};
use crate::funds::Plan;
use crate::limits::REMEMBERED_ROUTED;
use crate::state::Order;
use crate::wire;

const SUBMIT: u8 = 0;
const CANCEL: u8 = 1;

impl Engine {
    /// A pending order that triggered: it goes to the venue instead of filling here.
    pub fn route_pending(&mut self, slot: u32, reserve: i128) {
        self.disarm_order(slot);
        let order = &mut self.orders[slot];
        order.routed = true;
        order.reason = Reason::Pending;
        order.state = OrderState::Routing;
        let (a, oco, id) = (order.account, order.oco, order.id);
        let change = reserve - order.margin;
        order.margin = reserve;
        self.touch(a);
        self.move_margin(a, id, change);
        let order = self.orders[slot].clone();
        let limit = (order.kind != OrderType::Stop).then(|| order.limit());
        self.emit_order(&order, 0, &[]);
        self.emit_route(&order, SUBMIT, limit);
        self.cancel_oco(a, oco, id);
    }

    /// Sends an order to the venue: reserve, ORDER, ROUTE; a position it closes waits for the
    /// report. `limit` is in client terms, None for a plain market order.
    pub fn submit(&mut self, mut order: Order, reserve: i128, limit: Option<i64>, comment: &[u8]) {
        let a = order.account;
        order.routed = true;
        order.state = OrderState::Routing;
        order.margin = reserve;
        if let Some(slot) = self.position_by_id.get(order.position) {
            self.positions[slot].closing = order.id;
        }
        self.touch(a);
        self.move_margin(a, order.id, reserve);
        self.emit_order(&order, 0, comment);
        self.emit_route(&order, SUBMIT, limit);
        self.add_order(order);
    }

    /// Margin of an order in ledger 5, with its LEDGER event.
    fn move_margin(&mut self, a: u32, order: u64, change: i128) {
        if change != 0 {
            self.accounts[a as usize].margin += change;
            self.margin_leg(a, change);
            self.emit_ledger(a, order);
        }
    }

    pub fn cancel_routed(&mut self, slot: u32) -> Result<(), Refusal> {
        if self.orders[slot].state == OrderState::CancelPending {
            return Err(Refusal { code: Code::TradeIncorrectState, at: At::Order });
        }
        self.orders[slot].state = OrderState::CancelPending;
        let order = Order { reason: Reason::Client, ..self.orders[slot].clone() };
        self.emit_order(&order, 0, &[]);
        self.emit_route(&order, CANCEL, None);
        Ok(())
    }

    /// A closing order ended: its position may be closed by others again.
    pub fn release_closing(&mut self, order: &Order) {
        let Some(slot) = self.position_by_id.get(order.position) else {
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
        let live = self.order_by_id.get(r.order);
        let ended = self.ended_order(r.order);
        if kind == ReportKind::Fill {
            self.report_fill(live, ended, r)?;
        } else if let Some(slot) = live {
            self.report_state(slot, kind);
        }
        let order = live.map(|s| self.orders[s].account);
        let account = order.or(ended.map(|n| self.ended[n].account));
        if let Some(a) = account {
            self.touch(a);
        }
        Ok((Code::Ok, r.order))
    }

    /// What a venue says of a live order besides fills.
    fn report_state(&mut self, slot: u32, kind: ReportKind) {
        let state = match kind {
            ReportKind::Rejected => OrderState::Rejected,
            ReportKind::Expired => OrderState::Expired,
            ReportKind::Cancelled => OrderState::Cancelled,
            ReportKind::Accepted => {
                let from = self.orders[slot].state;
                if !matches!(from, OrderState::Routing | OrderState::Unresolved) {
                    return;
                }
                OrderState::Routed
            }
            _ => OrderState::Unresolved,
        };
        if matches!(kind, ReportKind::Accepted | ReportKind::Unknown) {
            self.orders[slot].state = state;
            let order = Order { reason: Reason::Venue, ..self.orders[slot].clone() };
            self.emit_order(&order, 0, &[]);
        } else {
            self.end_order(slot, state, Reason::Venue, 0);
        }
    }

    /// Books a fill of a live or of an ended (late) order.
    fn report_fill(
        &mut self,
        live: Option<u32>,
        ended: Option<usize>,
        r: &wire::Report,
    ) -> Result<(), Refusal> {
        let mut order = match (live, ended) {
            (Some(slot), _) => self.orders[slot].clone(),
            (None, Some(n)) => self.ended[n].clone(),
            (None, None) => {
                return Err(Refusal { code: Code::TradeIncorrectOrder, at: At::Order });
            }
        };
        let late = live.is_none();
        if late {
            order.reason = Reason::Venue;
        }
        let price = match order.side {
            Side::Buy => r.price + order.markup,
            Side::Sell => (r.price - order.markup).max(1),
        };
        self.can_book(&order, r.volume, price)?;
        let answer = Answer { code: Code::Ok, at: At::None, reference: r.order };
        let hash = Dedupe::hash(r.order, &r.trade);
        self.fills.remember(hash, r.order, &r.trade, 0, answer);
        let mut deal = self.deal_of(&order, r.volume, price);
        let over = order.filled + r.volume > order.volume;
        deal.flags =
            FILL_ROUTED | if late { FILL_LATE } else { 0 } | if over { FILL_OVER } else { 0 };
        deal.trade = r.trade;
        deal.release = self.release_part(&order, r.volume, false);
        let release = deal.release;
        let opened = self.execute(&deal);
        order.filled += r.volume;
        order.margin -= release;
        order.opened_position = opened;
        let Some(slot) = live else {
            if let Some(n) = ended {
                self.ended[n] = order.clone();
            }
            self.emit_order(&order, 0, &[]);
            self.compensate_isolated();
            return Ok(());
        };
        let o = &mut self.orders[slot];
        o.filled = order.filled;
        o.margin = order.margin;
        o.opened_position = opened;
        if o.filled >= o.volume {
            let reason = order.reason;
            self.finish_order(slot, reason);
        } else {
            if o.state != OrderState::CancelPending {
                o.state = OrderState::Partial;
            }
            let shown = o.clone();
            self.emit_order(&shown, 0, &[]);
        }
        self.compensate_isolated();
        Ok(())
    }

    /// A conversion that opening would need must exist before anything is booked.
    fn can_book(&self, order: &Order, volume: i64, price: i64) -> Result<(), Refusal> {
        let target = self.position_by_id.get(order.position);
        let closes = target.map_or(0, |slot| volume.min(self.positions[slot].volume));
        let plan = self.plan(order, volume - closes);
        if plan.open_volume == 0 {
            return Ok(());
        }
        let (a, i) = (order.account, order.instrument);
        if self.instruments[i as usize].bid == 0 {
            return Err(Refusal { code: Code::TradeOffquotes, at: At::Instrument });
        }
        let account = &self.accounts[a as usize];
        let none = Plan { closes: None, close_volume: 0, open_volume: plan.open_volume };
        self.open_path(order, &none)?;
        if order.isolated {
            let profit = self.instruments[i as usize].profit;
            self.need_path(i, profit, account.currency)?;
            return Ok(());
        }
        let kind = OrderType::Market;
        self.margin_base(account, i, order.side, kind, plan.open_volume, price).map(|_| ())
    }

    /// The ROUTE event; its limit is in the venue's terms: the markup is taken off.
    fn emit_route(&mut self, order: &Order, action: u8, limit: Option<i64>) {
        let most = self.instruments[order.instrument as usize].def.price_max;
        let venue = |client: i64| {
            let shift = if order.side == Side::Buy { -order.markup } else { order.markup };
            client.saturating_add(shift).clamp(1, most)
        };
        let event = wire::EventRoute {
            order: order.id,
            account: self.accounts[order.account as usize].id,
            instrument: order.instrument,
            side: order.side as u8,
            action,
            tif: order.tif as u8,
            reason: order.reason as u8,
            volume: order.rest(),
            limit: limit.map_or(0, venue),
            position: order.position,
            tag: order.tag,
        };
        self.emit(&event, 0);
    }
}
