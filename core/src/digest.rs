//! The state hash (semantics section 14) and the check of the engine's invariants.

use sha2::{Digest, Sha256};

use crate::engine::Engine;
use crate::money::post;
use crate::state::{Account, NONE};

struct Rows {
    hash: Sha256,
    row: Vec<u8>,
}

impl Rows {
    fn add(&mut self, tag: u8, numbers: &[i128]) {
        self.row.clear();
        self.row.push(tag);
        for n in numbers {
            self.row.extend_from_slice(&n.to_le_bytes());
        }
        self.hash.update(&self.row);
    }
}

impl Engine {
    /// SHA-256 of everything that decides what happens next.
    pub fn state_hash(&self) -> [u8; 32] {
        let mut rows = Rows { hash: Sha256::new(), row: Vec::new() };
        rows.add(
            b'S',
            &[
                i128::from(self.shard),
                i128::from(self.input_seq),
                i128::from(self.event_seq),
                i128::from(self.now),
                i128::from(self.last_id),
                self.state as i128,
            ],
        );
        for c in &self.currencies {
            rows.add(b'C', &[i128::from(c.def.digits)]);
        }
        for i in &self.instruments {
            let numbers = [i.bid, i.ask, i.quote_ts, i.funding_ts].map(i128::from);
            let [bid, ask, quote, funding] = numbers;
            rows.add(b'I', &[bid, ask, quote, funding, i.state as i128]);
        }
        for g in &self.groups {
            rows.add(b'G', &[g.state as i128]);
        }
        for (a, account) in self.accounts.iter().enumerate() {
            self.hash_account(&mut rows, a as u32, account);
        }
        for ledger in 0..6 {
            for c in 0..self.currencies.len() {
                rows.add(b'H', &[self.house[c][ledger]]);
            }
        }
        rows.hash.finalize().into()
    }

    fn hash_account(&self, rows: &mut Rows, a: u32, account: &Account) {
        rows.add(
            b'A',
            &[
                i128::from(account.id),
                i128::from(account.group),
                i128::from(account.leverage),
                i128::from(account.flags),
                account.state as i128,
                account.balance,
                account.credit,
                account.isolated,
                account.margin + account.isolated,
                i128::from(account.level),
                account.fees,
                account.realised,
                account.funding,
            ],
        );
        for c in 0..self.currencies.len() as u32 {
            let cost = account.position_cost(c);
            if cost != 0 {
                rows.add(b'L', &[i128::from(c), cost]);
            }
        }
        if account.positions > 0 {
            for slot in self.position_slots(a) {
                let p = &self.positions[slot];
                let i = self.legs[p.leg].instrument;
                rows.add(
                    b'P',
                    &[
                        i128::from(p.id),
                        i128::from(i),
                        p.side as i128,
                        i128::from(p.isolated),
                        i128::from(p.volume),
                        p.cost,
                        i128::from(p.sl),
                        i128::from(p.tp),
                        i128::from(p.trailing),
                        i128::from(p.trailing_step),
                        i128::from(p.markup),
                        p.margin,
                        self.ledger_cost(slot),
                        p.swap,
                        i128::from(p.last_swap_day),
                        i128::from(p.closing),
                        i128::from(p.tag),
                    ],
                );
            }
        }
        for slot in self.order_slots(a) {
            let o = &self.orders[slot];
            rows.add(
                b'O',
                &[
                    i128::from(o.id),
                    i128::from(o.instrument),
                    o.side as i128,
                    o.kind as i128,
                    o.state as i128,
                    o.tif as i128,
                    i128::from(o.volume),
                    i128::from(o.filled),
                    i128::from(o.price),
                    i128::from(o.limit_price),
                    i128::from(o.sl),
                    i128::from(o.tp),
                    i128::from(o.trailing),
                    i128::from(o.trailing_step),
                    i128::from(o.expire),
                    i128::from(o.oco),
                    i128::from(o.position),
                    i128::from(o.leverage),
                    i128::from(o.markup),
                    o.margin,
                    i128::from(o.tag),
                ],
            );
        }
    }

    /// Orders of an account, ascending by id.
    pub fn order_slots(&self, a: u32) -> Vec<u32> {
        let mut slots = Vec::new();
        let mut o = self.accounts[a as usize].first_order;
        while o != NONE {
            slots.push(o);
            o = self.orders[o].next;
        }
        slots.sort_unstable_by_key(|&s| self.orders[s].id);
        slots
    }

