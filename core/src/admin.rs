//! Configuration, accounts, balance operations and trading states.

use crate::book::Books;
use crate::code::{no, At, BalanceOp, Code, Ledger, Posting, Refusal, Scope, Trading};
use crate::engine::{Engine, Input, Outcome, Parked};
use crate::group::{Group, GroupDef};
use crate::instrument::{Calc, Currency, CurrencyDef, Instrument, InstrumentDef};
use crate::ledger::{SUB_BALANCE, SUB_CREDIT};
use crate::limits::{CURRENCIES_MAX, GROUPS_MAX, INSTRUMENTS_MAX};
use crate::money::pow10;
use crate::state::{Account, FLAG_CLOSED, FLAG_DISABLED, FLAG_READ_ONLY, NONE};
use crate::value::pair_key;
use crate::wire;

/// Bytes of a JSON body without its zero padding.
pub fn text(body: &[u8]) -> &[u8] {
    let end = body.iter().rposition(|&b| b != 0).map_or(0, |n| n + 1);
    &body[..end]
}

fn parse<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(text(body)).map_err(|_| Refusal { code: Code::ErrParams, at: At::Body })
}

impl Engine {
    // ---- checks shared by admission and application -----------------------------------------

    pub fn check_currency(&self, body: &[u8]) -> Result<CurrencyDef, Refusal> {
        let def: CurrencyDef = parse(body)?;
        def.check()?;
        match self.currency_by_code.get(&def.code) {
            Some(&c) if self.currencies[c as usize].def.digits != def.digits => {
                no(Code::TradeIncorrectState, At::Digits)
            }
            None if self.currencies.len() >= CURRENCIES_MAX => no(Code::LimitReached, At::Code),
            _ => Ok(def),
        }
    }

    pub fn check_instrument(&self, body: &[u8]) -> Result<InstrumentDef, Refusal> {
        let def: InstrumentDef = parse(body)?;
        def.check(|code| self.currency_by_code.contains_key(code))?;
        match self.instrument_by_symbol.get(&def.symbol) {
            Some(&i) => {
                let old = &self.instruments[i as usize];
                // Positions and orders on it, and paths of open legs that lead over it.
                let used = |l: &crate::state::Leg| l.account != NONE && l.instrument == i;
                let busy = old.open > 0 || self.legs.items.iter().any(used);
                if busy && !old.def.same_contract(&def) {
                    return no(Code::TradeIncorrectState, At::Symbol);
                }
            }
            None if self.instruments.len() >= INSTRUMENTS_MAX => {
                return no(Code::LimitReached, At::Symbol)
            }
            None => {}
        }
        Ok(def)
    }

    pub fn check_group(&self, body: &[u8]) -> Result<GroupDef, Refusal> {
        let def: GroupDef = parse(body)?;
        def.check(
            |code| self.currency_by_code.contains_key(code),
            |symbol| self.instrument_by_symbol.contains_key(symbol),
        )?;
        match self.group_by_name.get(&def.name) {
            Some(&g) => {
                let old = &self.groups[g as usize];
                let fixed = old.def.currency == def.currency && old.def.mode == def.mode;
                if old.accounts > 0 && !fixed {
                    return no(Code::TradeIncorrectState, At::Name);
                }
            }
            None if self.groups.len() >= GROUPS_MAX => return no(Code::LimitReached, At::Name),
            None => {}
        }
        Ok(def)
    }

    // ---- definitions ------------------------------------------------------------------------

    fn emit_config(&mut self, kind: u16, new: bool, index: u32, body: &[u8]) {
        let json = text(body);
        let event = wire::EventConfig {
            kind,
            new: u16::from(new),
            index,
            bytes: json.len() as u32,
            reserved: 0,
        };
        self.emit_tail(&event, 0, json);
    }

