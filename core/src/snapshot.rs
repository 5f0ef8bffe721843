//! Snapshots: the whole state as bytes, and back, with the derived structures rebuilt.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::book::Books;
use crate::code::{At, Code, Trading};
use crate::dedupe::{Answer, Dedupe};
use crate::engine::{Engine, Parked};
use crate::instrument::Currency;
use crate::state::{Account, Leg, Order, Position, Slab, NONE};
use crate::wire::{Id, WIRE_VERSION};

/// First bytes of a snapshot.
pub const MAGIC: &[u8; 8] = b"TLSNAP01";

#[derive(Serialize, Deserialize)]
struct Saved {
    shard: u16,
    input_seq: u64,
    event_seq: u64,
    now: i64,
    last_id: u64,
    state: Trading,
    currencies: Vec<Currency>,
    instruments: Vec<SavedInstrument>,
    groups: Vec<SavedGroup>,
    accounts: Vec<Account>,
    legs: Slab<Leg>,
    positions: Slab<Position>,
    orders: Slab<Order>,
    swap_terms: BTreeMap<u64, (i64, i64)>,
    ended: VecDeque<Order>,
    ended_count: u64,
    house: Vec<[i128; 6]>,
    commands: Vec<Remembered>,
    fills: Vec<Remembered>,
    stuck_isolated: Vec<BTreeSet<u64>>,
}

/// Definitions are kept as their JSON: optional fields do not survive a positional codec.
#[derive(Serialize, Deserialize)]
struct SavedInstrument {
    json: String,
    bid: i64,
    ask: i64,
    quote_ts: i64,
    funding_ts: i64,
    state: Trading,
    open: u64,
}

#[derive(Serialize, Deserialize)]
struct SavedGroup {
    json: String,
    state: Trading,
    accounts: u64,
}

#[derive(Serialize, Deserialize)]
struct Remembered {
    owner: u64,
    id: Id,
    body: u64,
    reference: u64,
    code: u16,
    at: u16,
}

fn remembered(memory: &Dedupe) -> Vec<Remembered> {
    memory
        .entries()
        .map(|e| Remembered {
            owner: e.owner,
            id: e.id,
            body: e.body,
            reference: e.reference,
            code: e.code,
            at: e.at,
        })
        .collect()
}

fn remember_all(memory: &mut Dedupe, entries: &[Remembered]) -> Result<(), String> {
    for e in entries {
        let code = Code::from_number(e.code).ok_or("snapshot: unknown return code")?;
        let at = At::from_number(e.at).ok_or("snapshot: unknown field number")?;
        let hash = Dedupe::hash(e.owner, &e.id);
        memory.remember(hash, e.owner, &e.id, e.body, Answer { code, at, reference: e.reference });
    }
    Ok(())
}

impl Engine {
    /// The state as bytes: magic, version, length, CRC32C, body.
    pub fn snapshot(&self) -> Result<Vec<u8>, String> {
        let json = |text: Result<String, serde_json::Error>| text.map_err(|e| e.to_string());
        let mut instruments = Vec::new();
        for i in &self.instruments {
            instruments.push(SavedInstrument {
                json: json(serde_json::to_string(&i.def))?,
                bid: i.bid,
                ask: i.ask,
                quote_ts: i.quote_ts,
                funding_ts: i.funding_ts,
                state: i.state,
                open: i.open,
            });
        }
        let mut groups = Vec::new();
        for g in &self.groups {
            groups.push(SavedGroup {
                json: json(serde_json::to_string(&g.def))?,
                state: g.state,
                accounts: g.accounts,
            });
        }
        let saved = Saved {
            shard: self.shard,
            input_seq: self.input_seq,
            event_seq: self.event_seq,
            now: self.now,
            last_id: self.last_id,
            state: self.state,
            currencies: self.currencies.clone(),
            instruments,
            groups,
            accounts: self.accounts.clone(),
            legs: self.legs.clone(),
            positions: self.positions.clone(),
            orders: self.orders.clone(),
            swap_terms: self.swap_terms.clone(),
            ended: self.ended.clone(),
            ended_count: self.ended_count,
            house: self.house.clone(),
            commands: remembered(&self.commands),
            fills: remembered(&self.fills),
            stuck_isolated: self.stuck_isolated.clone(),
        };
        let body = bincode::serialize(&saved).map_err(|e| e.to_string())?;
        let mut bytes = Vec::with_capacity(body.len() + 32);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&u32::from(WIRE_VERSION).to_le_bytes());
        bytes.extend_from_slice(&crc32c::crc32c(&body).to_le_bytes());
        bytes.extend_from_slice(&(body.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&body);
        Ok(bytes)
    }

