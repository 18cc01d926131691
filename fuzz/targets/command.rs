#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| pillarbox::smtp::fuzzing::command(octets));
