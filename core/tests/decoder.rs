//! Random and damaged batches: no panic, books balanced, refused inputs leave no trace.
//!
//! `FUZZ_ROUNDS` sets how many batches are tried (a short form runs by default); the same body is
//! the libFuzzer target in `fuzz/`.

use _core::engine::Engine;
use _core::wire;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

fn command(out: &mut Vec<u8>, kind: u16, ts: i64, account: u64, id: u64, body: &[u8]) {
    let size = body.len().next_multiple_of(8);
    let at = out.len();
    out.resize(at + wire::COMMAND_HEADER + size, 0);
    let len = (wire::COMMAND_HEADER + size) as u32;
    wire::InputHeader { len, kind, flags: 0, ts }.write(&mut out[at..]);
    let mut name = [0u8; 32];
    if id > 0 {
        name[..16].copy_from_slice(format!("{id:016x}").as_bytes());
    }
    wire::CommandHeader { account, id: name }.write(&mut out[at + wire::INPUT_HEADER..]);
    let start = at + wire::COMMAND_HEADER;
    out[start..start + body.len()].copy_from_slice(body);
}

fn quote(out: &mut Vec<u8>, ts: i64, instrument: u32, bid: i64, ask: i64) {
    let at = out.len();
    let len = (wire::INPUT_HEADER + wire::Quote::SIZE) as u32;
    out.resize(at + len as usize, 0);
    wire::InputHeader { len, kind: wire::Quote::KIND, flags: 0, ts }.write(&mut out[at..]);
    let quote = wire::Quote { instrument, reserved: 0, bid, ask };
    quote.write(&mut out[at + wire::INPUT_HEADER..]);
}

