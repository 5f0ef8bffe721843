//! PLACE_ORDER: the gate, the rules in their order, and the first fill.

use crate::code::{no, At, Code, OrderState, OrderType, Reason, Refusal, Side, Tif, Trading};
use crate::engine::{Engine, Outcome};
use crate::group::Commission;
use crate::instrument::TradeMode;
use crate::limits::SECOND_NS;
use crate::money::post;
use crate::orders::{opposite, Terms};
use crate::state::{Order, FLAG_DISABLED, FLAG_READ_ONLY, NONE};
use crate::wire;

/// What an order is to the gate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Opens or may open: PLACE_ORDER, REVERSE.
    Place {
        reduces: bool,
        side: Side,
    },
    Close,
}

impl Engine {
    /// Counts a command against the account's rate (semantics section 5).
    pub fn count_rate(&mut self, a: u32) -> Result<(), Refusal> {
        let second = self.now.div_euclid(SECOND_NS);
        let account = &mut self.accounts[a as usize];
        let most = self.groups[account.group as usize].def.limits.orders_per_s;
        if account.rate_second != second {
            account.rate_second = second;
            account.rate_count = 0;
        }
        account.rate_count = account.rate_count.saturating_add(1);
        if most > 0 && i64::from(account.rate_count) > most {
            return no(Code::TooFrequent, At::Limits);
        }
        Ok(())
    }

    /// Not disabled, not read-only, nothing halted.
    pub fn check_account(&self, a: u32, i: Option<u32>) -> Result<(), Refusal> {
        let account = &self.accounts[a as usize];
        if account.flags & FLAG_DISABLED != 0 {
            return no(Code::AccountDisabled, At::Account);
        }
        if account.flags & FLAG_READ_ONLY != 0 {
            return no(Code::TradeReadOnly, At::Account);
        }
        let instrument_halted =
            i.is_some_and(|i| self.instruments[i as usize].state == Trading::Halted);
        if self.account_halted(a) || instrument_halted {
            return no(Code::Halted, At::State);
        }
        Ok(())
    }

    /// Who may trade now (semantics section 5, after the rate).
    pub fn gate(&self, a: u32, i: u32, intent: Intent) -> Result<(), Refusal> {
        self.check_account(a, Some(i))?;
        let account = &self.accounts[a as usize];
        let ins = &self.instruments[i as usize];
        let reduces = match intent {
            Intent::Place { reduces, .. } => reduces,
            Intent::Close => true,
        };
        let states =
            [self.state, self.groups[account.group as usize].state, account.state, ins.state];
        if !reduces && states.contains(&Trading::Reducing) {
            return no(Code::ReduceOnly, At::State);
        }
        if ins.def.trade_mode == TradeMode::Disabled {
            return no(Code::TradeDisable, At::Instrument);
        }
        if !ins.session_open(self.now) {
            return no(Code::TradeMarketClosed, At::Instrument);
        }
        let age = self.now - ins.quote_ts;
        let oldest = ins.def.quote_age_max_ms.saturating_mul(1_000_000);
        if ins.bid == 0 || (ins.def.quote_age_max_ms > 0 && age > oldest) {
            return no(Code::TradeOffquotes, At::Instrument);
        }
        if let Intent::Place { reduces, side } = intent {
            self.check_direction(a, i, side, reduces)?;
        }
        Ok(())
    }

    /// Terms of a new order: the command's own, else override, else group.
    pub fn terms(&self, a: u32, place: &wire::PlaceOrder) -> Terms {
        let group = &self.groups[self.accounts[a as usize].group as usize];
        let special = group.special(place.instrument);
        let own = |bit: u8| place.terms & bit != 0;
        let commission = if own(1) {
            Commission::from_terms(
                place.commission_mode,
                place.commission_when,
                place.commission_value,
            )
            .unwrap_or_default()
        } else {
            special.and_then(|o| o.commission).unwrap_or(group.def.commission)
        };
        let markup = if own(2) {
            place.markup
        } else {
            special.and_then(|o| o.markup_points).unwrap_or(group.def.markup_points)
        };
        let swap = own(4).then_some((place.swap_long, place.swap_short));
        Terms { markup, commission, swap, own: place.terms }
    }

