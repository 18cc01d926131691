//! The PROXY protocol, versions 1 and 2: who the peer is, as a proxy in front of this server says
//! (<https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use anyhow::{Result, bail};
use ppp::{v1, v2};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// The twelve octets that version 2 opens with.
pub(super) const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// What version 1 opens with.
pub(super) const WORD: &[u8] = b"PROXY ";
/// The longest line of version 1, with its end.
const LONGEST_LINE: usize = 107;
/// The longest header of version 2 that is read: its addresses, and what else proxies tell.
const LONGEST_HEADER: usize = 4096;
/// How long a proxy may take to say who it speaks for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads the header that a connection from a proxy opens with, and not one octet more. `None` where the proxy speaks for
/// itself, as in its checks of health.
///
/// Fails where there is none, where it is malformed, and where it takes too long.
pub(super) async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Option<IpAddr>> {
    read_within(stream, PATIENCE).await
}

async fn read_within<S: AsyncRead + Unpin>(stream: &mut S, patience: Duration) -> Result<Option<IpAddr>> {
    match tokio::time::timeout(patience, read_header(stream)).await {
        Ok(read) => read,
        Err(_) => bail!("the header of the PROXY protocol did not come in time"),
    }
}

async fn read_header<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Option<IpAddr>> {
    let mut header = vec![0; SIGNATURE.len()];
    stream.read_exact(&mut header).await?;
    if header == SIGNATURE { second_version(stream, header).await } else { first_version(stream, header).await }
}

async fn first_version<S: AsyncRead + Unpin>(stream: &mut S, mut line: Vec<u8>) -> Result<Option<IpAddr>> {
    if !line.starts_with(WORD) {
        bail!("the connection does not open with the PROXY protocol");
    }
    while !line.ends_with(b"\r\n") {
        if line.len() >= LONGEST_LINE {
            bail!("the line of the PROXY protocol is too long");
        }
        // Octet by octet: what follows the line is not ours to take.
        line.push(stream.read_u8().await?);
    }
    let header = v1::Header::try_from(line.as_slice())?;
    Ok(match header.addresses {
        v1::Addresses::Tcp4(addresses) => Some(addresses.source_address.into()),
        v1::Addresses::Tcp6(addresses) => Some(addresses.source_address.into()),
        v1::Addresses::Unknown => None,
    })
}

async fn second_version<S: AsyncRead + Unpin>(stream: &mut S, mut header: Vec<u8>) -> Result<Option<IpAddr>> {
    let mut rest = [0; 4];
    stream.read_exact(&mut rest).await?;
    header.extend_from_slice(&rest);
    let [_, _, high, low] = rest;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > LONGEST_HEADER {
        bail!("the header of the PROXY protocol has {length} octets");
    }
    let begun = header.len();
    header.resize(begun + length, 0);
    stream.read_exact(header.get_mut(begun..).unwrap_or_default()).await?;
    let header = v2::Header::try_from(header.as_slice())?;
    if header.command == v2::Command::Local {
        return Ok(None);
    }
    Ok(match header.addresses {
        v2::Addresses::IPv4(addresses) => Some(addresses.source_address.into()),
        v2::Addresses::IPv6(addresses) => Some(addresses.source_address.into()),
        v2::Addresses::Unspecified | v2::Addresses::Unix(_) => None,
    })
}

/// Whether a connection opens with the PROXY protocol.
pub(super) fn opens_with_it(octets: &[u8]) -> bool {
    octets.starts_with(WORD) || octets.starts_with(SIGNATURE)
}

/// The address of a peer, as it is known everywhere.
pub(super) fn plain(address: SocketAddr) -> IpAddr {
    address.ip().to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn of(octets: &[u8]) -> (Result<Option<IpAddr>>, Vec<u8>) {
        let mut rest = octets;
        let read = read(&mut rest).await;
        (read, rest.to_vec())
    }

    fn second(command: u8, family: u8, length: u16, addresses: &[u8]) -> Vec<u8> {
        [SIGNATURE, &[0x20 | command, family], &length.to_be_bytes(), addresses, b"EHLO x\r\n"].concat()
    }

    #[tokio::test]
    async fn both_versions_say_who_the_peer_is_and_nothing_behind_them_is_taken() {
        let v4 = [192, 0, 2, 9, 198, 51, 100, 1, 0x30, 0x39, 0, 25];
        let v6 = [&[0x20, 1, 0xd, 0xb8][..], &[0; 11], &[9], &[0; 16], &[0x30, 0x39, 0, 25]].concat();
        let with_more = [&v4[..], &[4, 0, 3, 1, 2, 3]].concat();
        for (octets, expected) in [
            (b"PROXY TCP4 192.0.2.9 198.51.100.1 12345 25\r\nEHLO x\r\n".to_vec(), Some("192.0.2.9")),
            (b"PROXY TCP6 2001:db8::9 2001:db8::1 12345 25\r\nEHLO x\r\n".to_vec(), Some("2001:db8::9")),
            (b"PROXY UNKNOWN\r\nEHLO x\r\n".to_vec(), None),
            (b"PROXY UNKNOWN whatever it is\r\nEHLO x\r\n".to_vec(), None),
            (second(1, 0x11, 12, &v4), Some("192.0.2.9")),
            (second(1, 0x11, 18, &with_more), Some("192.0.2.9")),
            (second(1, 0x21, 36, &v6), Some("2001:db8::9")),
            (second(0, 0x11, 12, &v4), None),
            (second(0, 0, 0, &[]), None),
        ] {
            let (read, rest) = of(&octets).await;
            let shown = String::from_utf8_lossy(&octets).into_owned();
            assert_eq!(read.expect(&shown), expected.map(|text| text.parse().expect("an address")), "{shown}");
            assert_eq!(rest, b"EHLO x\r\n", "{shown}");
        }
    }

    #[tokio::test]
    async fn what_is_not_the_protocol_is_refused() {
        for octets in [
            b"EHLO mail.example.org\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.999 198.51.100.1 1 25\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1 198.51.100.1 1\r\n".to_vec(),
            [b"PROXY TCP4 ".as_slice(), &[b'1'; 200], b"\r\n"].concat(),
            b"PROXY TC".to_vec(),
            second(1, 0x11, 3, &[1, 2, 3]),
            [SIGNATURE, &[0x31, 0x11, 0, 0]].concat(),
            [SIGNATURE, &[0x21, 0x11, 0xff, 0xff]].concat(),
        ] {
            assert!(of(&octets).await.0.is_err(), "{}", String::from_utf8_lossy(&octets));
        }
        let (_silent, mut stream) = tokio::io::duplex(64);
        let read = read_within(&mut stream, Duration::from_millis(1)).await;
        assert!(read.is_err(), "a proxy that says nothing");
    }
}
