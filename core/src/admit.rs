//! Admission: what is refused before it leaves any trace (semantics section 4).

use crate::code::{no, At, BalanceOp, Code, OrderType, Refusal, ReportKind, Scope, Tif};
use crate::dedupe::{hash_bytes, Dedupe, Seen};
use crate::engine::{frame, refused, shown, Engine, Input, Stop, Ticket};
use crate::group::{Commission, Mode, MARKUP_MAX};
use crate::instrument::{Calc, Instrument};
use crate::limits::{AMOUNT_MAX, BALANCE_MAX, NOTIONAL_MAX};
use crate::manage::EVERY;
use crate::money::muldiv;
use crate::state::{Position, FLAG_CLOSED, NONE};
use crate::wire;

/// What `admit` made of a batch.
#[derive(Default)]
pub struct Admission {
    /// The admitted records; `None` when that is the whole batch.
    pub admitted: Option<Vec<u8>>,
    /// RESULT events of refused inputs and repeated commands.
    pub answers: Vec<u8>,
}

impl Engine {
    /// Sorts a batch into what may be journaled and what is answered at once; changes nothing.
    pub fn admit(&self, batch: &[u8]) -> Admission {
        let mut result = Admission::default();
        let mut clean_until = 0;
        let mut kept: Option<Vec<u8>> = None;
        let mut now = self.now;
        let (mut at, mut index) = (0, 0u32);
        while at < batch.len() {
            let (input, len) = match frame(&batch[at..]) {
                Ok(framed) => framed,
                Err(refusal) => {
                    let blank = Input {
                        kind: 0,
                        ts: 0,
                        flags: 0,
                        short: false,
                        account: 0,
                        id: [0; 32],
                        body: &[],
                    };
                    self.answer_into(&mut result.answers, index, &blank, &Stop::Refuse(refusal));
                    kept.get_or_insert_with(|| batch[..clean_until].to_vec());
                    break;
                }
            };
            match self.admit_one(&input, now) {
                Ok(_) => {
                    now = input.ts;
                    if let Some(kept) = &mut kept {
                        kept.extend_from_slice(&batch[at..at + len]);
                    }
                    clean_until = at + len;
                }
                Err(stop) => {
                    self.answer_into(&mut result.answers, index, &input, &stop);
                    kept.get_or_insert_with(|| batch[..clean_until].to_vec());
                }
            }
            at += len;
            index += 1;
        }
        result.admitted = kept;
        result
    }

    fn answer_into(&self, out: &mut Vec<u8>, index: u32, input: &Input, stop: &Stop) {
        let (flags, answer) = match stop {
            Stop::Repeat(answer) => (wire::RESULT_REPEAT, *answer),
            Stop::Refuse(refusal) => (wire::RESULT_REFUSED, refused(*refusal)),
        };
        let (account, id) = shown(input, answer.code);
        let body = wire::EventResult {
            index,
            code: answer.code as u16,
            field: answer.at as u16,
            account,
            reference: answer.reference,
            id,
        };
        crate::engine::write_event(out, &body, flags, 0, self.now, 0, &[]);
    }

    /// One input, in the order of semantics section 4.
    #[inline]
    pub fn admit_one(&self, input: &Input, now: i64) -> Result<Ticket, Stop> {
        let mut ticket = Ticket { account: NONE, body: 0, hash: 0, remember: false };
        if input.kind == wire::Quote::KIND {
            let at = match () {
                () if input.flags != 0 => At::Flags,
                () if input.body.len() != wire::Quote::SIZE => At::Length,
                () => At::None,
            };
            if at != At::None {
                return Err(Stop::Refuse(Refusal { code: Code::BadRecord, at }));
            }
            let quote = wire::Quote::read(input.body);
            if quote.reserved != 0 {
                return Err(Stop::Refuse(Refusal { code: Code::BadRecord, at: At::Flags }));
            }
            self.check_time(input.ts, now)?;
            self.admit_quote(&quote)?;
            return Ok(ticket);
        }
        self.check_shape(input)?;
        self.check_time(input.ts, now)?;
        if !wire::is_command(input.kind) {
            return Ok(ticket);
        }
        if input.id[0] != 0 {
            ticket.body = hash_bytes(u64::from(input.kind), input.body);
            ticket.remember = true;
            ticket.hash = Dedupe::hash(input.account, &input.id);
            match self.commands.seen(ticket.hash, input.account, &input.id, ticket.body) {
                Seen::New => {}
                Seen::Same(answer) => return Err(Stop::Repeat(answer)),
                Seen::Other => {
                    return Err(Stop::Refuse(Refusal { code: Code::DuplicateId, at: At::Id }))
                }
            }
        }
        if input.kind == wire::Report::KIND {
            let r = wire::Report::read(input.body);
            if r.kind == ReportKind::Fill as u8 {
                let hash = Dedupe::hash(r.order, &r.trade);
                if let Seen::Same(answer) = self.fills.seen(hash, r.order, &r.trade, 0) {
                    return Err(Stop::Repeat(answer));
                }
            }
        }
        ticket.account = self.admit_account(input)?;
        self.admit_values(input, ticket.account)?;
        Ok(ticket)
    }

