//! Every bound of the engine in one place, each with its reason.

/// Largest price mantissa: price × volume of one position stays below 10^30, far inside i128.
pub const PRICE_MAX: i64 = 1_000_000_000_000_000;
/// Largest stops level or slippage in points: added to a price it stays far inside i64.
pub const POINTS_MAX: i64 = 1_000_000_000;
/// Largest volume (10 million lots at 8 decimals), for the same reason.
pub const VOLUME_MAX: i64 = 1_000_000_000_000_000;
/// Sum of volumes on one side of a leg; keeps the aggregates in i64.
pub const LEG_VOLUME_MAX: i64 = 4_000_000_000_000_000_000;
/// Valuations saturate here, so that a thousand of them still add up inside i128.
pub const MONEY_SATURATION: i128 = 1_000_000_000_000_000_000_000_000_000_000_000_000;
/// Largest notional of one order at the highest price of its instrument.
pub const NOTIONAL_MAX: i128 = 10_000_000_000_000_000_000_000_000_000_000_000;
/// Largest single balance operation (10^20 currency units): a thousand of them cannot saturate.
pub const AMOUNT_MAX: i128 = 10_000_000_000_000_000_000_000_000_000;
/// Largest balance or credit a balance operation may leave (10^22 currency units).
pub const BALANCE_MAX: i128 = 1_000_000_000_000_000_000_000_000_000_000;
/// Commands whose answers are remembered: 64 bytes each, a day at a dozen commands per second.
pub const REMEMBERED_COMMANDS: usize = 1 << 20;
/// Routed orders that ended and may still see a late fill.
pub const REMEMBERED_ROUTED: usize = 1 << 16;
/// Largest input record; configuration with long session lists is the biggest.
pub const RECORD_MAX: usize = 1 << 20;
/// Comment bytes an order may carry.
pub const COMMENT_MAX: usize = 64;
/// Currencies, instruments, groups: indices are small and tables dense.
pub const CURRENCIES_MAX: usize = 1 << 10;
pub const INSTRUMENTS_MAX: usize = 1 << 20;
pub const GROUPS_MAX: usize = 1 << 16;
/// Stale entries a trigger book tolerates before it is rebuilt, besides one per live entry.
pub const BOOK_SLACK: usize = 64;
/// Nanoseconds in a second and seconds in a day and a week.
pub const SECOND_NS: i64 = 1_000_000_000;
pub const DAY_S: i64 = 86_400;
pub const WEEK_S: i64 = 604_800;
