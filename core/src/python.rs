//! The Python face of the core: packed bytes in and out, and read-only queries.

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::code;
use crate::engine::{write_event, Engine};
use crate::state::NONE;
use crate::wire::{self, Layout};

/// One engine: a deterministic state machine over input records.
#[pyclass(module = "tradeloom._core", name = "Core")]
pub struct Core {
    engine: Engine,
}

/// Output capacity kept between calls; larger buffers are given back to the allocator.
const KEEP_BYTES: usize = 16 << 20;

#[pymethods]
impl Core {
    #[new]
    #[pyo3(signature = (shard = 0))]
    fn new(shard: u16) -> Self {
        Core { engine: Engine::new(shard) }
    }

    /// Applies a batch of input records and returns the packed events.
    fn apply<'py>(&mut self, py: Python<'py>, batch: &[u8]) -> Bound<'py, PyBytes> {
        let engine = &mut self.engine;
        py.detach(|| {
            engine.out.bytes.clear();
            if engine.out.bytes.capacity() > KEEP_BYTES {
                engine.out.bytes.shrink_to(KEEP_BYTES);
            }
            engine.apply(batch);
        });
        PyBytes::new(py, &self.engine.out.bytes)
    }

    /// Applies a batch without output (replay, standby); returns how many inputs were admitted.
    fn apply_muted(&mut self, py: Python<'_>, batch: &[u8]) -> u64 {
        let engine = &mut self.engine;
        py.detach(|| {
            let before = engine.input_seq;
            engine.out.bytes.clear();
            engine.out.muted = true;
            engine.apply(batch);
            engine.out.muted = false;
            engine.input_seq - before
        })
    }

    /// Splits a batch into admitted records (None: all of it) and answers to the rest.
    fn admit<'py>(
        &self,
        py: Python<'py>,
        batch: &[u8],
    ) -> (Option<Bound<'py, PyBytes>>, Bound<'py, PyBytes>) {
        let engine = &self.engine;
        let admission = py.detach(|| engine.admit(batch));
        let admitted = admission.admitted.map(|bytes| PyBytes::new(py, &bytes));
        (admitted, PyBytes::new(py, &admission.answers))
    }

    /// The whole state as bytes.
    fn snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let engine = &self.engine;
        let bytes = py.detach(|| engine.snapshot()).map_err(PyRuntimeError::new_err)?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// The engine a snapshot was taken of; ValueError says what is wrong with damaged bytes.
    #[staticmethod]
    fn restore(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        let engine = py.detach(|| Engine::restore(data)).map_err(PyValueError::new_err)?;
        Ok(Core { engine })
    }

    /// SHA-256 of the state (docs/engine/semantics.md section 14).
    fn state_hash<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let engine = &self.engine;
        let hash = py.detach(|| engine.state_hash());
        PyBytes::new(py, &hash)
    }

    /// Recomputes the invariants; RuntimeError names the first that does not hold.
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        let engine = &self.engine;
        py.detach(|| engine.check()).map_err(PyRuntimeError::new_err)
    }

    #[getter]
    fn shard(&self) -> u16 {
        self.engine.shard
    }

    #[getter]
    fn input_seq(&self) -> u64 {
        self.engine.input_seq
    }

    #[getter]
    fn event_seq(&self) -> u64 {
        self.engine.event_seq
    }

    #[getter]
    fn now(&self) -> i64 {
        self.engine.now
    }

    /// Ids of all accounts in opening order, closed ones too.
    fn accounts(&self) -> Vec<u64> {
        self.engine.accounts.iter().map(|a| a.id).collect()
    }

    /// One account as a dict of integers (money at 8 decimals), or None.
    fn account<'py>(&self, py: Python<'py>, id: u64) -> PyResult<Option<Bound<'py, PyDict>>> {
        let e = &self.engine;
        let Some(slot) = e.account_by_id.get(id) else {
            return Ok(None);
        };
        let a = &e.accounts[slot as usize];
        let cross = e.equity(a);
        let mut isolated_floating = 0;
        let mut l = a.first_isolated;
        while l != NONE {
            isolated_floating += e.floating(&e.legs[l]);
            l = e.legs[l].next_isolated;
        }
        let row = PyDict::new(py);
        row.set_item("id", a.id)?;
        row.set_item("group", a.group)?;
        row.set_item("leverage", a.leverage)?;
        row.set_item("flags", a.flags)?;
        row.set_item("currency", a.currency)?;
        row.set_item("state", a.state as u8)?;
        row.set_item("level", a.level)?;
        row.set_item("balance", a.balance)?;
        row.set_item("credit", a.credit)?;
        row.set_item("isolated", a.isolated)?;
        row.set_item("cross_equity", cross)?;
        row.set_item("cross_margin", a.margin)?;
        row.set_item("equity", cross + a.isolated + isolated_floating)?;
        row.set_item("margin", a.margin + a.isolated)?;
        row.set_item("free", cross - a.margin)?;
        row.set_item("fees", a.fees)?;
        row.set_item("realised", a.realised)?;
        row.set_item("funding", a.funding)?;
        row.set_item("positions", a.positions)?;
        row.set_item("orders", a.orders)?;
        row.set_item("opened", a.opened)?;
        Ok(Some(row))
    }

    /// Open positions of an account as packed POSITION records, ascending by id.
    fn positions<'py>(&self, py: Python<'py>, id: u64) -> Bound<'py, PyBytes> {
        let e = &self.engine;
        let mut out = Vec::new();
        if let Some(a) = e.account_by_id.get(id) {
            for slot in e.position_slots(a) {
                write_event(&mut out, &e.view_position(slot), 0, 0, e.now, 0, &[]);
            }
        }
        PyBytes::new(py, &out)
    }

    /// (position, floating profit, price it would close at) of an account's positions.
    fn position_profits(&self, id: u64) -> Vec<(u64, i128, i64)> {
        let e = &self.engine;
        let Some(a) = e.account_by_id.get(id) else {
            return Vec::new();
        };
        let row = |slot: u32| {
            let p = &e.positions[slot];
            let i = e.legs[p.leg].instrument;
            let side = crate::orders::opposite(p.side);
            (p.id, e.position_profit(p), e.client_price(i, side, p.markup))
        };
        e.position_slots(a).into_iter().map(row).collect()
    }

    /// Pending and routed orders of an account as packed ORDER records, ascending by id.
    fn orders<'py>(&self, py: Python<'py>, id: u64) -> Bound<'py, PyBytes> {
        let e = &self.engine;
        let mut out = Vec::new();
        if let Some(a) = e.account_by_id.get(id) {
            for slot in e.order_slots(a) {
                let event = e.order_event(&e.orders[slot], 0);
                write_event(&mut out, &event, 0, 0, e.now, 0, &[]);
            }
        }
        PyBytes::new(py, &out)
    }

    /// (bid, ask, time) of an instrument; zeros before its first quote.
    fn quote(&self, index: u32) -> PyResult<(i64, i64, i64)> {
        match self.engine.instruments.get(index as usize) {
            Some(i) => Ok((i.bid, i.ask, i.quote_ts)),
            None => Err(PyValueError::new_err(format!("no instrument with index {index}"))),
        }
    }

    /// JSON definitions by index.
    fn instruments(&self) -> PyResult<Vec<String>> {
        jsons(self.engine.instruments.iter().map(|i| serde_json::to_string(&i.def)))
    }

    fn groups(&self) -> PyResult<Vec<String>> {
        jsons(self.engine.groups.iter().map(|g| serde_json::to_string(&g.def)))
    }

    fn currencies(&self) -> PyResult<Vec<String>> {
        jsons(self.engine.currencies.iter().map(|c| serde_json::to_string(&c.def)))
    }

    /// Ledger accounts of a customer: (ledger, sub, currency index, amount), zeros left out.
    fn ledger(&self, id: u64) -> Vec<(u8, u8, u32, i128)> {
        let e = &self.engine;
        let Some(slot) = e.account_by_id.get(id) else {
            return Vec::new();
        };
        let a = &e.accounts[slot as usize];
        let own = a.currency;
        let mut rows = vec![(1, 0, own, a.balance), (1, 1, own, a.credit)];
        rows.extend((0..e.currencies.len() as u32).map(|c| (2, 0, c, a.position_cost(c))));
        rows.push((3, 0, own, a.fees));
        rows.push((4, 0, own, a.realised));
        rows.push((5, 0, own, a.margin + a.isolated));
        rows.push((6, 0, own, a.funding));
        rows.retain(|r| r.3 != 0);
        rows
    }

    /// House side: (ledger, currency index, amount), zeros left out.
    fn house(&self) -> Vec<(u8, u32, i128)> {
        let mut rows = Vec::new();
        for (c, ledgers) in self.engine.house.iter().enumerate() {
            for (n, &amount) in ledgers.iter().enumerate() {
                if amount != 0 {
                    rows.push((n as u8 + 1, c as u32, amount));
                }
            }
        }
        rows
    }

    /// (ledger, currency index, customers' total, house); the last two add up to zero.
    fn trial_balance(&self, py: Python<'_>) -> Vec<(u8, u32, i128, i128)> {
        let engine = &self.engine;
        py.detach(|| engine.trial_balance())
    }

    /// Trading states: shard, groups by index, instruments by index, halted accounts by id.
    fn trading_states(&self) -> TradingStates {
        let e = &self.engine;
        (
            e.state as u8,
            e.groups.iter().map(|g| g.state as u8).collect(),
            e.instruments.iter().map(|i| i.state as u8).collect(),
            e.accounts
                .iter()
                .filter(|a| a.state as u8 != 0)
                .map(|a| (a.id, a.state as u8))
                .collect(),
        )
    }

    /// Bytes held by the trigger books, and counts of positions, orders, accounts, legs.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let e = &self.engine;
        let row = PyDict::new(py);
        row.set_item("accounts", e.accounts.len())?;
        row.set_item("positions", e.position_by_id.len())?;
        row.set_item("orders", e.order_by_id.len())?;
        row.set_item("legs", e.legs.items.len() - e.legs.free.len())?;
        row.set_item("remembered", e.commands.len())?;
        row.set_item("book_bytes", e.books.iter().map(|b| b.bytes()).sum::<usize>())?;
        row.set_item("position_bytes", size_of::<crate::state::Position>())?;
        row.set_item("leg_bytes", size_of::<crate::state::Leg>())?;
        row.set_item("order_bytes", size_of::<crate::state::Order>())?;
        row.set_item("account_bytes", size_of::<crate::state::Account>())?;
        Ok(row)
    }
}

