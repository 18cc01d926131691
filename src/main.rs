//! The program `pillarbox`.

use std::process::ExitCode;

/// Small, and it gives memory back; the system's allocator keeps what a burst of mail took.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    pillarbox::cli::main()
}
