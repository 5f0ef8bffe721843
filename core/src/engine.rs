//! The engine's state and its loop: one input after another, each with its events.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use crate::book::{Book, Books};
use crate::code::{At, Code, Refusal, Trading};
use crate::dedupe::{Answer, Dedupe};
use crate::group::Group;
use crate::instrument::{Currency, Instrument};
use crate::limits::{REMEMBERED_COMMANDS, REMEMBERED_ROUTED};
use crate::state::{Account, Leg, Order, Position, Slab, NONE};
use crate::table::{prefetch_all, Table};
use crate::wire::{self, Id, LedgerLeg};

/// Hashes integer keys by folded multiplication: fixed, so nothing depends on a random seed.
#[derive(Default, Clone, Copy)]
pub struct FixedHasher(u64);

impl Hasher for FixedHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = crate::dedupe::hash_bytes(self.0, bytes);
    }
    fn write_u64(&mut self, n: u64) {
        let wide = u128::from(n ^ self.0 ^ 0x9E37_79B9_7F4A_7C15) * 0xE703_7ED1_A0B4_28DB;
        self.0 = (wide as u64) ^ ((wide >> 64) as u64);
    }
    fn write_u32(&mut self, n: u32) {
        self.write_u64(u64::from(n));
    }
}

/// A map for look-ups only; the engine never iterates over one.
pub type Map<K, V> = hashbrown::HashMap<K, V, BuildHasherDefault<FixedHasher>>;

/// A trigger that could not act (its account is halted): armed again when trading resumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Parked {
    Position(u64),
    Order(u64),
}

/// One event stream being written; `muted` counts events without keeping them.
#[derive(Default)]
pub struct Outbox {
    pub bytes: Vec<u8>,
    pub muted: bool,
}

pub struct Engine {
    pub shard: u16,
    pub input_seq: u64,
    pub event_seq: u64,
    pub now: i64,
    pub last_id: u64,
    pub state: Trading,

    pub currencies: Vec<Currency>,
    pub instruments: Vec<Instrument>,
    pub groups: Vec<Group>,
    pub currency_by_code: BTreeMap<String, u32>,
    pub instrument_by_symbol: BTreeMap<String, u32>,
    pub group_by_name: BTreeMap<String, u32>,
    /// Converting instruments by (base, profit), in order of definition.
    pub pairs: Map<u64, Vec<u32>>,

    pub accounts: Vec<Account>,
    pub account_by_id: Table,
    pub legs: Slab<Leg>,
    pub positions: Slab<Position>,
    pub position_by_id: Table,
    pub orders: Slab<Order>,
    pub order_by_id: Table,
    /// Swap terms of positions that carry their own.
    pub swap_terms: BTreeMap<u64, (i64, i64)>,
    /// Routed orders that ended, for late fills; oldest first.
    pub ended: VecDeque<Order>,
    pub ended_by_id: Map<u64, u64>,
    pub ended_count: u64,

    pub commands: Dedupe,
    pub fills: Dedupe,
    /// House side of the ledgers: [currency][ledger - 1].
    pub house: Vec<[i128; 6]>,

    // Derived: rebuilt from the above after a restore.
    pub books: Vec<Books>,
    pub expiries: BinaryHeap<std::cmp::Reverse<(i64, u64)>>,
    pub parked: BTreeSet<Parked>,
    /// Accounts (and isolated positions' first legs) that wait for a quote of an instrument.
    pub stuck: Vec<BTreeSet<u32>>,
    pub stuck_isolated: Vec<BTreeSet<u64>>,

    // Scratch of the input being applied.
    pub cause: u64,
    pub touched: Vec<u32>,
    pub touched_isolated: Vec<u64>,
    pub fired: Vec<(Book, u32, i64)>,
    pub linked: Vec<LedgerLeg>,
    pub first_leg: u32,
    /// What an isolated liquidation lost beyond its margin: account, position, amount.
    pub missing: Option<(u32, u64, i128)>,
    pub out: Outbox,
}

