//! The examples in the documentation, run as a reader would paste them.
//!
//! A block is run where the line before it says `<!-- run: NAME -->`. Addresses and the program's path are those of the test.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use super::harness::scratch::Scratch;

const PAGES: &[&str] = &["README.md", "docs/api.md", "docs/mcp.md"];

#[test]
fn the_examples_of_the_documentation_work_in_the_order_in_which_they_stand() {
    let directory = Scratch::new(0o755);
    let (http, smtp) = (free_address(), free_address());
    let _server = Server::start(directory.path(), &http, &smtp);
    let script: String = PAGES.iter().flat_map(|page| blocks(page)).collect();
    assert!(script.matches("verification-code?").count() >= 2, "the pages have lost their examples");
    let script = script
        .replace("127.0.0.1:8080", &http)
        .replace("127.0.0.1:2525", &smtp)
        .replace("target/release/pillarbox", env!("CARGO_BIN_EXE_pillarbox"));
    let output = run(directory.path(), &script);
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}\n{stderr}");
    assert_eq!(stdout.matches(r#""code":"482913""#).count(), 3, "{stdout}\n{stderr}");
}

fn run(directory: &Path, script: &str) -> Output {
    let file = directory.join("example.sh");
    std::fs::write(&file, script).unwrap();
    Command::new("bash")
        .args(["-eu", "-o", "pipefail", "-O", "expand_aliases"])
        .arg(&file)
        .env("PILLARBOX_DATA_DIR", directory.join("data"))
        .output()
        .unwrap()
}

/// The blocks of a page that are to be run.
fn blocks(page: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let body = |after: &str| {
        let code = after.split_once("```sh\n").and_then(|(_, rest)| rest.split_once("```")).map(|(code, _)| code);
        code.unwrap_or_else(|| panic!("{page} has a mark without a block")).to_owned()
    };
    text.split("<!-- run: ").skip(1).map(body).collect()
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// The program on its private PostgreSQL, stopped with the test.
struct Server(Child);

impl Server {
    fn start(directory: &Path, http: &str, smtp: &str) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_pillarbox"))
            .args(["serve", "--http-listen", http, "--smtp-listen", smtp, "--data-dir"])
            .arg(directory.join("data"))
            .env_remove("PILLARBOX_DATABASE_URL")
            .env_remove("DATABASE_URL")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self(child);
        let until = Instant::now() + Duration::from_mins(1);
        while std::net::TcpStream::connect(smtp).is_err() || std::net::TcpStream::connect(http).is_err() {
            assert!(Instant::now() < until, "the server did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // In order, so that the private PostgreSQL is stopped before its directory goes.
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let _ = self.0.wait();
    }
}
