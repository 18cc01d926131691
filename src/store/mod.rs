//! All SQL, and the private PostgreSQL that is used when none is configured.

pub mod private;
