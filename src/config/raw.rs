//! Settings as they are written: each optional, each with its flag and environment name.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use url::Url;

use super::{Config, Http, Ingest, Log, Mail, Roles, SecretKeySource, Smtp};

/// A number as it is written. Read with the other checks, so that what is wrong with it is said like all else.
#[derive(Debug, Clone)]
pub struct Number(String);

impl FromStr for Number {
    type Err = std::convert::Infallible;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self(number.to_string())
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        toml::Value::deserialize(deserializer).map(|value| Self(value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
    }
}

macro_rules! settings {
    ($($(#[doc = $doc:literal])* $env:literal $name:ident : $ty:ty),* $(,)?) => {
        /// Settings as given on the command line, in the environment or in the file; the same names everywhere.
        #[derive(Debug, Default, Clone, Args, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct RawConfig {
            $($(#[doc = $doc])* #[arg(long, env = $env, global = true, hide_env_values = true, hide_short_help = true)] pub $name: Option<$ty>,)*
        }

        impl RawConfig {
            /// What is unset here is taken from `other`.
            #[must_use]
            pub fn or(self, other: Self) -> Self {
                Self { $($name: self.$name.or(other.$name),)* }
            }
        }
    };
}

settings! {
    /// Where the private PostgreSQL cluster, generated keys and the certificate lie [default: ./data]
    "PILLARBOX_DATA_DIR" data_dir: PathBuf,
    /// URL of an external PostgreSQL 14 or later; unset starts a private one
    "PILLARBOX_DATABASE_URL" database_url: String,
    /// Address of panel and API [default: 127.0.0.1:8080]
    "PILLARBOX_HTTP_LISTEN" http_listen: String,
    /// Address of panel and API over HTTPS, with the certificate of the SMTP listener [default: none]
    "PILLARBOX_HTTPS_LISTEN" https_listen: String,
    /// Addresses of the SMTP listener, joined by commas [default: 127.0.0.1:2525]
    "PILLARBOX_SMTP_LISTEN" smtp_listen: String,
    /// Name in the SMTP greeting and in DNS advice [default: the machine's name]
    "PILLARBOX_HOSTNAME" hostname: String,
    /// Base of links [default: http:// and the HTTP address]
    "PILLARBOX_PUBLIC_URL" public_url: String,
    /// Key that seals stored secrets, 32 octets in base64 [default: generated once]
    "PILLARBOX_SECRET_KEY" secret_key: String,
    /// File with the key that seals stored secrets
    "PILLARBOX_SECRET_KEY_FILE" secret_key_file: PathBuf,
    /// Certificate chain in PEM [default: self-signed, made at first start]
    "PILLARBOX_TLS_CERT" tls_cert: PathBuf,
    /// Private key in PEM
    "PILLARBOX_TLS_KEY" tls_key: PathBuf,
    /// Directory URL of an authority that issues certificates over ACME; to name it is to agree to its terms [default: none]
    "PILLARBOX_ACME_DIRECTORY" acme_directory: String,
    /// Mail address that the authority may write to
    "PILLARBOX_ACME_CONTACT" acme_contact: String,
    /// Root certificate in PEM of an authority's own server, where the system does not know it
    "PILLARBOX_ACME_CA_FILE" acme_ca_file: PathBuf,
    /// More names for the certificate, joined by commas
    "PILLARBOX_ACME_NAMES" acme_names: String,
    /// Addresses at which the world reaches this server, joined by commas; for advice about DNS
    "PILLARBOX_PUBLIC_ADDRESSES" public_addresses: String,
    /// Name of the first administrator, made while there is none
    "PILLARBOX_ADMIN_USERNAME" admin_username: String,
    /// Password of the first administrator
    "PILLARBOX_ADMIN_PASSWORD" admin_password: String,
    /// Which parts of the work to do: smtp,http,connector,worker [default: all]
    "PILLARBOX_ROLES" roles: String,
    /// What to log, as a tracing filter [default: info]
    "PILLARBOX_LOG" log: String,
    /// text or json [default: text]
    "PILLARBOX_LOG_FORMAT" log_format: String,
    /// Largest message in octets [default: 26214400]
    "PILLARBOX_SMTP_MAX_MESSAGE_BYTES" smtp_max_message_bytes: Number,
    /// Most recipients of one message, at least 100 [default: 1000]
    "PILLARBOX_SMTP_MAX_RECIPIENTS" smtp_max_recipients: Number,
    /// Longest command line in octets, at least 512 [default: 4096]
    "PILLARBOX_SMTP_MAX_COMMAND_BYTES" smtp_max_command_bytes: Number,
    /// Most messages in one session [default: 10000]
    "PILLARBOX_SMTP_MAX_MESSAGES_PER_SESSION" smtp_max_messages_per_session: Number,
    /// Most SMTP sessions at once [default: 20000]
    "PILLARBOX_SMTP_MAX_SESSIONS" smtp_max_sessions: Number,
    /// Most SMTP sessions at once from one address that is not trusted [default: 100]
    "PILLARBOX_SMTP_MAX_SESSIONS_PER_ADDRESS" smtp_max_sessions_per_address: Number,
    /// Most failed commands in one session [default: 20]
    "PILLARBOX_SMTP_MAX_ERRORS" smtp_max_errors: Number,
    /// Seconds to wait for a command [default: 300]
    "PILLARBOX_SMTP_COMMAND_TIMEOUT_SECONDS" smtp_command_timeout_seconds: Number,
    /// Seconds to wait for more of a message [default: 180]
    "PILLARBOX_SMTP_DATA_TIMEOUT_SECONDS" smtp_data_timeout_seconds: Number,
    /// Seconds that a whole session may take [default: 3600]
    "PILLARBOX_SMTP_SESSION_TIMEOUT_SECONDS" smtp_session_timeout_seconds: Number,
    /// Octets of unstored messages in memory [default: 67108864]
    "PILLARBOX_SMTP_MAX_MEMORY_BYTES" smtp_max_memory_bytes: Number,
    /// Octets above which an arriving message waits on disk [default: 262144]
    "PILLARBOX_SMTP_SPOOL_ABOVE_BYTES" smtp_spool_above_bytes: Number,
    /// Networks that no limit for peers holds for, joined by commas; none: no network [default: 127.0.0.0/8,::1]
    "PILLARBOX_SMTP_TRUSTED_NETWORKS" smtp_trusted_networks: String,
    /// Networks of proxies that open connections with the PROXY protocol, joined by commas
    "PILLARBOX_SMTP_PROXY_NETWORKS" smtp_proxy_networks: String,
    /// Leading bits that make an IPv4 network [default: 24]
    "PILLARBOX_SMTP_IPV4_NETWORK_BITS" smtp_ipv4_network_bits: Number,
    /// Leading bits that make an IPv6 network [default: 64]
    "PILLARBOX_SMTP_IPV6_NETWORK_BITS" smtp_ipv6_network_bits: Number,
    /// How many times what an address may take its network may [default: 4]
    "PILLARBOX_SMTP_NETWORK_FACTOR" smtp_network_factor: Number,
    /// Connections from one address in a minute; 0: no limit [default: 120]
    "PILLARBOX_SMTP_CONNECTIONS_PER_MINUTE" smtp_connections_per_minute: Number,
    /// Commands from one address in a minute; 0: no limit [default: 6000]
    "PILLARBOX_SMTP_COMMANDS_PER_MINUTE" smtp_commands_per_minute: Number,
    /// Messages from one address in a minute; 0: no limit [default: 1200]
    "PILLARBOX_SMTP_MESSAGES_PER_MINUTE" smtp_messages_per_minute: Number,
    /// Octets of messages from one address in an hour; 0: no limit [default: 4294967296]
    "PILLARBOX_SMTP_BYTES_PER_HOUR" smtp_bytes_per_hour: Number,
    /// Failed commands from one address in an hour before it is banned; 0: no limit [default: 100]
    "PILLARBOX_SMTP_ERRORS_PER_HOUR" smtp_errors_per_hour: Number,
    /// Unknown recipients from one address in an hour before it is banned; 0: no limit [default: 100]
    "PILLARBOX_SMTP_UNKNOWN_RECIPIENTS_PER_HOUR" smtp_unknown_recipients_per_hour: Number,
    /// Seconds that a ban lasts [default: 3600]
    "PILLARBOX_SMTP_BAN_SECONDS" smtp_ban_seconds: Number,
    /// Commands without effect in a session between messages [default: 100]
    "PILLARBOX_SMTP_MAX_JUNK_COMMANDS" smtp_max_junk_commands: Number,
    /// Least octets a second of a message on average; 0: no limit [default: 500]
    "PILLARBOX_SMTP_MIN_BYTES_PER_SECOND" smtp_min_bytes_per_second: Number,
    /// Addresses and networks that are remembered at once [default: 100000]
    "PILLARBOX_SMTP_REMEMBERED_PEERS" smtp_remembered_peers: Number,
    /// SMTP sessions that may wait to be written to the ledger [default: 10000]
    "PILLARBOX_SMTP_LEDGER_QUEUE" smtp_ledger_queue: Number,
    /// Connections that write mail at once [default: 2]
    "PILLARBOX_INGEST_WRITERS" ingest_writers: Number,
    /// Most messages in one transaction [default: 100]
    "PILLARBOX_INGEST_BATCH_MESSAGES" ingest_batch_messages: Number,
    /// Most octets in one transaction [default: 1048576]
    "PILLARBOX_INGEST_BATCH_BYTES" ingest_batch_bytes: Number,
    /// Messages that may wait for a writer [default: 1000]
    "PILLARBOX_INGEST_QUEUE_MESSAGES" ingest_queue_messages: Number,
    /// Seconds a sender waits for the commit before it hears 451 [default: 8]
    "PILLARBOX_INGEST_COMMIT_TIMEOUT_SECONDS" ingest_commit_timeout_seconds: Number,
    /// Octets of large messages that are read and written at once [default: 33554432]
    "PILLARBOX_INGEST_LARGE_BYTES" ingest_large_bytes: Number,
    /// DNS servers to ask, as addresses with a port, joined by commas [default: the system's]
    "PILLARBOX_DNS_SERVERS" dns_servers: String,
    /// Seconds that one question to DNS may take [default: 4]
    "PILLARBOX_DNS_TIMEOUT_SECONDS" dns_timeout_seconds: Number,
    /// Most answers of DNS that are kept [default: 4096]
    "PILLARBOX_DNS_CACHE_ANSWERS" dns_cache_answers: Number,
    /// Whether senders are checked with SPF, DKIM, DMARC, ARC and reverse DNS: on or off [default: on]
    "PILLARBOX_AUTH_CHECKS" auth_checks: String,
    /// Seconds that the checks of a message may take [default: 5]
    "PILLARBOX_AUTH_TIMEOUT_SECONDS" auth_timeout_seconds: Number,
    /// Networks whose mail is not checked, joined by commas, or none [default: this machine and private networks]
    "PILLARBOX_AUTH_TRUSTED_NETWORKS" auth_trusted_networks: String,
    /// DNS lists of addresses, joined by commas; list.example:reject refuses, list.example marks [default: none]
    "PILLARBOX_DNSBL_ZONES" dnsbl_zones: String,
    /// Port at which a zone's own servers are asked [default: 53]
    "PILLARBOX_DNS_AUTHORITY_PORT" dns_authority_port: Number,
    /// Most HTTP connections at once [default: 2000]
    "PILLARBOX_HTTP_MAX_CONNECTIONS" http_max_connections: Number,
    /// Seconds that the header section of an HTTP request may take [default: 15]
    "PILLARBOX_HTTP_HEADER_TIMEOUT_SECONDS" http_header_timeout_seconds: Number,
    /// Seconds that the body of an HTTP request may take [default: 60]
    "PILLARBOX_HTTP_BODY_TIMEOUT_SECONDS" http_body_timeout_seconds: Number,
    /// Most header fields that are read of one header section [default: 1000]
    "PILLARBOX_MAIL_MAX_HEADER_FIELDS" mail_max_header_fields: Number,
    /// Most MIME parts that are read of one message [default: 1000]
    "PILLARBOX_MAIL_MAX_PARTS" mail_max_parts: Number,
    /// Most multiparts inside each other that are opened [default: 128]
    "PILLARBOX_MAIL_MAX_DEPTH" mail_max_depth: Number,
    /// Addresses of reverse proxies whose X-Forwarded-For is believed, joined by commas
    "PILLARBOX_TRUSTED_PROXIES" trusted_proxies: String,
    /// Origins that browsers may call the API from, joined by commas
    "PILLARBOX_CORS_ORIGINS" cors_origins: String,
}

impl RawConfig {
    /// Checks every setting. The error is one sentence that names the setting.
    pub fn check(self) -> Result<Config> {
        let http_listen = address("PILLARBOX_HTTP_LISTEN", self.http_listen.as_deref().unwrap_or("127.0.0.1:8080"))?;
        let smtp = self.smtp()?;
        Ok(Config {
            data_dir: std::path::absolute(self.data_dir.clone().unwrap_or_else(|| "./data".into()))
                .context("PILLARBOX_DATA_DIR is not a usable path")?,
            database_url: self.checked_database_url()?,
            hostname: self.checked_hostname()?,
            public_url: self.checked_public_url(http_listen)?,
            secret_key: self.secret_key_source()?,
            first_admin: self.first_admin()?,
            roles: self.checked_roles()?,
            log: self.checked_log()?,
            https_listen: self.https_listen.as_deref().map(|text| address("PILLARBOX_HTTPS_LISTEN", text)).transpose()?,
            acme: self.acme()?,
            names: self.names()?,
            ingest: self.ingest()?,
            mail: self.mail()?,
            dns: self.dns()?,
            verdicts: self.verdicts()?,
            trusted_proxies: list("PILLARBOX_TRUSTED_PROXIES", self.trusted_proxies.as_deref(), |t| t.parse::<IpAddr>().ok())?,
            cors_origins: list("PILLARBOX_CORS_ORIGINS", self.cors_origins.as_deref(), origin)?,
            http: self.http()?,
            http_listen,
            smtp,
        })
    }

    fn smtp(&self) -> Result<Smtp> {
        let listen =
            list("PILLARBOX_SMTP_LISTEN", Some(self.smtp_listen.as_deref().unwrap_or("127.0.0.1:2525")), |t| t.parse().ok())?;
        if listen.is_empty() {
            bail!("PILLARBOX_SMTP_LISTEN is empty; give an address such as 0.0.0.0:25, or leave smtp out of PILLARBOX_ROLES");
        }
        let tls = match (self.tls_cert.clone(), self.tls_key.clone()) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            (Some(_), None) => bail!("PILLARBOX_TLS_KEY is missing although PILLARBOX_TLS_CERT is set"),
            (None, Some(_)) => bail!("PILLARBOX_TLS_CERT is missing although PILLARBOX_TLS_KEY is set"),
        };
        Ok(Smtp {
            listen,
            tls,
            max_message_octets: size(
                "PILLARBOX_SMTP_MAX_MESSAGE_BYTES",
                self.smtp_max_message_bytes.as_ref(),
                26_214_400,
                65_536,
                1 << 30,
            )?,
            max_recipients: size("PILLARBOX_SMTP_MAX_RECIPIENTS", self.smtp_max_recipients.as_ref(), 1000, 100, 100_000)?,
            max_command_octets: size(
                "PILLARBOX_SMTP_MAX_COMMAND_BYTES",
                self.smtp_max_command_bytes.as_ref(),
                4096,
                512,
                65_536,
            )?,
            max_messages_per_session: size(
                "PILLARBOX_SMTP_MAX_MESSAGES_PER_SESSION",
                self.smtp_max_messages_per_session.as_ref(),
                10_000,
                1,
                10_000_000,
            )?,
            max_sessions: size("PILLARBOX_SMTP_MAX_SESSIONS", self.smtp_max_sessions.as_ref(), 20_000, 1, 1_000_000)?,
            max_sessions_per_address: size(
                "PILLARBOX_SMTP_MAX_SESSIONS_PER_ADDRESS",
                self.smtp_max_sessions_per_address.as_ref(),
                100,
                1,
                1_000_000,
            )?,
            max_errors: size("PILLARBOX_SMTP_MAX_ERRORS", self.smtp_max_errors.as_ref(), 20, 1, 100_000)?,
            command_timeout: seconds("PILLARBOX_SMTP_COMMAND_TIMEOUT_SECONDS", self.smtp_command_timeout_seconds.as_ref(), 300)?,
            data_timeout: seconds("PILLARBOX_SMTP_DATA_TIMEOUT_SECONDS", self.smtp_data_timeout_seconds.as_ref(), 180)?,
            session_timeout: seconds("PILLARBOX_SMTP_SESSION_TIMEOUT_SECONDS", self.smtp_session_timeout_seconds.as_ref(), 3600)?,
            max_memory_octets: size(
                "PILLARBOX_SMTP_MAX_MEMORY_BYTES",
                self.smtp_max_memory_bytes.as_ref(),
                67_108_864,
                1 << 20,
                1 << 40,
            )?,
            spool_above_octets: size(
                "PILLARBOX_SMTP_SPOOL_ABOVE_BYTES",
                self.smtp_spool_above_bytes.as_ref(),
                262_144,
                65_536,
                1 << 30,
            )?,
            peers: self.peers()?,
        })
    }

    fn http(&self) -> Result<Http> {
        Ok(Http {
            max_connections: size("PILLARBOX_HTTP_MAX_CONNECTIONS", self.http_max_connections.as_ref(), 2000, 1, 1_000_000)?,
            header_timeout: seconds("PILLARBOX_HTTP_HEADER_TIMEOUT_SECONDS", self.http_header_timeout_seconds.as_ref(), 15)?,
            body_timeout: seconds("PILLARBOX_HTTP_BODY_TIMEOUT_SECONDS", self.http_body_timeout_seconds.as_ref(), 60)?,
        })
    }

    fn ingest(&self) -> Result<Ingest> {
        Ok(Ingest {
            writers: size("PILLARBOX_INGEST_WRITERS", self.ingest_writers.as_ref(), 2, 1, 32)?,
            batch_messages: size("PILLARBOX_INGEST_BATCH_MESSAGES", self.ingest_batch_messages.as_ref(), 100, 1, 1000)?,
            batch_octets: size("PILLARBOX_INGEST_BATCH_BYTES", self.ingest_batch_bytes.as_ref(), 1 << 20, 1 << 16, 1 << 28)?,
            queue_messages: size("PILLARBOX_INGEST_QUEUE_MESSAGES", self.ingest_queue_messages.as_ref(), 1000, 1, 100_000)?,
            commit_timeout: seconds("PILLARBOX_INGEST_COMMIT_TIMEOUT_SECONDS", self.ingest_commit_timeout_seconds.as_ref(), 8)?,
            large_octets: size("PILLARBOX_INGEST_LARGE_BYTES", self.ingest_large_bytes.as_ref(), 1 << 25, 1 << 20, 1 << 40)?,
            mail: self.mail()?,
        })
    }

    fn mail(&self) -> Result<Mail> {
        Ok(Mail {
            header_fields: size("PILLARBOX_MAIL_MAX_HEADER_FIELDS", self.mail_max_header_fields.as_ref(), 1000, 50, 100_000)?,
            parts: size("PILLARBOX_MAIL_MAX_PARTS", self.mail_max_parts.as_ref(), 1000, 10, 100_000)?,
            depth: size("PILLARBOX_MAIL_MAX_DEPTH", self.mail_max_depth.as_ref(), 128, 2, 10_000)?,
        })
    }

    fn checked_database_url(&self) -> Result<Option<SecretString>> {
        let Some(url) = self.database_url.as_deref().filter(|u| !u.is_empty()) else { return Ok(None) };
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            bail!("PILLARBOX_DATABASE_URL does not begin with postgres://");
        }
        // The URL holds a password, so the parser's own words, which may quote it, are not passed on.
        if url.parse::<sqlx::postgres::PgConnectOptions>().is_err() {
            bail!("PILLARBOX_DATABASE_URL is not a URL of the form postgres://user:password@host:5432/name?sslmode=verify-full");
        }
        Ok(Some(SecretString::from(url)))
    }

    fn checked_hostname(&self) -> Result<String> {
        let name = match &self.hostname {
            Some(name) => name.trim().trim_end_matches('.').to_ascii_lowercase(),
            None => rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase(),
        };
        let valid =
            !name.is_empty() && name.len() <= 253 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b));
        match (valid, &self.hostname) {
            (true, _) => Ok(name),
            (false, None) => Ok("localhost".to_owned()),
            (false, Some(_)) => bail!("PILLARBOX_HOSTNAME is not a host name: letters, digits, hyphens and dots"),
        }
    }

