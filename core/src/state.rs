//! What the engine remembers: accounts, legs, positions, orders, in slabs addressed by slot.
//!
//! An account's open positions hang on *legs*. A leg is one account on one instrument with the
//! sums that valuation needs, so an account costs O(instruments), never O(positions). An isolated
//! position has a leg of its own. A leg may also stand for an instrument that only converts
//! currencies for others. Each leg carries the band of prices inside which its account is known
//! to be safe (see `bands`).

use serde::{Deserialize, Serialize};

use crate::code::{OrderState, OrderType, Reason, Side, Tif, Trading};
use crate::group::Commission;

/// No slot.
pub const NONE: u32 = u32::MAX;

pub const FLAG_READ_ONLY: u32 = 1;
pub const FLAG_DISABLED: u32 = 2;
pub const FLAG_CLOSED: u32 = 4;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    pub id: u64,
    pub group: u32,
    pub leverage: u32,
    pub flags: u32,
    pub currency: u32,
    pub state: Trading,
    /// 0 ok, 1 margin call, 2 stop-out.
    pub level: u8,
    /// Queued for evaluation at the end of this input.
    #[serde(skip)]
    pub touched: bool,
    /// In stop-out with nothing that can be closed now: looked at on each quote of its legs.
    #[serde(skip)]
    pub stuck: bool,
    pub balance: i128,
    pub credit: i128,
    /// Posted margin of isolated positions.
    pub isolated: i128,
    /// Posted margin of legs plus orders.
    pub margin: i128,
    pub fees: i128,
    pub realised: i128,
    pub funding: i128,
    /// Ledger 2 of one currency; `more_cost` holds the others.
    pub cost_currency: u32,
    pub cost: i128,
    pub more_cost: Vec<(u32, i128)>,
    pub first_leg: u32,
    pub first_order: u32,
    /// First leg of the first isolated position.
    pub first_isolated: u32,
    pub positions: u32,
    pub orders: u32,
    pub rate_count: u32,
    pub rate_second: i64,
    pub opened: i64,
}

/// Conversion of profit: up to two steps, each an instrument and a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Path {
    pub steps: u8,
    pub divide: [bool; 2],
    pub instrument: [u32; 2],
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Leg {
    pub account: u32,
    pub instrument: u32,
    /// Next leg of the account (or of the isolated position).
    pub next: u32,
    /// Next isolated position's first leg (on first legs of isolated positions).
    pub next_isolated: u32,
    pub first_position: u32,
    pub positions: u32,
    /// How many other legs convert through this one, for longs and for shorts.
    pub converts_long: u16,
    pub converts_short: u16,
    pub isolated: bool,
    pub path: Path,
    pub volume_long: i64,
    pub volume_short: i64,
    /// Sums of cost + markup × volume (long), cost − markup × volume (short).
    pub cost_long: i128,
    pub cost_short: i128,
    /// Sums of margin bases; an isolated leg keeps its initial margin in `base_long`.
    pub base_long: i128,
    pub base_short: i128,
    /// Margin posted for the leg.
    pub margin: i128,
    #[serde(skip)]
    pub band: Band,
}

/// Thresholds that fire when bid or ask leave the safe band; the sentinels never fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    pub bid_low: i64,
    pub bid_high: i64,
    pub ask_low: i64,
    pub ask_high: i64,
}

pub const NEVER_LOW: i64 = 0;
pub const NEVER_HIGH: i64 = i64::MAX;

impl Default for Band {
    fn default() -> Self {
        Band { bid_low: NEVER_LOW, bid_high: NEVER_HIGH, ask_low: NEVER_LOW, ask_high: NEVER_HIGH }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Position {
    /// 0 marks a free slot.
    pub id: u64,
    pub leg: u32,
    pub prev: u32,
    pub next: u32,
    pub last_swap_day: u32,
    pub side: Side,
    pub isolated: bool,
    pub volume: i64,
    pub cost: i128,
    pub sl: i64,
    pub tp: i64,
    pub trailing: i64,
    pub trailing_step: i64,
    pub markup: i64,
    pub margin: i128,
    pub swap: i128,
    pub commission: Commission,
    pub order: u64,
    pub opened: i64,
    pub tag: u64,
    /// A routed closing order in flight; 0 = none.
    pub closing: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Order {
    pub id: u64,
    pub account: u32,
    pub instrument: u32,
    pub prev: u32,
    pub next: u32,
    pub side: Side,
    pub kind: OrderType,
    pub tif: Tif,
    pub state: OrderState,
    pub reason: Reason,
    pub isolated: bool,
    pub routed: bool,
    pub leverage: u32,
    pub volume: i64,
    pub filled: i64,
    pub price: i64,
    pub limit_price: i64,
    pub sl: i64,
    pub tp: i64,
    pub trailing: i64,
    pub trailing_step: i64,
    pub expire: i64,
    pub oco: u64,
    /// The position it closes (target), 0 = none.
    pub position: u64,
    /// The position its first fill opened (hedging): later fills add to it.
    pub opened_position: u64,
    pub tag: u64,
    pub markup: i64,
    pub margin: i128,
    pub commission: Commission,
    pub swap: Option<(i64, i64)>,
    /// Which terms the command carried: bits of `wire::PlaceOrder::terms`.
    pub own_terms: u8,
}

impl Order {
    #[inline]
    pub fn rest(&self) -> i64 {
        self.volume - self.filled
    }

    /// Waits in the books for its price.
    #[inline]
    pub fn working(&self) -> bool {
        matches!(self.state, OrderState::Working | OrderState::Partial | OrderState::Triggered)
            && !self.routed
    }

    /// Does it act as a limit now (a limit, or a stop-limit that triggered)?
    #[inline]
    pub fn limit_now(&self) -> bool {
        match self.kind {
            OrderType::StopLimit => self.state != OrderState::Working,
            kind => kind == OrderType::Limit,
        }
    }

    /// The price it enters at: `limit_price` of a stop-limit, else `price`.
    #[inline]
    pub fn limit(&self) -> i64 {
        if self.kind == OrderType::StopLimit {
            self.limit_price
        } else {
            self.price
        }
    }
}

/// Slots with a free list; a freed slot keeps its memory for the next user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Slab<T> {
    pub items: Vec<T>,
    pub free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { items: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    #[inline]
    pub fn add(&mut self, item: T) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.items[slot as usize] = item;
            slot
        } else {
            self.items.push(item);
            (self.items.len() - 1) as u32
        }
    }

    #[inline]
    pub fn release(&mut self, slot: u32) {
        self.free.push(slot);
    }
}

impl<T> std::ops::Index<u32> for Slab<T> {
    type Output = T;
    #[inline(always)]
    fn index(&self, slot: u32) -> &T {
        &self.items[slot as usize]
    }
}

impl<T> std::ops::IndexMut<u32> for Slab<T> {
    #[inline(always)]
    fn index_mut(&mut self, slot: u32) -> &mut T {
        &mut self.items[slot as usize]
    }
}