/// A decoded input record: header fields and the bytes after the headers.
#[derive(Clone, Copy)]
pub struct Input<'a> {
    pub kind: u16,
    pub ts: i64,
    pub flags: u16,
    /// Too short for the command header its kind needs.
    pub short: bool,
    pub account: u64,
    pub id: Id,
    pub body: &'a [u8],
}

/// What a handler answers: a code and a reference, or a refusal.
pub type Outcome = Result<(Code, u64), Refusal>;

impl Engine {
    pub fn new(shard: u16) -> Self {
        Engine {
            shard,
            input_seq: 0,
            event_seq: 0,
            now: 0,
            last_id: 0,
            state: Trading::Active,
            currencies: Vec::new(),
            instruments: Vec::new(),
            groups: Vec::new(),
            currency_by_code: BTreeMap::new(),
            instrument_by_symbol: BTreeMap::new(),
            group_by_name: BTreeMap::new(),
            pairs: Map::default(),
            accounts: Vec::new(),
            account_by_id: Table::default(),
            legs: Slab::default(),
            positions: Slab::default(),
            position_by_id: Table::default(),
            orders: Slab::default(),
            order_by_id: Table::default(),
            swap_terms: BTreeMap::new(),
            ended: VecDeque::new(),
            ended_by_id: Map::default(),
            ended_count: 0,
            commands: Dedupe::new(REMEMBERED_COMMANDS),
            fills: Dedupe::new(REMEMBERED_ROUTED * 4),
            house: Vec::new(),
            books: Vec::new(),
            expiries: BinaryHeap::new(),
            parked: BTreeSet::new(),
            stuck: Vec::new(),
            stuck_isolated: Vec::new(),
            cause: 0,
            touched: Vec::new(),
            touched_isolated: Vec::new(),
            fired: Vec::new(),
            linked: Vec::new(),
            first_leg: 0,
            missing: None,
            out: Outbox::default(),
        }
    }

    /// Applies a batch of input records; events are appended to `out`.
    pub fn apply(&mut self, batch: &[u8]) {
        let mut at = 0;
        let mut index = 0u32;
        let mut scout = Scout::default();
        while at < batch.len() {
            match frame(&batch[at..]) {
                Ok((input, len)) => {
                    scout.advance(self, batch, index as usize);
                    self.apply_one(index, &input);
                    at += len;
                }
                Err(refusal) => {
                    // Nothing after a broken frame can be trusted.
                    self.answer(index, 0, &[0; 32], wire::RESULT_REFUSED, refused(refusal));
                    return;
                }
            }
            index += 1;
        }
    }

    #[inline]
    fn apply_one(&mut self, index: u32, input: &Input) {
        let verdict = self.admit_one(input, self.now);
        let ticket = match verdict {
            Ok(ticket) => ticket,
            Err(Stop::Repeat(answer)) => {
                self.answer(index, input.account, &input.id, wire::RESULT_REPEAT, answer);
                return;
            }
            Err(Stop::Refuse(refusal)) => {
                let (account, id) = shown(input, refusal.code);
                let answer = refused(refusal);
                self.answer(index, account, &id, wire::RESULT_REFUSED, answer);
                return;
            }
        };
        self.input_seq += 1;
        self.cause = self.input_seq;
        self.first_leg = 0;
        self.now = input.ts;
        self.expire_due();
        if input.kind == wire::Quote::KIND {
            let quote = wire::Quote::read(input.body);
            self.on_quote(quote);
            self.settle(Some(quote.instrument));
            return;
        }
        if input.kind == wire::Clock::KIND {
            self.settle(None);
            return;
        }
        let answer = match self.command(input, &ticket) {
            Ok((code, reference)) => {
                if ticket.account != NONE && input.kind < wire::SetTradingState::KIND {
                    self.touch(ticket.account);
                }
                Answer { code, at: At::None, reference }
            }
            Err(refusal) => refused(refusal),
        };
        self.settle(None);
        if ticket.remember {
            self.commands.remember(ticket.hash, input.account, &input.id, ticket.body, answer);
        }
        self.answer(index, input.account, &input.id, 0, answer);
    }

