//! Venue frames to exact integers: one pass over a JSON text, taking a few named fields.
//!
//! A reader is made once per kind of frame: the path of object keys to descend, and the fields to
//! take from the object it ends in. Everything else is skipped, but the whole text must be JSON.
//! Decimals become integers digit by digit, never through a float: a price that does not fit its
//! instrument's digits is `OffGrid`, a size is cut at 8 decimals.

/// What a field holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A whole number, quoted or not.
    Int,
    /// A decimal number in points of the instrument, quoted or not.
    Price,
    /// A decimal number in units of 1e-8, quoted or not; finer digits are cut.
    Size,
    /// `true` or `false`.
    Bool,
    /// A string without escapes, or a number as it is written.
    Text,
    /// An array of arrays that begin with a price and a size.
    Levels,
}

/// A field to take.
#[derive(Clone, Debug)]
pub struct Field {
    pub key: Vec<u8>,
    pub kind: Kind,
    pub required: bool,
}

/// What was there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    Missing,
    Int(i64),
    Bool(bool),
    Text(&'a [u8]),
    Levels(Vec<(i64, i64)>),
}

/// Why a text could not be read; numbers are byte positions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    Malformed(usize),
    OffGrid(usize),
    Missing(usize),
}

/// Deeper nesting than any venue sends; bounds the work on hostile text.
const DEPTH_MAX: usize = 32;
const SIZE_DIGITS: u32 = 8;
/// Digits of the largest price instrument (the engine's own bound).
pub const DIGITS_MAX: u32 = 12;

/// Takes `fields` from the object at `path`.
#[derive(Clone, Debug)]
pub struct Reader {
    path: Vec<Vec<u8>>,
    fields: Vec<Field>,
}

impl Reader {
    /// A reader of these fields.
    pub fn new(path: Vec<Vec<u8>>, fields: Vec<Field>) -> Reader {
        Reader { path, fields }
    }

    /// How many values `read` gives.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is nothing to take.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The values of the fields, in their order, for prices of `digits` decimals.
    pub fn read<'a>(
        &self,
        text: &'a [u8],
        digits: u32,
        values: &mut Vec<Value<'a>>,
    ) -> Result<(), Fault> {
        values.clear();
        values.resize(self.fields.len(), Value::Missing);
        let mut scan = Scan { text, at: 0, digits: digits.min(DIGITS_MAX) };
        scan.space();
        self.object(&mut scan, 0, values)?;
        scan.space();
        if scan.at != text.len() {
            return Err(Fault::Malformed(scan.at));
        }
        for (index, field) in self.fields.iter().enumerate() {
            if field.required && values[index] == Value::Missing {
                return Err(Fault::Missing(index));
            }
        }
        Ok(())
    }

    fn object<'a>(
        &self,
        scan: &mut Scan<'a>,
        level: usize,
        values: &mut [Value<'a>],
    ) -> Result<(), Fault> {
        scan.expect(b'{')?;
        scan.space();
        if scan.eat(b'}') {
            return Ok(());
        }
        loop {
            scan.space();
            let key = scan.string()?;
            scan.space();
            scan.expect(b':')?;
            scan.space();
            if level < self.path.len() {
                if key == self.path[level].as_slice() && scan.peek() == Some(b'{') {
                    self.object(scan, level + 1, values)?;
                } else {
                    scan.skip()?;
                }
            } else {
                match self.fields.iter().position(|field| field.key == key) {
                    Some(index) => values[index] = scan.value(self.fields[index].kind)?,
                    None => scan.skip()?,
                }
            }
            scan.space();
            if scan.eat(b'}') {
                return Ok(());
            }
            scan.expect(b',')?;
        }
    }
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    digits: u32,
}

