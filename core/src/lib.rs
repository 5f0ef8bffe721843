//! The deterministic trading engine: inputs in one order become events, nothing else.
//!
//! The rules stand in `docs/engine/semantics.md`; every module below implements a section of it.
//! No IO, no clock, no randomness, no float; maps are looked up, never iterated.

/// Configuration, accounts, balance operations, trading states; dispatch of commands.
pub mod admin;
/// What is refused before it leaves a trace.
pub mod admit;
/// Safe price bands for margin call, stop-out and isolated positions.
pub mod bands;
/// Price-indexed trigger books.
pub mod book;
/// Return codes, field numbers and small enumerations.
pub mod code;
/// The memory of commands.
pub mod dedupe;
/// State hash and invariants.
pub mod digest;
/// The engine's state and its loop.
pub mod engine;
/// Fills: positions, legs, money, margin.
pub mod exec;
/// Venue frames to exact integers.
pub mod frames;
/// Is there money for it.
pub mod funds;
/// Groups: conditions of accounts.
pub mod group;
/// Currencies and instruments.
pub mod instrument;
/// Double entry.
pub mod ledger;
/// An account's sums per instrument.
pub mod legs;
/// Every bound with its reason.
pub mod limits;
/// Modify, cancel, close.
pub mod manage;
/// Exact integer money.
pub mod money;
/// Orders in the books, their end and activation.
pub mod orders;
/// PLACE_ORDER.
pub mod place;
/// The Python face.
pub mod python;
/// The Python face of frames.
pub mod python_frames;
/// The Python face of columns of market events.
pub mod python_ticks;
/// The tick path.
pub mod quote;
/// Swaps and funding.
pub mod rollover;
/// Execution at venues.
pub mod routed;
/// Is a record well formed.
pub mod shape;
/// Snapshots.
pub mod snapshot;
/// Accounts, legs, positions, orders.
pub mod state;
/// Look-up tables of the hot path.
pub mod table;
/// Frames of market streams to columns.
pub mod ticks;
/// SL, TP and trailing stops in the books.
pub mod triggers;
/// Valuation, conversion, margin.
pub mod value;
/// Binary records.
pub mod wire;
