//! Return codes, the field an answer points at, and the small enumerations of the records.
//!
//! Code numbers below 1000 are those of the ScaleTrade table where the meaning is the same.

use serde::{Deserialize, Serialize};

macro_rules! numbered {
    ($(#[$doc:meta])* $name:ident : $repr:ty { $($variant:ident = $number:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[repr($repr)]
        pub enum $name { $($variant = $number),* }
        impl $name {
            pub const ALL: &'static [(&'static str, u32)] = &[$((stringify!($variant), $number)),*];
            #[inline(always)]
            pub fn from_number(number: $repr) -> Option<Self> {
                match number { $($number => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

numbered! {
    /// Why an input was refused or rejected, or that it was not.
    Code: u16 {
        Ok = 0, TooFrequent = 8, ErrParams = 13, ErrNotfound = 23, GroupNotFound = 28,
        SymbolNotFound = 34, UserNotFound = 48, UsrLoginExist = 52, UsrHasTrades = 56,
        AccountDisabled = 64, TradeBadPrices = 129, TradeBadStops = 130, TradeBadVolume = 131,
        TradeMarketClosed = 132, TradeDisable = 133, TradeNoMoney = 134, TradeOffquotes = 136,
        TradeRequote = 138, TradeLongOnly = 140, TradeAccepted = 145,
        TradeExpirationDenied = 152, TradeInvalidSlTp = 158, TradeReadOnly = 160,
        TradeIncorrectState = 161, TradeIncorrectCmd = 162, TradeIncorrectOrder = 163,
        LimitReached = 165, DuplicateId = 1000, Overflow = 1001, TimeBackwards = 1002,
        BadRecord = 1003, UnknownKind = 1004, ShortOnly = 1005, CloseOnly = 1006, Halted = 1007,
        ReduceOnly = 1008, Collar = 1009, AccountClosed = 1010, NotFilled = 1011,
        CurrencyNotFound = 1012, Busy = 1013, JournalUnavailable = 1014,
    }
}

numbered! {
    /// The field of the input that an answer is about.
    At: u16 {
        None = 0, Body = 1, Id = 2, Ts = 3, Account = 4, Instrument = 5, Group = 6, Order = 7,
        Position = 8, PositionBy = 9, Bid = 10, Ask = 11, Volume = 12, Price = 13, LimitPrice = 14,
        Sl = 15, Tp = 16, Trailing = 17, MaxDeviation = 18, Tif = 19, Expire = 20, Oco = 21,
        Leverage = 22, Terms = 23, Type = 24, Side = 25, Amount = 26, State = 27, Limits = 28,
        Currency = 29, Symbol = 30, Name = 31, Digits = 32, Kind = 33, Rate = 34, Day = 35,
        ContractSize = 36, TickSize = 37, TickValue = 38, MarginRate = 39, Tiers = 40,
        Sessions = 41, PriceMax = 42, MarginCall = 43, Commission = 44, Overrides = 45,
        Trade = 46, Target = 47, Scope = 48, Flags = 49, Op = 50, TrailingStep = 51,
        SwapDays = 52, Code = 53, Length = 54, Balance = 55, Leg = 56, Comment = 57,
    }
}

numbered! { Side: u8 { Buy = 0, Sell = 1 } }
numbered! { OrderType: u8 { Market = 0, Limit = 1, Stop = 2, StopLimit = 3 } }
numbered! { Tif: u8 { Gtc = 0, Day = 1, Gtd = 2, Ioc = 3, Fok = 4 } }
numbered! {
    OrderState: u8 {
        Working = 0, Partial = 1, Filled = 2, Cancelled = 3, Expired = 4, Rejected = 5,
        Triggered = 6, Routing = 7, Routed = 8, CancelPending = 9, Unresolved = 10, Modified = 11,
    }
}
numbered! {
    /// What made an order, a fill, a change of position or a transfer happen.
    Reason: u8 {
        Client = 0, StopLoss = 1, TakeProfit = 2, Pending = 3, StopOut = 4, Liquidation = 5,
        CloseBy = 6, CloseAll = 7, Reverse = 8, Expiry = 9, Oco = 10, Venue = 11, Trailing = 12,
        Rollover = 13, NoMoney = 14, Limit = 15, Killed = 16,
    }
}
numbered! { PositionState: u8 { Opened = 0, Changed = 1, Closed = 2 } }
numbered! { Entry: u8 { In = 0, Out = 1 } }
numbered! { BalanceOp: u8 { Deposit = 0, Withdrawal = 1, CreditIn = 2, CreditOut = 3, Correction = 4 } }
numbered! { Scope: u8 { Shard = 0, Group = 1, Account = 2, Instrument = 3 } }
numbered! { Trading: u8 { Active = 0, Reducing = 1, Halted = 2 } }
numbered! {
    ReportKind: u8 { Accepted = 0, Fill = 1, Rejected = 2, Cancelled = 3, Expired = 4, Unknown = 5 }
}
numbered! {
    Ledger: u8 { Cash = 1, Position = 2, Fees = 3, RealisedPnl = 4, Margin = 5, FundingPnl = 6 }
}
numbered! {
    /// Why money moved.
    Posting: u16 {
        Deposit = 1, Withdrawal = 2, CreditIn = 3, CreditOut = 4, Correction = 5, Open = 6,
        Close = 7, Commission = 8, Profit = 9, MarginLock = 10, MarginRelease = 11, Swap = 12,
        Funding = 13, Compensation = 14,
    }
}

/// A refusal or rejection: the code and the field it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: Code,
    pub at: At,
}

/// Short form for building a refusal.
#[inline(always)]
pub fn no<T>(code: Code, at: At) -> Result<T, Refusal> {
    Err(Refusal { code, at })
}