impl<'a> Scan<'a> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    #[inline]
    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    #[inline]
    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.eat(byte) {
            Ok(())
        } else {
            Err(Fault::Malformed(self.at))
        }
    }

    /// The inside of a string, escapes left as they are.
    fn string(&mut self) -> Result<&'a [u8], Fault> {
        self.expect(b'"')?;
        let begin = self.at;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(&self.text[begin..self.at - 1]);
                }
                Some(b'\\') => self.at += 2,
                Some(byte) if byte >= 0x20 => self.at += 1,
                _ => return Err(Fault::Malformed(self.at)),
            }
        }
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), Fault> {
        if self.text[self.at..].starts_with(word) {
            self.at += word.len();
            Ok(())
        } else {
            Err(Fault::Malformed(self.at))
        }
    }

    /// A number as it is written.
    fn number(&mut self) -> Result<&'a [u8], Fault> {
        let begin = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')) {
            self.at += 1;
        }
        if self.at == begin {
            return Err(Fault::Malformed(begin));
        }
        Ok(&self.text[begin..self.at])
    }

    /// Pass over any value.
    fn skip(&mut self) -> Result<(), Fault> {
        let mut closers = [0u8; DEPTH_MAX];
        let mut depth = 0;
        loop {
            self.space();
            match self.peek() {
                Some(b'"') => drop(self.string()?),
                Some(open @ (b'{' | b'[')) => {
                    if depth == DEPTH_MAX {
                        return Err(Fault::Malformed(self.at));
                    }
                    closers[depth] = if open == b'{' { b'}' } else { b']' };
                    depth += 1;
                    self.at += 1;
                    self.space();
                    if self.peek() != Some(closers[depth - 1]) {
                        if open == b'{' {
                            self.key()?;
                        }
                        continue;
                    }
                }
                Some(b't') => self.literal(b"true")?,
                Some(b'f') => self.literal(b"false")?,
                Some(b'n') => self.literal(b"null")?,
                _ => drop(self.number()?),
            }
            loop {
                if depth == 0 {
                    return Ok(());
                }
                self.space();
                if self.eat(closers[depth - 1]) {
                    depth -= 1;
                    continue;
                }
                self.expect(b',')?;
                self.space();
                if closers[depth - 1] == b'}' {
                    self.key()?;
                }
                break;
            }
        }
    }

    fn key(&mut self) -> Result<(), Fault> {
        self.string()?;
        self.space();
        self.expect(b':')
    }

    fn value(&mut self, kind: Kind) -> Result<Value<'a>, Fault> {
        if self.peek() == Some(b'n') {
            self.literal(b"null")?;
            return Ok(Value::Missing);
        }
        Ok(match kind {
            Kind::Int => Value::Int(self.decimal(0, false)?),
            Kind::Price => Value::Int(self.decimal(self.digits, false)?),
            Kind::Size => Value::Int(self.decimal(SIZE_DIGITS, true)?),
            Kind::Bool => {
                let yes = self.peek() == Some(b't');
                self.literal(if yes { b"true" } else { b"false" })?;
                Value::Bool(yes)
            }
            Kind::Text if self.peek() == Some(b'"') => {
                let begin = self.at;
                let text = self.string()?;
                if text.contains(&b'\\') {
                    return Err(Fault::Malformed(begin));
                }
                Value::Text(text)
            }
            Kind::Text => Value::Text(self.number()?),
            Kind::Levels => Value::Levels(self.levels()?),
        })
    }

    /// A decimal number, quoted or not, times 10^`digits`.
    fn decimal(&mut self, digits: u32, cut: bool) -> Result<i64, Fault> {
        let begin = self.at;
        let quoted = self.eat(b'"');
        let number = self.number()?;
        if quoted {
            self.expect(b'"')?;
        }
        scaled(number, digits, cut).map_err(|bad| match bad {
            Bad::Number => Fault::Malformed(begin),
            Bad::Grid => Fault::OffGrid(begin),
        })
    }

    fn levels(&mut self) -> Result<Vec<(i64, i64)>, Fault> {
        let mut levels = Vec::new();
        self.expect(b'[')?;
        self.space();
        if self.eat(b']') {
            return Ok(levels);
        }
        loop {
            self.space();
            self.expect(b'[')?;
            self.space();
            let price = self.decimal(self.digits, false)?;
            self.space();
            self.expect(b',')?;
            self.space();
            let size = self.decimal(SIZE_DIGITS, true)?;
            levels.push((price, size));
            self.space();
            while !self.eat(b']') {
                self.expect(b',')?;
                self.skip()?;
                self.space();
            }
            self.space();
            if self.eat(b']') {
                return Ok(levels);
            }
            self.expect(b',')?;
        }
    }
}

enum Bad {
    Number,
    Grid,
}

/// The integer `number` × 10^`digits`. Digits that do not fit are an error, or cut off.
fn scaled(number: &[u8], digits: u32, cut: bool) -> Result<i64, Bad> {
    let (negative, rest) = match number.first() {
        Some(b'-') => (true, &number[1..]),
        _ => (false, number),
    };
    let mut total: i64 = 0;
    let mut decimals: u32 = 0;
    let mut point = false;
    let mut any = false;
    for (index, &byte) in rest.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                any = true;
                let digit = i64::from(byte - b'0');
                if point {
                    if decimals == digits {
                        if digit != 0 && !cut {
                            // A later exponent may still move it onto the grid.
                            return if rest[index..].iter().any(|b| matches!(b, b'e' | b'E')) {
                                exponent(negative, rest, digits, cut)
                            } else {
                                Err(Bad::Grid)
                            };
                        }
                        continue;
                    }
                    decimals += 1;
                }
                total = total
                    .checked_mul(10)
                    .and_then(|tens| tens.checked_add(digit))
                    .ok_or(Bad::Grid)?;
            }
            b'.' if !point && any => point = true,
            b'e' | b'E' if any => return exponent(negative, rest, digits, cut),
            _ => return Err(Bad::Number),
        }
    }
    if !any || (point && rest.last() == Some(&b'.')) {
        return Err(Bad::Number);
    }
    let up = 10i64.checked_pow(digits - decimals).ok_or(Bad::Grid)?;
    let total = total.checked_mul(up).ok_or(Bad::Grid)?;
    Ok(if negative { -total } else { total })
}

