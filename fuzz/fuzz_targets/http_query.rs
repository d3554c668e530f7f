#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| tidings_fuzz::http_query(octets));
