#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pipec_fuzz::compiled::run(bytes));
