//! What things are worth: floating profit, conversion, margin of a position and of a leg.
//!
//! Formulas: docs/engine/semantics.md section 7. Everything is exact up to one half-even rounding
//! at 8 decimals per step, so the order of additions never matters.

use crate::code::{At, Code, OrderType, Refusal, Side};
use crate::engine::Engine;
use crate::group::{Commission, CommissionMode, HedgedMargin, MarginConversion, Mode};
use crate::instrument::{Calc, Instrument};
use crate::limits::MONEY_SATURATION;
use crate::money::{he_div, muldiv, post, pow10};
use crate::state::{Account, Leg, Path, Position, NONE};

/// Which price of a conversion pair counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    Bid,
    Ask,
    Mid,
}

impl Rate {
    /// Profit of a buy converts at the bid, of a sell at the ask.
    #[inline(always)]
    pub fn of_profit(side: Side) -> Self {
        if side == Side::Buy {
            Rate::Bid
        } else {
            Rate::Ask
        }
    }
}

pub fn pair_key(base: u32, profit: u32) -> u64 {
    u64::from(base) << 32 | u64::from(profit)
}

impl Engine {
    /// Money in the profit currency of (price mantissa × volume).
    #[inline(always)]
    pub fn money_of(ins: &Instrument, raw: i128) -> i128 {
        if ins.kn == 1 && ins.kd == 1 {
            return raw.clamp(-MONEY_SATURATION, MONEY_SATURATION);
        }
        muldiv(raw, ins.kn, ins.kd)
    }

    /// One conversion step at a price mantissa given as p2 / 2 (so that a mid is exact).
    #[inline]
    pub fn step(x: i128, scale: i128, divide: bool, twice: i128) -> i128 {
        if divide {
            muldiv(x, scale * 2, twice)
        } else {
            muldiv(x, twice, scale * 2)
        }
    }

    /// Converts along a path; `traded` replaces the quote of one instrument by a fill price.
    #[inline]
    pub fn convert(&self, x: i128, path: &Path, rate: Rate, traded: Option<(u32, i64)>) -> i128 {
        let mut x = x;
        for n in 0..path.steps as usize {
            let ins = &self.instruments[path.instrument[n] as usize];
            let (bid, ask) = (i128::from(ins.bid), i128::from(ins.ask));
            let twice = match (traded, rate) {
                (Some((i, p)), _) if i == path.instrument[n] => i128::from(p) * 2,
                (_, Rate::Bid) => bid * 2,
                (_, Rate::Ask) => ask * 2,
                (_, Rate::Mid) => bid + ask,
            };
            x = Self::step(x, ins.scale, path.divide[n], twice);
        }
        x
    }

    /// One step: the traded instrument itself, else the first that is defined and quoted.
    fn direct(&self, traded: u32, from: u32, to: u32) -> Option<(u32, bool)> {
        let own = &self.instruments[traded as usize];
        let matches =
            (own.base == from && own.profit == to) || (own.base == to && own.profit == from);
        if own.bid > 0 && matches {
            return Some((traded, own.profit == from));
        }
        let quoted =
            |list: &Vec<u32>| list.iter().copied().find(|&i| self.instruments[i as usize].bid > 0);
        if let Some(i) = self.pairs.get(&pair_key(from, to)).and_then(quoted) {
            return Some((i, false));
        }
        self.pairs.get(&pair_key(to, from)).and_then(quoted).map(|i| (i, true))
    }

    /// The conversion path from one currency to another (semantics 7.2), if there is one now.
    pub fn path(&self, traded: u32, from: u32, to: u32) -> Option<Path> {
        let mut path = Path::default();
        if from == to {
            return Some(path);
        }
        if let Some((i, divide)) = self.direct(traded, from, to) {
            path.steps = 1;
            path.instrument[0] = i;
            path.divide[0] = divide;
            return Some(path);
        }
        let usd = *self.currency_by_code.get("USD")?;
        if usd == from || usd == to {
            return None;
        }
        let (first, second) = (self.direct(traded, from, usd)?, self.direct(traded, usd, to)?);
        Some(Path { steps: 2, instrument: [first.0, second.0], divide: [first.1, second.1] })
    }

    /// `path`, or the rejection for having none.
    pub fn need_path(&self, traded: u32, from: u32, to: u32) -> Result<Path, Refusal> {
        self.path(traded, from, to).ok_or(Refusal { code: Code::TradeOffquotes, at: At::Currency })
    }

