//! What a request says, whichever HTTP carries it, and what none says.

use relais_wire::is_token;

/// The parts of a request.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// A token, e.g. `GET`.
    pub method: &'a str,
    /// Begins with a slash: path and query.
    pub path: &'a str,
    /// Who is asked, where `fields` has no `Host`.
    pub host: &'a str,
    /// Names and values.
    pub fields: &'a [(String, String)],
    /// The body; none if `None`, which is not the same as an empty one.
    pub data: Option<&'a [u8]>,
}

/// Why there is no such request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// The method is no word, or makes a tunnel.
    #[error("bad method {0:?}: expected a word, e.g. \"GET\", and not CONNECT")]
    Method(String),
    /// The path is none.
    #[error("bad path {0:?}: expected a slash and visible ASCII characters")]
    Path(String),
    /// A field's name is none.
    #[error("bad name of a header {0:?}: expected a word")]
    Name(String),
    /// A field's value is none.
    #[error("bad value of a header {0:?}: expected visible characters, spaces and tabs")]
    Value(String),
    /// A field that says what is said by other means.
    #[error("header {0:?}: expected none, the length is that of the body")]
    Framing(String),
    /// A field that HTTP/2 has not.
    #[error("header {0:?}: expected none over HTTP/2, which has no such fields")]
    OfConnection(String),
    /// Who is asked is nobody, over HTTP/2.
    #[error("bad host {0:?}: expected a name or an address, and perhaps a port")]
    Host(String),
    /// The path has letters that it must not have, over HTTP/2.
    #[error(
        "bad path {0:?}: expected `<`, `>` and the like written with a percent sign over HTTP/2"
    )]
    Escaped(String),
}

impl Parts<'_> {
    /// Refuses what a server might read as something else than what was meant.
    pub(super) fn check(self) -> Result<(), BadRequest> {
        let Parts { method, path, host: _, fields, data: _ } = self;
        if !is_token(method.as_bytes()) || method.eq_ignore_ascii_case("CONNECT") {
            return Err(BadRequest::Method(method.to_owned()));
        }
        if !path.starts_with('/') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadRequest::Path(path.to_owned()));
        }
        fields.iter().try_for_each(|(name, value)| check_field(name, value))
    }
}

fn check_field(name: &str, value: &str) -> Result<(), BadRequest> {
    if !is_token(name.as_bytes()) {
        return Err(BadRequest::Name(name.to_owned()));
    }
    // RFC 9110, section 5.5; a tab is within it.
    if value.chars().any(|char| char.is_control() && char != '\t') {
        return Err(BadRequest::Value(name.to_owned()));
    }
    let framing = ["content-length", "transfer-encoding", "upgrade"];
    if framing.iter().any(|framing| name.eq_ignore_ascii_case(framing)) {
        return Err(BadRequest::Framing(name.to_owned()));
    }
    Ok(())
}

/// What the tests of requests begin with.
#[cfg(test)]
pub(super) mod samples {
    use super::Parts;

    pub(crate) const PARTS: Parts<'_> =
        Parts { method: "GET", path: "/a?b", host: "a.example:81", fields: &[], data: None };

    pub(crate) fn fields(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }
}