    /// Writes a RESULT. Refusals and repeats are not history: they carry no sequence number.
    fn answer(&mut self, index: u32, account: u64, id: &Id, flags: u16, answer: Answer) {
        let body = wire::EventResult {
            index,
            code: answer.code as u16,
            field: answer.at as u16,
            account,
            reference: answer.reference,
            id: *id,
        };
        if flags != 0 {
            if !self.out.muted {
                let ts = self.now;
                write_event(&mut self.out.bytes, &body, flags, 0, ts, 0, &[]);
            }
        } else {
            self.emit(&body, 0);
        }
    }

    pub fn next_id(&mut self) -> u64 {
        self.last_id += 1;
        (u64::from(self.shard) << 48) | self.last_id
    }

    /// Appends an event to the stream.
    #[inline]
    pub fn emit<E: Event>(&mut self, event: &E, flags: u16) {
        self.emit_tail(event, flags, &[]);
    }

    /// Appends an event with bytes after its body (padded to eight).
    #[inline]
    pub fn emit_tail<E: Event>(&mut self, event: &E, flags: u16, tail: &[u8]) {
        self.event_seq += 1;
        if self.out.muted {
            return;
        }
        let (seq, ts, cause) = (self.event_seq, self.now, self.cause);
        write_event(&mut self.out.bytes, event, flags, seq, ts, cause, tail);
    }

    /// Queues an account for evaluation at the end of the input.
    #[inline]
    pub fn touch(&mut self, a: u32) {
        let account = &mut self.accounts[a as usize];
        if !account.touched {
            account.touched = true;
            self.touched.push(a);
        }
    }
}

/// Looks at records ahead of the one being applied and asks for the memory they will need: first
/// table cells, later accounts and positions, last legs. It decides nothing.
#[derive(Default)]
struct Scout {
    index: usize,
    at: usize,
    /// (account, position) of the records ahead, by index modulo the ring's size.
    seen: [(u64, u64); Scout::RING],
}

impl Scout {
    const RING: usize = 32;
    /// How many records ahead each kind of memory is asked for.
    const CELLS: usize = 24;
    const ROWS: usize = 12;
    const LEGS: usize = 5;

    #[inline]
    fn advance(&mut self, engine: &Engine, batch: &[u8], now: usize) {
        while self.index <= now + Self::CELLS && self.at + wire::COMMAND_HEADER <= batch.len() {
            let rest = &batch[self.at..];
            let header = wire::InputHeader::read(rest);
            let len = (header.len as usize).max(wire::INPUT_HEADER);
            let mut ids = (0, 0);
            if wire::is_command(header.kind) && len <= rest.len() && len >= wire::COMMAND_HEADER {
                let command = wire::CommandHeader::read(&rest[wire::INPUT_HEADER..]);
                ids.0 = command.account;
                if header.kind == wire::ClosePosition::KIND
                    && len >= wire::COMMAND_HEADER + wire::ClosePosition::SIZE
                {
                    let body = &rest[wire::COMMAND_HEADER..];
                    ids.1 = wire::ClosePosition::read(body).position;
                    engine.position_by_id.prefetch(ids.1);
                }
                engine.account_by_id.prefetch(ids.0);
                if command.id[0] != 0 {
                    engine.commands.prefetch(Dedupe::hash(command.account, &command.id));
                }
            }
            self.seen[self.index % Self::RING] = ids;
            self.at += len;
            self.index += 1;
        }
        if now + Self::ROWS < self.index {
            engine.foresee_rows(self.seen[(now + Self::ROWS) % Self::RING]);
        }
        if now + Self::LEGS < self.index {
            engine.foresee_leg(self.seen[(now + Self::LEGS) % Self::RING]);
        }
    }
}

impl Engine {
    #[inline]
    fn foresee_rows(&self, (account, position): (u64, u64)) {
        if let Some(a) = self.account_by_id.get(account) {
            prefetch_all(&self.accounts[a as usize]);
        }
        if let Some(slot) = self.position_by_id.get(position) {
            prefetch_all(&self.positions[slot]);
        }
    }

    #[inline]
    fn foresee_leg(&self, (account, position): (u64, u64)) {
        let leg = match self.position_by_id.get(position) {
            Some(slot) => self.positions[slot].leg,
            None => match self.account_by_id.get(account) {
                Some(a) => self.accounts[a as usize].first_leg,
                None => NONE,
            },
        };
        if leg != NONE {
            prefetch_all(&self.legs[leg]);
        }
    }
}

