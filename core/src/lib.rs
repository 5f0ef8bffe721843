//! The deterministic trading engine: inputs in one order become events, nothing else.

pub mod code;
pub mod wire;
