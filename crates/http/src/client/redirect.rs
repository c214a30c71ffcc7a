//! What is asked next, if an answer sends elsewhere (RFC 9110 §15.4).

use std::fmt::Write as _;

use bytes::Bytes;
use http::{
    Method,
    header::{
        AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LENGTH, CONTENT_LOCATION,
        CONTENT_TYPE, COOKIE, HOST, PROXY_AUTHORIZATION,
    },
};

use super::{BadUrl, Head, Request, Url};

/// Why a redirection cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRedirect {
    /// It says elsewhere, and not where.
    #[error("status {0} without a `Location`")]
    NoLocation(u16),
    /// It names no URL of HTTP.
    #[error("it sends to what cannot be asked")]
    Location(#[from] BadUrl),
    /// From TLS into the clear.
    #[error("it sends from https to {0}, where others could read along")]
    Downgrade(Url),
}

impl Request {
    /// What is asked next, if `head` sends elsewhere.
    ///
    /// A POST becomes a GET by 301, 302 and 303, all else but HEAD by 303, and loses its body then;
    /// 307 and 308 repeat what was asked. What is for one server is not told another: credentials,
    /// cookies, a name for `Host`.
    ///
    /// # Errors
    ///
    /// [`BadRedirect`]
    pub fn redirected(&self, head: &Head) -> Result<Option<Self>, BadRedirect> {
        let status = head.status;
        if !matches!(status, 301 | 302 | 303 | 307 | 308) {
            return Ok(None);
        }
        let location = head.field("location").ok_or(BadRedirect::NoLocation(status))?;
        let url = self.url.join(&escaped(location))?;
        if self.url.is_secure() && !url.is_secure() {
            return Err(BadRedirect::Downgrade(url));
        }
        let mut next = Self { url, ..self.clone() };
        let becomes_get = match status {
            301 | 302 => self.method == Method::POST,
            303 => self.method != Method::HEAD && self.method != Method::GET,
            _ => false,
        };
        if becomes_get {
            next.method = Method::GET;
            next.body = Bytes::new();
            for name in
                [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION]
            {
                next.fields.remove(name);
            }
        }
        if !next.url.is_of_origin(&self.url) {
            for name in [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE, HOST] {
                next.fields.remove(name);
            }
        }
        Ok(Some(next))
    }
}

/// `location` with the bytes that are not ASCII in their escapes: which letters they are is known to
/// the server alone.
fn escaped(location: &[u8]) -> String {
    let mut text = String::with_capacity(location.len());
    for &byte in location {
        if byte.is_ascii() {
            text.push(char::from(byte));
        } else {
            write!(text, "%{byte:02X}").expect("a string takes everything");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Version};

    use super::*;

    fn head(status: u16, location: Option<&str>) -> Head {
        let location = location.map(|url| ("Location".to_owned(), url.as_bytes().to_vec()));
        let fields = location.into_iter().collect();
        Head { version: Version::HTTP_11, status, reason: Vec::new(), fields }
    }

    fn request(method: Method, url: &str) -> Request {
        let mut fields = HeaderMap::new();
        for name in [AUTHORIZATION, COOKIE, HOST, CONTENT_TYPE] {
            fields.insert(name, HeaderValue::from_static("x"));
        }
        let body = Bytes::from_static(b"body");
        Request { method, url: url.parse().unwrap(), fields, body }
    }

    /// Method, URL, the length of the body, and which fields are left, by their first letters.
    #[track_caller]
    fn check(method: Method, status: u16, location: &str, expect: &str) {
        let asked = request(method, "http://a.example/b/c");
        let next = asked.redirected(&head(status, Some(location))).unwrap().unwrap();
        let mut names: Vec<_> = next.fields.keys().map(|name| &name.as_str()[..3]).collect();
        names.sort_unstable();
        let found = format!("{} {} {} {}", next.method, next.url, next.body.len(), names.join(","));
        assert_eq!(found, expect);
    }

    #[test]
    fn methods_change_as_the_standard_has_it() {
        for (status, method, expect) in [
            (301, Method::POST, "GET http://a.example/d 0 aut,coo,hos"),
            (302, Method::POST, "GET http://a.example/d 0 aut,coo,hos"),
            (303, Method::PUT, "GET http://a.example/d 0 aut,coo,hos"),
            (303, Method::HEAD, "HEAD http://a.example/d 4 aut,con,coo,hos"),
            (301, Method::PUT, "PUT http://a.example/d 4 aut,con,coo,hos"),
            (307, Method::POST, "POST http://a.example/d 4 aut,con,coo,hos"),
            (308, Method::POST, "POST http://a.example/d 4 aut,con,coo,hos"),
        ] {
            check(method, status, "/d", expect);
        }
    }

    #[test]
    fn letters_that_are_not_ascii_are_asked_for_as_they_came() {
        let asked = request(Method::GET, "http://a.example/");
        let check = |location: &[u8], expect: &str| {
            let fields = vec![("Location".to_owned(), location.to_vec())];
            let head = Head { fields, ..head(302, None) };
            assert_eq!(asked.redirected(&head).unwrap().unwrap().url.target(), expect);
        };
        check(b"/caf\xe9?\xff", "/caf%E9?%FF");
        check("/é".as_bytes(), "/%C3%A9");
    }

    #[test]
    fn what_is_for_one_server_is_not_told_another() {
        check(Method::GET, 302, "d", "GET http://a.example/b/d 4 aut,con,coo,hos");
        check(Method::GET, 302, "http://b.example/", "GET http://b.example/ 4 con");
        check(Method::GET, 302, "http://a.example:81/", "GET http://a.example:81/ 4 con");
        check(Method::GET, 302, "https://a.example/", "GET https://a.example/ 4 con");
    }

    #[test]
    fn what_cannot_be_followed_is_told() {
        let asked = request(Method::GET, "https://a.example/");
        let check = |status, location: Option<&str>, expect: &str| {
            let error = asked.redirected(&head(status, location)).unwrap_err();
            assert_eq!(error.to_string(), expect);
        };
        check(302, None, "status 302 without a `Location`");
        check(302, Some("ftp://x/"), "it sends to what cannot be asked");
        let clear = "it sends from https to http://a.example/, where others could read along";
        check(302, Some("http://a.example/"), clear);
        for status in [200, 300, 304, 305] {
            assert!(asked.redirected(&head(status, Some("/x"))).unwrap().is_none());
        }
    }
}
