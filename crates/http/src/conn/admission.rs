//! What a request must be, beyond its framing, before a handler sees it: RFC 9110 §7.2, §9.3.6,
//! RFC 9113 §8.3.
//!
//! Over HTTP/1 the guard has judged the host already. Over HTTP/2 nobody has: h2 leaves it to us.

use http::{Request, StatusCode, Version, header};
use relais_wire::host::{HostName, parse_host, same_host};

/// Why a request is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) why: &'static str,
}

/// Judges a request whose framing is sound.
///
/// # Errors
///
/// What is wrong with it.
pub(super) fn judge<B>(request: &Request<B>) -> Result<(), Refused> {
    if request.method() == http::Method::CONNECT {
        return Err(Refused { status: StatusCode::NOT_IMPLEMENTED, why: "no tunnels here" });
    }
    if request.version() == Version::HTTP_2 {
        judge_host(request).map_err(|why| Refused { status: StatusCode::BAD_REQUEST, why })?;
    }
    Ok(())
}

fn judge_host<B>(request: &Request<B>) -> Result<(), &'static str> {
    let target = request.uri();
    if !target.path().starts_with('/') && target.path() != "*" {
        return Err("bad :path: expected /path");
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let (first, more) = (hosts.next(), hosts.next());
    if more.is_some() {
        return Err("more than one host");
    }
    let named = first.map(|host| parse_host(host.as_bytes())).transpose();
    let named = named.map_err(|_| "bad host")?;
    let asked = target.authority().map(|authority| parse_host(authority.as_str().as_bytes()));
    let asked = asked.transpose().map_err(|_| "bad :authority: expected host:port")?;
    match (asked, named) {
        (None, None) => Err("no :authority"),
        (Some(asked), Some(named)) if !agree(&asked, &named) => Err("host and :authority disagree"),
        _ => Ok(()),
    }
}

fn agree(a: &HostName<'_>, b: &HostName<'_>) -> bool {
    same_host(a.name, b.name) && a.port == b.port
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_http2_request_names_its_host_once() {
        check("https://a/", &[], Ok(()));
        check("/", &["a"], Ok(()));
        check("https://A:443/", &["a:443"], Ok(()));
        check("/", &[], Err("no :authority"));
        check("https://a/", &["b"], Err("host and :authority disagree"));
        check("https://a/", &["a:1"], Err("host and :authority disagree"));
        check("https://a/", &["a", "a"], Err("more than one host"));
        check("https://u@a/", &[], Err("bad :authority: expected host:port"));
        check("https://a/", &["a b"], Err("bad host"));
    }

    #[track_caller]
    fn check(target: &str, hosts: &[&str], expect: Result<(), &str>) {
        let mut request = Request::builder().uri(target).version(Version::HTTP_2);
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        let judged = judge(&request.body(()).unwrap()).map_err(|refused| refused.why);
        assert_eq!(judged, expect);
    }

    #[test]
    fn a_tunnel_is_not_opened() {
        let request = Request::builder().method("CONNECT").uri("a:1").body(()).unwrap();
        assert_eq!(judge(&request).unwrap_err().status, StatusCode::NOT_IMPLEMENTED);
    }
}
