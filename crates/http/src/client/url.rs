//! What is asked for, and where (RFC 3986).

use std::{
    fmt::{self, Write as _},
    str::FromStr,
};

use relais_net::{Endpoint, Host, HostPort, ParseEndpointError, Place, Scheme};

/// A URL of HTTP: no user, no fragment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Url {
    /// [`Scheme::Http`] or [`Scheme::Https`].
    scheme: Scheme,
    at: HostPort,
    /// A path, perhaps with a query: visible letters of ASCII, `/` first.
    target: String,
}

/// Why a text is no [`Url`]. It never quotes a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    /// Another scheme.
    #[error("unknown scheme {0:?}: expected http or https")]
    Scheme(String),
    /// A user before the host, which others would see.
    #[error("a user in a URL: expected none before the host")]
    User,
    /// Nobody's name in it.
    #[error("no host in {0:?}: expected e.g. http://127.0.0.1:8080/")]
    NoHost(String),
    /// No host, or no port.
    #[error(transparent)]
    Place(#[from] ParseEndpointError),
}

impl Url {
    /// Where it is.
    pub fn endpoint(&self) -> Endpoint {
        Endpoint { scheme: self.scheme, place: Place::Net(self.at.clone()) }
    }

    /// Whether TLS lies under it.
    pub fn is_secure(&self) -> bool {
        self.scheme.is_secure()
    }

    /// Host and port.
    pub fn host_port(&self) -> &HostPort {
        &self.at
    }

    /// What `Host` says of it: without the port that its scheme leaves out.
    pub fn host(&self) -> String {
        if self.scheme.usual_port() == Some(self.at.port) {
            self.at.host.to_string()
        } else {
            self.at.to_string()
        }
    }

    /// A path, perhaps with a query.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The last part of its path, perhaps empty.
    pub fn file_name(&self) -> &str {
        let path = self.target.split('?').next().unwrap_or_default();
        path.rsplit('/').next().unwrap_or_default()
    }

    /// Whether both are of one server (RFC 6454 §5).
    pub fn is_of_origin(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.at == other.at
    }

    /// What `reference` means here (RFC 3986 §5.2).
    ///
    /// # Errors
    ///
    /// [`BadUrl`]
    pub fn join(&self, reference: &str) -> Result<Self, BadUrl> {
        let reference = reference.split('#').next().unwrap_or_default().trim();
        if has_scheme(reference) {
            return of_absolute(reference);
        }
        if reference.starts_with("//") {
            return of_absolute(&format!("{}:{reference}", self.scheme));
        }
        let (path, _) = split_query(&self.target);
        let target = match reference {
            "" => self.target.clone(),
            _ if reference.starts_with('/') => reference.to_owned(),
            _ if reference.starts_with('?') => format!("{path}{reference}"),
            _ => format!("{}{reference}", &path[..=path.rfind('/').unwrap_or(0)]),
        };
        Ok(Self { target: clean_target(&target), ..self.clone() })
    }
}

impl FromStr for Url {
    type Err = BadUrl;

    /// Reads it as people write it: without a scheme it is `http`, and a port alone is one of
    /// 127.0.0.1.
    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let text = text.split('#').next().unwrap_or_default().trim();
        // One in a query is not this one's.
        if text.find("://").is_some_and(|at| at == 0 || is_scheme(&text[..at])) {
            return of_absolute(text);
        }
        let end = text.find(['/', '?']).unwrap_or(text.len());
        let is_port = end > 0 && text[..end].bytes().all(|byte| byte.is_ascii_digit());
        let host = if is_port { "127.0.0.1:" } else { "" };
        of_absolute(&format!("http://{host}{text}"))
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.host(), self.target)
    }
}

