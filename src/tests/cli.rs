//! The commands, as scripts use them: what they print, and how they end.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use sqlx::ConnectOptions;

use crate::harness::database::{TestDatabase, database};
use crate::harness::process::{Serving, pillarbox, run, stderr, stdout};
use crate::harness::rest::Rest;
use crate::harness::scratch::Scratch;
use crate::harness::server::note;
use crate::harness::smtp_client::SmtpClient;

/// Runs a command that shall succeed and say nothing beside its answer.
fn ok(mut command: Command, arguments: &[&str], input: &str) -> String {
    command.args(arguments);
    let output = run(command, input);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""), "{arguments:?}: {}", stdout(&output));
    stdout(&output)
}

/// Runs a command that shall fail with this code, print nothing on standard output, and say these words.
fn fails(mut command: Command, arguments: &[&str], code: i32, words: &[&str]) -> String {
    command.args(arguments);
    let output = run(command, "");
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
    assert_eq!(stdout(&output), "", "{arguments:?}");
    let said = stderr(&output);
    for word in words {
        assert!(said.contains(word), "{arguments:?}: {said:?} does not name {word:?}");
    }
    said
}

fn is_key(text: &str) -> bool {
    text.strip_prefix("sk_live_").is_some_and(|rest| {
        rest.len() == 41 && rest.as_bytes()[8] == b'.' && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
    })
}

/// A database and a directory for commands that need no private PostgreSQL.
struct Desk {
    db: TestDatabase,
    dir: Scratch,
}

impl Desk {
    async fn new() -> Self {
        Self { db: database().await, dir: Scratch::new(0o700) }
    }

    fn command(&self) -> Command {
        let mut command = pillarbox(self.dir.path());
        command.env("PILLARBOX_DATABASE_URL", self.db.options().to_url_lossy().as_str());
        command
    }

    fn ok(&self, arguments: &[&str]) -> String {
        ok(self.command(), arguments, "")
    }

    fn fails(&self, arguments: &[&str], code: i32, words: &[&str]) -> String {
        fails(self.command(), arguments, code, words)
    }
}

#[tokio::test]
async fn domains_are_added_and_listed() {
    let desk = Desk::new().await;
    assert_eq!(desk.ok(&["domain", "list"]), "");
    assert_eq!(desk.ok(&["domain", "list", "--json"]), "[]\n");
    assert_eq!(desk.ok(&["domain", "add", "Example.ORG"]), "example.org\n");
    let made: Value =
        serde_json::from_str(&desk.ok(&["domain", "add", "müller.example", "--default", "--unknown", "collect", "--json"]))
            .unwrap();
    assert_eq!(
        (&made["name"], &made["is_default"], &made["unknown"]),
        (&json!("xn--mller-kva.example"), &json!(true), &json!("collect"))
    );
    let listed = desk.ok(&["domain", "list"]);
    let rows: Vec<Vec<&str>> = listed.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        rows,
        [vec!["example.org", "reject", "0", "mailboxes"], vec!["xn--mller-kva.example", "collect", "0", "mailboxes", "default"]]
    );
    let listed: Value = serde_json::from_str(&desk.ok(&["domain", "list", "--json"])).unwrap();
    assert_eq!(listed.as_array().map(Vec::len), Some(2));
    desk.fails(&["domain", "add", "example.org"], 1, &["example.org", "already"]);
    desk.fails(&["domain", "add", "third.example", "--unknown", "nobody@example.org"], 1, &["nobody@example.org"]);
    desk.fails(&["domain", "add", "not a name"], 2, &["not a name"]);
    desk.fails(&["domain", "add"], 2, &["<NAME>"]);
    assert_eq!(desk.ok(&["domain", "list"]).lines().count(), 2);
}

