//! The settings file: TOML, with the names of the environment nested or flat, without the prefix and in lower case.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::RawConfig;

impl RawConfig {
    /// Reads a settings file. `[smtp] listen = "…"` and `smtp_listen = "…"` mean the same.
    pub fn from_file(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("the settings file {} cannot be read", path.display()))?;
        Self::from_toml(&text).with_context(|| format!("the settings file {} is not right", path.display()))
    }

    fn from_toml(text: &str) -> Result<Self> {
        let table: toml::Table = toml::from_str(text)?;
        let mut flat = toml::Table::new();
        flatten("", table, &mut flat);
        Ok(flat.try_into()?)
    }
}

fn flatten(prefix: &str, table: toml::Table, flat: &mut toml::Table) {
    for (name, value) in table {
        let name = if prefix.is_empty() { name } else { format!("{prefix}_{name}") };
        match value {
            toml::Value::Table(inner) => flatten(&name, inner, flat),
            // Lists are written with commas in the environment; a file may have them as arrays.
            toml::Value::Array(items) => {
                let items: Vec<_> = items.iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)).collect();
                flat.insert(name, toml::Value::String(items.join(",")));
            }
            value => {
                flat.insert(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_and_flat_names_mean_the_same() {
        let nested = RawConfig::from_toml("[smtp]\nlisten = ['127.0.0.1:25', '[::1]:25']\nmax_recipients = 200").expect("valid");
        let flat = RawConfig::from_toml("smtp_listen = '127.0.0.1:25,[::1]:25'\nsmtp_max_recipients = 200").expect("valid");
        assert_eq!(format!("{nested:?}"), format!("{flat:?}"));
        assert_eq!(nested.check().expect("valid").smtp.listen.len(), 2);
    }

    #[test]
    fn an_unknown_name_is_refused_by_name() {
        let error = RawConfig::from_toml("[smtp]\nlitsen = 'x'").expect_err("unknown");
        assert!(format!("{error:#}").contains("smtp_litsen"), "{error:#}");
    }

    #[test]
    fn each_wrong_setting_is_named() {
        for (text, setting) in [
            ("http_listen = 'nowhere'", "PILLARBOX_HTTP_LISTEN"),
            ("smtp_listen = 'x:y'", "PILLARBOX_SMTP_LISTEN"),
            ("smtp_listen = ''", "PILLARBOX_SMTP_LISTEN"),
            ("public_url = 'ftp://x'", "PILLARBOX_PUBLIC_URL"),
            ("database_url = 'mysql://x'", "PILLARBOX_DATABASE_URL"),
            ("roles = 'smtp,coffee'", "PILLARBOX_ROLES"),
            ("log_format = 'xml'", "PILLARBOX_LOG_FORMAT"),
            ("tls_cert = '/x'", "PILLARBOX_TLS_KEY"),
            ("admin_username = 'x'", "PILLARBOX_ADMIN_PASSWORD"),
            ("smtp_max_message_bytes = 1", "PILLARBOX_SMTP_MAX_MESSAGE_BYTES"),
            ("smtp_max_message_bytes = 'many'", "PILLARBOX_SMTP_MAX_MESSAGE_BYTES"),
            ("smtp_max_recipients = 99", "PILLARBOX_SMTP_MAX_RECIPIENTS"),
            ("hostname = 'a b'", "PILLARBOX_HOSTNAME"),
            ("cors_origins = 'https://x.example/path'", "PILLARBOX_CORS_ORIGINS"),
        ] {
            let error = RawConfig::from_toml(text).expect("readable").check().expect_err(text);
            assert!(format!("{error:#}").contains(setting), "{text}: {error:#}");
        }
    }
}
