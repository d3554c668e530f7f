//! `HOST:PORT`, as strictly as it is described.

/// `PORT` of `HOST:PORT`, 1 to 65535, as a pattern.
pub(super) const PORT: &str = "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";
/// A host by name or address, as a pattern.
pub(super) const HOST: &str = r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])";

/// A name or an address, the latter in brackets where it is IPv6.
pub(super) fn is_host(text: &str) -> bool {
    match text.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        Some(address) => !address.is_empty() && address.bytes().all(|octet| octet.is_ascii_hexdigit() || matches!(octet, b':' | b'.')),
        None => !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'_' | b'-')),
    }
}

/// 1 to 65535, without zeros before it.
pub(super) fn is_port(text: &str) -> bool {
    text.bytes().all(|octet| octet.is_ascii_digit()) && !text.starts_with('0') && text.parse::<u16>().is_ok()
}
