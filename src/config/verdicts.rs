//! The settings of the verdicts about senders.

use anyhow::{Result, bail};

use crate::types::DomainName;

use super::raw::{list, seconds};
use super::{DnsList, Network, RawConfig, Verdicts};

/// This machine and private networks: SPF and reverse DNS of such an address say nothing about who sent the mail.
const TRUSTED: &str = "127.0.0.0/8,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.0.0/16,100.64.0.0/10,fc00::/7,fe80::/10";

impl RawConfig {
    pub(super) fn verdicts(&self) -> Result<Verdicts> {
        let enabled = match self.auth_checks.as_deref().unwrap_or("on").trim() {
            "on" | "true" | "yes" | "1" => true,
            "off" | "false" | "no" | "0" => false,
            other => bail!("PILLARBOX_AUTH_CHECKS is {other:?}; there are on and off"),
        };
        let trusted = match self.auth_trusted_networks.as_deref().map(str::trim) {
            Some("none") => "",
            given => given.unwrap_or(TRUSTED),
        };
        Ok(Verdicts {
            enabled,
            timeout: seconds("PILLARBOX_AUTH_TIMEOUT_SECONDS", self.auth_timeout_seconds.as_ref(), 5)?,
            trusted_networks: list("PILLARBOX_AUTH_TRUSTED_NETWORKS", Some(trusted), |text| text.parse::<Network>().ok())?,
            lists: list("PILLARBOX_DNSBL_ZONES", self.dnsbl_zones.as_deref(), dns_list)?,
        })
    }
}

/// A zone, with what is to be done about those that it lists.
fn dns_list(text: &str) -> Option<DnsList> {
    let (zone, action) = text.split_once(':').unwrap_or((text, "mark"));
    let rejects = match action {
        "mark" => false,
        "reject" => true,
        _ => return None,
    };
    Some(DnsList { zone: zone.parse::<DomainName>().ok()?.to_string(), rejects })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_has_a_default() {
        let settings = RawConfig::default().verdicts().expect("valid");
        assert!(settings.enabled && settings.lists.is_empty());
        for (address, trusted) in [("127.0.0.1", true), ("172.17.0.1", true), ("fd00::1", true), ("192.0.2.1", false)] {
            let address = address.parse().expect("an address");
            assert_eq!(settings.trusted_networks.iter().any(|network| network.contains(address)), trusted, "{address}");
        }
    }

    #[test]
    fn each_setting_is_checked() {
        let raw = RawConfig {
            auth_checks: Some("off".into()),
            auth_trusted_networks: Some("none".into()),
            dnsbl_zones: Some("list.example:reject, other.example".into()),
            ..RawConfig::default()
        };
        let settings = raw.verdicts().expect("valid");
        assert!(!settings.enabled && settings.trusted_networks.is_empty());
        assert_eq!(settings.lists.iter().map(|list| list.rejects).collect::<Vec<_>>(), [true, false]);
        for (raw, setting) in [
            (RawConfig { auth_checks: Some("maybe".into()), ..RawConfig::default() }, "PILLARBOX_AUTH_CHECKS"),
            (RawConfig { auth_trusted_networks: Some("x".into()), ..RawConfig::default() }, "PILLARBOX_AUTH_TRUSTED_NETWORKS"),
            (RawConfig { dnsbl_zones: Some("list.example:drop".into()), ..RawConfig::default() }, "PILLARBOX_DNSBL_ZONES"),
        ] {
            assert!(raw.verdicts().expect_err(setting).to_string().contains(setting));
        }
    }
}
