//! The integration tests: one program, so that it links once. Each file is a matter, tested through its door.

mod harness;

mod private_postgres;