    pub fn define_currency(&mut self, body: &[u8]) -> Outcome {
        let def = self.check_currency(body)?;
        let known = self.currency_by_code.get(&def.code).copied();
        let index = known.unwrap_or(self.currencies.len() as u32);
        if known.is_none() {
            self.currency_by_code.insert(def.code.clone(), index);
            let unit = pow10(8 - def.digits as u32);
            self.currencies.push(Currency { def, unit });
            self.house.push([0; 6]);
        }
        self.emit_config(wire::DefineCurrency::KIND, known.is_none(), index, body);
        Ok((Code::Ok, u64::from(index)))
    }

    pub fn define_instrument(&mut self, body: &[u8]) -> Outcome {
        let def = self.check_instrument(body)?;
        let known = self.instrument_by_symbol.get(&def.symbol).copied();
        let index = known.unwrap_or(self.instruments.len() as u32);
        let (kn, kd) = def.factor();
        let (by_price, by_volume) = def.contract_factors();
        let forex = matches!(def.calc, Calc::Forex | Calc::ForexNoLeverage);
        let mut instrument = Instrument {
            bid: 0,
            ask: 0,
            quote_ts: 0,
            funding_ts: 0,
            kn,
            kd,
            by_price,
            by_volume,
            scale: pow10(def.digits as u32),
            base: self.currency_by_code[&def.base],
            profit: self.currency_by_code[&def.profit],
            margin: self.currency_by_code[&def.margin],
            state: Trading::Active,
            converts: def.converts.unwrap_or(forex),
            open: 0,
            def,
        };
        if let Some(i) = known {
            let old = &self.instruments[i as usize];
            if old.def.digits == instrument.def.digits {
                (instrument.bid, instrument.ask) = (old.bid, old.ask);
                instrument.quote_ts = old.quote_ts;
            }
            instrument.funding_ts = old.funding_ts;
            instrument.state = old.state;
            instrument.open = old.open;
            self.instruments[i as usize] = instrument;
        } else {
            self.instrument_by_symbol.insert(instrument.def.symbol.clone(), index);
            self.instruments.push(instrument);
            self.books.push(Books::default());
            self.stuck.push(Default::default());
            self.stuck_isolated.push(Default::default());
        }
        self.index_pairs();
        self.emit_config(wire::DefineInstrument::KIND, known.is_none(), index, body);
        Ok((Code::Ok, u64::from(index)))
    }

    /// Rebuilds the table of converting pairs (few instruments, rare).
    pub fn index_pairs(&mut self) {
        self.pairs.clear();
        for (i, ins) in self.instruments.iter().enumerate() {
            if ins.converts {
                self.pairs.entry(pair_key(ins.base, ins.profit)).or_default().push(i as u32);
            }
        }
    }

    pub fn define_group(&mut self, body: &[u8]) -> Outcome {
        let def = self.check_group(body)?;
        let known = self.group_by_name.get(&def.name).copied();
        let index = known.unwrap_or(self.groups.len() as u32);
        let mut by_instrument: Vec<(u32, u32)> = def
            .overrides
            .iter()
            .enumerate()
            .map(|(n, o)| (self.instrument_by_symbol[&o.symbol], n as u32))
            .collect();
        by_instrument.sort_unstable();
        by_instrument.dedup_by_key(|o| o.0);
        let mut group = Group {
            currency: self.currency_by_code[&def.currency],
            state: Trading::Active,
            accounts: 0,
            by_instrument,
            def,
        };
        if let Some(g) = known {
            let old = &self.groups[g as usize];
            group.state = old.state;
            group.accounts = old.accounts;
            self.groups[g as usize] = group;
            self.touch_group(g);
        } else {
            self.group_by_name.insert(group.def.name.clone(), index);
            self.groups.push(group);
        }
        self.emit_config(wire::DefineGroup::KIND, known.is_none(), index, body);
        Ok((Code::Ok, u64::from(index)))
    }

    fn touch_group(&mut self, g: u32) {
        for a in 0..self.accounts.len() as u32 {
            if self.accounts[a as usize].group == g {
                self.touch(a);
                self.touch_isolated(a);
            }
        }
    }

    fn touch_isolated(&mut self, a: u32) {
        let mut l = self.accounts[a as usize].first_isolated;
        while l != NONE {
            let leg = &self.legs[l];
            self.touched_isolated.push(self.positions[leg.first_position].id);
            l = leg.next_isolated;
        }
    }