    #[inline]
    fn check_time(&self, ts: i64, now: i64) -> Result<(), Refusal> {
        if ts < now || ts <= 0 || ts > i64::MAX / 2 {
            return no(Code::TimeBackwards, At::Ts);
        }
        Ok(())
    }

    #[inline]
    fn admit_quote(&self, q: &wire::Quote) -> Result<(), Refusal> {
        let Some(ins) = self.instruments.get(q.instrument as usize) else {
            return no(Code::SymbolNotFound, At::Instrument);
        };
        let most = ins.def.price_max;
        if q.bid <= 0 || q.bid > most {
            return no(Code::TradeBadPrices, At::Bid);
        }
        if q.ask <= 0 || q.ask > most || q.ask < q.bid {
            return no(Code::TradeBadPrices, At::Ask);
        }
        Ok(())
    }

    #[inline]
    fn admit_account(&self, input: &Input) -> Result<u32, Refusal> {
        match input.kind {
            wire::OpenAccount::KIND => {
                if input.account == 0 {
                    return no(Code::ErrParams, At::Account);
                }
                if self.account_by_id.contains(input.account) {
                    return no(Code::UsrLoginExist, At::Account);
                }
                Ok(NONE)
            }
            21..=23 | 30..=44 => {
                let Some(a) = self.account_by_id.get(input.account) else {
                    return no(Code::UserNotFound, At::Account);
                };
                if self.accounts[a as usize].flags & FLAG_CLOSED != 0 {
                    return no(Code::AccountClosed, At::Account);
                }
                Ok(a)
            }
            wire::Rollover::KIND if input.account != 0 => {
                let Some(a) = self.account_by_id.get(input.account) else {
                    return no(Code::UserNotFound, At::Account);
                };
                if self.accounts[a as usize].flags & FLAG_CLOSED != 0 {
                    return no(Code::AccountClosed, At::Account);
                }
                Ok(a)
            }
            _ => Ok(NONE),
        }
    }

    fn instrument_of(&self, i: u32) -> Result<&Instrument, Refusal> {
        self.instruments
            .get(i as usize)
            .ok_or(Refusal { code: Code::SymbolNotFound, at: At::Instrument })
    }

    fn position_of(&self, a: u32, id: u64, at: At) -> Result<&Position, Refusal> {
        let slot = self.position_by_id.get(id);
        match slot {
            Some(slot) if self.legs[self.positions[slot].leg].account == a => {
                Ok(&self.positions[slot])
            }
            _ => no(Code::TradeIncorrectOrder, at),
        }
    }

