//! The database: whether it is there, keeps what it says, and agrees about the time.

use sqlx::Connection as _;

use crate::app::database::Database;
use crate::config::Config;
use crate::store::health::{self, Server};
use crate::types::Timestamp;

use super::Check;

/// How far two clocks may be apart, in seconds.
const MOST_APART: i64 = 2;

pub(super) async fn examine(config: &Config) -> Vec<Check> {
    let fix =
        "Set PILLARBOX_DATABASE_URL to a PostgreSQL that is up, or install PostgreSQL's server programs for the private one.";
    let database = match Database::beside(config).await {
        Ok(database) => database,
        Err(error) => return vec![Check::failed("database", format!("There is no database: {error:#}."), fix)],
    };
    let asked = async {
        let mut db = sqlx::PgConnection::connect_with(database.options()).await?;
        let server = health::server(&mut db).await?;
        db.close().await?;
        Ok::<Server, sqlx::Error>(server)
    };
    let found = asked.await;
    database.stop().await;
    match found {
        Ok(server) => judge(&server),
        Err(error) => vec![Check::failed("database", format!("The database does not answer: {error}."), fix)],
    }
}

fn judge(server: &Server) -> Vec<Check> {
    let mut checks = vec![Check::ok("database", format!("The database is PostgreSQL {}.", server.version))];
    for (name, value) in &server.durability {
        // Anything but off waits for the own disk (PostgreSQL's documentation of synchronous_commit).
        let is_durable = value != "off";
        checks.push(if is_durable {
            Check::ok("durability", format!("{name} is {value}."))
        } else {
            Check::failed(
                "durability",
                format!("{name} is {value}: mail that was acknowledged may be lost when the machine fails."),
                format!("alter system set {name} = on; then select pg_reload_conf()."),
            )
        });
    }
    let apart = (Timestamp::now().unix() - server.clock.unix()).abs();
    checks.push(if apart > MOST_APART {
        let found = format!("The clocks of this machine and the database are {apart} s apart.");
        Check::failed("clock", found, "Let both machines follow the same time servers (chrony, systemd-timesyncd).")
    } else {
        Check::ok("clock", "The clocks of this machine and the database agree.")
    });
    checks
}