    fn touch_instrument(&mut self, i: u32) {
        for l in 0..self.legs.items.len() as u32 {
            let leg = &self.legs[l];
            if leg.account != NONE && leg.instrument == i && leg.positions > 0 {
                let a = leg.account;
                self.touch(a);
            }
        }
    }

    // ---- accounts ---------------------------------------------------------------------------

    fn emit_account(&mut self, a: u32) {
        let account = &self.accounts[a as usize];
        let event = wire::EventAccount {
            account: account.id,
            group: account.group,
            leverage: account.leverage,
            flags: account.flags,
            currency: account.currency,
            opened: account.opened,
        };
        self.emit(&event, 0);
    }

    pub fn open_account(&mut self, id: u64, open: &wire::OpenAccount) -> Outcome {
        let currency = self.groups[open.group as usize].currency;
        let account = Account {
            id,
            group: open.group,
            leverage: open.leverage,
            flags: open.flags & (FLAG_READ_ONLY | FLAG_DISABLED),
            currency,
            state: Trading::Active,
            level: 0,
            touched: false,
            stuck: false,
            balance: 0,
            credit: 0,
            isolated: 0,
            margin: 0,
            fees: 0,
            realised: 0,
            funding: 0,
            cost_currency: currency,
            cost: 0,
            more_cost: Vec::new(),
            first_leg: NONE,
            first_order: NONE,
            first_isolated: NONE,
            positions: 0,
            orders: 0,
            rate_count: 0,
            rate_second: 0,
            opened: self.now,
        };
        let a = self.accounts.len() as u32;
        self.accounts.push(account);
        self.account_by_id.insert(id, a);
        self.groups[open.group as usize].accounts += 1;
        self.emit_account(a);
        Ok((Code::Ok, id))
    }

    pub fn update_account(&mut self, a: u32, update: &wire::UpdateAccount) -> Outcome {
        let account = &mut self.accounts[a as usize];
        let old = std::mem::replace(&mut account.group, update.group);
        account.leverage = update.leverage;
        account.flags = update.flags & (FLAG_READ_ONLY | FLAG_DISABLED);
        let id = account.id;
        self.groups[old as usize].accounts -= 1;
        self.groups[update.group as usize].accounts += 1;
        self.touch(a);
        self.touch_isolated(a);
        self.emit_account(a);
        Ok((Code::Ok, id))
    }

    pub fn close_account(&mut self, a: u32) -> Outcome {
        let account = &mut self.accounts[a as usize];
        account.flags |= FLAG_CLOSED;
        let (id, group) = (account.id, account.group);
        self.groups[group as usize].accounts -= 1;
        self.emit_account(a);
        Ok((Code::Ok, id))
    }

    pub fn balance(&mut self, a: u32, b: &wire::Balance) -> Outcome {
        let op = BalanceOp::from_number(b.op).unwrap_or(BalanceOp::Deposit);
        let account = &self.accounts[a as usize];
        let (id, currency) = (account.id, account.currency);
        let free = self.equity(account) - account.margin;
        let (sub, reason, amount) = match op {
            BalanceOp::Deposit => (SUB_BALANCE, Posting::Deposit, b.amount),
            BalanceOp::Withdrawal => (SUB_BALANCE, Posting::Withdrawal, -b.amount),
            BalanceOp::CreditIn => (SUB_CREDIT, Posting::CreditIn, b.amount),
            BalanceOp::CreditOut => (SUB_CREDIT, Posting::CreditOut, -b.amount),
            BalanceOp::Correction => (SUB_BALANCE, Posting::Correction, b.amount),
        };
        let short = match op {
            BalanceOp::Withdrawal => {
                account.balance - account.isolated < b.amount || free < b.amount
            }
            BalanceOp::CreditOut => account.credit < b.amount,
            _ => false,
        };
        if short {
            return no(Code::TradeNoMoney, At::Amount);
        }
        self.leg(a, Ledger::Cash, sub, reason, currency, amount);
        self.emit_ledger(a, 0);
        self.touch(a);
        Ok((Code::Ok, id))
    }