fn opened() -> Engine {
    let mut engine = Engine::new(3);
    let mut b = Vec::new();
    let json: [(u16, &str); 7] = [
        (10, r#"{"code":"USD","digits":2}"#),
        (10, r#"{"code":"JPY","digits":0}"#),
        (
            11,
            r#"{"symbol":"USDJPY","digits":3,"calc":"forex","base":"USD","profit":"JPY","margin":"USD","contract_size":10000000000000,"swap_mode":"points","swap_long":-100000000}"#,
        ),
        (
            11,
            r#"{"symbol":"PERP","digits":2,"calc":"perpetual","base":"USD","profit":"USD","margin":"USD","contract_size":100000000,"margin_rate_ppm":[1000000,1000000,1000000,1000000,0,0,0,0],"tiers":[[0,10000],[100000000000,50000]]}"#,
        ),
        (
            11,
            r#"{"symbol":"ROUTED","digits":2,"calc":"cfd","base":"USD","profit":"USD","margin":"USD","contract_size":100000000,"execution":"routed"}"#,
        ),
        (
            12,
            r#"{"name":"hedge","currency":"USD","leverage":100,"mode":"hedging","markup_points":2,"commission":{"mode":"per_lot","value":700000000}}"#,
        ),
        (
            12,
            r#"{"name":"net","currency":"JPY","leverage":50,"mode":"netting","negative_balance_protection":true}"#,
        ),
    ];
    for (kind, text) in json {
        command(&mut b, kind, 1, 0, 0, text.as_bytes());
    }
    for account in 1..=6u64 {
        let mut open = [0u8; wire::OpenAccount::SIZE];
        let group = (account % 2) as u32;
        wire::OpenAccount { group, leverage: 0, flags: 0, reserved: 0 }.write(&mut open);
        command(&mut b, wire::OpenAccount::KIND, 1, account, 0, &open);
        let mut deposit = [0u8; wire::Balance::SIZE];
        let amount = 1_000_000_000_000;
        wire::Balance { op: 0, r0: 0, r1: 0, r2: 0, amount }.write(&mut deposit);
        command(&mut b, wire::Balance::KIND, 1, account, 0, &deposit);
    }
    for instrument in 0..3 {
        quote(&mut b, 1, instrument, 150_000, 150_010);
    }
    engine.apply(&b);
    assert_eq!(engine.accounts.len(), 6, "the opening batch is good");
    engine
}

/// A body of small numbers in every field: often sensible, often not.
fn body(random: &mut Random, size: usize) -> Vec<u8> {
    let mut bytes = vec![0u8; size];
    for word in bytes.chunks_mut(8) {
        let value = match random.below(12) {
            0..=4 => 0,
            5 => 1,
            6 => random.below(8),
            7 => 149_000 + random.below(2_000),
            8 => 1_000_000 * random.below(400),
            9 => random.next(),
            10 => u64::MAX,
            _ => (3 << 48) | random.below(200),
        };
        word.copy_from_slice(&value.to_le_bytes()[..word.len()]);
    }
    bytes
}

fn batch(random: &mut Random, now: i64) -> Vec<u8> {
    let mut b = Vec::new();
    for _ in 0..random.below(24) {
        let ts = now + random.below(1_000) as i64;
        if random.below(3) == 0 {
            let bid = 140_000 + random.below(20_000) as i64;
            quote(&mut b, ts, random.below(4) as u32, bid, bid + random.below(30) as i64);
            continue;
        }
        let layout = wire::INPUTS[random.below(wire::INPUTS.len() as u64) as usize];
        let mut fields = body(random, layout.size);
        if layout.kind == wire::PlaceOrder::KIND && random.below(4) > 0 {
            let mut place = wire::PlaceOrder::read(&[0; wire::PlaceOrder::SIZE]);
            place.instrument = random.below(3) as u32;
            place.side = random.below(2) as u8;
            place.type_ = random.below(4) as u8;
            place.volume = 1_000_000 * random.below(300) as i64;
            place.price = 149_000 + random.below(2_000) as i64;
            place.limit_price = if place.type_ == 3 { place.price } else { 0 };
            place.max_deviation = -1;
            place.trailing = random.below(3) as i64 * 50;
            place.oco = if place.type_ == 0 { 0 } else { random.below(3) };
            place.write(&mut fields);
        }
        command(&mut b, layout.kind, ts, random.below(8), random.below(60), &fields);
    }
    for _ in 0..random.below(4) {
        if !b.is_empty() {
            let at = random.below(b.len() as u64) as usize;
            b[at] ^= 1 << random.below(8);
        }
    }
    if random.below(8) == 0 {
        let end = random.below(b.len() as u64 + 1) as usize;
        b.truncate(end);
    }
    b
}

#[test]
fn no_bytes_break_the_engine() {
    let rounds = std::env::var("FUZZ_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(3_000);
    let mut random = Random(0x5EED_0001);
    let mut engine = opened();
    for round in 0..rounds {
        let bytes = batch(&mut random, engine.now);
        let (hash, seq) = (engine.state_hash(), engine.input_seq);
        let admission = engine.admit(&bytes);
        assert_eq!(engine.state_hash(), hash, "admission changes nothing (round {round})");
        engine.out.bytes.clear();
        engine.apply(&bytes);
        if engine.input_seq == seq {
            assert_eq!(engine.state_hash(), hash, "refused inputs leave no trace (round {round})");
        } else {
            assert!(admission.admitted.as_ref().is_none_or(|kept| !kept.is_empty()));
        }
        engine.check().unwrap_or_else(|error| panic!("round {round}: {error}"));
        if round % 50 == 49 {
            let bytes = engine.snapshot().expect("a snapshot");
            let again = Engine::restore(&bytes).expect("its own snapshot");
            assert_eq!(again.state_hash(), engine.state_hash(), "restored (round {round})");
            engine = again;
        }
        if round % 500 == 499 {
            engine = opened();
        }
    }
}

#[test]
fn damaged_snapshots_are_refused() {
    let engine = opened();
    let good = engine.snapshot().expect("a snapshot");
    let mut random = Random(77);
    for _ in 0..2_000 {
        let mut bad = good.clone();
        let at = random.below(bad.len() as u64) as usize;
        bad[at] ^= 1 << random.below(8);
        if let Ok(other) = Engine::restore(&bad) {
            // Only a version number below this one may differ without being noticed.
            assert!((8..12).contains(&at), "byte {at}");
            assert_eq!(other.state_hash(), engine.state_hash());
        }
        bad.truncate(random.below(good.len() as u64) as usize);
        assert!(Engine::restore(&bad).is_err());
    }
}