    fn checked_public_url(&self, http: SocketAddr) -> Result<Url> {
        let text = match &self.public_url {
            Some(text) => text.clone(),
            // Nobody can open the wildcard address; a browser on this machine can open loopback.
            None if http.ip().is_unspecified() => format!("http://127.0.0.1:{}", http.port()),
            None => format!("http://{http}"),
        };
        let url = Url::parse(&text).ok().filter(|u| matches!(u.scheme(), "http" | "https") && u.host().is_some());
        url.with_context(|| "PILLARBOX_PUBLIC_URL is not an http or https URL".to_owned())
    }

    fn secret_key_source(&self) -> Result<SecretKeySource> {
        match (&self.secret_key, &self.secret_key_file) {
            (Some(_), Some(_)) => bail!("PILLARBOX_SECRET_KEY and PILLARBOX_SECRET_KEY_FILE are both set; keep one"),
            (Some(key), None) => Ok(SecretKeySource::Given(SecretString::from(key.clone()))),
            (None, Some(path)) => Ok(SecretKeySource::File(path.clone())),
            (None, None) => Ok(SecretKeySource::Generated),
        }
    }

    fn first_admin(&self) -> Result<Option<(String, SecretString)>> {
        match (&self.admin_username, &self.admin_password) {
            (Some(name), Some(password)) => Ok(Some((name.clone(), SecretString::from(password.clone())))),
            (None, None) => Ok(None),
            (Some(_), None) => bail!("PILLARBOX_ADMIN_PASSWORD is missing although PILLARBOX_ADMIN_USERNAME is set"),
            (None, Some(_)) => bail!("PILLARBOX_ADMIN_USERNAME is missing although PILLARBOX_ADMIN_PASSWORD is set"),
        }
    }