    // ---- trading state ----------------------------------------------------------------------

    pub fn set_state(&mut self, s: &wire::SetTradingState) -> Outcome {
        let scope = Scope::from_number(s.scope).unwrap_or(Scope::Shard);
        let state = Trading::from_number(s.state).unwrap_or(Trading::Halted);
        match scope {
            Scope::Shard => {
                self.state = state;
                for a in 0..self.accounts.len() as u32 {
                    self.touch(a);
                }
            }
            Scope::Group => {
                self.groups[s.target as usize].state = state;
                self.touch_group(s.target as u32);
            }
            Scope::Account => {
                let a = self.account_by_id.get(s.target).unwrap_or_default();
                self.accounts[a as usize].state = state;
                self.touch(a);
            }
            Scope::Instrument => {
                self.instruments[s.target as usize].state = state;
                self.touch_instrument(s.target as u32);
            }
        }
        self.unpark();
        let event =
            wire::EventState { target: s.target, scope: s.scope, state: s.state, r0: 0, r1: 0 };
        self.emit(&event, 0);
        Ok((Code::Ok, s.target))
    }

    /// Triggers that waited for a halted account go back to the books; they act at the next quote.
    fn unpark(&mut self) {
        for parked in std::mem::take(&mut self.parked) {
            match parked {
                Parked::Position(id) => {
                    if let Some(slot) = self.position_by_id.get(id) {
                        self.disarm_position(slot);
                        self.arm_position(slot);
                    }
                }
                Parked::Order(id) => {
                    if let Some(slot) = self.order_by_id.get(id) {
                        self.disarm_order(slot);
                        self.arm_order(slot);
                    }
                }
            }
        }
    }

    /// The kind's rules, after admission.
    pub fn command(&mut self, input: &Input, ticket: &crate::engine::Ticket) -> Outcome {
        let (a, body) = (ticket.account, input.body);
        match input.kind {
            wire::PlaceOrder::KIND => {
                let place = wire::PlaceOrder::read(body);
                let comment = text(&body[wire::PlaceOrder::SIZE..]);
                self.place(a, &place, comment)
            }
            wire::ClosePosition::KIND => self.close_position(a, &wire::ClosePosition::read(body)),
            wire::ModifyOrder::KIND => self.modify_order(a, &wire::ModifyOrder::read(body)),
            wire::CancelOrder::KIND => self.cancel_order(wire::CancelOrder::read(body).order),
            wire::CancelAll::KIND => self.cancel_all(a, wire::CancelAll::read(body).instrument),
            wire::CloseBy::KIND => self.close_by(a, &wire::CloseBy::read(body)),
            wire::CloseAll::KIND => self.close_all(a, wire::CloseAll::read(body).instrument),
            wire::Reverse::KIND => self.reverse(a, wire::Reverse::read(body).position),
            wire::ModifyPosition::KIND => {
                self.modify_position(a, &wire::ModifyPosition::read(body))
            }
            wire::Balance::KIND => self.balance(a, &wire::Balance::read(body)),
            wire::OpenAccount::KIND => {
                self.open_account(input.account, &wire::OpenAccount::read(body))
            }
            wire::UpdateAccount::KIND => self.update_account(a, &wire::UpdateAccount::read(body)),
            wire::CloseAccount::KIND => self.close_account(a),
            wire::DefineCurrency::KIND => self.define_currency(body),
            wire::DefineInstrument::KIND => self.define_instrument(body),
            wire::DefineGroup::KIND => self.define_group(body),
            wire::SetTradingState::KIND => self.set_state(&wire::SetTradingState::read(body)),
            wire::Rollover::KIND => self.rollover(input.account, &wire::Rollover::read(body)),
            wire::Funding::KIND => self.fund(&wire::Funding::read(body)),
            wire::Report::KIND => self.report(&wire::Report::read(body)),
            _ => no(Code::UnknownKind, At::Kind),
        }
    }
}
