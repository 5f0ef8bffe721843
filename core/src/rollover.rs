//! Swaps at the end of a day, and funding of perpetuals.

use crate::code::{no, At, Code, Ledger, PositionState, Posting, Reason, Refusal, Side};
use crate::engine::{Engine, Outcome};
use crate::instrument::SwapMode;
use crate::ledger::SUB_BALANCE;
use crate::money::{muldiv, post, pow10};
use crate::state::NONE;
use crate::value::Rate;
use crate::wire;

impl Engine {
    /// Open positions of an account, ascending by id.
    pub fn position_slots(&self, a: u32) -> Vec<u32> {
        let mut slots = Vec::new();
        let mut l = self.accounts[a as usize].first_leg;
        while l != NONE {
            let leg = &self.legs[l];
            let mut s = if leg.positions > 0 { leg.first_position } else { NONE };
            while s != NONE {
                slots.push(s);
                s = self.positions[s].next;
            }
            l = leg.next;
        }
        let mut l = self.accounts[a as usize].first_isolated;
        while l != NONE {
            slots.push(self.legs[l].first_position);
            l = self.legs[l].next_isolated;
        }
        slots.sort_unstable_by_key(|&s| self.positions[s].id);
        slots
    }

    /// ROLLOVER: one swap posting per position and day.
    pub fn rollover(&mut self, account: u64, r: &wire::Rollover) -> Outcome {
        let accounts = if account == 0 {
            0..self.accounts.len() as u32
        } else {
            let a = self.account_by_id.get(account).unwrap_or_default();
            a..a + 1
        };
        let mut posted = 0;
        for a in accounts {
            for slot in self.position_slots(a) {
                if self.positions[slot].last_swap_day >= r.day {
                    continue;
                }
                let Ok(moved) = self.swap_position(slot, r.day) else { continue };
                self.positions[slot].last_swap_day = r.day;
                if moved {
                    posted += 1;
                    let a = self.legs[self.positions[slot].leg].account;
                    self.emit_position(slot, PositionState::Changed, Reason::Rollover);
                    self.touch(a);
                }
            }
        }
        Ok((Code::Ok, posted))
    }

    /// Swap of one position for one day; false when nothing is due, an error without conversion.
    fn swap_position(&mut self, slot: u32, day: u32) -> Result<bool, Refusal> {
        let p = &self.positions[slot];
        let (id, side, volume, cost, markup) = (p.id, p.side, p.volume, p.cost, p.markup);
        let l = p.leg;
        let leg = &self.legs[l];
        let (a, i, path) = (leg.account, leg.instrument, leg.path);
        let ins = &self.instruments[i as usize];
        let d = &ins.def;
        // 1970-01-01 was a Thursday: index 3 from Monday.
        let factor = i128::from(d.swap_days[((day + 3) % 7) as usize]);
        let rates = self.swap_terms.get(&id).copied().unwrap_or((d.swap_long, d.swap_short));
        let s = i128::from(if side == Side::Buy { rates.0 } else { rates.1 });
        if factor == 0 || s == 0 || d.swap_mode == SwapMode::Disabled {
            return Ok(false);
        }
        let v = i128::from(volume);
        let account = &self.accounts[a as usize];
        let own = account.currency;
        let rate = Rate::of_profit(side);
        let year = i128::from(d.swap_year_days);
        let contract = i128::from(d.contract_size);
        let interest = |value: i128| muldiv(value, contract * s, ins.scale * pow10(18) * year);
        let current = i128::from(if side == Side::Buy { ins.bid } else { ins.ask });
        let per_lot = muldiv(s, v, pow10(8));
        let (from, amount) = match d.swap_mode {
            SwapMode::Disabled => return Ok(false),
            SwapMode::Points => (ins.profit, muldiv(s * v, ins.kn, ins.kd * pow10(8))),
            SwapMode::Base => (ins.base, per_lot),
            SwapMode::Margin => (ins.margin, per_lot),
            SwapMode::Deposit => (own, per_lot),
            SwapMode::Profit => (ins.profit, per_lot),
            SwapMode::InterestCurrent => (ins.profit, interest(current * v)),
            SwapMode::InterestOpen => (ins.profit, interest(cost)),
            SwapMode::ReopenClose | SwapMode::ReopenBid => {
                let close = match (side, d.swap_mode) {
                    (_, SwapMode::ReopenBid) | (Side::Buy, _) => (ins.bid - markup).max(1),
                    (Side::Sell, _) => ins.ask + markup,
                };
                let moved = crate::money::he_div(s, pow10(8)) * factor;
                self.reopen(slot, close, moved);
                return Ok(true);
            }
        };
        let path = if from == ins.profit { path } else { self.need_path(i, from, own)? };
        let money = self.convert(amount * factor, &path, rate, None);
        let amount = post(money, self.unit_of(a));
        if amount == 0 {
            return Ok(false);
        }
        self.cash(a, Posting::Swap, amount);
        self.leg(a, Ledger::FundingPnl, SUB_BALANCE, Posting::Swap, own, amount);
        self.emit_ledger(a, id);
        self.positions[slot].swap += amount;
        Ok(true)
    }

