//! Groups: the conditions accounts trade under.

use serde::{Deserialize, Serialize};

use crate::code::{no, At, Code, Refusal, Trading};
use crate::instrument::Execution;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Hedging,
    Netting,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LevelUnit {
    Percent,
    Money,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HedgedMargin {
    Net,
    LargerLeg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MarginConversion {
    Side,
    Mid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum CommissionMode {
    None,
    PerLot,
    Turnover,
    PerDeal,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum CommissionWhen {
    Both,
    Entry,
    Exit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commission {
    pub mode: CommissionMode,
    #[serde(default)]
    pub value: i64,
    #[serde(default = "both")]
    pub when: CommissionWhen,
}

fn both() -> CommissionWhen {
    CommissionWhen::Both
}

impl Default for Commission {
    fn default() -> Self {
        Commission { mode: CommissionMode::None, value: 0, when: CommissionWhen::Both }
    }
}

impl Commission {
    pub const VALUE_MAX: i64 = 1_000_000_000_000_000_000;

    fn check(&self) -> Result<(), Refusal> {
        if (0..=Self::VALUE_MAX).contains(&self.value) {
            Ok(())
        } else {
            no(Code::ErrParams, At::Commission)
        }
    }

    /// From the numbers of a command's terms.
    pub fn from_terms(mode: u8, when: u8, value: i64) -> Option<Self> {
        let mode = match mode {
            0 => CommissionMode::None,
            1 => CommissionMode::PerLot,
            2 => CommissionMode::Turnover,
            3 => CommissionMode::PerDeal,
            _ => return None,
        };
        let when = match when {
            0 => CommissionWhen::Both,
            1 => CommissionWhen::Entry,
            2 => CommissionWhen::Exit,
            _ => return None,
        };
        let commission = Commission { mode, value, when };
        commission.check().ok().map(|()| commission)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    pub symbol: String,
    #[serde(default)]
    pub markup_points: Option<i64>,
    #[serde(default)]
    pub commission: Option<Commission>,
    #[serde(default)]
    pub execution: Option<Execution>,
    #[serde(default)]
    pub leverage: Option<i64>,
}

/// Pre-trade limits of each account of the group; 0 is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    #[serde(default)]
    pub order_volume_max: i64,
    #[serde(default)]
    pub order_value_max: i64,
    #[serde(default)]
    pub position_volume_max: i64,
    #[serde(default)]
    pub orders_max: i64,
    #[serde(default)]
    pub positions_max: i64,
    #[serde(default)]
    pub orders_per_s: i64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupDef {
    pub name: String,
    pub currency: String,
    pub leverage: i64,
    pub mode: Mode,
    #[serde(default = "margin_call")]
    pub margin_call: i64,
    #[serde(default = "stop_out")]
    pub stop_out: i64,
    #[serde(default = "percent")]
    pub level_unit: LevelUnit,
    #[serde(default)]
    pub commission: Commission,
    #[serde(default)]
    pub markup_points: i64,
    #[serde(default)]
    pub overrides: Vec<Override>,
    #[serde(default)]
    pub negative_balance_protection: bool,
    #[serde(default = "net")]
    pub hedged_margin: HedgedMargin,
    #[serde(default)]
    pub stop_out_hedged: bool,
    #[serde(default = "side")]
    pub margin_conversion: MarginConversion,
    #[serde(default = "isolated_stop")]
    pub isolated_stop_ppm: i64,
    #[serde(default)]
    pub execution: Option<Execution>,
    #[serde(default)]
    pub limits: Limits,
}

fn margin_call() -> i64 {
    10_000
}
fn stop_out() -> i64 {
    5_000
}
fn percent() -> LevelUnit {
    LevelUnit::Percent
}
fn net() -> HedgedMargin {
    HedgedMargin::Net
}
fn side() -> MarginConversion {
    MarginConversion::Side
}
fn isolated_stop() -> i64 {
    50_000
}

pub const MARKUP_MAX: i64 = 1_000_000_000;

/// A group with its currency index and overrides resolved to instrument indices.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    pub currency: u32,
    pub state: Trading,
    pub accounts: u64,
    /// (instrument index, position in `def.overrides`), ascending.
    pub by_instrument: Vec<(u32, u32)>,
    pub def: GroupDef,
}

impl GroupDef {
    /// The checks of semantics sections 3 and 16, in their order.
    pub fn check(
        &self,
        currency: impl Fn(&str) -> bool,
        symbol: impl Fn(&str) -> bool,
    ) -> Result<(), Refusal> {
        let bad = |at| no(Code::ErrParams, at);
        let name = self.name.as_bytes();
        let good = |c: &u8| c.is_ascii_alphanumeric() || b"._#/\\-".contains(c);
        if name.is_empty() || name.len() > 64 || !name.iter().all(good) {
            return bad(At::Name);
        }
        if !currency(&self.currency) {
            return no(Code::CurrencyNotFound, At::Currency);
        }
        if !(1..=10_000).contains(&self.leverage) {
            return bad(At::Leverage);
        }
        if self.stop_out < 0 || self.margin_call < self.stop_out {
            return bad(At::MarginCall);
        }
        self.commission.check()?;
        if !(0..=MARKUP_MAX).contains(&self.markup_points) {
            return bad(At::Body);
        }
        self.check_overrides(symbol)?;
        let l = &self.limits;
        let all = [
            l.order_volume_max,
            l.order_value_max,
            l.position_volume_max,
            l.orders_max,
            l.positions_max,
            l.orders_per_s,
        ];
        if all.iter().any(|&n| n < 0) {
            return bad(At::Limits);
        }
        if !(0..=1_000_000_000).contains(&self.isolated_stop_ppm) {
            return bad(At::Body);
        }
        Ok(())
    }

    fn check_overrides(&self, symbol: impl Fn(&str) -> bool) -> Result<(), Refusal> {
        for (n, o) in self.overrides.iter().enumerate() {
            if !symbol(&o.symbol) {
                return no(Code::SymbolNotFound, At::Overrides);
            }
            let doubled = self.overrides[..n].iter().any(|other| other.symbol == o.symbol);
            let commission_fits = o.commission.is_none_or(|c| c.check().is_ok());
            let markup_fits = o.markup_points.is_none_or(|m| (0..=MARKUP_MAX).contains(&m));
            let leverage_fits = o.leverage.is_none_or(|l| (1..=10_000).contains(&l));
            if doubled || !commission_fits || !markup_fits || !leverage_fits {
                return no(Code::ErrParams, At::Overrides);
            }
        }
        Ok(())
    }
}

impl Group {
    /// The override for an instrument, if any.
    #[inline]
    pub fn special(&self, instrument: u32) -> Option<&Override> {
        if self.by_instrument.is_empty() {
            return None;
        }
        let found = self.by_instrument.binary_search_by_key(&instrument, |o| o.0).ok()?;
        Some(&self.def.overrides[self.by_instrument[found].1 as usize])
    }
}
