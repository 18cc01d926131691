//! The kinds of records that are asked for, in plain terms. Names are in lower case and without the dot at their end.

use std::net::IpAddr;

use hickory_resolver::proto::rr::{Name, RData};

use crate::crypto::hex;

/// A host that takes mail (RFC 5321 section 5.1). Sorts by preference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mx {
    /// Smaller is preferred.
    pub preference: u16,
    /// The host; empty for the null MX, which says that the domain takes no mail (RFC 7505).
    pub host: String,
}

/// A certificate that a service commits itself to (RFC 6698 section 2.1). Its text is as in a zone file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tlsa {
    /// What the certificate is used for; 3 is the server's own.
    pub usage: u8,
    /// 0 the whole certificate, 1 its public key.
    pub selector: u8,
    /// 0 as it is, 1 SHA-256, 2 SHA-512.
    pub matching: u8,
    /// The certificate, the key or the digest.
    pub data: Vec<u8>,
}

/// How a zone describes itself (RFC 1035 section 3.3.13).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Soa {
    /// The first name server.
    pub primary: String,
    /// The version; servers that have another are not up to date.
    pub serial: u32,
    /// How long "there is nothing" holds, in seconds.
    pub minimum: u32,
}

impl Mx {
    pub(super) fn from_rdata(data: &RData) -> Option<Self> {
        let RData::MX(mx) = data else { return None };
        Some(Self { preference: mx.preference, host: plain(&mx.exchange) })
    }
}

impl Tlsa {
    pub(super) fn from_rdata(data: &RData) -> Option<Self> {
        let RData::TLSA(tlsa) = data else { return None };
        Some(Self {
            usage: tlsa.cert_usage.into(),
            selector: tlsa.selector.into(),
            matching: tlsa.matching.into(),
            data: tlsa.cert_data.clone(),
        })
    }
}

impl std::fmt::Display for Tlsa {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {} {}", self.usage, self.selector, self.matching, hex(&self.data))
    }
}

impl Soa {
    pub(super) fn from_rdata(data: &RData) -> Option<Self> {
        let RData::SOA(soa) = data else { return None };
        Some(Self { primary: plain(&soa.mname), serial: soa.serial, minimum: soa.minimum })
    }
}

pub(super) fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(a) => Some(a.0.into()),
        RData::AAAA(aaaa) => Some(aaaa.0.into()),
        _ => None,
    }
}

pub(super) fn text(data: &RData) -> Option<String> {
    let RData::TXT(txt) = data else { return None };
    Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned())
}

pub(super) fn name_server(data: &RData) -> Option<String> {
    let RData::NS(name) = data else { return None };
    Some(plain(name))
}

pub(super) fn alias(data: &RData) -> Option<String> {
    let RData::CNAME(name) = data else { return None };
    Some(plain(name))
}

pub(super) fn pointer(data: &RData) -> Option<String> {
    let RData::PTR(name) = data else { return None };
    Some(plain(name))
}

fn plain(name: &Name) -> String {
    name.to_lowercase().to_ascii().trim_end_matches('.').to_owned()
}
