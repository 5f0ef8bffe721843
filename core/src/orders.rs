//! Orders: their place in the books, their end, their activation, and closing positions.

use crate::book::Book;
use crate::code::{At, Code, OrderState, OrderType, Reason, Refusal, Side, Tif, Trading};
use crate::engine::{Engine, Parked};
use crate::exec::Deal;
use crate::group::Commission;
use crate::instrument::{Execution, TradeMode};
use crate::money::{muldiv, post};
use crate::state::{Order, NONE};
use crate::wire;

pub fn opposite(side: Side) -> Side {
    if side == Side::Buy {
        Side::Sell
    } else {
        Side::Buy
    }
}

impl Engine {
    /// Client price of a side: ask + markup for buys, bid − markup (at least 1) for sells.
    #[inline]
    pub fn client_price(&self, i: u32, side: Side, markup: i64) -> i64 {
        let ins = &self.instruments[i as usize];
        if side == Side::Buy {
            ins.ask + markup
        } else {
            (ins.bid - markup).max(1)
        }
    }

    /// Fill price of a market execution: client price worsened by the slippage model.
    #[inline]
    pub fn market_price(&self, i: u32, side: Side, markup: i64, volume: i64) -> i64 {
        let d = &self.instruments[i as usize].def;
        let client = self.client_price(i, side, markup);
        if d.slippage_points == 0 && d.slippage_points_per_lot == 0 {
            return client;
        }
        let per_lot = i128::from(d.slippage_points_per_lot) * i128::from(volume);
        let slip = i128::from(d.slippage_points) + crate::money::ceil_div(per_lot, 100_000_000);
        let slip = slip.min(i128::from(crate::limits::PRICE_MAX)) as i64;
        if side == Side::Buy {
            client + slip
        } else {
            (client - slip).max(1)
        }
    }

    /// How much of a volume one quote fills, in whole steps.
    pub fn liquid(&self, i: u32, volume: i64) -> i64 {
        let d = &self.instruments[i as usize].def;
        if d.liquidity_max == 0 {
            return volume;
        }
        volume.min(d.liquidity_max - d.liquidity_max % d.volume_step)
    }

    /// Is execution of this account on this instrument routed to a venue?
    pub fn routed(&self, a: u32, i: u32) -> bool {
        let group = &self.groups[self.accounts[a as usize].group as usize];
        let special = group.special(i).and_then(|o| o.execution);
        let chosen = special.or(group.def.execution);
        chosen.unwrap_or(self.instruments[i as usize].def.execution) == Execution::Routed
    }

    // ---- the slab and the account's list ----------------------------------------------------

    pub fn add_order(&mut self, mut order: Order) -> u32 {
        let a = order.account;
        order.prev = NONE;
        order.next = self.accounts[a as usize].first_order;
        let (id, i) = (order.id, order.instrument);
        let expire = order.expire;
        let slot = self.orders.add(order);
        let next = self.orders[slot].next;
        if next != NONE {
            self.orders[next].prev = slot;
        }
        let account = &mut self.accounts[a as usize];
        account.first_order = slot;
        account.orders += 1;
        self.instruments[i as usize].open += 1;
        self.order_by_id.insert(id, slot);
        if expire > 0 {
            self.expiries.push(std::cmp::Reverse((expire, id)));
        }
        slot
    }

    fn remove_order(&mut self, slot: u32) -> Order {
        self.disarm_order(slot);
        let order = self.orders[slot].clone();
        let a = order.account as usize;
        if order.prev != NONE {
            self.orders[order.prev].next = order.next;
        } else {
            self.accounts[a].first_order = order.next;
        }
        if order.next != NONE {
            self.orders[order.next].prev = order.prev;
        }
        self.accounts[a].orders -= 1;
        self.instruments[order.instrument as usize].open -= 1;
        self.order_by_id.remove(order.id);
        self.orders[slot].id = 0;
        self.orders.release(slot);
        order
    }

    /// Ends an order that is not filled: releases its margin, emits it, forgets it.
    pub fn end_order(&mut self, slot: u32, state: OrderState, reason: Reason, code: u16) {
        let (a, id, margin) = {
            let order = &self.orders[slot];
            (order.account, order.id, order.margin)
        };
        self.touch(a);
        if margin != 0 {
            self.accounts[a as usize].margin -= margin;
            self.margin_leg(a, -margin);
            self.emit_ledger(a, id);
        }
        let mut order = self.remove_order(slot);
        order.margin = 0;
        order.state = state;
        self.emit_order(&Order { reason, ..order.clone() }, code, &[]);
        if order.routed {
            self.release_closing(&order);
            self.keep_ended(order);
        }
    }