    #[inline]
    fn admit_values(&self, input: &Input, a: u32) -> Result<(), Refusal> {
        let body = input.body;
        match input.kind {
            wire::PlaceOrder::KIND => self.admit_place(a, input.ts, &wire::PlaceOrder::read(body)),
            wire::ClosePosition::KIND => self.admit_close(a, &wire::ClosePosition::read(body)),
            wire::DefineCurrency::KIND => self.check_currency(body).map(|_| ()),
            wire::DefineInstrument::KIND => self.check_instrument(body).map(|_| ()),
            wire::DefineGroup::KIND => self.check_group(body).map(|_| ()),
            wire::OpenAccount::KIND | wire::UpdateAccount::KIND => {
                self.admit_account_terms(a, &wire::OpenAccount::read(body))
            }
            wire::CloseAccount::KIND => {
                let account = &self.accounts[a as usize];
                if account.positions > 0 || account.orders > 0 {
                    return no(Code::UsrHasTrades, At::Account);
                }
                if account.balance != 0 || account.credit != 0 {
                    return no(Code::TradeIncorrectState, At::Account);
                }
                Ok(())
            }
            wire::Balance::KIND => self.admit_balance(a, &wire::Balance::read(body)),
            wire::ModifyOrder::KIND => {
                self.admit_modify(a, input.ts, &wire::ModifyOrder::read(body))
            }
            wire::CancelOrder::KIND => {
                self.order_slot(a, wire::CancelOrder::read(body).order).map(|_| ())
            }
            wire::CancelAll::KIND | wire::CloseAll::KIND => {
                match wire::CancelAll::read(body).instrument {
                    EVERY => Ok(()),
                    i => self.instrument_of(i).map(|_| ()),
                }
            }
            wire::CloseBy::KIND => self.admit_close_by(a, &wire::CloseBy::read(body)),
            wire::Reverse::KIND => {
                let p = self.position_of(a, wire::Reverse::read(body).position, At::Position)?;
                let i = self.legs[p.leg].instrument;
                if p.isolated || self.routed(a, i) {
                    return no(Code::TradeIncorrectCmd, At::Position);
                }
                Ok(())
            }
            wire::ModifyPosition::KIND => {
                let m = wire::ModifyPosition::read(body);
                let p = self.position_of(a, m.position, At::Position)?;
                let ins = &self.instruments[self.legs[p.leg].instrument as usize];
                check_protection(ins, m.sl, m.tp, m.trailing, m.trailing_step)
            }
            wire::SetTradingState::KIND => {
                let s = wire::SetTradingState::read(body);
                self.admit_scope(&s)
            }
            wire::Rollover::KIND => {
                if wire::Rollover::read(body).day == 0 {
                    return no(Code::ErrParams, At::Day);
                }
                Ok(())
            }
            wire::Funding::KIND => {
                let f = wire::Funding::read(body);
                let ins = self.instrument_of(f.instrument)?;
                if f.rate.unsigned_abs() > 100_000_000 {
                    return no(Code::ErrParams, At::Rate);
                }
                if ins.def.calc != Calc::Perpetual {
                    return no(Code::TradeIncorrectCmd, At::Instrument);
                }
                if ins.bid == 0 {
                    return no(Code::TradeOffquotes, At::Instrument);
                }
                Ok(())
            }
            wire::Report::KIND => self.admit_report(&wire::Report::read(body)),
            _ => no(Code::UnknownKind, At::Kind),
        }
    }

    fn order_slot(&self, a: u32, id: u64) -> Result<u32, Refusal> {
        match self.order_by_id.get(id) {
            Some(slot) if self.orders[slot].account == a => Ok(slot),
            _ => no(Code::TradeIncorrectOrder, At::Order),
        }
    }

    fn admit_scope(&self, s: &wire::SetTradingState) -> Result<(), Refusal> {
        let (exists, code) = match Scope::from_number(s.scope) {
            Some(Scope::Shard) => (s.target == 0, Code::ErrParams),
            Some(Scope::Group) => (s.target < self.groups.len() as u64, Code::GroupNotFound),
            Some(Scope::Account) => {
                let a = self.account_by_id.get(s.target);
                if a.is_some_and(|a| self.accounts[a as usize].flags & FLAG_CLOSED != 0) {
                    return no(Code::AccountClosed, At::Target);
                }
                (a.is_some(), Code::UserNotFound)
            }
            _ => (s.target < self.instruments.len() as u64, Code::SymbolNotFound),
        };
        if exists {
            Ok(())
        } else {
            no(code, At::Target)
        }
    }

    fn admit_account_terms(&self, a: u32, open: &wire::OpenAccount) -> Result<(), Refusal> {
        let Some(group) = self.groups.get(open.group as usize) else {
            return no(Code::GroupNotFound, At::Group);
        };
        if a != NONE {
            let account = &self.accounts[a as usize];
            let old = &self.groups[account.group as usize];
            let busy = account.positions > 0 || account.orders > 0;
            if group.currency != account.currency || (busy && group.def.mode != old.def.mode) {
                return no(Code::TradeIncorrectState, At::Group);
            }
        }
        if open.leverage > 10_000 {
            return no(Code::ErrParams, At::Leverage);
        }
        Ok(())
    }

