//! Which texts are addresses without a question to the resolver: a model of `inet_pton` and of `gethostbyname`.

use std::net::{Ipv4Addr, Ipv6Addr};

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// `inet_pton` of `AF_INET`: four decimal numbers without leading zeros. std's parser is written independently of it.
pub(crate) fn inet4_pton(bytes: &[u8]) -> Option<[u8; 4]> {
    text(bytes)?.parse().ok().map(|address: Ipv4Addr| address.octets())
}

/// `inet_pton` of `AF_INET6`, which knows no scopes.
pub(crate) fn inet6_pton(bytes: &[u8]) -> Option<[u8; 16]> {
    text(bytes)?.parse().ok().map(|address: Ipv6Addr| address.octets())
}

/// Whether `gethostbyname` answers this text without a query: digits and dots, with digits at both ends.
pub(crate) fn is_digits_and_dots(bytes: &[u8]) -> bool {
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    digit(bytes.first())
        && digit(bytes.last())
        && bytes.len() < 256
        && bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

/// `inet_aton` of digits and dots: one to four numbers, octal after a leading zero; the last one fills what is left.
pub(crate) fn inet_aton(bytes: &[u8]) -> Option<[u8; 4]> {
    let parts: Option<Vec<u64>> = text(bytes)?
        .split('.')
        .map(|part| match part.strip_prefix('0') {
            Some("") => Some(0),
            Some(octal) => u64::from_str_radix(octal, 8).ok(),
            None => part.parse().ok(),
        })
        .collect();
    let parts = parts?;
    let (last, first) = parts.split_last()?;
    if first.len() > 3 || first.iter().any(|part| *part > 255) || *last >= 1 << (32 - 8 * first.len()) {
        return None;
    }
    let mut address = u32::try_from(*last).ok()?.to_be_bytes();
    for (to, from) in address.iter_mut().zip(first) {
        *to = u8::try_from(*from).ok()?;
    }
    Some(address)
}
