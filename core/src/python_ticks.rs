//! `TickReader`: frames of market streams as columns for Python.

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::ticks::{Fault, Key, Ticks};

type Heads = Vec<(String, i64, usize, usize)>;
type Taken<'py> = (
    Heads,
    Vec<Key>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Vec<String>,
    Vec<(usize, Bound<'py, PyBytes>)>,
);

/// Gathers the rows of frames, and hands them out as arrays.
#[pyclass(module = "tradeloom._core")]
#[derive(Default)]
pub struct TickReader {
    ticks: Ticks,
}

#[pymethods]
impl TickReader {
    #[new]
    fn new() -> TickReader {
        TickReader::default()
    }

    /// Takes frames; positions and problems of those that were not taken.
    fn add(&mut self, py: Python<'_>, frames: Vec<PyBackedBytes>) -> Vec<(usize, &'static str)> {
        let ticks = &mut self.ticks;
        py.detach(|| {
            let faults = frames
                .iter()
                .enumerate()
                .filter_map(|(at, frame)| ticks.add(frame).err().map(|fault| (at, said(fault))));
            faults.collect()
        })
    }

    /// Rows gathered.
    #[getter]
    fn rows(&self) -> usize {
        self.ticks.quotes.len() + self.ticks.trades.len() + self.ticks.funding.len()
    }

    /// Everything gathered: heads, keys, quotes, trades, ids of trades, funding. Empty afterwards.
    fn take<'py>(&mut self, py: Python<'py>) -> PyResult<Taken<'py>> {
        let ticks = std::mem::take(&mut self.ticks);
        let heads = ticks.heads.iter().map(|head| {
            (ticks.producers[head.producer].clone(), head.seq, head.quotes, head.trades)
        });
        let mut start = 0;
        let ids = ticks.id_ends.iter().map(|&end| {
            let id = ticks.ids[start..end].to_owned();
            start = end;
            id
        });
        let funding = ticks.funding.iter().map(|(at, event)| (*at, PyBytes::new(py, event)));
        Ok((
            heads.collect(),
            ticks.keys,
            rows(py, &ticks.quotes)?,
            rows(py, &ticks.trades)?,
            ids.collect(),
            funding.collect(),
        ))
    }
}

/// Rows as the bytes of a C-ordered array of little-endian i64.
fn rows<'py, const N: usize>(py: Python<'py>, of: &[[i64; N]]) -> PyResult<Bound<'py, PyBytes>> {
    PyBytes::new_with(py, of.len() * N * 8, |to| {
        for (to, number) in to.chunks_exact_mut(8).zip(of.iter().flatten()) {
            to.copy_from_slice(&number.to_le_bytes());
        }
        Ok(())
    })
}

fn said(fault: Fault) -> &'static str {
    match fault {
        Fault::Malformed => "not a frame of market events",
        Fault::Wide => "a number is beyond 64 bits",
    }
}
