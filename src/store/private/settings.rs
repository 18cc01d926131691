//! What the private PostgreSQL is told on its command line, over whatever its own files say.

use super::NAME;

/// Durability first; the rest suits many small commits on a small machine.
pub(super) const SETTINGS: [(&str, &str); 24] = [
    ("listen_addresses", ""),
    ("unix_socket_permissions", "0700"),
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("shared_buffers", "64MB"),
    ("max_connections", "60"),
    ("work_mem", "8MB"),
    ("wal_buffers", "16MB"),
    ("wal_compression", "on"),
    // Fewer checkpoints mean fewer whole pages in the log; segments kept ready save making files at commit.
    ("min_wal_size", "128MB"),
    ("max_wal_size", "1GB"),
    ("checkpoint_timeout", "10min"),
    ("random_page_cost", "1.1"),
    ("jit", "off"),
    // One call for the file system in place of one for each file, after a crash.
    ("recovery_init_sync_method", "syncfs"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("logging_collector", "off"),
    ("log_checkpoints", "off"),
    // A failed statement is the application's to report; here it could show what a message holds.
    ("log_min_messages", "log"),
    ("log_min_error_statement", "panic"),
    ("log_error_verbosity", "terse"),
    ("cluster_name", NAME),
];
