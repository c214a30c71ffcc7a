//! Hosts, and all below them.

use std::str::FromStr;

use super::ParseFilterError;

/// A host and every name below it: `example.org` is `www.example.org`, too, whatever the port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    /// Whether `host`, which may have a port, is one of them.
    pub fn has(&self, host: &str) -> bool {
        let name = without_port(host);
        let name = name.strip_suffix('.').unwrap_or(name);
        let Some(above) = name.len().checked_sub(self.0.len()) else { return false };
        let (below, end) = name.as_bytes().split_at(above);
        end.eq_ignore_ascii_case(self.0.as_bytes()) && (below.is_empty() || below.ends_with(b"."))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// An IPv6 address keeps its brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

impl FromStr for HostName {
    type Err = ParseFilterError;

    fn from_str(text: &str) -> Result<Self, ParseFilterError> {
        let name = text.strip_prefix("*.").or_else(|| text.strip_prefix('.')).unwrap_or(text);
        let name = name.strip_suffix('.').unwrap_or(name);
        let is_odd =
            |char: char| char.is_whitespace() || char.is_control() || "/\"\\".contains(char);
        if name.is_empty() || name.contains(is_odd) || without_port(name) != name {
            return Err(ParseFilterError::Host(text.to_owned()));
        }
        Ok(Self(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_all_names_below_it() {
        let check = |name: &str, host: &str, expect| {
            assert_eq!(name.parse::<HostName>().unwrap().has(host), expect, "{host} of {name}");
        };
        check("example.org", "example.org", true);
        check("example.org", "EXAMPLE.org.:8080", true);
        check("Example.org.", "www.example.org", true);
        check("*.example.org", "www.example.org", true);
        check("example.org", "badexample.org", false);
        check("example.org", "example.org.net", false);
        check("example.org", "org", false);
        check("example.org", "", false);
        check("[2001:db8::1]", "[2001:db8::1]:80", true);
        check("127.0.0.1", "127.0.0.1:9000", true);
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in ["", ".", "*.", "a b", "http://a", "a:80", "a\"", "a\\"] {
            let error = text.parse::<HostName>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("bad host {text:?}: expected")), "{error}");
        }
    }
}
