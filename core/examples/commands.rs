//! Opens and closes positions in a loop: the command path alone, for profilers.
//!
//! `cargo run --release --example commands -- ACCOUNTS ROUNDS BATCH`

use _core::engine::Engine;
use _core::wire;

fn head(out: &mut Vec<u8>, kind: u16, body: usize, ts: i64, account: u64, id: u64) {
    let len = (wire::COMMAND_HEADER + body) as u32;
    let at = out.len();
    out.resize(at + len as usize, 0);
    wire::InputHeader { len, kind, flags: 0, ts }.write(&mut out[at..]);
    let mut name = [0u8; 32];
    if id > 0 {
        name[..17].copy_from_slice(format!("c{id:016x}").as_bytes());
    }
    wire::CommandHeader { account, id: name }.write(&mut out[at + wire::INPUT_HEADER..]);
}

fn define(out: &mut Vec<u8>, kind: u16, json: &str) {
    let at = out.len();
    head(out, kind, json.len().next_multiple_of(8), 1, 0, 0);
    let start = at + wire::COMMAND_HEADER;
    out[start..start + json.len()].copy_from_slice(json.as_bytes());
}

fn main() {
    let args: Vec<u64> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let arg = |n: usize, default: u64| args.get(n).copied().unwrap_or(default);
    let (accounts, rounds, batch) = (arg(0, 100_000), arg(1, 200), arg(2, 512));
    let mut engine = Engine::new(0);
    let mut b = Vec::new();
    define(&mut b, wire::DefineCurrency::KIND, r#"{"code":"USD","digits":2}"#);
    for n in 0..64 {
        let json = format!(
            r#"{{"symbol":"S{n}","digits":3,"calc":"cfd_leverage","base":"USD","profit":"USD","margin":"USD","contract_size":100000000000}}"#
        );
        define(&mut b, wire::DefineInstrument::KIND, &json);
    }
    let group = r#"{"name":"g","currency":"USD","leverage":100,"mode":"hedging"}"#;
    define(&mut b, wire::DefineGroup::KIND, group);
    for account in 1..=accounts {
        let at = b.len();
        head(&mut b, wire::OpenAccount::KIND, wire::OpenAccount::SIZE, 1, account, 0);
        let open = wire::OpenAccount { group: 0, leverage: 0, flags: 0, reserved: 0 };
        open.write(&mut b[at + wire::COMMAND_HEADER..]);
        let at = b.len();
        head(&mut b, wire::Balance::KIND, wire::Balance::SIZE, 1, account, 0);
        let amount = 10_000_000_000_000;
        let deposit = wire::Balance { op: 0, r0: 0, r1: 0, r2: 0, amount };
        deposit.write(&mut b[at + wire::COMMAND_HEADER..]);
    }
    for instrument in 0..64 {
        let len = (wire::INPUT_HEADER + wire::Quote::SIZE) as u32;
        let at = b.len();
        b.resize(at + len as usize, 0);
        wire::InputHeader { len, kind: 1, flags: 0, ts: 1 }.write(&mut b[at..]);
        let quote = wire::Quote { instrument, reserved: 0, bid: 100_000, ask: 100_002 };
        quote.write(&mut b[at + wire::INPUT_HEADER..]);
    }
    engine.apply(&b);
    let mut random = 88172645463325252u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let (mut id, mut last) = (0, 0);
    let mut spent = std::time::Duration::ZERO;
    for _ in 0..rounds {
        let mut opens = Vec::new();
        let mut closes = Vec::new();
        for n in 0..batch {
            let account = next() % accounts + 1;
            id += 1;
            let at = opens.len();
            let size = wire::PlaceOrder::SIZE;
            head(&mut opens, wire::PlaceOrder::KIND, size, 2, account, id);
            let mut body = wire::PlaceOrder::read(&[0; wire::PlaceOrder::SIZE]);
            body.instrument = (next() % 64) as u32;
            body.side = (next() % 2) as u8;
            body.volume = 10_000_000;
            body.max_deviation = -1;
            let sign = if body.side == 0 { 1 } else { -1 };
            body.sl = 100_000 - sign * 2_000;
            body.tp = 100_000 + sign * 2_000;
            body.write(&mut opens[at + wire::COMMAND_HEADER..]);
            let at = closes.len();
            let size = wire::ClosePosition::SIZE;
            head(&mut closes, wire::ClosePosition::KIND, size, 2, account, id | 1 << 60);
            let position = last + 2 * n + 2;
            let close = wire::ClosePosition { position, volume: 0, price: 0, max_deviation: -1 };
            close.write(&mut closes[at + wire::COMMAND_HEADER..]);
        }
        last += 3 * batch;
        for commands in [&opens, &closes] {
            engine.out.bytes.clear();
            let start = std::time::Instant::now();
            engine.apply(commands);
            spent += start.elapsed();
        }
    }
    assert_eq!(engine.position_by_id.len(), 0);
    let count = 2 * rounds * batch;
    println!("{count} commands, {:.0} ns each", spent.as_nanos() as f64 / count as f64);
}