#[tokio::test]
async fn mailboxes_are_made_with_an_address_and_a_password_a_line() {
    let desk = Desk::new().await;
    desk.ok(&["domain", "add", "example.org"]);
    let made = desk.ok(&["mailbox", "create", "Alice@example.org", "bert@example.org"]);
    let rows: Vec<Vec<&str>> = made.lines().map(|line| line.split(' ').collect()).collect();
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), ["alice@example.org", "bert@example.org"]);
    assert!(rows.iter().all(|row| row.len() == 2 && row[1].len() == 12), "{made}");

    // What can be made is made and printed; the rest is said.
    let mut command = desk.command();
    command.args(["mailbox", "create", "alice@example.org", "carol@example.org", "dora@other.example"]);
    let output = run(command, "");
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).starts_with("carol@example.org ") && stdout(&output).lines().count() == 1, "{}", stdout(&output));
    let said = stderr(&output);
    assert!(said.contains("alice@example.org") && said.contains("dora@other.example") && !said.contains("carol"), "{said}");

    let items: Value = serde_json::from_str(&desk.ok(&["mailbox", "create", "--json", "erna@example.org"])).unwrap();
    assert_eq!((&items[0]["address"], &items[0]["created"]), (&json!("erna@example.org"), &json!(true)));
    let listed: Value = serde_json::from_str(&desk.ok(&["mailbox", "list", "--json"])).unwrap();
    assert_eq!(listed.as_array().map(Vec::len), Some(4));
    assert_eq!(desk.ok(&["mailbox", "list"]).lines().count(), 4);
    desk.fails(&["mailbox", "create", "no-address"], 2, &["no-address"]);
    desk.fails(&["mailbox", "create"], 2, &[]);
}

#[tokio::test]
async fn a_listing_is_whole_however_long_it_is() {
    let desk = Desk::new().await;
    desk.ok(&["domain", "add", "example.org"]);
    let addresses: Vec<String> = (0..450).map(|n| format!("m{n}@example.org")).collect();
    let create = ["mailbox", "create"].into_iter().chain(addresses.iter().map(String::as_str)).collect::<Vec<_>>();
    assert_eq!(desk.ok(&create).lines().count(), 450);
    let listed = desk.ok(&["mailbox", "list"]);
    let found: std::collections::BTreeSet<_> = listed.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!((listed.lines().count(), found.len()), (450, 450));
}

#[tokio::test]
async fn a_key_stands_alone_on_a_line() {
    let desk = Desk::new().await;
    let key =
        desk.ok(&["key", "create", "--name", "ci", "--scope", "mail:read", "--scope", "code:read", "--expires-in-days", "7"]);
    assert!(is_key(key.trim_end_matches('\n')), "{key:?}");
    let listed: Value = serde_json::from_str(&desk.ok(&["key", "list", "--json"])).unwrap();
    assert_eq!((&listed[0]["name"], &listed[0]["scopes"]), (&json!("ci"), &json!(["mail:read", "code:read"])));
    assert_eq!(listed[0]["created_by"], "operator");
    assert!(!listed.to_string().contains(&key.trim_end()[17..]), "{listed}");
    desk.fails(&["key", "create", "--name", "x", "--scope", "mail:all"], 2, &["mail:all", "mail:read"]);
    desk.fails(&["key", "create"], 2, &["--name"]);
    desk.fails(&["key", "create", "--name", ""], 1, &["name"]);
    desk.fails(&["key", "create", "--name", "x", "--expires-in-days", "0"], 1, &["--expires-in-days"]);
}

