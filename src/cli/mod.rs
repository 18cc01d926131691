//! The command line.

mod aliases;
mod commands;
mod doctor;
mod domains;
mod extract;
mod table;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::app;
use crate::config::{Config, RawConfig};
use crate::types::{Address, Scope};

/// Pillarbox: a self-hosted inbound mail server with an API.
#[derive(Debug, Parser)]
#[command(name = "pillarbox", version, about, disable_help_subcommand = true)]
struct Cli {
    /// A TOML file with settings; the environment and flags win over it
    #[arg(long, env = "PILLARBOX_CONFIG", global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    settings: RawConfig,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve,
    /// Manage administrators
    #[command(subcommand)]
    Admin(Admin),
    /// Manage API keys
    #[command(subcommand)]
    Key(Key),
    /// Manage domains
    #[command(subcommand)]
    Domain(domains::Domain),
    /// Manage aliases
    #[command(subcommand)]
    Alias(aliases::Alias),
    /// Manage mailboxes
    #[command(subcommand)]
    Mailbox(Mailbox),
    /// Find codes and links in message files; needs no database
    Extract(extract::Args),
    /// Look at this machine: ports, name, certificate, disk, database; fails where something keeps mail away
    Doctor {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the `OpenAPI` document
    Openapi,
}

#[derive(Debug, Subcommand)]
enum Admin {
    /// Make an administrator; the password is read from standard input
    Create {
        /// The name to sign in with
        #[arg(long)]
        username: String,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Print a one-time link to make the first administrator
    SetupLink,
}

#[derive(Debug, Subcommand)]
enum Key {
    /// Make an API key and print it; it is not shown again
    Create {
        /// What people call it
        #[arg(long)]
        name: String,
        /// A permission; may be given several times, none means all
        #[arg(long = "scope")]
        scopes: Vec<Scope>,
        /// After how many days it is refused
        #[arg(long)]
        expires_in_days: Option<i64>,
        /// How many reads it may make in a minute
        #[arg(long)]
        reads_per_minute: Option<i64>,
        /// How many writes it may make in a minute
        #[arg(long)]
        writes_per_minute: Option<i64>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the API keys
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum Mailbox {
    /// Make mailboxes and print address and password of each
    Create {
        /// The addresses
        #[arg(required = true)]
        addresses: Vec<Address>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the mailboxes
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command of this process; 0 done, 1 failed, 2 wrong usage.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            // Nobody can be told that printing failed.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match run(cli) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("pillarbox: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Extract(args) => return extract::run(&args),
        Command::Openapi => {
            table::print_json(&crate::api::document())?;
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    let config = config(cli.settings, cli.config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match cli.command {
            Command::Serve => {
                app::start_logging(&config.log, false);
                app::serve(config).await.map(|()| ExitCode::SUCCESS)
            }
            Command::Doctor { json } => {
                app::start_logging(&crate::config::Log { filter: "off".to_owned(), ..config.log.clone() }, true);
                doctor::run(&config, json).await
            }
            command => {
                app::start_logging(&crate::config::Log { filter: "error".to_owned(), ..config.log.clone() }, true);
                let beside = app::Beside::start(config).await?;
                let result = Box::pin(commands::run(&beside.ctx(), command)).await;
                beside.stop().await;
                result.map(|()| ExitCode::SUCCESS)
            }
        }
    })
}

/// Flags win over the environment, which wins over the file.
fn config(settings: RawConfig, file: Option<PathBuf>) -> Result<Config> {
    let file = file.map(|path| RawConfig::from_file(&path)).transpose()?.unwrap_or_default();
    let mut settings = settings.or(file);
    settings.database_url = settings.database_url.or_else(|| std::env::var("DATABASE_URL").ok());
    settings.check()
}
