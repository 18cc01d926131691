//! The page of an error.

use askama::Template;

use crate::web::ui::Ui;

/// The page of an error.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub(in crate::web) struct ErrorPage {
    pub ui: Ui,
    pub status: u16,
    pub title: String,
    pub detail: String,
    /// Empty where it is of no use to the reader.
    pub request_id: String,
}