    fn admit_balance(&self, a: u32, b: &wire::Balance) -> Result<(), Refusal> {
        let correction = b.op == BalanceOp::Correction as u8;
        let sign_ok = if correction { b.amount != 0 } else { b.amount > 0 };
        if !sign_ok || b.amount % self.unit_of(a) != 0 {
            return no(Code::ErrParams, At::Amount);
        }
        if b.amount.unsigned_abs() > AMOUNT_MAX as u128 {
            return no(Code::Overflow, At::Amount);
        }
        let account = &self.accounts[a as usize];
        let after = match BalanceOp::from_number(b.op) {
            Some(BalanceOp::CreditIn) => account.credit + b.amount,
            Some(BalanceOp::CreditOut) => account.credit - b.amount,
            Some(BalanceOp::Withdrawal) => account.balance - b.amount,
            _ => account.balance + b.amount,
        };
        if after.abs() > BALANCE_MAX {
            return no(Code::Overflow, At::Amount);
        }
        Ok(())
    }

    #[inline]
    fn admit_place(&self, a: u32, ts: i64, p: &wire::PlaceOrder) -> Result<(), Refusal> {
        let ins = self.instrument_of(p.instrument)?;
        if p.position != 0 {
            self.position_of(a, p.position, At::Position)?;
        }
        let d = &ins.def;
        if p.volume < d.volume_min
            || p.volume > d.volume_max
            || (p.volume - d.volume_min) % d.volume_step != 0
        {
            return no(Code::TradeBadVolume, At::Volume);
        }
        let kind = OrderType::from_number(p.type_).unwrap_or(OrderType::Market);
        let tif = Tif::from_number(p.tif).unwrap_or(Tif::Gtc);
        let market = kind == OrderType::Market;
        let price_fits = if market { p.price >= 0 } else { (1..=d.price_max).contains(&p.price) };
        if !price_fits {
            return no(Code::TradeBadPrices, At::Price);
        }
        let limit_fits = if kind == OrderType::StopLimit {
            (1..=d.price_max).contains(&p.limit_price)
        } else {
            p.limit_price == 0
        };
        if !limit_fits {
            return no(Code::TradeBadPrices, At::LimitPrice);
        }
        check_protection(ins, p.sl, p.tp, p.trailing, p.trailing_step)?;
        if p.max_deviation < -1 {
            return no(Code::ErrParams, At::MaxDeviation);
        }
        let tif_fits = match kind {
            OrderType::Market => matches!(tif, Tif::Gtc | Tif::Ioc | Tif::Fok),
            OrderType::Limit => true,
            _ => matches!(tif, Tif::Gtc | Tif::Day | Tif::Gtd),
        };
        if !tif_fits {
            return no(Code::ErrParams, At::Tif);
        }
        let expire_fits = if tif == Tif::Gtd { p.expire > ts } else { p.expire == 0 };
        if !expire_fits {
            return no(Code::TradeExpirationDenied, At::Expire);
        }
        if p.oco != 0 && market {
            return no(Code::ErrParams, At::Oco);
        }
        let isolated = p.flags & 1 != 0;
        let leverage_fits = if isolated {
            p.leverage >= 1 && i64::from(p.leverage) <= d.leverage_max
        } else {
            p.leverage == 0
        };
        if !leverage_fits {
            return no(Code::ErrParams, At::Leverage);
        }
        if p.position != 0 {
            let target = self.position_of(a, p.position, At::Position)?;
            if self.legs[target.leg].instrument != p.instrument {
                return no(Code::TradeIncorrectOrder, At::Position);
            }
            if !market {
                return no(Code::TradeIncorrectCmd, At::Type);
            }
            if target.side as u8 == p.side {
                return no(Code::TradeIncorrectCmd, At::Side);
            }
            if p.volume > target.volume {
                return no(Code::TradeBadVolume, At::Volume);
            }
        }
        let commission_fits = p.terms & 1 == 0
            || Commission::from_terms(p.commission_mode, p.commission_when, p.commission_value)
                .is_some();
        let markup_fits = p.terms & 2 == 0 || (0..=MARKUP_MAX).contains(&p.markup);
        if !commission_fits || !markup_fits {
            return no(Code::ErrParams, At::Terms);
        }
        let most = i128::from(d.price_max) * i128::from(p.volume);
        if muldiv(most, ins.kn, ins.kd) > NOTIONAL_MAX {
            return no(Code::Overflow, At::Volume);
        }
        Ok(())
    }