    /// The engine a snapshot was taken of; the error says what is wrong with the bytes.
    pub fn restore(bytes: &[u8]) -> Result<Engine, String> {
        if bytes.len() < 24 || &bytes[..8] != MAGIC {
            return Err("not a snapshot: the first bytes are not TLSNAP01".into());
        }
        let word = |at: usize| {
            let mut raw = [0u8; 4];
            raw.copy_from_slice(&bytes[at..at + 4]);
            u32::from_le_bytes(raw)
        };
        if word(8) > u32::from(WIRE_VERSION) {
            return Err(format!(
                "snapshot version {} is newer than this program's {WIRE_VERSION}: upgrade first",
                word(8)
            ));
        }
        let body = &bytes[24..];
        let mut raw = [0u8; 8];
        raw.copy_from_slice(&bytes[16..24]);
        if u64::from_le_bytes(raw) != body.len() as u64 {
            return Err("snapshot is cut short or has bytes after its end".into());
        }
        if crc32c::crc32c(body) != word(12) {
            return Err("snapshot checksum does not match: the bytes are damaged".into());
        }
        let saved: Saved = bincode::deserialize(body).map_err(|e| format!("snapshot: {e}"))?;
        Self::rebuild(saved)
    }

    fn rebuild(saved: Saved) -> Result<Engine, String> {
        let mut engine = Engine::new(saved.shard);
        engine.now = saved.now;
        engine.out.muted = true;
        for c in saved.currencies {
            let index = engine.currencies.len() as u32;
            engine.currency_by_code.insert(c.def.code.clone(), index);
            engine.currencies.push(c);
        }
        engine.house = vec![[0; 6]; engine.currencies.len()];
        for i in saved.instruments {
            let refused = engine.define_instrument(i.json.as_bytes()).is_err();
            let Some(ins) = engine.instruments.last_mut().filter(|_| !refused) else {
                return Err("snapshot: an instrument does not pass its checks".into());
            };
            (ins.bid, ins.ask) = (i.bid, i.ask);
            (ins.quote_ts, ins.funding_ts) = (i.quote_ts, i.funding_ts);
            (ins.state, ins.open) = (i.state, i.open);
        }
        for g in saved.groups {
            let refused = engine.define_group(g.json.as_bytes()).is_err();
            let Some(group) = engine.groups.last_mut().filter(|_| !refused) else {
                return Err("snapshot: a group does not pass its checks".into());
            };
            (group.state, group.accounts) = (g.state, g.accounts);
        }
        engine.accounts = saved.accounts;
        engine.legs = saved.legs;
        engine.positions = saved.positions;
        engine.orders = saved.orders;
        engine.swap_terms = saved.swap_terms;
        engine.ended = saved.ended;
        engine.ended_count = saved.ended_count;
        engine.house = saved.house;
        engine.stuck_isolated = saved.stuck_isolated;
        remember_all(&mut engine.commands, &saved.commands)?;
        remember_all(&mut engine.fills, &saved.fills)?;
        engine.input_seq = saved.input_seq;
        engine.event_seq = saved.event_seq;
        engine.last_id = saved.last_id;
        engine.state = saved.state;
        engine.derive();
        engine.out.muted = false;
        engine.out.bytes.clear();
        Ok(engine)
    }

    /// Rebuilds indices, books, expiries and bands from the state.
    fn derive(&mut self) {
        self.touched.clear();
        self.touched_isolated.clear();
        for (a, account) in self.accounts.iter().enumerate() {
            self.account_by_id.insert(account.id, a as u32);
        }
        self.books = self.instruments.iter().map(|_| Books::default()).collect();
        self.stuck = vec![BTreeSet::new(); self.instruments.len()];
        self.stuck_isolated.resize(self.instruments.len(), BTreeSet::new());
        let oldest = self.ended_count - self.ended.len() as u64;
        for (n, order) in self.ended.iter().enumerate() {
            self.ended_by_id.insert(order.id, oldest + n as u64);
        }
        for slot in 0..self.positions.items.len() as u32 {
            let id = self.positions[slot].id;
            if id != 0 {
                self.position_by_id.insert(id, slot);
                self.arm_position(slot);
            }
        }
        for slot in 0..self.orders.items.len() as u32 {
            let order = &self.orders[slot];
            let (id, expire) = (order.id, order.expire);
            if id != 0 {
                self.order_by_id.insert(id, slot);
                self.arm_order(slot);
                if expire > 0 {
                    self.expiries.push(std::cmp::Reverse((expire, id)));
                }
            }
        }
        for a in 0..self.accounts.len() as u32 {
            self.rearm(a);
        }
        self.parked.clear();
    }

    /// Band or waiting place of an account after a restore; decides nothing.
    fn rearm(&mut self, a: u32) {
        let account = &self.accounts[a as usize];
        let waits = account.level == 2;
        let mut l = account.first_leg;
        while l != NONE && waits {
            let leg = &self.legs[l];
            let (next, on) = (leg.next, leg.instrument as usize);
            self.stuck[on].insert(a);
            l = next;
        }
        self.accounts[a as usize].stuck = waits;
        if !waits {
            self.arm_account(a);
        }
        let mut l = self.accounts[a as usize].first_isolated;
        while l != NONE {
            self.arm_isolated(l);
            l = self.legs[l].next_isolated;
        }
    }

    /// For tests: how many triggers wait for a halted account.
    pub fn parked(&self) -> &BTreeSet<Parked> {
        &self.parked
    }
}