    /// Floating profit of one side of a leg in account currency.
    #[inline]
    pub fn floating_side(&self, leg: &Leg, side: Side) -> i128 {
        let ins = &self.instruments[leg.instrument as usize];
        let raw = if side == Side::Buy {
            i128::from(ins.bid) * i128::from(leg.volume_long) - leg.cost_long
        } else {
            leg.cost_short - i128::from(ins.ask) * i128::from(leg.volume_short)
        };
        self.convert(Self::money_of(ins, raw), &leg.path, Rate::of_profit(side), None)
    }

    /// Floating profit of a leg.
    #[inline]
    pub fn floating(&self, leg: &Leg) -> i128 {
        let mut sum = 0;
        if leg.volume_long > 0 {
            sum += self.floating_side(leg, Side::Buy);
        }
        if leg.volume_short > 0 {
            sum += self.floating_side(leg, Side::Sell);
        }
        sum
    }

    /// Cross equity E (semantics 7.3).
    #[inline]
    pub fn equity(&self, account: &Account) -> i128 {
        let mut sum = account.balance + account.credit - account.isolated;
        let mut l = account.first_leg;
        while l != NONE {
            let leg = &self.legs[l];
            sum += self.floating(leg);
            l = leg.next;
        }
        sum
    }

    /// Raw profit (price × volume) of closing `volume` of a position at `price`.
    #[inline]
    pub fn raw_profit(side: Side, price: i64, volume: i64, cost_part: i128) -> i128 {
        let value = i128::from(price) * i128::from(volume);
        if side == Side::Buy {
            value - cost_part
        } else {
            cost_part - value
        }
    }

    /// Floating profit of one position at the price it would close at, posted.
    pub fn position_profit(&self, p: &Position) -> i128 {
        let leg = &self.legs[p.leg];
        let ins = &self.instruments[leg.instrument as usize];
        let markup = i128::from(p.markup) * i128::from(p.volume);
        let raw = if p.side == Side::Buy {
            i128::from(ins.bid) * i128::from(p.volume) - p.cost - markup
        } else {
            p.cost - markup - i128::from(ins.ask) * i128::from(p.volume)
        };
        let money = Self::money_of(ins, raw);
        let account = &self.accounts[leg.account as usize];
        let unit = self.currencies[account.currency as usize].unit;
        post(self.convert(money, &leg.path, Rate::of_profit(p.side), None), unit)
    }

    /// Leverage that applies to an account on an instrument.
    pub fn leverage(&self, account: &Account, i: u32) -> i128 {
        let group = &self.groups[account.group as usize];
        if let Some(leverage) = group.special(i).and_then(|o| o.leverage) {
            return i128::from(leverage);
        }
        if account.leverage > 0 {
            return i128::from(account.leverage);
        }
        i128::from(group.def.leverage)
    }

    /// Margin of `volume` at `price` in account currency, 8 decimals: (to open, to hold).
    pub fn margin_base(
        &self,
        account: &Account,
        i: u32,
        side: Side,
        kind: OrderType,
        volume: i64,
        price: i64,
    ) -> Result<(i128, i128), Refusal> {
        let ins = &self.instruments[i as usize];
        let group = &self.groups[account.group as usize];
        let rate = ins.def.margin_rate_ppm[2 * kind as usize + side as usize];
        if rate == 0 {
            return Ok((0, 0));
        }
        let path = self.need_path(i, ins.margin, account.currency)?;
        let which = match (group.def.margin_conversion, side) {
            (MarginConversion::Mid, _) => Rate::Mid,
            (MarginConversion::Side, Side::Buy) => Rate::Ask,
            (MarginConversion::Side, Side::Sell) => Rate::Bid,
        };
        let tiers = kind == OrderType::Market && !ins.def.tiers.is_empty();
        let lev = if needs_leverage(ins) { self.leverage(account, i) } else { 1 };
        let (open, hold) = base_in_margin_currency(ins, volume, price, lev, tiers);
        let finish = |x: i128| {
            let converted = self.convert(x, &path, which, Some((i, price)));
            if rate == 1_000_000 {
                converted
            } else {
                muldiv(converted, i128::from(rate), 1_000_000)
            }
        };
        let hold_money = finish(hold);
        Ok((if open == hold { hold_money } else { finish(open) }, hold_money))
    }

