//! One line of a block list: which form of rule it is, and what keeps it from being one.

use std::{net::IpAddr, str::FromStr};

use relais_wire::{host::NAME_BYTES_MAX, visible::is_disturbing};

use super::{
    fold::{decode, fold},
    glob,
    names::Reach,
    prefix, punycode,
};

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form<'t> {
    /// Hosts, as they stand in the line.
    Names(Reach, Vec<&'t str>),
    /// A part of URLs, folded.
    Word(Vec<u8>),
    /// A compiled glob.
    Glob(Vec<u8>),
}

/// Why a line is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongRule {
    /// More bytes than a line may have.
    #[error("too long: expected at most {0} bytes")]
    TooLong(usize),
    /// Not UTF-8.
    #[error("bad bytes: expected UTF-8")]
    NotUtf8,
    /// A character that is not seen, which a URL would have encoded.
    #[error("invisible character {0:?}: expected a rule that can be read")]
    Invisible(char),
    /// Nothing stands after a prefix.
    #[error("empty rule: expected something after the prefix")]
    Empty,
    /// A space or a tab within a rule.
    #[error("space in a rule: expected one rule, or `url:` before words with spaces between")]
    Spaced,
    /// A `#` within a rule. Clients send none.
    #[error("`#` in a rule: expected a space before a comment; no request has one")]
    Fragment,
    /// A rule in the language of content blockers.
    #[error("a rule in Adblock's syntax: expected a host, a part of a URL, or a glob")]
    Adblock,
    /// Not a host.
    #[error("bad host {0:?}: expected a name or an address, or `url:` before a part of URLs")]
    BadHost(String),
    /// A host in letters that DNS does not have.
    #[error("host {host:?} is not ASCII: expected it as DNS has it, probably {ascii:?}")]
    NotAscii {
        /// The host.
        host: String,
        /// How DNS has it, if it needs no mapping but to small letters.
        ascii: String,
    },
    /// A line of a hosts file that gives a host another address.
    #[error("address {0:?} before a host: expected 0.0.0.0, as in a hosts file that blocks")]
    Mapping(String),
    /// A glob without a text.
    #[error("no text in a glob: expected something besides `*` and `?`")]
    NoText,
    /// What no URL is without, or hardly one.
    #[error("nearly every URL has that: expected a text that most do not have")]
    Everything,
    /// A glob tied to both ends, or the first, of URLs that there are none of.
    #[error("no URL is like that: expected `http://` or `https://`, a host, and a `/`")]
    Never,
    /// Addresses that begin alike.
    #[error("a network: expected single addresses, or `url:` before a part of URLs")]
    Network,
    /// A prefix that is none, but looks like one.
    #[error("unknown prefix `{0}:`: expected `host:`, `url:` or `glob:`")]
    Prefix(String),
    /// The beginning of a line of a hosts file.
    #[error("address {0:?} without a host: expected names after it, or `host:` before it")]
    Nameless(String),
    /// One rule more than a list may have.
    #[error("too many rules: expected at most {0}")]
    TooMany(usize),
    /// More text for the automaton than it may have.
    #[error(
        "too much text in rules for URLs: expected at most {0} bytes; rules for hosts are free"
    )]
    TooMuch(usize),
}

/// Reads a line; `None` if it has no rule.
///
/// # Errors
///
/// [`WrongRule`], if what it has is none.
pub(super) fn parse(line: &str) -> Result<Option<Form<'_>>, WrongRule> {
    let rule = rule_text(line);
    if let Some(invisible) = rule.chars().find(|&char| is_disturbing(char) && char != '\t') {
        return Err(WrongRule::Invisible(invisible));
    }
    if rule.contains('#') {
        return Err(WrongRule::Fragment);
    }
    let form = match rule.split_once(':') {
        _ if rule.is_empty() => return Ok(None),
        Some(("host", host)) => host_rule(host.trim())?,
        Some(("url", word)) => Form::Word(fold(&decode(word.trim().as_bytes()))),
        Some(("glob", text)) => Form::Glob(glob::compile(text.trim())),
        _ => match guess(rule)? {
            Some(form) => form,
            None => return Ok(None),
        },
    };
    check(form).map(Some)
}

/// A line without its comment and the spaces around it. A comment begins the line, or follows a
/// space.
pub(super) fn rule_text(line: &str) -> &str {
    let is_comment = |&(at, _): &(usize, &str)| line[..at].ends_with([' ', '\t']) || at == 0;
    let end = line.match_indices('#').find(is_comment).map_or(line.len(), |(at, _)| at);
    line[..end].trim()
}

