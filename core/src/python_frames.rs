//! `FrameReader`: the frame reader for Python.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use crate::frames::{Fault, Field, Kind, Reader, Value, DIGITS_MAX};

/// Takes a few fields of a venue's frames as exact integers.
#[pyclass(frozen, module = "tradeloom._core")]
pub struct FrameReader {
    reader: Reader,
    off_grid: Py<PyAny>,
}

#[pymethods]
impl FrameReader {
    #[new]
    fn new(
        path: Vec<String>,
        fields: Vec<(String, String, bool)>,
        off_grid: Py<PyAny>,
    ) -> PyResult<FrameReader> {
        let fields = fields
            .into_iter()
            .map(|(key, kind, required)| {
                Ok(Field { key: key.into(), kind: kind_of(&kind)?, required })
            })
            .collect::<PyResult<Vec<_>>>()?;
        let path = path.into_iter().map(Into::into).collect();
        Ok(FrameReader { reader: Reader::new(path, fields), off_grid })
    }

    /// The values of the fields; None for optional ones that are not there.
    fn read<'py>(
        &self,
        py: Python<'py>,
        frame: &Bound<'py, PyAny>,
        digits: u32,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let text: &[u8] = if let Ok(text) = frame.downcast::<PyString>() {
            text.to_str()?.as_bytes()
        } else if let Ok(bytes) = frame.downcast::<PyBytes>() {
            bytes.as_bytes()
        } else {
            return Err(PyTypeError::new_err("a frame is str or bytes"));
        };
        if digits > DIGITS_MAX {
            return Err(PyValueError::new_err("digits are 0 to 12"));
        }
        let mut values = Vec::with_capacity(self.reader.len());
        if let Err(fault) = self.reader.read(text, digits, &mut values) {
            return Err(self.error(py, fault));
        }
        let objects = values.into_iter().map(|value| object(py, value));
        PyTuple::new(py, objects.collect::<PyResult<Vec<_>>>()?)
    }
}

impl FrameReader {
    fn error(&self, py: Python<'_>, fault: Fault) -> PyErr {
        match fault {
            Fault::Malformed(at) => {
                PyValueError::new_err(format!("not the JSON that was expected, at byte {at}"))
            }
            Fault::Missing(index) => PyValueError::new_err(format!("field {index} is missing")),
            Fault::OffGrid(at) => {
                let text = format!("the number at byte {at} does not fit the instrument's digits");
                match self.off_grid.call1(py, (text,)) {
                    Ok(error) => PyErr::from_value(error.into_bound(py)),
                    Err(error) => error,
                }
            }
        }
    }
}

fn kind_of(name: &str) -> PyResult<Kind> {
    Ok(match name {
        "int" => Kind::Int,
        "price" => Kind::Price,
        "size" => Kind::Size,
        "bool" => Kind::Bool,
        "text" => Kind::Text,
        "levels" => Kind::Levels,
        _ => return Err(PyValueError::new_err(format!("no kind of field is called {name:?}"))),
    })
}

fn object<'py>(py: Python<'py>, value: Value<'_>) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Missing => py.None().into_bound(py),
        Value::Int(number) => number.into_pyobject(py)?.into_any(),
        Value::Bool(yes) => yes.into_pyobject(py)?.to_owned().into_any(),
        Value::Text(text) => {
            PyString::new(py, std::str::from_utf8(text).map_err(PyValueError::new_err)?).into_any()
        }
        Value::Levels(levels) => PyTuple::new(py, levels)?.into_any(),
    })
}