/// Shard, groups by index, instruments by index, accounts that are not active by id.
type TradingStates = (u8, Vec<u8>, Vec<u8>, Vec<(u64, u8)>);

fn jsons(texts: impl Iterator<Item = Result<String, serde_json::Error>>) -> PyResult<Vec<String>> {
    texts.collect::<Result<_, _>>().map_err(|e| PyRuntimeError::new_err(e.to_string()))
}

fn describe<'py>(py: Python<'py>, layouts: &[&Layout]) -> PyResult<Bound<'py, PyDict>> {
    let table = PyDict::new(py);
    for layout in layouts {
        let row = PyDict::new(py);
        row.set_item("kind", layout.kind)?;
        row.set_item("size", layout.size)?;
        let fields: Vec<(&str, String)> =
            layout.fields.iter().map(|(name, code)| (*name, code.to_string())).collect();
        row.set_item("fields", fields)?;
        table.set_item(layout.name, row)?;
    }
    Ok(table)
}

/// Layout tables of all records: {"inputs": …, "events": …, "headers": …}.
#[pyfunction]
fn layouts(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let table = PyDict::new(py);
    table.set_item("inputs", describe(py, wire::INPUTS)?)?;
    table.set_item("events", describe(py, wire::EVENTS)?)?;
    let headers = [
        &wire::InputHeader::LAYOUT,
        &wire::CommandHeader::LAYOUT,
        &wire::EventHeader::LAYOUT,
        &wire::LedgerLeg::LAYOUT,
    ];
    table.set_item("headers", describe(py, &headers)?)?;
    Ok(table)
}

