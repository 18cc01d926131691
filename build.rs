//! Tells cargo of the files that are compiled in without being named in the code.

fn main() {
    for dir in ["migrations", "static", "templates"] {
        // Cargo takes a missing path for a changed one and would build again each time.
        if std::path::Path::new(dir).exists() {
            println!("cargo:rerun-if-changed={dir}");
        }
    }
}
