//! The binary records that go in and out of the engine.
//!
//! Every record starts with its length, so a batch is records one after another. All numbers are
//! little-endian and every record is a multiple of eight bytes long. The `record!` macro writes
//! the encoder, the decoder and the *layout table* of a record from one description; Python builds
//! its own encoders from that table (`_core.layouts()`), so the two sides cannot drift apart.

/// Version of the record formats; stands in every journal segment and snapshot.
pub const WIRE_VERSION: u16 = 1;

/// Bytes of a command id, zero padded.
pub const ID_BYTES: usize = 32;

pub type Id = [u8; ID_BYTES];

/// A field type that can be read from and written to a record.
pub trait Field: Sized + Copy {
    const SIZE: usize;
    /// Format letter: `B H I Q i q` as in Python's `struct`, `n` for i128, `s` for 32 bytes.
    const CODE: char;
    fn get(bytes: &[u8]) -> Self;
    fn put(self, out: &mut [u8]);
}

macro_rules! number {
    ($($type:ty, $code:literal);*) => {$(
        impl Field for $type {
            const SIZE: usize = size_of::<$type>();
            const CODE: char = $code;
            #[inline(always)]
            fn get(bytes: &[u8]) -> Self {
                let mut raw = [0u8; size_of::<$type>()];
                raw.copy_from_slice(&bytes[..size_of::<$type>()]);
                <$type>::from_le_bytes(raw)
            }
            #[inline(always)]
            fn put(self, out: &mut [u8]) {
                out[..size_of::<$type>()].copy_from_slice(&self.to_le_bytes());
            }
        }
    )*};
}
number!(u8, 'B'; u16, 'H'; u32, 'I'; u64, 'Q'; i64, 'q'; i128, 'n');

impl Field for Id {
    const SIZE: usize = ID_BYTES;
    const CODE: char = 's';
    #[inline(always)]
    fn get(bytes: &[u8]) -> Self {
        let mut raw = [0u8; ID_BYTES];
        raw.copy_from_slice(&bytes[..ID_BYTES]);
        raw
    }
    #[inline(always)]
    fn put(self, out: &mut [u8]) {
        out[..ID_BYTES].copy_from_slice(&self);
    }
}

/// Name, kind number, fixed body size and `(field, format letter)` pairs of a record.
pub struct Layout {
    pub name: &'static str,
    pub kind: u16,
    pub size: usize,
    pub fields: &'static [(&'static str, char)],
}

