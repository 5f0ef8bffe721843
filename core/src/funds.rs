//! Is there money for it: margin after a trade against equity (semantics 7.1, "Check").

use crate::code::{no, At, Code, OrderType, Refusal, Side};
use crate::engine::Engine;
use crate::money::{muldiv, post};
use crate::state::{Order, Path};

/// What a fill will do: how much of which position it closes, how much it opens.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub closes: Option<u32>,
    pub close_volume: i64,
    pub open_volume: i64,
}

/// What a successful check found out.
#[derive(Clone, Copy, Debug)]
pub struct Funds {
    /// Margin a routed order holds until the venue answers.
    pub reserve: i128,
    /// Margin basis of the volume that opens.
    pub basis: Option<i128>,
}

impl Engine {
    /// How an order without `position` splits into a closing and an opening part.
    pub fn plan(&self, order: &Order, volume: i64) -> Plan {
        let opposite = if self.netting(order.account) {
            self.netting_position(order.account, order.instrument, order.isolated)
                .filter(|&slot| self.positions[slot].side != order.side)
        } else {
            None
        };
        let close_volume = opposite.map_or(0, |slot| volume.min(self.positions[slot].volume));
        Plan { closes: opposite, close_volume, open_volume: volume - close_volume }
    }

    /// The profit path the opened volume will have; a leg that empties first finds it anew.
    pub fn open_path(&self, order: &Order, plan: &Plan) -> Result<Path, Refusal> {
        let (a, i) = (order.account, order.instrument);
        if !order.isolated {
            if let Some(l) = self.find_leg(a, i) {
                let leg = &self.legs[l];
                let empties = plan.closes.is_some_and(|slot| {
                    let p = &self.positions[slot];
                    p.leg == l && leg.positions == 1 && p.volume == plan.close_volume
                });
                if leg.positions > 0 && !empties {
                    return Ok(leg.path);
                }
            }
        }
        let profit = self.instruments[i as usize].profit;
        self.need_path(i, profit, self.accounts[a as usize].currency)
    }

    /// Refuses for NO_MONEY; answers what a routed order has to reserve and, for a cross position,
    /// the margin basis of what opens. `release`: the
    /// order's own margin that the fill gives back; `extra`: margin of a rest that will wait.
    pub fn check_money(
        &self,
        order: &Order,
        plan: &Plan,
        price: i64,
        release: i128,
        extra: i128,
    ) -> Result<Funds, Refusal> {
        if order.isolated && plan.open_volume > 0 {
            let reserve = self.check_isolated_money(order, plan, price, release, extra)?;
            return Ok(Funds { reserve, basis: None });
        }
        if plan.open_volume == 0 && extra == 0 {
            return Ok(Funds { reserve: 0, basis: None });
        }
        let account = &self.accounts[order.account as usize];
        let (leg_change, surcharge, basis) = self.leg_change(order, plan, price)?;
        let before = account.margin;
        let after = before - release + extra + leg_change + surcharge;
        let entry =
            if plan.open_volume > 0 { self.entry_commission(order, plan, price)? } else { 0 };
        if after > before && self.equity(account) - entry - after < 0 {
            return no(Code::TradeNoMoney, At::Volume);
        }
        let reserve = (after - extra - (before - release)).max(0);
        let reserve = post(reserve, self.unit_of(order.account));
        Ok(Funds { reserve, basis })
    }

    /// Change of the leg's posted margin by a fill, the futures surcharge and the margin basis of what
    /// opens.
    fn leg_change(
        &self,
        order: &Order,
        plan: &Plan,
        price: i64,
    ) -> Result<(i128, i128, Option<i128>), Refusal> {
        let (a, i) = (order.account, order.instrument);
        let account = &self.accounts[a as usize];
        let mut base = (0, 0);
        let mut sums = (0, 0);
        let mut before = 0;
        if let Some(l) = self.find_leg(a, i) {
            let leg = &self.legs[l];
            base = (leg.base_long, leg.base_short);
            sums = (leg.volume_long, leg.volume_short);
            before = leg.margin;
        }
        if let Some(slot) = plan.closes.filter(|&slot| !self.positions[slot].isolated) {
            let p = &self.positions[slot];
            let part = if plan.close_volume == p.volume {
                p.margin
            } else {
                muldiv(p.margin, i128::from(plan.close_volume), i128::from(p.volume))
            };
            shift(&mut base, &mut sums, p.side, -part, -plan.close_volume);
        }
        let mut surcharge = 0;
        let mut basis = None;
        if plan.open_volume > 0 {
            let (open, hold) = self.margin_base(
                account,
                i,
                order.side,
                OrderType::Market,
                plan.open_volume,
                price,
            )?;
            surcharge = open - hold;
            basis = Some(hold);
            shift(&mut base, &mut sums, order.side, hold, plan.open_volume);
        }
        if sums.0.max(sums.1) > crate::limits::LEG_VOLUME_MAX {
            return no(Code::Overflow, At::Volume);
        }
        Ok((self.leg_margin(account, i, sums, base) - before, surcharge, basis))
    }

    fn check_isolated_money(
        &self,
        order: &Order,
        plan: &Plan,
        price: i64,
        release: i128,
        extra: i128,
    ) -> Result<i128, Refusal> {
        let (a, i) = (order.account, order.instrument);
        let account = &self.accounts[a as usize];
        let unit = self.unit_of(a);
        let own = self.need_path(i, self.instruments[i as usize].profit, account.currency)?;
        let deal = self.deal_of(order, plan.open_volume, price);
        let locked = self.isolated_margin(i, &own, &deal, plan.open_volume, unit);
        let mut money = self.equity(account);
        if let Some(slot) = plan.closes.filter(|&slot| self.positions[slot].isolated) {
            money += self.freed(slot, plan.close_volume, price, unit);
        }
        let entry = self.entry_commission(order, plan, price)?;
        if money - (account.margin - release + extra) - entry - locked < 0 {
            return no(Code::TradeNoMoney, At::Volume);
        }
        Ok(locked)
    }

    fn entry_commission(&self, order: &Order, plan: &Plan, price: i64) -> Result<i128, Refusal> {
        let path = self.open_path(order, plan)?;
        let unit = self.unit_of(order.account);
        let deal = (order.side, plan.open_volume, price);
        Ok(self.commission(&order.commission, true, order.instrument, &path, unit, deal))
    }

    /// Isolated margin released plus profit posted by closing a volume at a price.
    fn freed(&self, slot: u32, volume: i64, price: i64, unit: i128) -> i128 {
        let p = &self.positions[slot];
        let leg = &self.legs[p.leg];
        let (v, of) = (i128::from(volume), i128::from(p.volume));
        let whole = volume == p.volume;
        let margin = if whole { p.margin } else { post(muldiv(p.margin, v, of), unit) };
        let cost = if whole { p.cost } else { muldiv(p.cost, v, of) };
        let raw = Self::raw_profit(p.side, price, volume, cost);
        let money = Self::money_of(&self.instruments[leg.instrument as usize], raw);
        let rate = crate::value::Rate::of_profit(p.side);
        margin + post(self.convert(money, &leg.path, rate, None), unit)
    }
}

fn shift(base: &mut (i128, i128), sums: &mut (i64, i64), side: Side, m: i128, v: i64) {
    if side == Side::Buy {
        base.0 += m;
        sums.0 += v;
    } else {
        base.1 += m;
        sums.1 += v;
    }
}