/// What is meant without a prefix. `None` for lines of hosts files that are about this machine.
fn guess(rule: &str) -> Result<Option<Form<'_>>, WrongRule> {
    if let Some(word) = prefix::mistyped(rule) {
        return Err(WrongRule::Prefix(word.to_owned()));
    }
    let is_adblock = ["||", "@@", "!", "[Ad"].iter().any(|start| rule.starts_with(start));
    if is_adblock || rule.ends_with('^') {
        return Err(WrongRule::Adblock);
    }
    if let Some((first, rest)) = rule.split_once([' ', '\t']) {
        return hosts_line(first, rest);
    }
    let below = rule.strip_prefix("*.");
    if below.is_some_and(is_name) {
        return host_rule(rule).map(Some);
    }
    let is_tied = rule.starts_with('|') || rule.ends_with('|');
    if rule.contains(['*', '?']) || is_tied {
        return Ok(Some(Form::Glob(glob::compile(rule))));
    }
    if IpAddr::from_str(rule).is_ok_and(|address| address.is_unspecified()) {
        return Err(WrongRule::Nameless(rule.to_owned()));
    }
    if is_network(rule) {
        return Err(WrongRule::Network);
    }
    if looks_like_host(rule) {
        return host_rule(rule).map(Some);
    }
    Ok(Some(Form::Word(fold(&decode(rule.as_bytes())))))
}

/// `192.0.2.0/24`.
fn is_network(rule: &str) -> bool {
    let parts = rule.split_once('/');
    parts.is_some_and(|(address, bits)| is_address(address) && bits.parse::<u8>().is_ok())
}

/// An address, or what can only be meant for a name of several labels, in any script.
fn looks_like_host(rule: &str) -> bool {
    let name = rule.strip_prefix('.').unwrap_or(rule).trim_end_matches('.');
    let fits =
        |char: char| char.is_ascii_alphanumeric() || ".-_".contains(char) || !char.is_ascii();
    is_address(rule) || name.contains('.') && name.chars().all(fits)
}

/// `name` or `.name`: it and all below; `*.name`: all below; or an address.
fn host_rule(host: &str) -> Result<Form<'_>, WrongRule> {
    if is_address(host) {
        return Ok(Form::Names(Reach::Itself, vec![host]));
    }
    let (reach, name) = match host.strip_prefix("*.") {
        Some(name) => (Reach::Below, name),
        None => (Reach::All, host.strip_prefix('.').unwrap_or(host)),
    };
    check_name(name)?;
    Ok(Form::Names(reach, vec![name]))
}

/// A line of a hosts file: an address that nobody has, and names, each for itself alone.
fn hosts_line<'t>(first: &str, rest: &'t str) -> Result<Option<Form<'t>>, WrongRule> {
    // The address of a link has its name behind a `%`.
    let bare = first.split_once('%').map_or(first, |(bare, _)| bare);
    let Ok(address) = IpAddr::from_str(bare) else { return Err(WrongRule::Spaced) };
    let names = || rest.split_whitespace();
    let others: Vec<_> = names().filter(|name| !OWN_NAMES.contains(name)).collect();
    for name in &others {
        if !(address.is_unspecified() || address.is_loopback()) {
            return Err(WrongRule::Mapping(first.to_owned()));
        }
        if !is_address(name) {
            check_name(name)?;
        }
    }
    Ok((!others.is_empty()).then_some(Form::Names(Reach::Itself, others)))
}

/// What hosts files, those that block too, say of their own machine and its network.
const OWN_NAMES: [&str; 12] = [
    "0.0.0.0",
    "broadcasthost",
    "ip6-allhosts",
    "ip6-allnodes",
    "ip6-allrouters",
    "ip6-localhost",
    "ip6-localnet",
    "ip6-loopback",
    "ip6-mcastprefix",
    "local",
    "localhost",
    "localhost.localdomain",
];

fn check_name(name: &str) -> Result<(), WrongRule> {
    let bare = name.trim_end_matches('.');
    if !bare.is_ascii() {
        let (host, ascii) = (name.to_owned(), punycode::in_ascii(bare));
        return Err(WrongRule::NotAscii { host, ascii });
    }
    if is_name(bare) { Ok(()) } else { Err(WrongRule::BadHost(name.to_owned())) }
}

/// Whether `name` is one that is asked for, if not always one that a host can have: lists have
/// names with hyphens where the RFC has none.
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.eq_ignore_ascii_case("xn--")
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= NAME_BYTES_MAX
        && name.split('.').all(is_label)
        && !last.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether `host` is an address as it is usually written; one of IPv6 in brackets or without.
fn is_address(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    IpAddr::from_str(bare.unwrap_or(host)).is_ok_and(|address| bare.is_none() || address.is_ipv6())
}

/// Lets pass what leaves something to be asked for.
fn check(form: Form<'_>) -> Result<Form<'_>, WrongRule> {
    // Two URLs with nothing in common but what nearly all have.
    let any: [&[u8]; 2] = [b"http://01.23/", b"https://45.67/"];
    let blocks_all = match &form {
        Form::Names(..) => false,
        Form::Word(word) if word.is_empty() => return Err(WrongRule::Empty),
        Form::Word(word) => any.iter().all(|url| memchr::memmem::find(url, word).is_some()),
        Form::Glob(glob) if glob::literals(glob).next().is_none() => {
            return Err(WrongRule::NoText);
        }
        Form::Glob(glob) if !glob::has_matches(glob) => return Err(WrongRule::Never),
        Form::Glob(glob) => any.iter().all(|url| glob::matches(glob, url)),
    };
    if blocks_all { Err(WrongRule::Everything) } else { Ok(form) }
}

#[cfg(test)]
mod tests;