/// The same for a number with an exponent, which venues send for very small values.
fn exponent(negative: bool, rest: &[u8], digits: u32, cut: bool) -> Result<i64, Bad> {
    let text = std::str::from_utf8(rest).map_err(|_| Bad::Number)?;
    let (mantissa, power) = text.split_once(['e', 'E']).ok_or(Bad::Number)?;
    let power: i32 = power.parse().map_err(|_| Bad::Number)?;
    if !(-60..=60).contains(&power) || mantissa.len() > 30 {
        return Err(Bad::Grid);
    }
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let joined = format!("{whole}{part}");
    if whole.is_empty() || !joined.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Bad::Number);
    }
    let total: i128 = joined.parse().map_err(|_| Bad::Number)?;
    let shift = i32::try_from(digits).unwrap_or(0) + power - part.len() as i32;
    let moved = if shift >= 0 {
        10i128.checked_pow(shift.unsigned_abs()).and_then(|by| total.checked_mul(by))
    } else {
        match 10i128.checked_pow(shift.unsigned_abs()) {
            Some(by) if cut || total % by == 0 => Some(total / by),
            _ if cut || total == 0 => Some(0),
            _ => None,
        }
    };
    let value = i64::try_from(moved.ok_or(Bad::Grid)?).map_err(|_| Bad::Grid)?;
    Ok(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(key: &str, kind: Kind) -> Field {
        Field { key: key.into(), kind, required: true }
    }

    fn quote() -> Reader {
        Reader::new(
            vec![b"data".to_vec()],
            vec![field("u", Kind::Int), field("b", Kind::Price), field("B", Kind::Size)],
        )
    }

    fn read(text: &str) -> Result<Vec<Value<'_>>, Fault> {
        let mut values = Vec::new();
        quote().read(text.as_bytes(), 2, &mut values).map(|()| values)
    }

    #[test]
    fn a_quote_is_read_exactly() {
        let text = r#"{"stream":"x@y","data":{"u":17,"s":"A\"B","b":"61800.20000000","k":[1,{"b":2}],"B":"0.00100000"}}"#;
        let wanted = vec![Value::Int(17), Value::Int(6_180_020), Value::Int(100_000)];
        assert_eq!(read(text), Ok(wanted));
    }

    #[test]
    fn a_price_between_steps_is_off_the_grid_and_a_size_is_cut() {
        let off = r#"{"data":{"u":1,"b":"1.005","B":"1"}}"#;
        assert_eq!(read(off), Err(Fault::OffGrid(19)));
        let cut = r#"{"data":{"u":1,"b":"1.00","B":"0.123456789"}}"#;
        assert_eq!(read(cut).unwrap()[2], Value::Int(12_345_678));
    }

    #[test]
    fn exponents_are_numbers() {
        let text = r#"{"data":{"u":1,"b":1.5e-1,"B":"2.5E-7"}}"#;
        let wanted = vec![Value::Int(1), Value::Int(15), Value::Int(25)];
        assert_eq!(read(text), Ok(wanted));
    }

    #[test]
    fn every_cut_of_a_frame_is_a_fault() {
        let text = r#"{"stream":"x@y","data":{"u":17,"b":"61800.2","a":[[1,"2"],[]],"B":"1"}}"#;
        for end in 0..text.len() {
            assert!(read(&text[..end]).is_err(), "{end}");
        }
        assert!(read(&format!("{text} x")).is_err());
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for bad in ["NaN", "\"\"", "\".5\"", "\"5.\"", "\"--5\"", "\"1.2.3\"", "{}", "[]", "true"] {
            let text = format!(r#"{{"data":{{"u":1,"b":{bad},"B":"1"}}}}"#);
            assert!(matches!(read(&text), Err(Fault::Malformed(_))), "{bad}");
        }
        let huge = r#"{"data":{"u":1,"b":"99999999999999999999","B":"1"}}"#;
        assert!(matches!(read(huge), Err(Fault::OffGrid(_))));
    }

    #[test]
    fn levels_are_pairs() {
        let reader = Reader::new(vec![], vec![field("b", Kind::Levels)]);
        let mut values = Vec::new();
        let text = br#"{"b":[["1.5","2"],[3.25,4,"0",7]]}"#;
        reader.read(text, 2, &mut values).unwrap();
        let wanted = vec![(150, 200_000_000), (325, 400_000_000)];
        assert_eq!(values[0], Value::Levels(wanted));
    }

    #[test]
    fn random_bytes_never_panic() {
        let mut seed: u64 = 0x9E37_79B9_7F4A_7C15;
        let base = br#"{"data":{"u":17,"b":"61800.2","x":{"y":[1,2,{"z":null}]},"B":"1e-3"}}"#;
        let mut values = Vec::new();
        for _ in 0..20_000 {
            let mut text = base.to_vec();
            for _ in 0..3 {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                let at = (seed as usize) % text.len();
                text[at] = (seed >> 32) as u8;
            }
            let _ = quote().read(&text, 2, &mut Vec::new());
        }
        assert!(quote().read(base, 2, &mut values).is_ok());
    }
}