    /// PLACE_ORDER after admission.
    pub fn place(&mut self, a: u32, place: &wire::PlaceOrder, comment: &[u8]) -> Outcome {
        self.count_rate(a)?;
        let mut order = self.order_of(a, place);
        let target = match order.position {
            0 => None,
            id => Some(self.live_target(id)?),
        };
        let reduces = target.is_some() || self.reduces(&order);
        self.gate(a, order.instrument, Intent::Place { reduces, side: order.side })?;
        if let Some(slot) = target {
            return self.place_close(order, slot, place, comment);
        }
        self.check_isolation(&order)?;
        if order.kind == OrderType::Market {
            return self.place_market(order, place.max_deviation, reduces, comment);
        }
        order.reason = Reason::Client;
        self.place_pending(order, reduces, comment)
    }

    /// An order that names the position it closes.
    fn place_close(
        &mut self,
        mut order: Order,
        slot: u32,
        place: &wire::PlaceOrder,
        comment: &[u8],
    ) -> Outcome {
        let p = &self.positions[slot];
        if p.closing != 0 {
            return no(Code::TradeIncorrectState, At::Position);
        }
        order.isolated = false;
        if order.own_terms & 1 == 0 {
            order.commission = p.commission;
        }
        if order.own_terms & 2 == 0 {
            order.markup = p.markup;
        }
        let (a, i) = (order.account, order.instrument);
        if self.routed(a, i) {
            order.id = self.next_id();
            let id = order.id;
            let limit = deviation_limit(order.side, order.price, place.max_deviation);
            self.submit(order, 0, limit, comment);
            return Ok((Code::TradeAccepted, id));
        }
        let price = self.market_price(i, order.side, order.markup, order.volume);
        check_deviation(order.side, price, order.price, place.max_deviation)?;
        order.id = self.next_id();
        let id = order.id;
        self.fill_close(order, slot, price, comment);
        Ok((Code::Ok, id))
    }

    fn place_market(
        &mut self,
        mut order: Order,
        deviation: i64,
        reduces: bool,
        comment: &[u8],
    ) -> Outcome {
        let (a, i) = (order.account, order.instrument);
        let venue = self.routed(a, i);
        let price = if venue {
            self.client_price(i, order.side, order.markup)
        } else {
            self.market_price(i, order.side, order.markup, order.volume)
        };
        let closing = self.client_price(i, opposite(order.side), order.markup);
        let level = self.instruments[i as usize].def.stops_level;
        check_sl_tp(order.side, closing, order.sl, order.tp, level)?;
        self.check_collar(i, &[price])?;
        if !reduces {
            self.check_limits(&order, price, false)?;
        }
        let mut volume = order.volume;
        if !venue {
            volume = self.liquid(i, volume);
            if volume == 0 || (order.tif == Tif::Fok && volume < order.volume) {
                return no(Code::NotFilled, At::Tif);
            }
            check_deviation(order.side, price, order.price, deviation)?;
        }
        let plan = self.plan(&order, volume);
        let funds = self.check_money(&order, &plan, price, 0, 0)?;
        order.id = self.next_id();
        let id = order.id;
        if venue {
            let limit = deviation_limit(order.side, order.price, deviation);
            self.submit(order, funds.reserve, limit, comment);
            return Ok((Code::TradeAccepted, id));
        }
        let mut deal = self.deal_of(&order, volume, price);
        deal.basis = funds.basis;
        self.execute(&deal);
        self.report_first_fill(order, volume, false, comment);
        Ok((Code::Ok, id))
    }

