//! Frames of market streams to columns: quotes and trades of many frames in one pass.
//!
//! A frame is MessagePack: `[version, producer, seq, [event, ...]]`, an event is an array that
//! begins with its tag. Quotes (`q`) and trades (`t`) become rows of integers, funding (`f`) is
//! handed on as it is, everything else is skipped. A frame that is not exactly so changes nothing.

use crate::engine::Map;

/// Frames of this version are read.
pub const VERSION: i64 = 1;
/// Values one skipped event may still promise: far more than the largest book, and no overflow.
const OPEN_MAX: u64 = 1 << 24;

/// Integers of a quote: key, ts_ns, venue_ns, bid, ask, bid_size, ask_size, seq.
pub const QUOTE: usize = 8;
/// Integers of a trade: key, ts_ns, venue_ns, price, size, side (1 bought, -1 sold, 0 not told).
pub const TRADE: usize = 6;

/// Why a frame was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Not a frame as a publisher makes it.
    Malformed,
    /// A number beyond 64 bits with a sign.
    Wide,
}

type Read<T> = Result<T, Fault>;

/// A frame that was taken, and where its rows end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    pub producer: usize,
    pub seq: i64,
    pub quotes: usize,
    pub trades: usize,
}

/// Whose rows these are: venue, symbol, price digits.
pub type Key = (String, String, i64);

/// The rows of the frames taken so far.
#[derive(Default)]
pub struct Ticks {
    pub heads: Vec<Head>,
    pub producers: Vec<String>,
    pub keys: Vec<Key>,
    pub quotes: Vec<[i64; QUOTE]>,
    pub trades: Vec<[i64; TRADE]>,
    /// The ids of the trades, one behind the other, and where each ends.
    pub ids: String,
    pub id_ends: Vec<usize>,
    /// Funding: the frame's position and the event's bytes.
    pub funding: Vec<(usize, Vec<u8>)>,
    /// Keys by their bytes in a frame.
    known: Map<Box<[u8]>, i64>,
}

impl Ticks {
    /// Takes a frame whole or not at all.
    pub fn add(&mut self, frame: &[u8]) -> Read<()> {
        let before = (self.quotes.len(), self.trades.len(), self.ids.len(), self.funding.len());
        let taken = self.frame(frame);
        if taken.is_err() {
            self.quotes.truncate(before.0);
            self.trades.truncate(before.1);
            self.id_ends.truncate(before.1);
            self.ids.truncate(before.2);
            self.funding.truncate(before.3);
        }
        taken
    }

    fn frame(&mut self, frame: &[u8]) -> Read<()> {
        let mut from = Cursor { data: frame, at: 0 };
        if from.array()? != 4 || from.int()? != VERSION {
            return Err(Fault::Malformed);
        }
        let producer = from.text()?;
        let seq = from.int()?;
        for _ in 0..from.array()? {
            self.event(&mut from)?;
        }
        if from.at != frame.len() {
            return Err(Fault::Malformed);
        }
        let producer = self.producer(producer);
        let (quotes, trades) = (self.quotes.len(), self.trades.len());
        self.heads.push(Head { producer, seq, quotes, trades });
        Ok(())
    }

    fn event(&mut self, from: &mut Cursor<'_>) -> Read<()> {
        let start = from.at;
        let fields = from.array()?;
        if fields == 0 {
            return Err(Fault::Malformed);
        }
        match (from.text()?, fields) {
            ("q", 10..) => {
                let key = self.key(from)?;
                let mut own = [0; 6];
                for each in &mut own {
                    *each = from.int()?;
                }
                let [bid, ask, bid_size, ask_size, venue_ns, recv_ns] = own;
                let seq = if fields > 10 { from.int()? } else { 0 };
                from.skip(fields.saturating_sub(11))?;
                let ts_ns = if recv_ns != 0 { recv_ns } else { venue_ns };
                self.quotes.push([key, ts_ns, venue_ns, bid, ask, bid_size, ask_size, seq]);
            }
            ("t", 10..) => {
                let key = self.key(from)?;
                let (price, size) = (from.int()?, from.int()?);
                let side = from.side()?;
                self.ids.push_str(from.text()?);
                let (venue_ns, recv_ns) = (from.int()?, from.int()?);
                from.skip(fields - 10)?;
                let ts_ns = if recv_ns != 0 { recv_ns } else { venue_ns };
                self.id_ends.push(self.ids.len());
                self.trades.push([key, ts_ns, venue_ns, price, size, side]);
            }
            ("f", 10..) => {
                from.skip(fields - 1)?;
                self.funding.push((self.heads.len(), from.data[start..from.at].to_vec()));
            }
            ("b", 12..) | ("s", 6..) => from.skip(fields - 1)?,
            _ => return Err(Fault::Malformed),
        }
        Ok(())
    }

