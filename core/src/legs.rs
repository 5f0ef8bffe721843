//! Legs: an account's sums on one instrument, and the chains they hang on.
//!
//! A leg lives while it has positions or converts currency for another leg of its chain.

use crate::code::Side;
use crate::engine::Engine;
use crate::state::{Leg, Path, NONE};

impl Engine {
    /// The cross leg of an account on an instrument.
    #[inline]
    pub fn find_leg(&self, a: u32, i: u32) -> Option<u32> {
        let mut l = self.accounts[a as usize].first_leg;
        while l != NONE {
            let leg = &self.legs[l];
            if leg.instrument == i {
                return Some(l);
            }
            l = leg.next;
        }
        None
    }

    /// Adds a position to its leg's sums.
    pub fn sum(&mut self, slot: u32) {
        self.shift_sums(slot, 1);
    }

    /// Takes a position out of its leg's sums.
    pub fn unsum(&mut self, slot: u32) {
        self.shift_sums(slot, -1);
    }

    #[inline]
    pub fn shift_sums(&mut self, slot: u32, sign: i64) {
        let p = &self.positions[slot];
        let signed = |x: i128| if sign > 0 { x } else { -x };
        let markup = if p.markup == 0 { 0 } else { i128::from(p.markup) * i128::from(p.volume) };
        let leg = &mut self.legs[p.leg];
        if p.side == Side::Buy {
            leg.volume_long += sign * p.volume;
            leg.cost_long += signed(p.cost + markup);
            if !p.isolated {
                leg.base_long += signed(p.margin);
            }
        } else {
            leg.volume_short += sign * p.volume;
            leg.cost_short += signed(p.cost - markup);
            if !p.isolated {
                leg.base_short += signed(p.margin);
            }
        }
    }

    /// Brings the posted margin of a cross leg in line with its sums.
    pub fn repost_leg_margin(&mut self, l: u32) {
        let leg = &self.legs[l];
        let a = leg.account;
        let account = &self.accounts[a as usize];
        let volume = (leg.volume_long, leg.volume_short);
        let margin =
            self.leg_margin(account, leg.instrument, volume, (leg.base_long, leg.base_short));
        let change = margin - leg.margin;
        self.legs[l].margin = margin;
        self.accounts[a as usize].margin += change;
        self.margin_leg(a, change);
    }

    fn blank_leg(a: u32, i: u32) -> Leg {
        Leg {
            account: a,
            instrument: i,
            next: NONE,
            next_isolated: NONE,
            first_position: NONE,
            positions: 0,
            converts_long: 0,
            converts_short: 0,
            isolated: false,
            path: Path::default(),
            volume_long: 0,
            volume_short: 0,
            cost_long: 0,
            cost_short: 0,
            base_long: 0,
            base_short: 0,
            margin: 0,
            band: Default::default(),
        }
    }

    /// The cross leg for a new position, with its conversion path and converting legs.
    pub fn cross_leg(&mut self, a: u32, i: u32) -> u32 {
        let l = self.ensure_leg(a, i);
        if self.legs[l].positions == 0 {
            let (from, to) =
                (self.instruments[i as usize].profit, self.accounts[a as usize].currency);
            let path = self.path(i, from, to).unwrap_or_default();
            self.legs[l].path = path;
            for n in 0..path.steps as usize {
                let c = self.ensure_leg(a, path.instrument[n]);
                self.legs[c].converts_long += 1;
                self.legs[c].converts_short += 1;
            }
        }
        l
    }

    pub fn ensure_leg(&mut self, a: u32, i: u32) -> u32 {
        if let Some(l) = self.find_leg(a, i) {
            return l;
        }
        let mut leg = Self::blank_leg(a, i);
        leg.next = self.accounts[a as usize].first_leg;
        let l = self.legs.add(leg);
        self.accounts[a as usize].first_leg = l;
        l
    }

    /// The last position left a cross leg: drop its path, and every leg nobody needs.
    pub fn retire_leg(&mut self, l: u32) {
        let a = self.legs[l].account;
        let path = std::mem::take(&mut self.legs[l].path);
        for n in 0..path.steps as usize {
            if let Some(c) = self.find_leg(a, path.instrument[n]) {
                self.legs[c].converts_long -= 1;
                self.legs[c].converts_short -= 1;
                self.drop_leg_if_unused(c);
            }
        }
        if let Some(l) = self.find_leg(a, self.legs[l].instrument) {
            self.drop_leg_if_unused(l);
        }
    }

    pub fn drop_leg_if_unused(&mut self, l: u32) {
        let leg = &self.legs[l];
        if leg.positions > 0 || leg.converts_long > 0 {
            return;
        }
        let (a, next) = (leg.account, leg.next);
        let mut at = self.accounts[a as usize].first_leg;
        if at == l {
            self.accounts[a as usize].first_leg = next;
        } else {
            while self.legs[at].next != l {
                at = self.legs[at].next;
            }
            self.legs[at].next = next;
        }
        self.free_leg(l);
    }

    pub fn free_leg(&mut self, l: u32) {
        self.disarm_band(l);
        self.legs[l].account = NONE;
        self.legs.release(l);
    }

    /// Legs of a new isolated position: its own and the converting ones, chained by `next`.
    pub fn isolated_legs(&mut self, a: u32, i: u32) -> u32 {
        let (from, to) = (self.instruments[i as usize].profit, self.accounts[a as usize].currency);
        let path = self.path(i, from, to).unwrap_or_default();
        let mut chain = NONE;
        let mut own_converts = 0;
        for n in (0..path.steps as usize).rev() {
            if path.instrument[n] == i {
                own_converts = 1;
                continue;
            }
            let mut leg = Self::blank_leg(a, path.instrument[n]);
            leg.isolated = true;
            leg.next = chain;
            leg.converts_long = 1;
            leg.converts_short = 1;
            chain = self.legs.add(leg);
        }
        let mut leg = Self::blank_leg(a, i);
        leg.isolated = true;
        leg.path = path;
        leg.next = chain;
        leg.converts_long = own_converts;
        leg.converts_short = own_converts;
        leg.next_isolated = self.accounts[a as usize].first_isolated;
        let l = self.legs.add(leg);
        self.accounts[a as usize].first_isolated = l;
        l
    }

    pub fn remove_isolated_legs(&mut self, l: u32) {
        let a = self.legs[l].account;
        let next = self.legs[l].next_isolated;
        let mut at = self.accounts[a as usize].first_isolated;
        if at == l {
            self.accounts[a as usize].first_isolated = next;
        } else {
            while self.legs[at].next_isolated != l {
                at = self.legs[at].next_isolated;
            }
            self.legs[at].next_isolated = next;
        }
        let mut c = l;
        while c != NONE {
            let next = self.legs[c].next;
            self.free_leg(c);
            c = next;
        }
    }

    /// Replaces the cost of a position (re-opening at rollover), keeping its leg's sums.
    pub fn recost(&mut self, slot: u32, cost: i128) {
        self.unsum(slot);
        self.positions[slot].cost = cost;
        self.sum(slot);
    }
}