    fn place_pending(&mut self, mut order: Order, reduces: bool, comment: &[u8]) -> Outcome {
        let (a, i) = (order.account, order.instrument);
        let fillable = self.check_pending(&order)?;
        let venue = self.routed(a, i);
        let volume = match (fillable, venue) {
            (false, _) => 0,
            (true, true) => order.volume,
            (true, false) => self.liquid(i, order.volume),
        };
        let whole = volume == order.volume;
        let patient = !matches!(order.tif, Tif::Ioc | Tif::Fok);
        let stays = patient && !whole;
        if !reduces {
            self.check_limits(&order, order.limit(), stays)?;
        }
        if !patient && (volume == 0 || (order.tif == Tif::Fok && !whole)) {
            return no(Code::NotFilled, At::Tif);
        }
        let extra = if stays { self.reserve_of(&order, order.volume - volume)? } else { 0 };
        let price = self.client_price(i, order.side, order.markup);
        let plan = self.plan(&order, volume);
        let reserve = self.check_money(&order, &plan, price, 0, extra)?.reserve;
        order.id = self.next_id();
        let (id, oco) = (order.id, order.oco);
        if venue && fillable {
            let limit = Some(order.limit());
            self.submit(order, reserve, limit, comment);
            self.cancel_oco(a, oco, id);
            return Ok((Code::TradeAccepted, id));
        }
        if volume > 0 {
            let deal = self.deal_of(&order, volume, price);
            order.opened_position = self.execute(&deal);
        }
        if stays && extra != 0 {
            order.margin = extra;
            self.accounts[a as usize].margin += extra;
            self.margin_leg(a, extra);
            self.emit_ledger(a, id);
            self.touch(a);
        }
        if volume > 0 {
            self.report_first_fill(order, volume, stays, comment);
        } else {
            self.emit_order(&order, 0, comment);
            let slot = self.add_order(order);
            self.arm_order(slot);
        }
        Ok((Code::Ok, id))
    }

    /// State and ORDER after a fill at placing; a rest waits or is killed; then OCO.
    fn report_first_fill(&mut self, mut order: Order, volume: i64, stays: bool, comment: &[u8]) {
        let (a, id, oco) = (order.account, order.id, order.oco);
        order.filled = volume;
        if order.rest() == 0 {
            order.state = OrderState::Filled;
            self.emit_order(&order, 0, comment);
        } else if stays {
            order.state = OrderState::Partial;
            self.emit_order(&order, 0, comment);
            let slot = self.add_order(order);
            self.arm_order(slot);
        } else {
            order.state = OrderState::Cancelled;
            order.reason = Reason::Killed;
            self.emit_order(&order, 0, comment);
        }
        self.cancel_oco(a, oco, id);
    }

    /// Posted margin that a waiting order reserves for a volume (0 by default).
    pub fn reserve_of(&self, order: &Order, volume: i64) -> Result<i128, Refusal> {
        let account = &self.accounts[order.account as usize];
        let i = order.instrument;
        let (open, _) =
            self.margin_base(account, i, order.side, order.kind, volume, order.limit())?;
        Ok(post(open, self.unit_of(order.account)))
    }

    /// The order of a command with its terms resolved, not yet numbered.
    fn order_of(&self, a: u32, place: &wire::PlaceOrder) -> Order {
        let terms = self.terms(a, place);
        let ins = &self.instruments[place.instrument as usize];
        let kind = OrderType::from_number(place.type_).unwrap_or(OrderType::Market);
        let tif = Tif::from_number(place.tif).unwrap_or(Tif::Gtc);
        let expire = match tif {
            Tif::Day => ins.day_end(self.now),
            _ => place.expire,
        };
        let isolated = place.flags & 1 != 0;
        Order {
            id: 0,
            account: a,
            instrument: place.instrument,
            prev: NONE,
            next: NONE,
            side: Side::from_number(place.side).unwrap_or(Side::Buy),
            kind,
            tif,
            state: OrderState::Working,
            reason: Reason::Client,
            isolated,
            routed: false,
            leverage: place.leverage,
            volume: place.volume,
            filled: 0,
            price: place.price,
            limit_price: place.limit_price,
            sl: place.sl,
            tp: place.tp,
            trailing: place.trailing,
            trailing_step: place.trailing_step,
            expire,
            oco: place.oco,
            position: place.position,
            opened_position: 0,
            tag: place.tag,
            markup: terms.markup,
            margin: 0,
            commission: terms.commission,
            swap: terms.swap,
            own_terms: terms.own,
        }
    }