#[tokio::test]
async fn the_first_administrator_comes_by_password_or_by_link() {
    let desk = Desk::new().await;
    let link = desk.ok(&["admin", "setup-link"]);
    let (base, token) = link.trim_end_matches('\n').split_once("/setup?token=").unwrap_or_else(|| panic!("{link}"));
    assert_eq!(base, "http://127.0.0.1:8080");
    assert!(token.len() >= 32 && token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{link}");
    let create = |name: &str, input: &str| {
        let mut command = desk.command();
        command.args(["admin", "create", "--username", name, "--password-stdin"]);
        run(command, input)
    };
    let short: Output = create("root", "short\n");
    assert_eq!((short.status.code(), stdout(&short)), (Some(1), String::new()));
    assert!(stderr(&short).contains("password"), "{}", stderr(&short));
    let made = create("root", "correct horse battery\n");
    assert_eq!((made.status.code(), stdout(&made), stderr(&made)), (Some(0), String::new(), String::new()));
    let twice = create("root", "correct horse battery\n");
    assert_eq!(twice.status.code(), Some(1));
    assert!(stderr(&twice).contains("root"), "{}", stderr(&twice));
    desk.fails(&["admin", "setup-link"], 1, &["administrator already"]);
    desk.fails(&["admin", "create", "--username", "two"], 2, &["--password-stdin"]);
    let hash: String = sqlx::query_scalar("select password_hash from principals").fetch_one(&*desk.db).await.unwrap();
    assert!(hash.starts_with("$argon2id$"), "{hash}");
}

#[test]
fn extract_reads_files_with_the_live_engine() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/data");
    let command = || {
        let mut command = pillarbox(&data);
        // It asks no database, and no setting can keep it from working.
        command.env("PILLARBOX_DATA_DIR", "/nowhere").env("PILLARBOX_DATABASE_URL", "nonsense");
        command
    };
    let lines = ok(command(), &["extract", "--jsonl", "code-alternative.eml", "plain.eml", "not-a-message.eml", "empty.eml"], "");
    let found: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found.len(), 4);
    let first = &found[0];
    assert_eq!(first["file"], "code-alternative.eml");
    assert_eq!(first["code"], "730518");
    assert_eq!(first["link"], "https://service.example/verify?token=abc123&lang=en");
    assert!((0.5..=1.0).contains(&first["confidence"].as_f64().unwrap()), "{first}");
    for none in &found[1..] {
        assert_eq!((&none["code"], &none["link"]), (&Value::Null, &Value::Null), "{none}");
    }
    let one: Value = serde_json::from_str(&ok(command(), &["extract", "--explain", "code-text.eml"], "")).unwrap();
    assert!(one["codes"].as_array().is_some_and(|codes| !codes.is_empty()), "{one}");

    let mut one_missing = command();
    one_missing.args(["extract", "--jsonl", "nowhere.eml", "code-text.eml"]);
    let output = run(one_missing, "");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("nowhere.eml"));
    assert_eq!(stdout(&output).lines().count(), 1);
    fails(command(), &["extract"], 2, &["FILES"]);
}

#[test]
fn openapi_prints_the_document_that_is_served() {
    let dir = Scratch::new(0o700);
    let printed: Value = serde_json::from_str(&ok(pillarbox(dir.path()), &["openapi"], "")).unwrap();
    assert_eq!(printed, pillarbox::api::document());
}