macro_rules! record {
    ($(#[$doc:meta])* $name:ident = $kind:literal { $($field:ident : $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name { $(pub $field: $type),* }
        impl $name {
            pub const KIND: u16 = $kind;
            pub const SIZE: usize = 0 $(+ <$type as Field>::SIZE)*;
            pub const LAYOUT: Layout = Layout {
                name: stringify!($name),
                kind: $kind,
                size: Self::SIZE,
                fields: &[$((stringify!($field), <$type as Field>::CODE)),*],
            };
            /// Reads the body; `bytes` must hold at least `SIZE` bytes.
            #[inline(always)]
            #[allow(unused_assignments, unused_variables, unused_mut)]
            pub fn read(bytes: &[u8]) -> Self {
                let bytes = &bytes[..Self::SIZE];
                let mut at = 0usize;
                $(let $field = <$type as Field>::get(&bytes[at..]); at += <$type as Field>::SIZE;)*
                Self { $($field),* }
            }
            /// Writes the body into exactly `SIZE` bytes.
            #[inline(always)]
            #[allow(unused_assignments, unused_variables, unused_mut)]
            pub fn write(&self, out: &mut [u8]) {
                let out = &mut out[..Self::SIZE];
                let mut at = 0usize;
                $(self.$field.put(&mut out[at..]); at += <$type as Field>::SIZE;)*
            }
        }
        const _: () = assert!($name::SIZE % 8 == 0, "records are multiples of eight bytes");
    };
}

// ---- headers --------------------------------------------------------------------------------

record! {
    /// Start of every input: total length in bytes, kind, flags (0) and time (UTC ns).
    InputHeader = 0 { len: u32, kind: u16, flags: u16, ts: i64 }
}
record! {
    /// Follows `InputHeader` in every input but QUOTE and CLOCK.
    CommandHeader = 0 { account: u64, id: Id }
}
record! {
    /// Start of every event. `seq` and `cause` are 0 for answers that are not history.
    EventHeader = 0 { len: u32, kind: u16, flags: u16, seq: u64, ts: i64, cause: u64 }
}

// ---- inputs ---------------------------------------------------------------------------------

record! { Quote = 1 { instrument: u32, reserved: u32, bid: i64, ask: i64 } }
record! { Clock = 2 {} }
record! { DefineCurrency = 10 {} }
record! { DefineInstrument = 11 {} }
record! { DefineGroup = 12 {} }
record! {
    /// `leverage` 0 takes the group's; `flags` see `account::flags`.
    OpenAccount = 20 { group: u32, leverage: u32, flags: u32, reserved: u32 }
}
record! { UpdateAccount = 21 { group: u32, leverage: u32, flags: u32, reserved: u32 } }
record! { CloseAccount = 22 {} }
record! { Balance = 23 { op: u8, r0: u8, r1: u16, r2: u32, amount: i128 } }
record! {
    /// `terms` is a bit set: 1 commission, 2 markup, 4 swap rates are given by the command.
    PlaceOrder = 30 {
        instrument: u32, side: u8, type_: u8, tif: u8, flags: u8,
        volume: i64, price: i64, limit_price: i64, sl: i64, tp: i64,
        trailing: i64, trailing_step: i64, max_deviation: i64, expire: i64,
        oco: u64, position: u64, tag: u64,
        leverage: u32, terms: u8, commission_mode: u8, commission_when: u8, reserved: u8,
        commission_value: i64, markup: i64, swap_long: i64, swap_short: i64,
    }
}
record! {
    ModifyOrder = 31 { order: u64, price: i64, limit_price: i64, sl: i64, tp: i64, expire: i64 }
}
record! { CancelOrder = 32 { order: u64 } }
record! {
    /// `instrument` 0xFFFFFFFF means every instrument.
    CancelAll = 33 { instrument: u32, reserved: u32 }
}
record! {
    /// `volume` 0 closes all; `price` > 0 with `max_deviation` >= 0 bounds the fill.
    ClosePosition = 40 { position: u64, volume: i64, price: i64, max_deviation: i64 }
}
record! { CloseBy = 41 { position: u64, position_by: u64 } }
record! { CloseAll = 42 { instrument: u32, reserved: u32 } }
record! { Reverse = 43 { position: u64 } }
record! {
    ModifyPosition = 44 { position: u64, sl: i64, tp: i64, trailing: i64, trailing_step: i64 }
}
record! { SetTradingState = 50 { target: u64, scope: u8, state: u8, r0: u16, r1: u32 } }
record! {
    /// `day`: days since 1970-01-01; `account` 0 in the command header means every account.
    Rollover = 60 { day: u32, reserved: u32 }
}
record! { Funding = 61 { instrument: u32, reserved: u32, rate: i64 } }
record! {
    /// What a venue said of a routed order; `trade` identifies a fill at the venue.
    Report = 70 {
        order: u64, kind: u8, r0: u8, r1: u16, r2: u32, volume: i64, price: i64, trade: Id
    }
}

// ---- events ---------------------------------------------------------------------------------

record! {
    /// Answer to the input number `index` of the batch.
    EventResult = 1 { index: u32, code: u16, field: u16, account: u64, reference: u64, id: Id }
}
record! {
    /// A currency, instrument or group was defined; its JSON follows the body (zero padded).
    EventConfig = 2 { kind: u16, new: u16, index: u32, bytes: u32, reserved: u32 }
}
record! {
    EventAccount = 3 {
        account: u64, group: u32, leverage: u32, flags: u32, currency: u32, opened: i64
    }
}
record! {
    /// Linked transfers; `count` legs follow. `balance`, `credit`: after the legs.
    EventLedger = 4 {
        account: u64, reference: u64, balance: i128, credit: i128, first_leg: u32, count: u32
    }
}
record! {
    /// One leg: `amount` moves from the house account to the customer account of the ledger.
    LedgerLeg = 0 { ledger: u8, sub: u8, reason: u16, currency: u32, amount: i128 }
}
record! {
    /// State of an order after the event; up to 64 bytes of comment may follow (see `comment`).
    EventOrder = 5 {
        order: u64, account: u64, instrument: u32, side: u8, type_: u8, tif: u8, state: u8,
        reason: u8, comment: u8, code: u16, leverage: u32,
        volume: i64, filled: i64, price: i64, limit_price: i64, sl: i64, tp: i64,
        expire: i64, position: u64, oco: u64, tag: u64,
    }
}
record! {
    /// A fill; its id is the event's `seq`. `trade` is zero unless a venue made the fill.
    EventFill = 6 {
        order: u64, position: u64, account: u64, instrument: u32, side: u8, entry: u8,
        reason: u8, flags: u8, volume: i64, price: i64, profit: i128, commission: i128, trade: Id,
    }
}
record! {
    /// A position after a change. `cost`: sum of price times volume of what is open.
    EventPosition = 7 {
        position: u64, account: u64, instrument: u32, side: u8, state: u8, reason: u8, flags: u8,
        volume: i64, price: i64, cost: i128, sl: i64, tp: i64, trailing: i64,
        margin: i128, swap: i128, order: u64, opened: i64, tag: u64,
    }
}
record! {
    /// The margin state of an account changed: `level` 0 ok, 1 margin call, 2 stop-out.
    EventMargin = 8 { account: u64, level: u8, r0: u8, r1: u16, r2: u32, equity: i128, margin: i128 }
}
record! {
    /// An intent for a venue: `action` 0 submit, 1 cancel. `limit` 0 is a plain market order.
    EventRoute = 9 {
        order: u64, account: u64, instrument: u32, side: u8, action: u8, tif: u8, reason: u8,
        volume: i64, limit: i64, position: u64, tag: u64,
    }
}
record! { EventState = 10 { target: u64, scope: u8, state: u8, r0: u16, r1: u32 } }

/// Every layout: name, whether it is an input, and the table.
pub const INPUTS: &[&Layout] = &[
    &Quote::LAYOUT,
    &Clock::LAYOUT,
    &DefineCurrency::LAYOUT,
    &DefineInstrument::LAYOUT,
    &DefineGroup::LAYOUT,
    &OpenAccount::LAYOUT,
    &UpdateAccount::LAYOUT,
    &CloseAccount::LAYOUT,
    &Balance::LAYOUT,
    &PlaceOrder::LAYOUT,
    &ModifyOrder::LAYOUT,
    &CancelOrder::LAYOUT,
    &CancelAll::LAYOUT,
    &ClosePosition::LAYOUT,
    &CloseBy::LAYOUT,
    &CloseAll::LAYOUT,
    &Reverse::LAYOUT,
    &ModifyPosition::LAYOUT,
    &SetTradingState::LAYOUT,
    &Rollover::LAYOUT,
    &Funding::LAYOUT,
    &Report::LAYOUT,
];
pub const EVENTS: &[&Layout] = &[
    &EventResult::LAYOUT,
    &EventConfig::LAYOUT,
    &EventAccount::LAYOUT,
    &EventLedger::LAYOUT,
    &EventOrder::LAYOUT,
    &EventFill::LAYOUT,
    &EventPosition::LAYOUT,
    &EventMargin::LAYOUT,
    &EventRoute::LAYOUT,
    &EventState::LAYOUT,
];

/// Flags of a RESULT event.
pub const RESULT_REFUSED: u16 = 1;
pub const RESULT_REPEAT: u16 = 2;

pub const INPUT_HEADER: usize = InputHeader::SIZE;
pub const COMMAND_HEADER: usize = InputHeader::SIZE + CommandHeader::SIZE;
pub const EVENT_HEADER: usize = EventHeader::SIZE;

/// True for inputs that carry a `CommandHeader`.
#[inline(always)]
pub fn is_command(kind: u16) -> bool {
    kind >= DefineCurrency::KIND
}
