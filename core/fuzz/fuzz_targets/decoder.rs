//! libFuzzer target of the record decoder: `cargo +nightly fuzz run decoder` in `core/`.
#![no_main]

use _core::engine::Engine;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut engine = Engine::new(1);
    let hash = engine.state_hash();
    engine.admit(data);
    assert_eq!(engine.state_hash(), hash);
    engine.apply(data);
    engine.check().expect("books balance");
    let _ = Engine::restore(data);
});