    /// An expiry that ran just before this command may have removed what it names.
    pub fn live_target(&self, position: u64) -> Result<u32, Refusal> {
        self.position_by_id
            .get(position)
            .ok_or(Refusal { code: Code::TradeIncorrectOrder, at: At::Position })
    }

    /// Netting keeps isolated and cross positions of one instrument apart.
    pub fn check_isolation(&self, order: &Order) -> Result<(), Refusal> {
        if !self.netting(order.account) {
            return Ok(());
        }
        let other = self.netting_position(order.account, order.instrument, !order.isolated);
        if other.is_some() {
            return no(Code::TradeIncorrectState, At::Leverage);
        }
        Ok(())
    }

    /// Stop side, stops level, SL, TP and collar of a pending order; true when a limit could fill.
    pub fn check_pending(&self, order: &Order) -> Result<bool, Refusal> {
        let i = order.instrument;
        let market = self.client_price(i, order.side, order.markup);
        let reached = |price: i64, below: bool| match (order.side, below) {
            (Side::Buy, true) | (Side::Sell, false) => market <= price,
            (Side::Buy, false) | (Side::Sell, true) => market >= price,
        };
        let limit = order.limit_now();
        let fillable = limit && reached(order.limit(), true);
        if !limit && reached(order.price, false) {
            return no(Code::TradeBadPrices, At::Price);
        }
        let level = self.instruments[i as usize].def.stops_level;
        let price = if limit { order.limit() } else { order.price };
        let patient = !matches!(order.tif, Tif::Ioc | Tif::Fok);
        if patient && !fillable && (price - market).abs() < level {
            return no(Code::TradeBadStops, At::Price);
        }
        check_sl_tp(order.side, order.limit(), order.sl, order.tp, level)?;
        self.check_collar(i, &[price])?;
        if order.kind == OrderType::StopLimit {
            self.check_collar(i, &[order.limit_price])?;
        }
        Ok(fillable)
    }

    /// The price collar fails closed: no price far from the market's middle.
    fn check_collar(&self, i: u32, prices: &[i64]) -> Result<(), Refusal> {
        let ins = &self.instruments[i as usize];
        if ins.def.collar_ppm == 0 {
            return Ok(());
        }
        let sum = i128::from(ins.bid) + i128::from(ins.ask);
        let most = i128::from(ins.def.collar_ppm) * sum;
        if prices.iter().any(|&p| (2 * i128::from(p) - sum).abs() * 1_000_000 > most) {
            return no(Code::Collar, At::Price);
        }
        Ok(())
    }

    /// Pre-trade limits of the group (not for orders that reduce).
    fn check_limits(&self, order: &Order, entry: i64, rests: bool) -> Result<(), Refusal> {
        let i = order.instrument;
        let account = &self.accounts[order.account as usize];
        let limits = self.groups[account.group as usize].def.limits;
        let over = |n: i128, most: i64| most > 0 && n > i128::from(most);
        if over(i128::from(order.volume), limits.order_volume_max) {
            return no(Code::LimitReached, At::Limits);
        }
        if limits.order_value_max > 0 {
            let profit = self.instruments[i as usize].profit;
            let path = self.need_path(i, profit, account.currency)?;
            let value = self.notional(i, &path, order.side, order.volume, entry);
            if over(value, limits.order_value_max) {
                return no(Code::LimitReached, At::Limits);
            }
        }
        self.check_position_limits(order)?;
        if limits.orders_max > 0 && rests {
            let working = |&&s: &&u32| self.orders[s].working();
            let count = self.order_slots(order.account).iter().filter(working).count();
            if over(count as i128 + 1, limits.orders_max) {
                return no(Code::LimitReached, At::Limits);
            }
        }
        Ok(())
    }

