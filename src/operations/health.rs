//! Whether the installation can do its work.

use crate::error::Result;
use crate::store;

use super::Services;

/// The database answers.
pub async fn read(services: &Services) -> Result<()> {
    let mut db = services.db.acquire().await?;
    store::health::read(&mut db).await
}

/// The database takes a write.
pub async fn write(services: &Services) -> Result<()> {
    let mut db = services.db.acquire().await?;
    store::health::write(&mut db).await
}