#[test]
fn usage_is_explained_and_a_wrong_one_ends_with_2() {
    let dir = Scratch::new(0o700);
    for arguments in [&["--help"][..], &["--version"], &["domain", "add", "--help"]] {
        assert!(ok(pillarbox(dir.path()), arguments, "").contains("illarbox"), "{arguments:?}");
    }
    for arguments in [&[][..], &["fly"], &["domain"], &["serve", "--colour", "blue"], &["domain", "list", "extra"]] {
        fails(pillarbox(dir.path()), arguments, 2, &["Usage"]);
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn a_wrong_setting_stops_the_start_with_a_sentence_that_names_it() {
    let dir = Scratch::new(0o700);
    let path = |name: &str| dir.path().join(name).display().to_string();
    for (setting, value) in [
        ("PILLARBOX_HTTP_LISTEN", "somewhere"),
        ("PILLARBOX_SMTP_LISTEN", "127.0.0.1"),
        ("PILLARBOX_SMTP_LISTEN", ""),
        ("PILLARBOX_HOSTNAME", "not a name"),
        ("PILLARBOX_PUBLIC_URL", "ftp://example.org"),
        ("PILLARBOX_DATABASE_URL", "mysql://example.org/x"),
        ("PILLARBOX_SECRET_KEY", "short"),
        ("PILLARBOX_TLS_CERT", "cert.pem"),
        ("PILLARBOX_TLS_KEY", "key.pem"),
        ("PILLARBOX_ADMIN_USERNAME", "root"),
        ("PILLARBOX_SMTP_MAX_MESSAGE_BYTES", "1"),
        ("PILLARBOX_SMTP_MAX_MESSAGE_BYTES", "many"),
        ("PILLARBOX_INGEST_COMMIT_TIMEOUT_SECONDS", "0"),
        ("PILLARBOX_ROLES", "smtp,dance"),
        ("PILLARBOX_LOG", "=="),
        ("PILLARBOX_LOG_FORMAT", "xml"),
        ("PILLARBOX_TRUSTED_PROXIES", "proxy"),
        ("PILLARBOX_CORS_ORIGINS", "example.org"),
        ("PILLARBOX_CONFIG", &path("nowhere.toml")),
    ] {
        let mut command = pillarbox(dir.path());
        command.env("PILLARBOX_HTTP_LISTEN", "127.0.0.1:0").env("PILLARBOX_SMTP_LISTEN", "127.0.0.1:0").env(setting, value);
        let output = run(
            {
                command.arg("serve");
                command
            },
            "",
        );
        assert!(matches!(output.status.code(), Some(1 | 2)), "{setting}={value}: {}", output.status);
        let said = stderr(&output);
        let flag = setting.trim_start_matches("PILLARBOX_").to_lowercase().replace('_', "-");
        assert!(said.contains(setting) || said.contains(&flag) || said.contains("nowhere.toml"), "{setting}={value}: {said:?}");
        assert!(!said.contains("panicked") && !said.contains("stack backtrace"), "{said}");
    }
}

#[tokio::test]
async fn settings_come_from_flags_before_the_environment_before_the_file() {
    let desk = Desk::new().await;
    let file = desk.dir.path().join("pillarbox.toml");
    std::fs::write(&file, "public_url = \"https://file.example\"\n").unwrap();
    let file = file.display().to_string();
    let link = |environment: Option<&str>, arguments: &[&str]| {
        let mut command = desk.command();
        if let Some(url) = environment {
            command.env("PILLARBOX_PUBLIC_URL", url);
        }
        ok(command, &[&["admin", "setup-link", "--config", &file], arguments].concat(), "")
    };
    assert!(link(None, &[]).starts_with("https://file.example/setup?"));
    assert!(link(Some("https://environment.example"), &[]).starts_with("https://environment.example/setup?"));
    let flag = ["--public-url", "https://flag.example/"];
    assert!(link(Some("https://environment.example"), &flag).starts_with("https://flag.example/setup?"));
    std::fs::write(desk.dir.path().join("pillarbox.toml"), "public_urk = \"https://file.example\"\n").unwrap();
    desk.fails(&["admin", "setup-link", "--config", &file], 1, &["public_urk", "pillarbox.toml"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_work_without_a_server_and_beside_one() {
    let dir = Scratch::new(0o711);
    // Without one: each starts the private database for its own time.
    assert_eq!(ok(pillarbox(dir.path()), &["domain", "add", "example.org"], ""), "example.org\n");
    assert!(ok(pillarbox(dir.path()), &["mailbox", "create", "alice@example.org"], "").starts_with("alice@example.org "));
    assert!(!dir.path().join("postgres/cluster/postmaster.pid").exists());

    let serving = Serving::start(dir.path());
    let second = fails(pillarbox(dir.path()), &["serve", "--http-listen=127.0.0.1:0", "--smtp-listen=127.0.0.1:0"], 1, &[]);
    assert!(second.contains(&serving.id().to_string()) && second.contains(&dir.path().display().to_string()), "{second}");
    assert!(ok(pillarbox(dir.path()), &["mailbox", "create", "bert@example.org"], "").starts_with("bert@example.org "));
    let key = ok(pillarbox(dir.path()), &["key", "create", "--name", "beside"], "");
    let rest = Rest::new(serving.http).with_key(key.trim());
    for address in ["alice@example.org", "bert@example.org"] {
        let mut session = SmtpClient::hello(serving.smtp).await;
        let reply = session.deliver(&[address], note("Sign in", "Your verification code is 482913.").as_bytes()).await;
        assert!(reply.starts_with("250 "), "{reply}");
        let answer = rest.get(&format!("/admin/verification-code?mailbox={address}")).await.data();
        assert_eq!(answer["code"], "482913");
    }
    assert!(ok(pillarbox(dir.path()), &["mailbox", "list"], "").contains("1 unread of 1"));

    // What stays behind of secrets is for the owner alone, and the log has none.
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let file = file.unwrap();
        let mode = std::os::unix::fs::PermissionsExt::mode(&file.metadata().unwrap().permissions());
        let name = file.file_name().to_string_lossy().into_owned();
        assert!(!name.contains("key") || mode.trailing_zeros() >= 6, "{name} has mode {mode:o}");
    }
    let log = serving.log();
    assert!(!log.contains(key.trim()) && !log.contains("482913"), "{log}");
}