    fn producer(&mut self, name: &str) -> usize {
        // Frames of one batch come from one or two producers.
        let found = self.producers.iter().rposition(|each| each == name);
        found.unwrap_or_else(|| {
            self.producers.push(name.to_owned());
            self.producers.len() - 1
        })
    }

    fn key(&mut self, from: &mut Cursor<'_>) -> Read<i64> {
        let start = from.at;
        from.skip(3)?;
        let raw = &from.data[start..from.at];
        if let Some(&number) = self.known.get(raw) {
            return Ok(number);
        }
        let mut again = Cursor { data: from.data, at: start };
        let key = (again.text()?.to_owned(), again.text()?.to_owned(), again.int()?);
        let number = self.keys.iter().position(|each| *each == key).unwrap_or_else(|| {
            self.keys.push(key);
            self.keys.len() - 1
        }) as i64;
        self.known.insert(raw.into(), number);
        Ok(number)
    }
}

/// A place in MessagePack.
struct Cursor<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn byte(&mut self) -> Read<u8> {
        let byte = *self.data.get(self.at).ok_or(Fault::Malformed)?;
        self.at += 1;
        Ok(byte)
    }

    fn bytes(&mut self, count: usize) -> Read<&'a [u8]> {
        let end = self.at.checked_add(count).ok_or(Fault::Malformed)?;
        let found = self.data.get(self.at..end).ok_or(Fault::Malformed)?;
        self.at = end;
        Ok(found)
    }

    /// A big-endian number of `count` bytes, up to eight.
    fn number(&mut self, count: usize) -> Read<u64> {
        Ok(self.bytes(count)?.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
    }

    fn array(&mut self) -> Read<u64> {
        match self.byte()? {
            head @ 0x90..=0x9f => Ok(u64::from(head & 0x0f)),
            0xdc => self.number(2),
            0xdd => self.number(4),
            _ => Err(Fault::Malformed),
        }
    }

    fn text(&mut self) -> Read<&'a str> {
        let count = match self.byte()? {
            head @ 0xa0..=0xbf => u64::from(head & 0x1f),
            0xd9 => self.number(1)?,
            0xda => self.number(2)?,
            0xdb => self.number(4)?,
            _ => return Err(Fault::Malformed),
        };
        std::str::from_utf8(self.bytes(count as usize)?).map_err(|_| Fault::Malformed)
    }

    fn int(&mut self) -> Read<i64> {
        Ok(match self.byte()? {
            head @ 0x00..=0x7f => i64::from(head),
            head @ 0xe0..=0xff => i64::from(head as i8),
            0xcc => self.number(1)? as i64,
            0xcd => self.number(2)? as i64,
            0xce => self.number(4)? as i64,
            0xcf => i64::try_from(self.number(8)?).map_err(|_| Fault::Wide)?,
            0xd0 => i64::from(self.number(1)? as u8 as i8),
            0xd1 => i64::from(self.number(2)? as u16 as i16),
            0xd2 => i64::from(self.number(4)? as u32 as i32),
            0xd3 => self.number(8)? as i64,
            _ => return Err(Fault::Malformed),
        })
    }

    /// The side of a trade as it is stored.
    fn side(&mut self) -> Read<i64> {
        match self.byte()? {
            0xc0 => Ok(0),
            0 => Ok(1),
            1 => Ok(-1),
            _ => Err(Fault::Malformed),
        }
    }

    /// Goes past `count` values of any kind, without recursion.
    fn skip(&mut self, count: u64) -> Read<()> {
        let mut open = count;
        while open > 0 {
            open -= 1;
            let size = match self.byte()? {
                0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => 0,
                head @ 0x80..=0x8f => {
                    open += 2 * u64::from(head & 0x0f);
                    0
                }
                head @ 0x90..=0x9f => {
                    open += u64::from(head & 0x0f);
                    0
                }
                head @ 0xa0..=0xbf => u64::from(head & 0x1f),
                0xcc | 0xd0 => 1,
                0xcd | 0xd1 => 2,
                0xca | 0xce | 0xd2 => 4,
                0xcb | 0xcf | 0xd3 => 8,
                0xc4 | 0xd9 => self.number(1)?,
                0xc5 | 0xda => self.number(2)?,
                0xc6 | 0xdb => self.number(4)?,
                0xdc => self.opened(2, 1, &mut open)?,
                0xdd => self.opened(4, 1, &mut open)?,
                0xde => self.opened(2, 2, &mut open)?,
                0xdf => self.opened(4, 2, &mut open)?,
                _ => return Err(Fault::Malformed),
            };
            if open > OPEN_MAX {
                return Err(Fault::Malformed);
            }
            self.bytes(size as usize)?;
        }
        Ok(())
    }

    fn opened(&mut self, count: usize, each: u64, open: &mut u64) -> Read<u64> {
        *open += each * self.number(count)?;
        Ok(0)
    }
}
