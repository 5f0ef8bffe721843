//! Double entry: every movement is a leg between a customer's account and the house's.
//!
//! A leg of amount a credits the customer and debits the house in one ledger and currency (or the
//! reverse when a < 0), so debits equal credits by construction; `check` still recomputes it.

use crate::code::{Ledger, Posting};
use crate::engine::Engine;
use crate::state::Account;
use crate::wire::{self, LedgerLeg};

/// Sub-accounts of the cash ledger.
pub const SUB_BALANCE: u8 = 0;
pub const SUB_CREDIT: u8 = 1;

impl Account {
    /// Ledger 2 of a currency.
    pub fn position_cost(&self, currency: u32) -> i128 {
        if self.cost_currency == currency {
            return self.cost;
        }
        self.more_cost.iter().find(|c| c.0 == currency).map_or(0, |c| c.1)
    }

    fn add_position_cost(&mut self, currency: u32, amount: i128) {
        if self.cost_currency == currency {
            self.cost += amount;
        } else if let Some(cell) = self.more_cost.iter_mut().find(|c| c.0 == currency) {
            cell.1 += amount;
        } else {
            self.more_cost.push((currency, amount));
        }
    }
}

impl Engine {
    /// Moves `amount` from the house to the customer in one ledger; zero moves nothing.
    pub fn leg(
        &mut self,
        a: u32,
        ledger: Ledger,
        sub: u8,
        reason: Posting,
        currency: u32,
        amount: i128,
    ) {
        if amount == 0 {
            return;
        }
        let account = &mut self.accounts[a as usize];
        match ledger {
            Ledger::Cash if sub == SUB_CREDIT => account.credit += amount,
            Ledger::Cash => account.balance += amount,
            Ledger::Position => account.add_position_cost(currency, amount),
            Ledger::Fees => account.fees += amount,
            Ledger::RealisedPnl => account.realised += amount,
            // The engine's own sums of margin are kept by the callers: leg, order or position.
            Ledger::Margin => {}
            Ledger::FundingPnl => account.funding += amount,
        }
        self.house[currency as usize][ledger as usize - 1] -= amount;
        self.linked.push(LedgerLeg {
            ledger: ledger as u8,
            sub,
            reason: reason as u16,
            currency,
            amount,
        });
    }

    /// Cash leg in the account's currency.
    pub fn cash(&mut self, a: u32, reason: Posting, amount: i128) {
        let currency = self.accounts[a as usize].currency;
        self.leg(a, Ledger::Cash, SUB_BALANCE, reason, currency, amount);
    }

    /// Locks (positive) or releases margin in ledger 5.
    pub fn margin_leg(&mut self, a: u32, amount: i128) {
        let reason = if amount > 0 { Posting::MarginLock } else { Posting::MarginRelease };
        let currency = self.accounts[a as usize].currency;
        self.leg(a, Ledger::Margin, SUB_BALANCE, reason, currency, amount);
    }

    /// Writes the linked legs gathered so far as one LEDGER event.
    pub fn emit_ledger(&mut self, a: u32, reference: u64) {
        if self.linked.is_empty() {
            return;
        }
        let account = &self.accounts[a as usize];
        let count = self.linked.len() as u32;
        let event = wire::EventLedger {
            account: account.id,
            reference,
            balance: account.balance,
            credit: account.credit,
            first_leg: self.first_leg,
            count,
        };
        self.first_leg += count;
        if self.out.muted {
            self.event_seq += 1;
            self.linked.clear();
            return;
        }
        let size = LedgerLeg::SIZE;
        let mut tail = [0u8; LedgerLeg::SIZE * 12];
        let used = size * self.linked.len();
        for (leg, place) in self.linked.iter().zip(tail.chunks_exact_mut(size)) {
            leg.write(place);
        }
        self.linked.clear();
        self.emit_tail(&event, 0, &tail[..used]);
    }
}