    /// Customer and house totals per (ledger, currency index): (ledger, currency, customers, house).
    pub fn trial_balance(&self) -> Vec<(u8, u32, i128, i128)> {
        let count = self.currencies.len();
        let mut customers = vec![[0i128; 6]; count];
        for account in &self.accounts {
            let own = &mut customers[account.currency as usize];
            own[0] += account.balance + account.credit;
            own[2] += account.fees;
            own[3] += account.realised;
            own[4] += account.margin + account.isolated;
            own[5] += account.funding;
            customers[account.cost_currency as usize][1] += account.cost;
            for &(currency, cost) in &account.more_cost {
                customers[currency as usize][1] += cost;
            }
        }
        let mut rows = Vec::new();
        for ledger in 0..6u8 {
            let n = ledger as usize;
            for (c, (own, house)) in customers.iter().zip(&self.house).enumerate() {
                rows.push((ledger + 1, c as u32, own[n], house[n]));
            }
        }
        rows
    }

    /// Recomputes what must always hold; the error says what does not.
    pub fn check(&self) -> Result<(), String> {
        for (ledger, c, customers, house) in self.trial_balance() {
            if customers + house != 0 {
                return Err(format!("ledger {ledger} currency {c}: {customers} against {house}"));
            }
        }
        for (a, account) in self.accounts.iter().enumerate() {
            self.check_account_sums(a as u32, account)?;
        }
        Ok(())
    }

    fn check_account_sums(&self, a: u32, account: &Account) -> Result<(), String> {
        let id = account.id;
        let mut margin = 0;
        let mut open = 0;
        let mut l = account.first_leg;
        while l != NONE {
            let leg = &self.legs[l];
            let mut volume = (0i64, 0i64);
            let mut cost = (0i128, 0i128);
            let mut base = (0i128, 0i128);
            let mut s = if leg.positions > 0 { leg.first_position } else { NONE };
            while s != NONE {
                let p = &self.positions[s];
                let shift = i128::from(p.markup) * i128::from(p.volume);
                if p.side == crate::code::Side::Buy {
                    volume.0 += p.volume;
                    cost.0 += p.cost + shift;
                    base.0 += p.margin;
                } else {
                    volume.1 += p.volume;
                    cost.1 += p.cost - shift;
                    base.1 += p.margin;
                }
                open += 1;
                s = p.next;
            }
            let sums = (leg.volume_long, leg.volume_short);
            if volume != sums
                || cost != (leg.cost_long, leg.cost_short)
                || base != (leg.base_long, leg.base_short)
            {
                return Err(format!("account {id} instrument {}: leg sums", leg.instrument));
            }
            margin += leg.margin;
            l = leg.next;
        }
        let mut l = account.first_isolated;
        let mut isolated = 0;
        while l != NONE {
            let leg = &self.legs[l];
            isolated += leg.margin;
            open += 1;
            if leg.margin != self.positions[leg.first_position].margin {
                return Err(format!("account {id}: isolated margin of a position"));
            }
            l = leg.next_isolated;
        }
        let mut orders = 0;
        for slot in self.order_slots(a) {
            margin += self.orders[slot].margin;
            orders += 1;
        }
        if margin != account.margin || isolated != account.isolated {
            return Err(format!("account {id}: margin {margin} posted {}", account.margin));
        }
        if open != account.positions || orders != account.orders {
            return Err(format!("account {id}: {open} positions, {orders} orders counted"));
        }
        let unit = self.currencies[account.currency as usize].unit;
        if post(account.balance, unit) != account.balance {
            return Err(format!("account {id}: balance is not in whole minor units"));
        }
        let mut costs: std::collections::BTreeMap<u32, i128> = Default::default();
        for slot in self.position_slots(a) {
            let i = self.legs[self.positions[slot].leg].instrument as usize;
            *costs.entry(self.instruments[i].profit).or_default() += self.ledger_cost(slot);
        }
        for c in 0..self.currencies.len() as u32 {
            if account.position_cost(c) != costs.get(&c).copied().unwrap_or(0) {
                return Err(format!("account {id}: position ledger of currency {c}"));
            }
        }
        Ok(())
    }
}