/// Numbers of every enumeration: {enum: {variant: number}}.
#[pyfunction]
fn codes(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let table = PyDict::new(py);
    let all: [(&str, &[(&str, u32)]); 15] = [
        ("Code", code::Code::ALL),
        ("At", code::At::ALL),
        ("Side", code::Side::ALL),
        ("OrderType", code::OrderType::ALL),
        ("Tif", code::Tif::ALL),
        ("OrderState", code::OrderState::ALL),
        ("Reason", code::Reason::ALL),
        ("PositionState", code::PositionState::ALL),
        ("Entry", code::Entry::ALL),
        ("BalanceOp", code::BalanceOp::ALL),
        ("Scope", code::Scope::ALL),
        ("Trading", code::Trading::ALL),
        ("ReportKind", code::ReportKind::ALL),
        ("Ledger", code::Ledger::ALL),
        ("Posting", code::Posting::ALL),
    ];
    for (name, variants) in all {
        let row = PyDict::new(py);
        for (variant, number) in variants {
            row.set_item(*variant, *number)?;
        }
        table.set_item(name, row)?;
    }
    Ok(table)
}

/// CRC32C (Castagnoli) of data, continuing from `seed`; the GIL is released for long data.
#[pyfunction]
#[pyo3(name = "crc32c", signature = (data, seed = 0))]
fn checksum(py: Python<'_>, data: &[u8], seed: u32) -> u32 {
    if data.len() < 4096 {
        return ::crc32c::crc32c_append(seed, data);
    }
    py.detach(|| ::crc32c::crc32c_append(seed, data))
}

#[pymodule]
fn _core(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<Core>()?;
    m.add_class::<crate::python_frames::FrameReader>()?;
    m.add_class::<crate::python_ticks::TickReader>()?;
    m.add_function(wrap_pyfunction!(layouts, m)?)?;
    m.add_function(wrap_pyfunction!(codes, m)?)?;
    m.add_function(wrap_pyfunction!(checksum, m)?)?;
    m.add("WIRE_VERSION", wire::WIRE_VERSION)?;
    m.add("__version__", env!("CARGO_PKG_VERSION"))?;
    Ok(())
}