    /// Limits on what the rest of an order would open.
    pub fn check_position_limits(&self, order: &Order) -> Result<(), Refusal> {
        let (a, i, volume) = (order.account, order.instrument, i128::from(order.rest()));
        let account = &self.accounts[a as usize];
        let limits = &self.groups[account.group as usize].def.limits;
        let netting = self.netting(a);
        let (long, short) = self.side_volumes(a, i);
        let (same, other) = if order.side == Side::Buy { (long, short) } else { (short, long) };
        let result = if netting { (same + volume - other).abs() } else { same + volume };
        if result > i128::from(crate::limits::LEG_VOLUME_MAX) {
            return no(Code::Overflow, At::Volume);
        }
        if limits.position_volume_max > 0 && result > i128::from(limits.position_volume_max) {
            return no(Code::LimitReached, At::Limits);
        }
        let opens = if netting {
            self.netting_position(a, i, order.isolated).is_none()
        } else {
            !self.position_by_id.contains(order.opened_position)
        };
        if opens && limits.positions_max > 0 && i64::from(account.positions) >= limits.positions_max
        {
            return no(Code::LimitReached, At::Limits);
        }
        Ok(())
    }

    /// Volumes held long and short on an instrument, isolated positions too.
    fn side_volumes(&self, a: u32, i: u32) -> (i128, i128) {
        let mut sums = (0, 0);
        if let Some(l) = self.find_leg(a, i) {
            let leg = &self.legs[l];
            sums = (i128::from(leg.volume_long), i128::from(leg.volume_short));
        }
        let mut l = self.accounts[a as usize].first_isolated;
        while l != NONE {
            let leg = &self.legs[l];
            if leg.instrument == i {
                sums.0 += i128::from(leg.volume_long);
                sums.1 += i128::from(leg.volume_short);
            }
            l = leg.next_isolated;
        }
        sums
    }
}

/// Adverse distance of a fill from the client's reference price.
pub fn check_deviation(side: Side, fill: i64, reference: i64, most: i64) -> Result<(), Refusal> {
    if most < 0 || reference <= 0 {
        return Ok(());
    }
    let worse = if side == Side::Buy { fill - reference } else { reference - fill };
    if worse > most {
        return no(Code::TradeRequote, At::MaxDeviation);
    }
    Ok(())
}

/// Stop loss and take profit on their sides of a reference price, at least `level` away.
pub fn check_sl_tp(
    side: Side,
    reference: i64,
    sl: i64,
    tp: i64,
    level: i64,
) -> Result<(), Refusal> {
    let below = |p: i64| p < reference && reference - p >= level;
    let above = |p: i64| p > reference && p - reference >= level;
    let (sl_fits, tp_fits) =
        if side == Side::Buy { (below(sl), above(tp)) } else { (above(sl), below(tp)) };
    if sl != 0 && !sl_fits {
        return no(Code::TradeInvalidSlTp, At::Sl);
    }
    if tp != 0 && !tp_fits {
        return no(Code::TradeInvalidSlTp, At::Tp);
    }
    Ok(())
}

/// The limit a maximal deviation makes, in client terms; None when none was asked for.
pub fn deviation_limit(side: Side, reference: i64, most: i64) -> Option<i64> {
    if most < 0 || reference <= 0 {
        return None;
    }
    Some(if side == Side::Buy {
        reference.saturating_add(most)
    } else {
        reference.saturating_sub(most)
    })
}