    /// Posted margin of a leg from its sums (semantics 7.1).
    pub fn leg_margin(
        &self,
        account: &Account,
        i: u32,
        volume: (i64, i64),
        base: (i128, i128),
    ) -> i128 {
        let ins = &self.instruments[i as usize];
        let group = &self.groups[account.group as usize];
        let (vl, vs) = (i128::from(volume.0), i128::from(volume.1));
        let hedged = if vl == 0 || vs == 0 {
            base.0 + base.1
        } else if group.def.mode == Mode::Netting
            || group.def.hedged_margin == HedgedMargin::LargerLeg
        {
            base.0.max(base.1)
        } else {
            let (larger, total) = if vl >= vs { (base.0, vl) } else { (base.1, vs) };
            let covered = muldiv(base.0 + base.1, vl.min(vs), vl + vs);
            muldiv(larger, (vl - vs).abs(), total)
                + muldiv(covered, i128::from(ins.def.hedged_ppm), 1_000_000)
        };
        let margin = if ins.def.tiers.is_empty() { hedged } else { tiered(&ins.def.tiers, hedged) };
        post(margin, self.currencies[account.currency as usize].unit)
    }

    /// Notional value of `volume` at `price` in account currency.
    pub fn notional(&self, i: u32, path: &Path, side: Side, volume: i64, price: i64) -> i128 {
        let ins = &self.instruments[i as usize];
        let raw = i128::from(price) * i128::from(volume);
        self.convert(Self::money_of(ins, raw), path, Rate::of_profit(side), None)
    }

    /// Posted commission of a deal; `entry` tells which side of the deal it is.
    pub fn commission(
        &self,
        terms: &Commission,
        entry: bool,
        i: u32,
        path: &Path,
        unit: i128,
        deal: (Side, i64, i64),
    ) -> i128 {
        use crate::group::CommissionWhen as When;
        let applies = match terms.when {
            When::Both => true,
            When::Entry => entry,
            When::Exit => !entry,
        };
        if terms.mode == CommissionMode::None || !applies {
            return 0;
        }
        let (side, volume, price) = deal;
        let value = i128::from(terms.value);
        let amount = match terms.mode {
            CommissionMode::None => 0,
            CommissionMode::PerLot => muldiv(value, i128::from(volume), pow10(8)),
            CommissionMode::PerDeal => value,
            CommissionMode::Turnover => {
                muldiv(self.notional(i, path, side, volume, price), value, pow10(8))
            }
        };
        post(amount, unit).max(0)
    }
}

fn needs_leverage(ins: &Instrument) -> bool {
    matches!(ins.def.calc, Calc::Forex | Calc::CfdLeverage | Calc::Perpetual)
}

/// (to open, to hold) in the margin currency.
fn base_in_margin_currency(
    ins: &Instrument,
    volume: i64,
    price: i64,
    lev: i128,
    tiers: bool,
) -> (i128, i128) {
    let d = &ins.def;
    let v = i128::from(volume);
    let lot = pow10(8);
    let (pn, pd) = ins.by_price;
    let by_price = |over: i128| muldiv(v * i128::from(price), pn, pd * over);
    let (vn, vd) = ins.by_volume;
    let fixed = i128::from(d.initial_margin);
    if tiers {
        let x = by_price(1);
        return (x, x);
    }
    if d.calc == Calc::Futures {
        let hold = if d.maintenance_margin > 0 { d.maintenance_margin } else { d.initial_margin };
        return (muldiv(v, fixed, lot), muldiv(v, i128::from(hold), lot));
    }
    let x = if fixed > 0 {
        let over = if matches!(d.calc, Calc::Forex | Calc::CfdLeverage) { lev } else { 1 };
        muldiv(v, fixed, lot * over)
    } else {
        match d.calc {
            Calc::Forex => muldiv(v, vn, vd * lev),
            Calc::ForexNoLeverage => muldiv(v, vn, vd),
            Calc::Cfd | Calc::Stocks | Calc::Futures => by_price(1),
            Calc::CfdLeverage | Calc::Perpetual => by_price(lev),
            Calc::CfdIndex => {
                // × tick_value / tick_size, both in price units: tv/10^8 × 10^digits/ts.
                let n = i128::from(d.contract_size) * i128::from(d.tick_value);
                muldiv(v * i128::from(price), n, pow10(16) * i128::from(d.tick_size))
            }
        }
    };
    (x, x)
}

/// Progressive margin over tiers.
fn tiered(tiers: &[(i64, i64)], x: i128) -> i128 {
    let mut sum = 0;
    for (n, &(floor, rate)) in tiers.iter().enumerate() {
        let top = tiers.get(n + 1).map_or(x, |t| x.min(i128::from(t.0)));
        let part = top - i128::from(floor);
        if part <= 0 {
            break;
        }
        sum += muldiv(part, i128::from(rate), 1_000_000);
    }
    sum
}

/// Average open price shown for a position.
#[inline]
pub fn average(cost: i128, volume: i64) -> i64 {
    if volume == 0 {
        return 0;
    }
    he_div(cost, i128::from(volume)) as i64
}