fn of_absolute(text: &str) -> Result<Url, BadUrl> {
    let (scheme, rest) = text.split_once(':').unwrap_or(("", text));
    let known = match scheme.to_ascii_lowercase().as_str() {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => return Err(BadUrl::Scheme(scheme.to_owned())),
    };
    let rest = rest.strip_prefix("//").ok_or_else(|| BadUrl::NoHost(text.to_owned()))?;
    let end = rest.find(['/', '?', '\\']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    if authority.contains('@') {
        return Err(BadUrl::User);
    }
    let endpoint = format!("{known}://{authority}").parse::<Endpoint>()?;
    match endpoint.place {
        Place::Net(at) if at.host != Host::Any => {
            Ok(Url { scheme: known, at, target: clean_target(target) })
        }
        _ => Err(BadUrl::NoHost(text.to_owned())),
    }
}

/// Whether `reference` begins with a scheme (RFC 3986 §3.1).
fn has_scheme(reference: &str) -> bool {
    reference.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme))
}

fn is_scheme(scheme: &str) -> bool {
    let rest = |char: char| char.is_ascii_alphanumeric() || "+-.".contains(char);
    scheme.starts_with(|char: char| char.is_ascii_alphabetic()) && scheme.chars().all(rest)
}

fn split_query(target: &str) -> (&str, Option<&str>) {
    match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    }
}

/// A target that can be sent: `/` first, dots resolved, what is not to be in a URL in its escape.
fn clean_target(target: &str) -> String {
    let (path, query) = split_query(target);
    let mut clean = without_dots(path);
    if let Some(query) = query {
        clean.push('?');
        clean.push_str(query);
    }
    let mut escaped = String::with_capacity(clean.len());
    for byte in clean.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            write!(escaped, "%{byte:02X}").expect("a string takes everything");
        }
    }
    escaped
}

/// RFC 3986 §5.2.4.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let parts: Vec<_> = path.strip_prefix('/').unwrap_or(path).split('/').collect();
    for (index, part) in parts.iter().enumerate() {
        let is_last = index + 1 == parts.len();
        match *part {
            "." | ".." => {
                if *part == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            part => kept.push(part),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_people_write_them() {
        let check = |text: &str, expect: &str| {
            assert_eq!(text.parse::<Url>().unwrap().to_string(), expect, "{text}");
        };
        check("9000", "http://127.0.0.1:9000/");
        check("9000/a?b", "http://127.0.0.1:9000/a?b");
        check("a.example", "http://a.example/");
        check("a.example:80/b", "http://a.example/b");
        check("a.example/b?next=https://c/", "http://a.example/b?next=https://c/");
        check("9000?next=https://c/", "http://127.0.0.1:9000/?next=https://c/");
        check("HTTPS://A.example:443/%7eb#c", "https://a.example/%7eb");
        check("https://a.example?q=1 2", "https://a.example/?q=1%202");
        check("http://[::1]:8080/é", "http://[::1]:8080/%C3%A9");
        check("http://a.example/a/../b/./c/..", "http://a.example/b/");
        check("http://a.example/\r\nx: y", "http://a.example/%0D%0Ax:%20y");
    }

    #[test]
    fn what_is_no_url_of_http_is_refused() {
        let check = |text: &str, expect: &str| {
            assert_eq!(text.parse::<Url>().unwrap_err().to_string(), expect);
        };
        check("ftp://a.example/", "unknown scheme \"ftp\": expected http or https");
        check("http://anna:secret@a.example/", "a user in a URL: expected none before the host");
        check("://a", "unknown scheme \"\": expected http or https");
        check(":9000", "no host in \"http://:9000\": expected e.g. http://127.0.0.1:8080/");
        check("http://a:x/", "bad port \"x\": expected 0 to 65535");
    }

    /// RFC 3986 §5.4.
    #[test]
    fn references_are_resolved_as_the_standard_has_it() {
        let base: Url = "http://a/b/c/d;p?q".parse().unwrap();
        for (reference, expect) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g#s", "http://a/b/c/g"),
            (";x", "http://a/b/c/;x"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g/../h", "http://a/b/c/h"),
            ("https://x/y", "https://x/y"),
        ] {
            assert_eq!(base.join(reference).unwrap().to_string(), expect, "{reference}");
        }
        assert_eq!(base.join("ftp://x/"), Err(BadUrl::Scheme("ftp".to_owned())));
        assert_eq!(base.join("mailto:x"), Err(BadUrl::Scheme("mailto".to_owned())));
    }
}