    /// Realises a position at `close` and opens it again at `close + moved`.
    fn reopen(&mut self, slot: u32, close: i64, moved: i128) {
        let p = &self.positions[slot];
        let (id, l, volume, side, cost) = (p.id, p.leg, p.volume, p.side, p.cost);
        let leg = &self.legs[l];
        let (a, i, path) = (leg.account, leg.instrument, leg.path);
        let raw = Self::raw_profit(side, close, volume, cost);
        let money = Self::money_of(&self.instruments[i as usize], raw);
        let own = self.accounts[a as usize].currency;
        let profit = post(self.convert(money, &path, Rate::of_profit(side), None), self.unit_of(a));
        let before = self.ledger_cost(slot);
        let price = i128::from(close) + moved;
        self.recost(slot, price * i128::from(volume));
        let currency = self.instruments[i as usize].profit;
        let change = self.ledger_cost(slot) - before;
        self.leg(a, Ledger::Position, SUB_BALANCE, Posting::Open, currency, change);
        self.leg(a, Ledger::RealisedPnl, SUB_BALANCE, Posting::Profit, own, profit);
        self.cash(a, Posting::Profit, profit);
        self.emit_ledger(a, id);
        if self.positions[slot].isolated {
            self.touched_isolated.push(id);
        }
    }

    /// FUNDING: every position of a perpetual pays or receives.
    pub fn fund(&mut self, f: &wire::Funding) -> Outcome {
        let i = f.instrument;
        let ins = &self.instruments[i as usize];
        if self.now <= ins.funding_ts {
            return no(Code::TradeIncorrectState, At::Ts);
        }
        self.instruments[i as usize].funding_ts = self.now;
        let mut slots: Vec<u32> = Vec::new();
        for a in 0..self.accounts.len() as u32 {
            let on = |s: &u32| self.legs[self.positions[*s].leg].instrument == i;
            slots.extend(self.position_slots(a).into_iter().filter(on));
        }
        let mut posted = 0;
        for slot in slots {
            posted += u64::from(self.fund_position(slot, f.rate));
        }
        Ok((Code::Ok, posted))
    }

    fn fund_position(&mut self, slot: u32, rate: i64) -> bool {
        let p = &self.positions[slot];
        let (id, side, isolated, l) = (p.id, p.side, p.isolated, p.leg);
        let leg = &self.legs[l];
        let (a, i, path) = (leg.account, leg.instrument, leg.path);
        let ins = &self.instruments[i as usize];
        let twice = (i128::from(ins.bid) + i128::from(ins.ask)) * i128::from(p.volume);
        let notional = muldiv(twice, ins.kn, ins.kd * 2);
        let value = self.convert(notional, &path, Rate::of_profit(side), None);
        let paid = post(muldiv(value, i128::from(rate), pow10(8)), self.unit_of(a));
        let amount = if side == Side::Buy { -paid } else { paid };
        if amount == 0 {
            return false;
        }
        let own = self.accounts[a as usize].currency;
        self.cash(a, Posting::Funding, amount);
        self.leg(a, Ledger::FundingPnl, SUB_BALANCE, Posting::Funding, own, amount);
        if isolated {
            self.positions[slot].margin += amount;
            self.legs[l].margin += amount;
            self.accounts[a as usize].isolated += amount;
            self.margin_leg(a, amount);
            self.touched_isolated.push(id);
        }
        self.emit_ledger(a, id);
        self.positions[slot].swap += amount;
        self.emit_position(slot, PositionState::Changed, Reason::Rollover);
        self.touch(a);
        true
    }
}