    fn checked_roles(&self) -> Result<Roles> {
        let Some(text) = self.roles.as_deref().filter(|t| !t.trim().is_empty() && t.trim() != "all") else {
            return Ok(Roles { smtp: true, http: true, connector: true, worker: true });
        };
        let mut roles = Roles { smtp: false, http: false, connector: false, worker: false };
        for name in text.split(',').map(str::trim) {
            match name {
                "smtp" => roles.smtp = true,
                "http" => roles.http = true,
                "connector" => roles.connector = true,
                "worker" => roles.worker = true,
                other => bail!("PILLARBOX_ROLES has {other:?}; there are smtp, http, connector and worker"),
            }
        }
        Ok(roles)
    }

    fn checked_log(&self) -> Result<Log> {
        let filter = self.log.clone().unwrap_or_else(|| "info".to_owned());
        if filter.parse::<tracing_subscriber::EnvFilter>().is_err() {
            bail!("PILLARBOX_LOG is not a log filter; write error, warn, info, debug or trace");
        }
        let json = match self.log_format.as_deref().unwrap_or("text") {
            "text" => false,
            "json" => true,
            other => bail!("PILLARBOX_LOG_FORMAT is {other:?}; there are text and json"),
        };
        Ok(Log { filter, json })
    }
}

fn address(setting: &str, text: &str) -> Result<SocketAddr> {
    text.trim()
        .parse()
        .ok()
        .with_context(|| format!("{setting} is {text:?}; write an address and a port, such as 127.0.0.1:8080"))
}

