//! Programs of others against this server: the protocol's conformance suite, its inspector and SDK, schemathesis, and the example
//! clients of the documentation. `scripts/install-api-clients` gets them; `make test` runs it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::LazyLock;

use pillarbox::config::RawConfig;
use serde_json::Value;

use crate::harness::scratch::Scratch;
use crate::harness::server::{Server, note};

/// Where the programs are.
static CLIENTS: LazyLock<PathBuf> = LazyLock::new(|| {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/install-api-clients");
    let output = Command::new(script).stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "the clients could not be installed");
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
});

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A Node that is new enough for all of them.
fn node() -> Command {
    Command::new(CLIENTS.join("node"))
}

fn python() -> Command {
    Command::new(CLIENTS.join("python/bin/python"))
}

/// Runs a program beside the server, which goes on.
async fn run(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.stdin(Stdio::null()).output().unwrap()).await.unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A server with a mailbox that has a code.
async fn with_a_code() -> Server {
    let server = Server::start().await;
    server.mailbox("a@example.org").await;
    server.mail(&["a@example.org"], note("Login", "Your verification code is 482913.")).await;
    server
}

fn example(mut command: Command, file: &str, server: &Server) -> Command {
    command.arg(root("docs/examples").join(file)).arg("a@example.org");
    command.env("PILLARBOX_URL", format!("http://{}", server.http)).env("PILLARBOX_KEY", &server.key);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_clients_of_the_documentation_work() {
    let server = with_a_code().await;
    for command in [example(python(), "pillarbox.py", &server), example(node(), "pillarbox.ts", &server)] {
        let output = run(command).await;
        let lines: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
        assert!(output.status.success() && lines.len() == 2, "{}", text(&output));
        assert_eq!(lines[0], "482913");
        assert!(lines[1].ends_with("sender@example.net\tLogin"), "{}", text(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_protocols_own_sdk_lists_and_calls() {
    let server = with_a_code().await;
    let output = run(example(python(), "agent.py", &server)).await;
    let lines: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    assert!(output.status.success() && lines.len() == 3, "{}", text(&output));
    assert!(lines[1].contains("create_mailbox") && lines[1].split(' ').count() <= 15, "{}", lines[1]);
    assert_eq!(lines[2], "482913");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inspector_lists_and_calls() {
    let server = with_a_code().await;
    let inspect = async |more: &[&str]| {
        let mut command = node();
        command.arg(CLIENTS.join("node_modules/.bin/mcp-inspector")).args(["--cli", &format!("http://{}/api/mcp", server.http)]);
        command.args(["--transport", "http", "--header", &format!("Authorization: Bearer {}", server.key)]).args(more);
        let output = run(command).await;
        assert!(output.status.success(), "{}", text(&output));
        serde_json::from_slice::<Value>(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output)))
    };
    let listed = inspect(&["--method", "tools/list"]).await;
    assert!(listed["tools"].as_array().unwrap().len() > 20);
    let arguments = ["--method", "tools/call", "--tool-name", "get_verification_code", "--tool-arg", "mailbox=a@example.org"];
    let called = inspect(&arguments).await;
    assert_eq!(called["structuredContent"]["code"], "482913", "{called}");
}

/// Stands in front of the server and adds the key, which the suite cannot send. Ends with the test.
struct Helper {
    program: Child,
    port: u16,
}

impl Helper {
    fn start() -> Self {
        let mut command = node();
        command.arg(root("tests/clients/with-key.mjs")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut program = command.spawn().unwrap();
        let mut port = String::new();
        BufReader::new(program.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Self { program, port: port.trim().parse().unwrap() }
    }

    /// Where the suite finds the server, which has to know that it is called so.
    fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    fn lead_to(&mut self, server: &Server) {
        writeln!(self.program.stdin.as_mut().unwrap(), "http://{} {}", server.http, server.key).unwrap();
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_conformance_suite_finds_nothing_that_is_not_in_the_baseline() {
    let mut helper = Helper::start();
    let server = Server::start_with(RawConfig { public_url: Some(helper.origin()), ..RawConfig::default() }).await;
    server.mailbox("a@example.org").await;
    helper.lead_to(&server);
    let directory = Scratch::new(0o755);
    let url = format!("{}/api/mcp", helper.origin());
    for revision in ["2025-11-25", "2026-07-28"] {
        let mut command = node();
        command.arg(CLIENTS.join("node_modules/.bin/conformance")).args(["server", "--url", &url, "--requirements", revision]);
        command.arg("--expected-failures").arg(root(&format!("tests/clients/expected-{revision}.yaml")));
        command.arg("-o").arg(directory.path().join(revision));
        let output = run(command).await;
        assert!(output.status.success(), "{revision}: {}", text(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_nothing() {
    let server = with_a_code().await;
    let directory = Scratch::new(0o755);
    let mut command = Command::new(CLIENTS.join("python/bin/schemathesis"));
    command.current_dir(directory.path());
    command.args(["run", &format!("http://{}/api/openapi.json", server.http)]);
    command.args(["--header", &format!("Authorization: Bearer {}", server.key)]);
    command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", "4", "--max-time", "30"]);
    command.args(["--generation-deterministic", "--request-timeout", "30", "--no-shrink", "--continue-on-failure"]);
    // A busy machine is slow, which is no fault of the document.
    command.args(["--suppress-health-check", "all"]);
    // All checks but this one: that a domain or mailbox has to be there, no schema can say.
    command.args(["--exclude-checks", "positive_data_acceptance"]);
    // It finds ids in answers and uses them: its own key's too.
    command.args(["--exclude-operation-id", "revoke_api_key", "--exclude-operation-id", "delete_api_key"]);
    let output = run(command).await;
    assert!(output.status.success(), "{}", text(&output));
}
