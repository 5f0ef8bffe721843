//! Is a record well formed: kind, flags, length, id, enumerations and reserved bits.

use crate::code::{
    no, At, BalanceOp, Code, OrderType, Refusal, ReportKind, Scope, Side, Tif, Trading,
};
use crate::engine::{Engine, Input};
use crate::limits::COMMENT_MAX;
use crate::state::{FLAG_DISABLED, FLAG_READ_ONLY};
use crate::wire::{self, Id};

fn bad<T>(at: At) -> Result<T, Refusal> {
    no(Code::BadRecord, at)
}

fn id_ok(id: &Id) -> bool {
    let mut ended = false;
    for word in id.chunks_exact(8) {
        // Eight zero bytes at once: ids are short.
        if word == [0; 8] {
            ended = true;
            continue;
        }
        for &b in word {
            if b == 0 {
                ended = true;
            } else if ended || !WORD[b as usize] {
                return false;
            }
        }
    }
    true
}

/// Bytes an id may hold.
const WORD: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0;
    while b < 256 {
        let c = b as u8;
        table[b] = c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
        b += 1;
    }
    table
};

/// Body sizes by kind; 0xFFFF where the kind is unknown.
const SIZES: [u16; 128] = {
    let mut table = [u16::MAX; 128];
    let mut n = 0;
    while n < wire::INPUTS.len() {
        table[wire::INPUTS[n].kind as usize] = wire::INPUTS[n].size as u16;
        n += 1;
    }
    table
};

impl Engine {
    /// Kind, header flags, length, id, then the body's fields in record order.
    pub fn check_shape(&self, input: &Input) -> Result<(), Refusal> {
        let body = input.body;
        let (least, most) = match input.kind {
            wire::Clock::KIND => (0, 0),
            wire::DefineCurrency::KIND | wire::DefineInstrument::KIND | wire::DefineGroup::KIND => {
                (0, usize::MAX)
            }
            wire::PlaceOrder::KIND => {
                (wire::PlaceOrder::SIZE, wire::PlaceOrder::SIZE + COMMENT_MAX)
            }
            kind => match SIZES.get(kind as usize) {
                Some(&size) if size != u16::MAX => (size as usize, size as usize),
                _ => return no(Code::UnknownKind, At::Kind),
            },
        };
        if input.flags != 0 {
            return bad(At::Flags);
        }
        if input.short || body.len() < least || body.len() > most {
            return bad(At::Length);
        }
        if wire::is_command(input.kind) && !id_ok(&input.id) {
            return bad(At::Id);
        }
        let known = |ok: bool, at: At| if ok { Ok(()) } else { bad(at) };
        match input.kind {
            wire::OpenAccount::KIND | wire::UpdateAccount::KIND => {
                let open = wire::OpenAccount::read(body);
                let flags = FLAG_READ_ONLY | FLAG_DISABLED;
                known(open.flags & !flags == 0 && open.reserved == 0, At::Flags)
            }
            wire::Balance::KIND => {
                let b = wire::Balance::read(body);
                known(BalanceOp::from_number(b.op).is_some(), At::Op)?;
                known(b.r0 == 0 && b.r1 == 0 && b.r2 == 0, At::Flags)
            }
            wire::PlaceOrder::KIND => check_place_shape(&wire::PlaceOrder::read(body)),
            wire::CancelAll::KIND | wire::CloseAll::KIND => {
                known(wire::CancelAll::read(body).reserved == 0, At::Flags)
            }
            wire::SetTradingState::KIND => {
                let s = wire::SetTradingState::read(body);
                known(Scope::from_number(s.scope).is_some(), At::Scope)?;
                known(Trading::from_number(s.state).is_some(), At::State)?;
                known(s.r0 == 0 && s.r1 == 0, At::Flags)
            }
            wire::Rollover::KIND => known(wire::Rollover::read(body).reserved == 0, At::Flags),
            wire::Funding::KIND => known(wire::Funding::read(body).reserved == 0, At::Flags),
            wire::Report::KIND => {
                let r = wire::Report::read(body);
                known(ReportKind::from_number(r.kind).is_some(), At::Kind)?;
                known(r.r0 == 0 && r.r1 == 0 && r.r2 == 0, At::Flags)
            }
            _ => Ok(()),
        }
    }
}

/// Enumerations and bits of PLACE_ORDER, in record order.
fn check_place_shape(p: &wire::PlaceOrder) -> Result<(), Refusal> {
    let known = |ok: bool, at: At| if ok { Ok(()) } else { bad(at) };
    known(Side::from_number(p.side).is_some(), At::Side)?;
    known(OrderType::from_number(p.type_).is_some(), At::Type)?;
    known(Tif::from_number(p.tif).is_some(), At::Tif)?;
    known(p.flags & !1 == 0, At::Flags)?;
    known(p.terms & !7 == 0, At::Terms)?;
    let commission = p.terms & 1 == 0 || (p.commission_mode <= 3 && p.commission_when <= 2);
    known(commission, At::Commission)?;
    known(p.reserved == 0, At::Flags)
}