    /// Ends an order after its last fill; a rest that was cut is reported as killed.
    pub fn finish_order(&mut self, slot: u32, reason: Reason) {
        let mut order = self.remove_order(slot);
        let whole = order.rest() <= 0;
        order.state = if whole { OrderState::Filled } else { OrderState::Cancelled };
        let shown = if whole { reason } else { Reason::Killed };
        self.emit_order(&Order { reason: shown, ..order.clone() }, 0, &[]);
        if order.routed {
            self.release_closing(&order);
            self.keep_ended(order);
        }
    }

    // ---- books ------------------------------------------------------------------------------

    /// Which book an order waits in and at which raw price.
    fn order_threshold(order: &Order) -> (Book, i64) {
        let limit = order.limit_now();
        match (order.side, limit) {
            (Side::Buy, true) => (Book::BuyLimit, order.limit() - order.markup),
            (Side::Buy, false) => (Book::BuyStop, order.price - order.markup),
            (Side::Sell, true) => (Book::SellLimit, order.limit() + order.markup),
            (Side::Sell, false) => (Book::SellStop, order.price + order.markup),
        }
    }

    pub fn arm_order(&mut self, slot: u32) {
        let order = &self.orders[slot];
        if !order.working() {
            return;
        }
        let (book, price) = Self::order_threshold(order);
        let (i, generation) = (order.instrument as usize, order.id as u32);
        self.books[i].insert(book, price, slot, generation);
        if self.books[i].overgrown(book) {
            self.rebuild_book(i, book);
        }
    }

    pub fn disarm_order(&mut self, slot: u32) {
        let order = &self.orders[slot];
        if order.working() {
            let (book, _) = Self::order_threshold(order);
            let i = order.instrument as usize;
            self.books[i].forget(book);
        }
    }

    pub fn order_wants(&self, book: Book, slot: u32, generation: u32, price: i64) -> bool {
        let Some(order) = self.orders.items.get(slot as usize) else {
            return false;
        };
        order.id != 0
            && order.id as u32 == generation
            && order.working()
            && Self::order_threshold(order) == (book, price)
    }

    // ---- activation on a quote --------------------------------------------------------------

    /// A pending order whose price was reached.
    pub fn activate(&mut self, id: u64) {
        let Some(slot) = self.order_by_id.get(id) else { return };
        let order = &self.orders[slot];
        if !order.working() {
            return;
        }
        let (a, i, side) = (order.account, order.instrument, order.side);
        if self.account_halted(a) {
            self.parked.insert(Parked::Order(id));
            return;
        }
        if order.kind == OrderType::StopLimit && order.state == OrderState::Working {
            self.orders[slot].state = OrderState::Triggered;
            let order = Order { reason: Reason::Pending, ..self.orders[slot].clone() };
            self.emit_order(&order, 0, &[]);
            let client = self.client_price(i, side, order.markup);
            let fills = match side {
                Side::Buy => client <= order.limit_price,
                Side::Sell => client >= order.limit_price,
            };
            if !fills {
                self.arm_order(slot);
                return;
            }
        }
        self.fill_pending(slot);
    }

    /// Fills what a working order can get at this quote, after checking again that it may.
    fn fill_pending(&mut self, slot: u32) {
        let mut order = self.orders[slot].clone();
        order.reason = Reason::Pending;
        let (a, i) = (order.account, order.instrument);
        let venue = self.routed(a, i);
        let volume = if venue { order.rest() } else { self.liquid(i, order.rest()) };
        if volume == 0 {
            self.arm_order(slot);
            return;
        }
        let stop = order.kind == OrderType::Stop;
        let price = if stop && !venue {
            self.market_price(i, order.side, order.markup, order.volume)
        } else {
            self.client_price(i, order.side, order.markup)
        };
        let release = self.release_part(&order, volume, stop);
        let reserve = match self.may_activate(&order, volume, price, release) {
            Ok(reserve) => reserve,
            Err(refusal) => {
                let poor = refusal.code == Code::TradeNoMoney;
                let reason = if poor { Reason::NoMoney } else { Reason::Limit };
                self.end_order(slot, OrderState::Cancelled, reason, refusal.code as u16);
                return;
            }
        };
        if venue {
            self.route_pending(slot, reserve);
            return;
        }
        let mut deal = self.deal_of(&order, volume, price);
        deal.release = release;
        let position = self.execute(&deal);
        let o = &mut self.orders[slot];
        o.filled += volume;
        o.margin -= release;
        o.opened_position = position;
        if o.rest() == 0 || stop {
            self.finish_order(slot, Reason::Pending);
        } else {
            o.state = OrderState::Partial;
            let shown = Order { reason: Reason::Pending, ..o.clone() };
            self.emit_order(&shown, 0, &[]);
            self.arm_order(slot);
        }
        self.cancel_oco(a, order.oco, order.id);
    }

