//! What a target is called: an endpoint, and behind one of HTTP or WebSocket a path.

use relais_net::{Endpoint, HostPort, ParseEndpointError, Scheme};

/// A target, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) endpoint: Endpoint,
    /// Path and query, if they were said.
    pub(super) path: Option<String>,
}

impl Url {
    /// Reads `text`, which may leave out the `usual` scheme.
    pub(super) fn parse_in(text: &str, usual: Scheme) -> Result<Self, ParseEndpointError> {
        // One behind a path is not this one's.
        let at = text.find("://").filter(|at| !text[..*at].contains(['/', '?', '#']));
        let at = at.map_or(0, |at| at + 3);
        let (front, path) = match text[at..].find(['/', '?', '#']) {
            // The path of a Unix socket is where it is, not what it is asked for.
            Some(end) if !text.starts_with("unix:/") => text.split_at(at + end),
            _ => (text, ""),
        };
        let endpoint = Endpoint::parse_in(front, usual)?;
        // What is behind a `#` never leaves who asks.
        let path = path.split('#').next().unwrap_or_default();
        if path.is_empty() || path == "/" && !has_path(endpoint.scheme) {
            return Ok(Self { endpoint, path: None });
        }
        if !has_path(endpoint.scheme) {
            return Err(ParseEndpointError::Path(path.to_owned()));
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self { endpoint, path: Some(format!("{slash}{path}")) })
    }

    /// Who is asked, as a `Host` field says it: without a port that is the usual one.
    pub(super) fn host(&self) -> String {
        match self.endpoint.host_port() {
            Some(HostPort { host, port }) if self.endpoint.scheme.usual_port() == Some(*port) => {
                host.to_string()
            }
            Some(at) => at.to_string(),
            None => String::new(),
        }
    }
}

/// Whether something is asked for by its path there.
pub(super) fn has_path(scheme: Scheme) -> bool {
    matches!(scheme, Scheme::Http | Scheme::Https | Scheme::Ws | Scheme::Wss)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_a_path_where_it_is_asked_for_one() {
        let check = |text: &str, endpoint: &str, path: Option<&str>, host: &str| {
            let url = Url::parse_in(text, Scheme::Http).unwrap();
            assert_eq!((url.endpoint.to_string().as_str(), url.path.as_deref()), (endpoint, path));
            assert_eq!(url.host(), host);
        };
        check("8080", "http://127.0.0.1:8080", None, "127.0.0.1:8080");
        check("8080/a", "http://127.0.0.1:8080", Some("/a"), "127.0.0.1:8080");
        let login = "/login?next=https://b/";
        check(&format!("8080{login}"), "http://127.0.0.1:8080", Some(login), "127.0.0.1:8080");
        check("http://a.example", "http://a.example:80", None, "a.example");
        check("http://a.example?b", "http://a.example:80", Some("/?b"), "a.example");
        check("https://[::1]/a/b?c=/d#e", "https://[::1]:443", Some("/a/b?c=/d"), "[::1]");
        check("https://a.example:80/", "https://a.example:80", Some("/"), "a.example:80");
        check("ws://a.example/b", "ws://a.example:80", Some("/b"), "a.example");
        check("tcp://127.0.0.1:9/", "tcp://127.0.0.1:9", None, "127.0.0.1:9");
        check("unix:///run/a.sock", "unix:///run/a.sock", None, "");
    }

    #[test]
    fn who_is_not_asked_for_paths_has_none() {
        let check = |text: &str, expect: &str| {
            let error = Url::parse_in(text, Scheme::Http).unwrap_err();
            assert_eq!(error.to_string(), expect);
        };
        check("unix:/run/a", "no // in \"unix:/run/a\": expected unix:///run/a");
        check("tcp://a:9/b", "unexpected \"/b\" after the port: an endpoint has no path");
        check(
            "http://u@h/",
            "bad host \"u@h\": expected a name, an IPv4 address, or an IPv6 address in brackets",
        );
        check(
            "http://",
            "no endpoint in \"http://\": expected e.g. `8080`, `:8080` or `http://127.0.0.1:8080`",
        );
    }
}