pub(super) fn list<T>(setting: &str, text: Option<&str>, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>> {
    text.unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|t| !t.is_empty())
        .map(|t| parse(t).with_context(|| format!("{setting} has {t:?}, which is not of the form that it needs")))
        .collect()
}

/// The origin of a browser as it stands in the `Origin` header: scheme, host and port, no path.
fn origin(text: &str) -> Option<String> {
    let origin = Url::parse(text).ok()?.origin();
    (origin.is_tuple() && origin.ascii_serialization() == text).then(|| text.to_owned())
}

fn number(setting: &str, given: Option<&Number>, default: u64) -> Result<u64> {
    let Some(Number(text)) = given else { return Ok(default) };
    text.trim().parse().ok().with_context(|| format!("{setting} is {text:?}; it must be a whole number"))
}

pub(super) fn size(setting: &str, given: Option<&Number>, default: u64, min: u64, max: u64) -> Result<usize> {
    let value = number(setting, given, default)?;
    if !(min..=max).contains(&value) {
        bail!("{setting} is {value}; it must be from {min} to {max}");
    }
    usize::try_from(value).with_context(|| format!("{setting} is too large for this machine"))
}

pub(super) fn seconds(setting: &str, given: Option<&Number>, default: u64) -> Result<Duration> {
    let value = number(setting, given, default)?;
    if !(1..=86_400).contains(&value) {
        bail!("{setting} is {value}; it must be from 1 to 86400");
    }
    Ok(Duration::from_secs(value))
}
