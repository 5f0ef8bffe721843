//! PLACE_ORDER: the gate, the rules in their order, and the first fill.

use crate::code::{no, At, Code, OrderState, OrderType, Reason, Refusal, Side, Tif, Trading};
use crate::engine::{Engine, Outcome};
use crate::group::{Commission, Mode};
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
        let states = [
            self.state,
            self.groups[account.group as usize].state,
            account.state,
            ins.state,
        ];
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
            special
                .and_then(|o| o.commission)
                .unwrap_or(group.def.commission)
        };
        let markup = if own(2) {
            place.markup
        } else {
            special
                .and_then(|o| o.markup_points)
                .unwrap_or(group.def.markup_points)
        };
        let swap = own(4).then_some((place.swap_long, place.swap_short));
        Terms {
            markup,
            commission,
            swap,
            given: place.terms != 0,
        }
    }

    /// PLACE_ORDER after admission.
    pub fn place(&mut self, a: u32, place: &wire::PlaceOrder, comment: &[u8]) -> Outcome {
        let order = self.order_of(a, place)?;
        let i = order.instrument;
        self.count_rate(a)?;
        let reduces =
            order.position != 0 || self.reduces(a, i, order.side, order.volume, order.isolated);
        self.gate(
            a,
            i,
            Intent::Place {
                reduces,
                side: order.side,
            },
        )?;
        if order.position != 0 {
            let slot = self.live_target(order.position)?;
            if self.positions[slot].closing != 0 {
                return no(Code::TradeIncorrectState, At::Position);
            }
        } else {
            self.check_isolation(&order)?;
        }
        let client = self.client_price(i, order.side, order.markup);
        let at_once = match (order.kind, order.side) {
            (OrderType::Market, _) => true,
            (OrderType::Limit, Side::Buy) => client <= order.price,
            (OrderType::Limit, Side::Sell) => client >= order.price,
            _ => false,
        };
        self.check_entry(&order, client, at_once)?;
        self.check_stops(&order)?;
        let most = self.liquidity(i).unwrap_or(i64::MAX);
        let fill = if at_once { order.volume.min(most) } else { 0 };
        let price = match order.kind {
            OrderType::Market => self.market_price(i, order.side, order.markup, fill),
            _ => client,
        };
        let entry = match order.kind {
            OrderType::Market => price,
            _ => order.limit(),
        };
        self.check_collar(&order, entry)?;
        let whole = fill == order.volume;
        let rests = !whole && order.kind != OrderType::Market && order.tif != Tif::Ioc;
        if !reduces {
            self.check_limits(&order, entry, at_once, rests)?;
        }
        if self.routed(a, i) && at_once {
            return self.place_routed(order, place, price, comment);
        }
        let kills = matches!(order.tif, Tif::Ioc | Tif::Fok);
        if (order.tif == Tif::Fok && !whole) || (kills && fill == 0) {
            return no(Code::NotFilled, At::Tif);
        }
        if order.kind == OrderType::Market {
            if fill == 0 {
                return no(Code::NotFilled, At::Volume);
            }
            check_deviation(order.side, price, place.price, place.max_deviation)?;
        }
        if fill > 0 {
            self.check_money(&order, fill, price, 0)?;
        } else {
            self.check_reserve(&order)?;
        }
        Ok((Code::Ok, self.accept(order, fill, price, comment)))
    }

    /// The order is good: fill what can be filled, let the rest wait or end.
    fn accept(&mut self, mut order: Order, fill: i64, price: i64, comment: &[u8]) -> u64 {
        order.id = self.next_id();
        let (id, a) = (order.id, order.account);
        if fill > 0 {
            let deal = self.deal_of(&order, fill, price);
            order.opened_position = self.execute(&deal);
            order.filled = fill;
            let rests = order.kind == OrderType::Limit && order.tif != Tif::Ioc;
            order.state = if order.rest() == 0 {
                OrderState::Filled
            } else if rests {
                OrderState::Partial
            } else {
                order.reason = Reason::Killed;
                OrderState::Cancelled
            };
            let oco = order.oco;
            if order.state == OrderState::Partial {
                self.rest_order(order, comment);
            } else {
                self.emit_order(&order, 0, comment);
            }
            self.cancel_oco(a, oco, id);
        } else {
            self.rest_order(order, comment);
        }
        id
    }

    /// Puts an order on the books with its reserved margin.
    fn rest_order(&mut self, mut order: Order, comment: &[u8]) {
        let (a, id) = (order.account, order.id);
        order.margin = self.reserve_of(&order).unwrap_or(0);
        if order.margin != 0 {
            self.accounts[a as usize].margin += order.margin;
            self.margin_leg(a, order.margin);
            self.emit_ledger(a, id);
            self.touch(a);
        }
        self.emit_order(&order, 0, comment);
        let slot = self.add_order(order);
        self.arm_order(slot);
    }

    /// Posted margin that a waiting order reserves (0 by default).
    pub fn reserve_of(&self, order: &Order) -> Result<i128, Refusal> {
        let account = &self.accounts[order.account as usize];
        let (open, _) = self.margin_base(
            account,
            order.instrument,
            order.side,
            order.kind,
            order.rest(),
            order.limit(),
        )?;
        Ok(post(open, self.unit_of(order.account)))
    }

    fn check_reserve(&self, order: &Order) -> Result<(), Refusal> {
        let reserve = self.reserve_of(order)?;
        let account = &self.accounts[order.account as usize];
        if reserve > 0 && self.equity(account) - account.margin - reserve < 0 {
            return no(Code::TradeNoMoney, At::Volume);
        }
        Ok(())
    }

    /// Builds the order of a command; conversion to the account's currency must exist.
    fn order_of(&self, a: u32, place: &wire::PlaceOrder) -> Result<Order, Refusal> {
        let terms = self.terms(a, place);
        let ins = &self.instruments[place.instrument as usize];
        let kind = OrderType::from_number(place.type_).unwrap_or(OrderType::Market);
        let tif = Tif::from_number(place.tif).unwrap_or(Tif::Gtc);
        let expire = match tif {
            Tif::Day => ins.day_end(self.now),
            _ => place.expire,
        };
        let isolated = place.flags & 1 != 0;
        Ok(Order {
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
            price: if kind == OrderType::Market {
                0
            } else {
                place.price
            },
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
            terms_given: terms.given,
        })
    }

    /// An expiry that ran just before this command may have removed what it names.
    pub fn live_target(&self, position: u64) -> Result<u32, Refusal> {
        self.position_by_id.get(&position).copied().ok_or(Refusal {
            code: Code::TradeIncorrectOrder,
            at: At::Position,
        })
    }

    /// Netting keeps isolated and cross positions of one instrument apart.
    fn check_isolation(&self, order: &Order) -> Result<(), Refusal> {
        let account = &self.accounts[order.account as usize];
        let netting = self.groups[account.group as usize].def.mode == Mode::Netting;
        let other = self.netting_position(order.account, order.instrument, !order.isolated);
        if netting && other.is_some() {
            return no(Code::TradeIncorrectState, At::Leverage);
        }
        Ok(())
    }

    /// Entry price against the market: stops not yet triggered, distances kept.
    pub fn check_entry(&self, order: &Order, client: i64, at_once: bool) -> Result<(), Refusal> {
        if at_once {
            return Ok(());
        }
        let triggered = match order.side {
            Side::Buy => client >= order.price,
            Side::Sell => client <= order.price,
        };
        if matches!(order.kind, OrderType::Stop | OrderType::StopLimit) && triggered {
            return no(Code::TradeBadPrices, At::Price);
        }
        let level = self.instruments[order.instrument as usize].def.stops_level;
        if (order.price - client).abs() < level {
            return no(Code::TradeBadStops, At::Price);
        }
        Ok(())
    }

    /// SL and TP of an order: market orders against the closing price, others against their own.
    pub fn check_stops(&self, order: &Order) -> Result<(), Refusal> {
        let reference = if order.kind == OrderType::Market {
            self.client_price(order.instrument, opposite(order.side), order.markup)
        } else {
            order.limit()
        };
        let level = self.instruments[order.instrument as usize].def.stops_level;
        check_sl_tp(order.side, reference, order.sl, order.tp, level)
    }

    /// The price collar fails closed: no price far from the market's middle.
    pub fn check_collar(&self, order: &Order, entry: i64) -> Result<(), Refusal> {
        let ins = &self.instruments[order.instrument as usize];
        if ins.def.collar_ppm == 0 || order.position != 0 {
            return Ok(());
        }
        let sum = i128::from(ins.bid) + i128::from(ins.ask);
        let beyond = |p: i64| {
            (2 * i128::from(p) - sum).abs() * 1_000_000 > i128::from(ins.def.collar_ppm) * sum
        };
        if beyond(entry) || (order.kind != OrderType::Market && beyond(order.price)) {
            return no(Code::Collar, At::Price);
        }
        Ok(())
    }

    /// Pre-trade limits of the group (not for orders that reduce).
    fn check_limits(
        &self,
        order: &Order,
        entry: i64,
        at_once: bool,
        rests: bool,
    ) -> Result<(), Refusal> {
        let (a, i) = (order.account, order.instrument);
        let account = &self.accounts[a as usize];
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
        if at_once {
            self.check_position_limits(a, i, order.side, order.volume, order.isolated)?;
        }
        if rests && over(i128::from(account.orders) + 1, limits.orders_max) {
            return no(Code::LimitReached, At::Limits);
        }
        Ok(())
    }

    /// Limits on what an order would open.
    pub fn check_position_limits(
        &self,
        a: u32,
        i: u32,
        side: Side,
        volume: i64,
        isolated: bool,
    ) -> Result<(), Refusal> {
        let account = &self.accounts[a as usize];
        let group = &self.groups[account.group as usize];
        let limits = &group.def.limits;
        let netting = group.def.mode == Mode::Netting;
        let existing = if netting {
            self.netting_position(a, i, isolated)
        } else {
            None
        };
        let (long, short) = self.side_volumes(a, i, existing, netting);
        let resulting = if netting {
            let signed = if side == Side::Buy { volume } else { -volume };
            (i128::from(long) - i128::from(short) + i128::from(signed)).abs()
        } else {
            i128::from(volume) + i128::from(if side == Side::Buy { long } else { short })
        };
        if resulting > i128::from(crate::limits::LEG_VOLUME_MAX) {
            return no(Code::Overflow, At::Volume);
        }
        let most = limits.position_volume_max;
        if most > 0 && resulting > i128::from(most) {
            return no(Code::LimitReached, At::Limits);
        }
        let opens = existing.is_none();
        if opens
            && limits.positions_max > 0
            && i64::from(account.positions) + 1 > limits.positions_max
        {
            return no(Code::LimitReached, At::Limits);
        }
        Ok(())
    }

    fn side_volumes(&self, a: u32, i: u32, existing: Option<u32>, netting: bool) -> (i64, i64) {
        if netting {
            return existing.map_or((0, 0), |slot| {
                let p = &self.positions[slot];
                if p.side == Side::Buy {
                    (p.volume, 0)
                } else {
                    (0, p.volume)
                }
            });
        }
        self.find_leg(a, i).map_or((0, 0), |l| {
            let leg = &self.legs[l];
            (leg.volume_long, leg.volume_short)
        })
    }

    /// Free money after the trade (semantics 7.1, "Check").
    pub fn check_money(
        &self,
        order: &Order,
        volume: i64,
        price: i64,
        release: i128,
    ) -> Result<(), Refusal> {
        let (a, i) = (order.account, order.instrument);
        let account = &self.accounts[a as usize];
        let ins = &self.instruments[i as usize];
        let path = self.need_path(i, ins.profit, account.currency)?;
        let mut opens = volume;
        let mut base = (0, 0);
        let mut sums = (0, 0);
        let mut leg_before = 0;
        if order.position != 0 {
            return Ok(());
        }
        let netting = self.groups[account.group as usize].def.mode == Mode::Netting;
        let existing = if netting {
            self.netting_position(a, i, order.isolated)
        } else {
            None
        };
        let leg = if order.isolated {
            None
        } else {
            self.find_leg(a, i)
        };
        if let Some(l) = leg {
            let leg = &self.legs[l];
            base = (leg.base_long, leg.base_short);
            sums = (leg.volume_long, leg.volume_short);
            leg_before = leg.margin;
        }
        if let Some(slot) = existing {
            let p = &self.positions[slot];
            if p.side != order.side {
                if volume <= p.volume {
                    return Ok(());
                }
                opens = volume - p.volume;
                base = (0, 0);
                sums = (0, 0);
            }
        }
        let unit = self.unit_of(a);
        let deal = (order.side, opens, price);
        let commission = self.commission(&order.commission, true, i, &path, unit, deal);
        if order.isolated {
            let shape = self.deal_of(order, opens, price);
            let margin = self.isolated_margin(i, &path, &shape, opens, unit);
            let free = self.equity(account) - (account.margin - release) - commission - margin;
            return if free < 0 {
                no(Code::TradeNoMoney, At::Volume)
            } else {
                Ok(())
            };
        }
        let (open, hold) =
            self.margin_base(account, i, order.side, OrderType::Market, opens, price)?;
        if order.side == Side::Buy {
            base.0 += hold;
            sums.0 += opens;
        } else {
            base.1 += hold;
            sums.1 += opens;
        }
        if sums.0.max(sums.1) > crate::limits::LEG_VOLUME_MAX {
            return no(Code::Overflow, At::Volume);
        }
        let after = self.leg_margin(account, i, sums, base) - leg_before + account.margin - release
            + (open - hold);
        if after > account.margin && self.equity(account) - commission - after < 0 {
            return no(Code::TradeNoMoney, At::Volume);
        }
        Ok(())
    }
}

/// Adverse distance of a fill from the client's reference price.
pub fn check_deviation(side: Side, fill: i64, reference: i64, most: i64) -> Result<(), Refusal> {
    if most < 0 || reference <= 0 {
        return Ok(());
    }
    let worse = if side == Side::Buy {
        fill - reference
    } else {
        reference - fill
    };
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
    let (sl_fits, tp_fits) = if side == Side::Buy {
        (below(sl), above(tp))
    } else {
        (above(sl), below(tp))
    };
    if sl != 0 && !sl_fits {
        return no(Code::TradeInvalidSlTp, At::Sl);
    }
    if tp != 0 && !tp_fits {
        return no(Code::TradeInvalidSlTp, At::Tp);
    }
    Ok(())
}
