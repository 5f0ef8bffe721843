//! Frames of market streams to columns: exact, whole or not at all, and safe on hostile bytes.

use _core::ticks::{Fault, Ticks};

/// MessagePack by hand, so that the test shares nothing with what it tests.
fn text(of: &str) -> Vec<u8> {
    let mut out = vec![0xd9, of.len() as u8];
    out.extend(of.as_bytes());
    out
}

fn int(of: i64) -> Vec<u8> {
    let mut out = vec![0xd3];
    out.extend(of.to_be_bytes());
    out
}

fn array(of: &[Vec<u8>]) -> Vec<u8> {
    let mut out = vec![0xdc];
    out.extend((of.len() as u16).to_be_bytes());
    out.extend(of.concat());
    out
}

fn quote(symbol: &str, numbers: [i64; 7]) -> Vec<u8> {
    let mut fields = vec![text("q"), text("binance"), text(symbol), vec![2]];
    fields.extend(numbers.map(int));
    array(&fields)
}

fn trade(id: &str, side: u8) -> Vec<u8> {
    let head = [text("t"), text("binance"), text("ETH"), vec![3], int(-5), int(6), vec![side]];
    array(&[head.as_slice(), &[text(id), int(7), int(0)]].concat())
}

fn frame(seq: i64, events: &[Vec<u8>]) -> Vec<u8> {
    array(&[vec![1], text("p"), int(seq), array(events)])
}

#[test]
fn rows_are_exact() {
    let mut ticks = Ticks::default();
    ticks.add(&frame(4, &[quote("BTC", [1, 2, 3, 4, 5, 6, i64::MAX]), trade("a", 0xc0)])).unwrap();
    ticks
        .add(&frame(
            5,
            &[trade("bc", 0), trade("", 1), quote("BTC", [-1, i64::MIN, 0, 0, 8, 0, 9])],
        ))
        .unwrap();
    let keys = [("binance", "BTC", 2), ("binance", "ETH", 3)];
    assert_eq!(ticks.keys, keys.map(|(v, s, d)| (v.to_owned(), s.to_owned(), d)));
    assert_eq!(ticks.quotes[0], [0, 6, 5, 1, 2, 3, 4, i64::MAX]);
    assert_eq!(ticks.quotes[1], [0, 8, 8, -1, i64::MIN, 0, 0, 9]);
    assert_eq!(ticks.trades, [[1, 7, 7, -5, 6, 0], [1, 7, 7, -5, 6, 1], [1, 7, 7, -5, 6, -1]]);
    assert_eq!((ticks.ids.as_str(), ticks.id_ends.as_slice()), ("abc", [1, 3, 3].as_slice()));
    let heads: Vec<_> = ticks.heads.iter().map(|h| (h.seq, h.quotes, h.trades)).collect();
    assert_eq!(heads, [(4, 1, 1), (5, 2, 3)]);
}

#[test]
fn small_numbers_and_a_missing_seq_are_read() {
    let fields = [
        vec![0xa1, b'q'],
        vec![0xa1, b'v'],
        vec![0xa1, b's'],
        vec![0],
        vec![0xff],
        vec![0xcc, 200],
        vec![0xcd, 0xff, 0xff],
        vec![0xd0, 0x80],
        vec![0xd1, 0xff, 0x00],
        vec![0xce, 0xff, 0xff, 0xff, 0xff],
    ];
    let mut ticks = Ticks::default();
    ticks.add(&frame(1, &[array(&fields)])).unwrap();
    assert_eq!(ticks.quotes, [[0, 0xffff_ffff, -256, -1, 200, 65_535, -128, 0]]);
}

#[test]
fn other_events_are_passed_over_and_funding_handed_on() {
    let level = array(&[array(&[int(1), int(2)])]);
    let mut book = vec![text("b"), text("v"), text("s"), vec![0], vec![0xc3], level.clone(), level];
    book.extend((0..5).map(int));
    let funding: Vec<_> = std::iter::once(text("f")).chain((0..9).map(|_| text("x"))).collect();
    let mut ticks = Ticks::default();
    ticks.add(&frame(1, &[array(&book)])).unwrap();
    ticks.add(&frame(2, &[array(&funding), trade("a", 0)])).unwrap();
    assert_eq!((ticks.quotes.len(), ticks.trades.len()), (0, 1));
    assert_eq!(ticks.funding, [(1, array(&funding))]);
}

#[test]
fn a_bad_frame_changes_nothing() {
    let good = frame(1, &[quote("BTC", [1; 7]), trade("a", 0)]);
    let mut wide = quote("BTC", [1; 7]);
    let at = wide.len() - 9;
    wide[at] = 0xcf;
    wide[at + 1] = 0x80;
    let mut ticks = Ticks::default();
    ticks.add(&good).unwrap();
    assert_eq!(ticks.add(&frame(2, &[trade("b", 1), wide])), Err(Fault::Wide));
    let unknown = array(&[text("z"), int(1)]);
    assert_eq!(ticks.add(&frame(3, &[trade("b", 1), unknown])), Err(Fault::Malformed));
    assert_eq!(ticks.add(&[good.as_slice(), &[0]].concat()), Err(Fault::Malformed));
    for end in 0..good.len() {
        assert_eq!(ticks.add(&good[..end]), Err(Fault::Malformed), "cut at {end}");
    }
    assert_eq!((ticks.quotes.len(), ticks.trades.len(), ticks.heads.len()), (1, 1, 1));
    assert_eq!((ticks.ids.as_str(), ticks.id_ends.len()), ("a", 1));
}

#[test]
fn any_damaged_byte_is_harmless() {
    let good = frame(1, &[quote("BTC", [7; 7]), trade("a", 0), trade("b", 1)]);
    let mut ticks = Ticks::default();
    for at in 0..good.len() {
        for byte in 0..=255 {
            let mut bad = good.clone();
            bad[at] = byte;
            let _ = ticks.add(&bad);
        }
    }
    assert_eq!(ticks.trades.len(), ticks.id_ends.len());
    assert_eq!(ticks.heads.last().map(|h| (h.quotes, h.trades)).unwrap().1, ticks.trades.len());
}
