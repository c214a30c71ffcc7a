//! Names of fields that servers may take for others.

use http::HeaderName;

/// Whether a server may take the field `name` for another one: it has something else than letters,
/// digits and `-`.
///
/// Whoever gives programs fields as CGI does (RFC 3875 §4.1.18: PHP, WSGI, Rack) calls `X-A`
/// and `X_A` alike, `HTTP_X_A`, and some make the same of a dot. So what was said to be believed, to be
/// apart in a cache or to be taken off would come to them all the same by another name.
pub(crate) fn is_ambiguous(name: &HeaderName) -> bool {
    !name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Whether a field gives programs behind CGI a proxy for what they ask themselves: `HTTP_PROXY` in
/// their environment (CVE-2016-5385). No client has to say it to anybody.
pub(crate) fn names_a_proxy(name: &HeaderName) -> bool {
    name.as_str() == "proxy"
}