    /// Reserved margin that a fill gives back; all of it when the order ends with it.
    pub fn release_part(&self, order: &Order, volume: i64, ends: bool) -> i128 {
        if volume >= order.rest() || ends {
            return order.margin;
        }
        let part = muldiv(order.margin, i128::from(volume), i128::from(order.rest()));
        post(part, self.unit_of(order.account))
    }

    /// The other orders of an OCO set are cancelled, in id order.
    pub fn cancel_oco(&mut self, a: u32, oco: u64, except: u64) {
        if oco == 0 {
            return;
        }
        let mut others = Vec::new();
        let mut o = self.accounts[a as usize].first_order;
        while o != NONE {
            let order = &self.orders[o];
            if order.oco == oco && order.id != except && order.working() {
                others.push((order.id, o));
            }
            o = order.next;
        }
        others.sort_unstable();
        for (_, slot) in others {
            self.end_order(slot, OrderState::Cancelled, Reason::Oco, 0);
        }
    }

    /// Rules that are checked again when a pending order activates; what a venue would reserve.
    fn may_activate(
        &self,
        order: &Order,
        volume: i64,
        price: i64,
        release: i128,
    ) -> Result<i128, Refusal> {
        let (a, i) = (order.account, order.instrument);
        let reduces = self.reduces(order);
        self.check_direction(a, i, order.side, reduces)?;
        self.check_isolation(order)?;
        if !reduces {
            self.check_position_limits(order)?;
        }
        let plan = self.plan(order, volume);
        self.check_money(order, &plan, price, release, 0).map(|funds| funds.reserve)
    }

    /// Trading state REDUCING and trade modes (semantics section 5).
    pub fn check_direction(
        &self,
        a: u32,
        i: u32,
        side: Side,
        reduces: bool,
    ) -> Result<(), Refusal> {
        let account = &self.accounts[a as usize];
        let ins = &self.instruments[i as usize];
        let states =
            [self.state, self.groups[account.group as usize].state, account.state, ins.state];
        if !reduces && states.contains(&Trading::Reducing) {
            return Err(Refusal { code: Code::ReduceOnly, at: At::State });
        }
        let blocked = match ins.def.trade_mode {
            _ if reduces => None,
            TradeMode::CloseOnly => Some((Code::CloseOnly, At::Instrument)),
            TradeMode::LongOnly if side == Side::Sell => Some((Code::TradeLongOnly, At::Side)),
            TradeMode::ShortOnly if side == Side::Buy => Some((Code::ShortOnly, At::Side)),
            _ => None,
        };
        match blocked {
            Some((code, at)) => Err(Refusal { code, at }),
            None => Ok(()),
        }
    }

    /// Would an order without a target only reduce (netting)?
    pub fn reduces(&self, order: &Order) -> bool {
        if !self.netting(order.account) {
            return false;
        }
        self.netting_position(order.account, order.instrument, order.isolated).is_some_and(|slot| {
            let p = &self.positions[slot];
            p.side != order.side && order.rest() <= p.volume
        })
    }

    // ---- closing ----------------------------------------------------------------------------

    /// Closes at the present quote (or routes the close); used by triggers and by commands.
    pub fn close_position_now(&mut self, slot: u32, volume: i64, reason: Reason) -> u64 {
        let p = &self.positions[slot];
        let leg = &self.legs[p.leg];
        let i = leg.instrument;
        let side = opposite(p.side);
        let markup = p.markup;
        let price = self.market_price(i, side, markup, volume);
        let order = self.closing_order(slot, volume, reason);
        self.close_position_at(slot, order, price, None)
    }