/// Why an input stops before it is admitted.
pub enum Stop {
    Repeat(Answer),
    Refuse(Refusal),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Stop::Refuse(refusal)
    }
}

/// What admission learned, for the handler.
#[derive(Clone, Copy, Debug)]
pub struct Ticket {
    pub account: u32,
    pub body: u64,
    /// Hash of (account, id) in the memory of commands.
    pub hash: u32,
    pub remember: bool,
}

/// Account and id an answer shows: those of the command, none when the record is not one.
pub fn shown(input: &Input, code: Code) -> (u64, Id) {
    if matches!(code, Code::BadRecord | Code::UnknownKind) {
        (0, [0; 32])
    } else {
        (input.account, input.id)
    }
}

pub fn refused(refusal: Refusal) -> Answer {
    Answer { code: refusal.code, at: refusal.at, reference: 0 }
}

/// Splits the first record off a batch.
#[inline]
pub fn frame(bytes: &[u8]) -> Result<(Input<'_>, usize), Refusal> {
    let bad = Refusal { code: Code::BadRecord, at: At::Length };
    if bytes.len() < wire::INPUT_HEADER {
        return Err(bad);
    }
    let header = wire::InputHeader::read(bytes);
    let len = header.len as usize;
    if len < wire::INPUT_HEADER
        || len > bytes.len()
        || !len.is_multiple_of(8)
        || len > crate::limits::RECORD_MAX
    {
        return Err(bad);
    }
    let mut input = Input {
        kind: header.kind,
        ts: header.ts,
        flags: header.flags,
        short: false,
        account: 0,
        id: [0; 32],
        body: &bytes[wire::INPUT_HEADER..len],
    };
    if wire::is_command(header.kind) {
        if len < wire::COMMAND_HEADER {
            input.short = true;
        } else {
            let command = wire::CommandHeader::read(&bytes[wire::INPUT_HEADER..]);
            input.account = command.account;
            input.id = command.id;
            input.body = &bytes[wire::COMMAND_HEADER..len];
        }
    }
    Ok((input, len))
}

/// An event body that knows its kind and size.
pub trait Event {
    const KIND: u16;
    const SIZE: usize;
    fn put(&self, out: &mut [u8]);
}

macro_rules! events {
    ($($name:ident),*) => {$(
        impl Event for wire::$name {
            const KIND: u16 = wire::$name::KIND;
            const SIZE: usize = wire::$name::SIZE;
            #[inline(always)]
            fn put(&self, out: &mut [u8]) {
                self.write(out);
            }
        }
    )*};
}
events!(
    EventResult,
    EventConfig,
    EventAccount,
    EventLedger,
    EventOrder,
    EventFill,
    EventPosition,
    EventMargin,
    EventRoute,
    EventState
);

/// Appends header, body and padded tail.
#[inline]
pub fn write_event<E: Event>(
    out: &mut Vec<u8>,
    event: &E,
    flags: u16,
    seq: u64,
    ts: i64,
    cause: u64,
    tail: &[u8],
) {
    let padded = tail.len().next_multiple_of(8);
    let len = wire::EVENT_HEADER + E::SIZE + padded;
    let start = out.len();
    if tail.is_empty() {
        // One copy of a record built on the stack is cheaper than clearing and then writing.
        let mut record = [0u8; 256];
        wire::EventHeader { len: len as u32, kind: E::KIND, flags, seq, ts, cause }
            .write(&mut record);
        event.put(&mut record[wire::EVENT_HEADER..]);
        out.extend_from_slice(&record[..wire::EVENT_HEADER + E::SIZE]);
        return;
    }
    out.resize(start + len, 0);
    let bytes = &mut out[start..];
    wire::EventHeader { len: len as u32, kind: E::KIND, flags, seq, ts, cause }.write(bytes);
    event.put(&mut bytes[wire::EVENT_HEADER..]);
    let body_end = wire::EVENT_HEADER + E::SIZE;
    bytes[body_end..body_end + tail.len()].copy_from_slice(tail);
}
