//! Whether the installation can do its work.

use std::time::Duration;

use crate::error::Result;
use crate::store;

use super::Services;
use super::context::within;

/// Who asks after health does not wait long for the answer.
const LIMIT: Duration = Duration::from_secs(5);

/// The database answers.
pub async fn read(services: &Services) -> Result<()> {
    let ask = async {
        let mut db = services.db.acquire().await?;
        store::health::read(&mut db).await
    };
    within(LIMIT, ask).await
}

/// The database takes a write.
pub async fn write(services: &Services) -> Result<()> {
    let ask = async {
        let mut db = services.db.acquire().await?;
        store::health::write(&mut db).await
    };
    within(LIMIT, ask).await
}