    /// Closes by an order at a known price (or routes it with a limit): LEDGER, FILL, POSITION,
    /// then the closing ORDER.
    pub fn close_position_at(
        &mut self,
        slot: u32,
        order: Order,
        price: i64,
        limit: Option<i64>,
    ) -> u64 {
        let id = order.id;
        if self.routed(order.account, order.instrument) {
            self.submit(order, 0, limit, &[]);
            return id;
        }
        self.fill_close(order, slot, price, &[]);
        id
    }

    pub fn fill_close(&mut self, mut order: Order, slot: u32, price: i64, comment: &[u8]) {
        let deal = self.deal_of(&order, order.volume, price);
        self.touch(deal.account);
        self.close_part(&deal, slot, order.volume);
        order.filled = order.volume;
        order.state = OrderState::Filled;
        self.emit_order(&order, 0, comment);
        self.compensate_isolated();
    }

    /// The order that closes a position: market, immediate, the other side.
    pub fn closing_order(&mut self, slot: u32, volume: i64, reason: Reason) -> Order {
        let id = self.next_id();
        let p = &self.positions[slot];
        let leg = &self.legs[p.leg];
        Order {
            id,
            account: leg.account,
            instrument: leg.instrument,
            prev: NONE,
            next: NONE,
            side: opposite(p.side),
            kind: OrderType::Market,
            tif: Tif::Ioc,
            state: OrderState::Working,
            reason,
            // What exceeds the position (a venue filled too much) opens as a cross position.
            isolated: false,
            routed: false,
            leverage: 0,
            volume,
            filled: 0,
            price: 0,
            limit_price: 0,
            sl: 0,
            tp: 0,
            trailing: 0,
            trailing_step: 0,
            expire: 0,
            oco: 0,
            position: p.id,
            opened_position: 0,
            tag: p.tag,
            markup: p.markup,
            margin: 0,
            commission: p.commission,
            swap: self.swap_terms.get(&p.id).copied(),
            own_terms: 0,
        }
    }

    /// The deal that executes (part of) an order.
    pub fn deal_of(&self, order: &Order, volume: i64, price: i64) -> Deal {
        Deal {
            order: order.id,
            account: order.account,
            instrument: order.instrument,
            side: order.side,
            volume,
            price,
            reason: order.reason,
            target: order.position,
            opened: order.opened_position,
            isolated: order.isolated,
            leverage: order.leverage,
            sl: order.sl,
            tp: order.tp,
            trailing: order.trailing,
            trailing_step: order.trailing_step,
            markup: order.markup,
            own_terms: order.own_terms,
            first: order.filled == 0,
            commission: order.commission,
            swap: order.swap,
            tag: order.tag,
            basis: None,
            release: 0,
            flags: 0,
            trade: [0; wire::ID_BYTES],
        }
    }

    // ---- time -------------------------------------------------------------------------------

    /// Expires orders that are due (semantics section 8).
    #[inline]
    pub fn expire_due(&mut self) {
        while let Some(&std::cmp::Reverse((expire, id))) = self.expiries.peek() {
            if expire > self.now {
                return;
            }
            self.expiries.pop();
            let Some(slot) = self.order_by_id.get(id) else {
                continue;
            };
            if self.orders[slot].expire == expire && self.orders[slot].working() {
                self.end_order(slot, OrderState::Expired, Reason::Expiry, 0);
            }
        }
    }

    // ---- events -----------------------------------------------------------------------------

    pub fn order_event(&self, order: &Order, code: u16) -> wire::EventOrder {
        wire::EventOrder {
            order: order.id,
            account: self.accounts[order.account as usize].id,
            instrument: order.instrument,
            side: order.side as u8,
            type_: order.kind as u8,
            tif: order.tif as u8,
            state: order.state as u8,
            reason: order.reason as u8,
            comment: 0,
            code,
            leverage: order.leverage,
            volume: order.volume,
            filled: order.filled,
            price: order.price,
            limit_price: order.limit_price,
            sl: order.sl,
            tp: order.tp,
            expire: order.expire,
            position: order.position,
            oco: order.oco,
            tag: order.tag,
        }
    }

    pub fn emit_order(&mut self, order: &Order, code: u16, comment: &[u8]) {
        if self.out.muted {
            self.event_seq += 1;
            return;
        }
        let mut event = self.order_event(order, code);
        event.comment = comment.len() as u8;
        self.emit_tail(&event, 0, comment);
    }
}

/// Terms that apply to an order: its own, else the group's override, else the group's.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    pub markup: i64,
    pub commission: Commission,
    pub swap: Option<(i64, i64)>,
    /// Which of them the command carried.
    pub own: u8,
}
