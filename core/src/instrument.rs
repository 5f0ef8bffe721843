//! Currencies and instruments: their JSON definitions, checks, and derived factors.

use serde::{Deserialize, Serialize};

use crate::code::{no, At, Code, Refusal, Trading};
use crate::limits::{
    DAY_S, MONEY_SATURATION, POINTS_MAX, PRICE_MAX, SECOND_NS, VOLUME_MAX, WEEK_S,
};
use crate::money::{gcd, muldiv, pow10};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calc {
    Forex,
    ForexNoLeverage,
    Cfd,
    CfdLeverage,
    CfdIndex,
    Futures,
    Stocks,
    Perpetual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SwapMode {
    Disabled,
    Points,
    Base,
    Margin,
    Deposit,
    Profit,
    InterestCurrent,
    InterestOpen,
    ReopenClose,
    ReopenBid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TradeMode {
    Full,
    LongOnly,
    ShortOnly,
    CloseOnly,
    Disabled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Execution {
    Internal,
    Routed,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CurrencyDef {
    pub code: String,
    pub digits: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstrumentDef {
    pub symbol: String,
    pub digits: i64,
    pub calc: Calc,
    pub base: String,
    pub profit: String,
    pub margin: String,
    pub contract_size: i64,
    #[serde(default = "one")]
    pub tick_size: i64,
    #[serde(default)]
    pub tick_value: i64,
    #[serde(default)]
    pub initial_margin: i64,
    #[serde(default)]
    pub maintenance_margin: i64,
    #[serde(default = "margin_rates")]
    pub margin_rate_ppm: Vec<i64>,
    #[serde(default = "million")]
    pub hedged_ppm: i64,
    #[serde(default)]
    pub tiers: Vec<(i64, i64)>,
    #[serde(default = "million")]
    pub volume_min: i64,
    #[serde(default = "volume_max")]
    pub volume_max: i64,
    #[serde(default = "million")]
    pub volume_step: i64,
    #[serde(default)]
    pub stops_level: i64,
    #[serde(default = "swap_mode")]
    pub swap_mode: SwapMode,
    #[serde(default)]
    pub swap_long: i64,
    #[serde(default)]
    pub swap_short: i64,
    #[serde(default = "swap_days")]
    pub swap_days: Vec<i64>,
    #[serde(default = "year_days")]
    pub swap_year_days: i64,
    #[serde(default)]
    pub sessions: Vec<(i64, i64)>,
    #[serde(default)]
    pub holidays: Vec<(i64, i64)>,
    #[serde(default)]
    pub day_end_s: i64,
    #[serde(default = "trade_mode")]
    pub trade_mode: TradeMode,
    #[serde(default = "execution")]
    pub execution: Execution,
    #[serde(default)]
    pub collar_ppm: i64,
    #[serde(default)]
    pub quote_age_max_ms: i64,
    #[serde(default)]
    pub slippage_points: i64,
    #[serde(default)]
    pub slippage_points_per_lot: i64,
    #[serde(default)]
    pub liquidity_max: i64,
    #[serde(default = "price_max")]
    pub price_max: i64,
    #[serde(default = "leverage_max")]
    pub leverage_max: i64,
    #[serde(default)]
    pub converts: Option<bool>,
}

fn one() -> i64 {
    1
}
fn million() -> i64 {
    1_000_000
}
fn margin_rates() -> Vec<i64> {
    vec![1_000_000, 1_000_000, 0, 0, 0, 0, 0, 0]
}
fn volume_max() -> i64 {
    100_000_000_000
}
fn swap_mode() -> SwapMode {
    SwapMode::Disabled
}
fn swap_days() -> Vec<i64> {
    vec![1, 1, 3, 1, 1, 0, 0]
}
fn year_days() -> i64 {
    360
}
fn trade_mode() -> TradeMode {
    TradeMode::Full
}
fn execution() -> Execution {
    Execution::Internal
}
fn price_max() -> i64 {
    PRICE_MAX
}
fn leverage_max() -> i64 {
    100
}

/// A currency and its minor unit at 8 decimals.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Currency {
    pub def: CurrencyDef,
    pub unit: i128,
}

/// An instrument with its derived factors and its latest quote.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Instrument {
    pub bid: i64,
    pub ask: i64,
    pub quote_ts: i64,
    pub funding_ts: i64,
    /// K = kn / kd: money of the profit currency per (price mantissa × volume).
    pub kn: i128,
    pub kd: i128,
    /// contract_size / 10^(8 + digits) and contract_size / 10^8, in lowest terms.
    pub by_price: (i128, i128),
    pub by_volume: (i128, i128),
    /// 10^digits.
    pub scale: i128,
    pub base: u32,
    pub profit: u32,
    pub margin: u32,
    pub state: Trading,
    pub converts: bool,
    /// Open positions and orders on the instrument.
    pub open: u64,
    pub def: InstrumentDef,
}

impl CurrencyDef {
    pub fn check(&self) -> Result<(), Refusal> {
        let code = self.code.as_bytes();
        let good = |c: &u8| c.is_ascii_uppercase() || c.is_ascii_digit();
        if code.is_empty() || code.len() > 8 || !code.iter().all(good) {
            return no(Code::ErrParams, At::Currency);
        }
        if !(0..=8).contains(&self.digits) {
            return no(Code::ErrParams, At::Digits);
        }
        Ok(())
    }
}

impl InstrumentDef {
    /// The checks of semantics section 3, in its order (currencies are looked up by the caller).
    pub fn check(&self, currency: impl Fn(&str) -> bool) -> Result<(), Refusal> {
        let bad = |at| no(Code::ErrParams, at);
        let symbol = self.symbol.as_bytes();
        let good = |c: &u8| c.is_ascii_alphanumeric() || b"._#/-".contains(c);
        if symbol.is_empty() || symbol.len() > 32 || !symbol.iter().all(good) {
            return bad(At::Symbol);
        }
        if !(0..=12).contains(&self.digits) {
            return bad(At::Digits);
        }
        for code in [&self.base, &self.profit, &self.margin] {
            if !currency(code) {
                return no(Code::CurrencyNotFound, At::Currency);
            }
        }
        if self.contract_size <= 0 {
            return bad(At::ContractSize);
        }
        if self.tick_size <= 0 {
            return bad(At::TickSize);
        }
        if self.tick_value < 0
            || (matches!(self.calc, Calc::Futures | Calc::CfdIndex) && self.tick_value == 0)
        {
            return bad(At::TickValue);
        }
        if self.volume_min <= 0
            || self.volume_min > self.volume_max
            || self.volume_max > VOLUME_MAX
            || self.volume_step <= 0
        {
            return bad(At::Volume);
        }
        if self.margin_rate_ppm.len() != 8
            || self.margin_rate_ppm.iter().any(|r| !(0..=1_000_000_000).contains(r))
        {
            return bad(At::MarginRate);
        }
        let tiers_ascend = self.tiers.windows(2).all(|w| w[0].0 < w[1].0);
        let rates_fit = self.tiers.iter().all(|t| (0..=1_000_000_000).contains(&t.1));
        if !self.tiers.is_empty() && (self.tiers[0].0 != 0 || !tiers_ascend || !rates_fit) {
            return bad(At::Tiers);
        }
        let inside = |s: &(i64, i64)| 0 <= s.0 && s.0 < s.1 && s.1 <= WEEK_S;
        let apart = self.sessions.windows(2).all(|w| w[0].1 <= w[1].0);
        if !self.sessions.iter().all(inside)
            || !apart
            || self.holidays.iter().any(|h| h.0 >= h.1 || h.0 < 0)
        {
            return bad(At::Sessions);
        }
        if !(1..=PRICE_MAX).contains(&self.price_max) {
            return bad(At::PriceMax);
        }
        if self.swap_days.len() != 7 || self.swap_days.iter().any(|d| !(0..=1_000).contains(d)) {
            return bad(At::SwapDays);
        }
        let amounts = [
            self.initial_margin,
            self.maintenance_margin,
            self.hedged_ppm,
            self.collar_ppm,
            self.quote_age_max_ms,
            self.liquidity_max,
            self.leverage_max,
            self.swap_year_days - 1,
            DAY_S - 1 - self.day_end_s,
            self.day_end_s,
        ];
        let points = [self.stops_level, self.slippage_points, self.slippage_points_per_lot];
        if amounts.iter().any(|&n| n < 0) || points.iter().any(|n| !(0..=POINTS_MAX).contains(n)) {
            return bad(At::Body);
        }
        let (kn, kd) = self.factor();
        let most = i128::from(VOLUME_MAX) * i128::from(self.price_max);
        if muldiv(most, kn, kd) >= MONEY_SATURATION {
            return no(Code::Overflow, At::ContractSize);
        }
        Ok(())
    }

    /// Contract per (price mantissa × volume) and per volume, in lowest terms.
    pub fn contract_factors(&self) -> ((i128, i128), (i128, i128)) {
        let contract = i128::from(self.contract_size);
        let lowest = |d: i128| {
            let g = gcd(contract, d);
            (contract / g, d / g)
        };
        (lowest(pow10(8 + self.digits as u32)), lowest(pow10(8)))
    }

    /// K reduced to lowest terms.
    pub fn factor(&self) -> (i128, i128) {
        let (n, d) = if self.calc == Calc::Futures {
            (i128::from(self.tick_value), i128::from(self.tick_size) * pow10(8))
        } else {
            (i128::from(self.contract_size), pow10(8 + self.digits as u32))
        };
        let g = gcd(n, d);
        (n / g, d / g)
    }

    /// May not change while something is open: everything a booked amount depends on.
    pub fn same_contract(&self, other: &InstrumentDef) -> bool {
        self.digits == other.digits
            && self.calc == other.calc
            && self.base == other.base
            && self.profit == other.profit
            && self.margin == other.margin
            && self.contract_size == other.contract_size
            && self.tick_size == other.tick_size
            && self.tick_value == other.tick_value
    }
}

impl Instrument {
    /// Is trading open at this time (weekly sessions less holidays)?
    pub fn session_open(&self, ts: i64) -> bool {
        let d = &self.def;
        if d.sessions.is_empty() && d.holidays.is_empty() {
            return true;
        }
        let second = ts.div_euclid(SECOND_NS);
        if d.holidays.iter().any(|h| (h.0..h.1).contains(&second)) {
            return false;
        }
        // 1970-01-01 was a Thursday: day 3 of a week that starts on Monday.
        let of_week = (second + 3 * DAY_S).rem_euclid(WEEK_S);
        d.sessions.is_empty() || d.sessions.iter().any(|s| (s.0..s.1).contains(&of_week))
    }

    /// May triggers and closes run on it now (semantics section 9)?
    pub fn executable(&self, ts: i64) -> bool {
        self.def.trade_mode != TradeMode::Disabled
            && self.state != Trading::Halted
            && self.session_open(ts)
    }

    /// Number of the trading day of a time, in days since 1970 (semantics section 16, Rollover).
    pub fn trading_day(&self, ts: i64) -> i64 {
        let second = ts.div_euclid(SECOND_NS) - self.def.day_end_s;
        second.div_euclid(DAY_S) + i64::from(self.def.day_end_s > 0)
    }

    /// First end of a trading day after `ts`.
    pub fn day_end(&self, ts: i64) -> i64 {
        let day = DAY_S * SECOND_NS;
        let offset = self.def.day_end_s * SECOND_NS;
        ((ts - offset).div_euclid(day) + 1) * day + offset
    }
}