    fn admit_modify(&self, a: u32, ts: i64, m: &wire::ModifyOrder) -> Result<(), Refusal> {
        let slot = self.order_slot(a, m.order)?;
        let order = &self.orders[slot];
        if !order.working() {
            return no(Code::TradeIncorrectState, At::Order);
        }
        let ins = &self.instruments[order.instrument as usize];
        let most = ins.def.price_max;
        if !(1..=most).contains(&m.price) {
            return no(Code::TradeBadPrices, At::Price);
        }
        let limit_fits = if order.kind == OrderType::StopLimit {
            (1..=most).contains(&m.limit_price)
        } else {
            m.limit_price == 0
        };
        if !limit_fits {
            return no(Code::TradeBadPrices, At::LimitPrice);
        }
        check_protection(ins, m.sl, m.tp, 0, 0)?;
        let expire_fits = if order.tif == Tif::Gtd { m.expire > ts } else { m.expire == 0 };
        if !expire_fits {
            return no(Code::TradeExpirationDenied, At::Expire);
        }
        Ok(())
    }

    #[inline]
    fn admit_close(&self, a: u32, c: &wire::ClosePosition) -> Result<(), Refusal> {
        let p = self.position_of(a, c.position, At::Position)?;
        let d = &self.instruments[self.legs[p.leg].instrument as usize].def;
        if c.volume == 0 || c.volume == p.volume {
            return check_bound(c);
        }
        if c.volume < 0 || c.volume > p.volume {
            return no(Code::TradeBadVolume, At::Volume);
        }
        let rest = p.volume - c.volume;
        if c.volume % d.volume_step != 0 || rest < d.volume_min {
            return no(Code::TradeBadVolume, At::Volume);
        }
        check_bound(c)
    }

    fn admit_close_by(&self, a: u32, c: &wire::CloseBy) -> Result<(), Refusal> {
        let p = self.position_of(a, c.position, At::Position)?;
        let q = self.position_of(a, c.position_by, At::PositionBy)?;
        let group = &self.groups[self.accounts[a as usize].group as usize];
        let same = self.legs[p.leg].instrument == self.legs[q.leg].instrument;
        let fits = same && p.side != q.side && !p.isolated && !q.isolated;
        if !fits || group.def.mode != Mode::Hedging {
            return no(Code::TradeIncorrectCmd, At::PositionBy);
        }
        Ok(())
    }

    fn admit_report(&self, r: &wire::Report) -> Result<(), Refusal> {
        let live = self.order_by_id.get(r.order).map(|s| &self.orders[s]);
        let order = match live {
            Some(order) if order.routed => order,
            _ => match self.ended_order(r.order) {
                Some(n) => &self.ended[n],
                None => return no(Code::TradeIncorrectOrder, At::Order),
            },
        };
        if self.accounts[order.account as usize].flags & FLAG_CLOSED != 0 {
            return no(Code::AccountClosed, At::Order);
        }
        if r.kind != ReportKind::Fill as u8 {
            return Ok(());
        }
        let ins = &self.instruments[order.instrument as usize];
        if r.volume <= 0 || r.volume > crate::limits::VOLUME_MAX {
            return no(Code::TradeBadVolume, At::Volume);
        }
        if !(1..=ins.def.price_max).contains(&r.price) {
            return no(Code::TradeBadPrices, At::Price);
        }
        Ok(())
    }
}

fn check_bound(c: &wire::ClosePosition) -> Result<(), Refusal> {
    if c.price < 0 {
        return no(Code::TradeBadPrices, At::Price);
    }
    if c.max_deviation < -1 {
        return no(Code::ErrParams, At::MaxDeviation);
    }
    Ok(())
}

fn check_protection(
    ins: &Instrument,
    sl: i64,
    tp: i64,
    trailing: i64,
    step: i64,
) -> Result<(), Refusal> {
    let most = ins.def.price_max;
    if !(0..=most).contains(&sl) {
        return no(Code::TradeInvalidSlTp, At::Sl);
    }
    if !(0..=most).contains(&tp) {
        return no(Code::TradeInvalidSlTp, At::Tp);
    }
    if !(0..=most).contains(&trailing) || !(0..=most).contains(&step) {
        return no(Code::ErrParams, At::Trailing);
    }
    Ok(())
}
