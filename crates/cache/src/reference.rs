//! References to URIs, as in `Location`, followed from a path ([RFC 3986 §5.2]).
//!
//! [RFC 3986 §5.2]: https://www.rfc-editor.org/rfc/rfc3986#section-5.2

/// Where a reference leads.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Reference<'a> {
    /// To this path and query, on the same origin.
    Path(String),
    /// To an origin that it names. `scheme` is `None` if it is the same.
    Absolute { scheme: Option<&'a str>, authority: &'a str, target: String },
}

/// Follows `reference` from `base`, a path and query. Fragments are left out.
pub(crate) fn resolve<'a>(base: &str, reference: &'a str) -> Reference<'a> {
    let reference = reference.split('#').next().unwrap_or_default();
    let (scheme, rest) = match reference.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
        _ => (None, reference),
    };
    if let Some(rest) = rest.strip_prefix("//") {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        return Reference::Absolute { scheme, authority, target: without_dots(target) };
    }
    if scheme.is_some() {
        // `mailto:` and the like have no authority, which is nobody's origin.
        return Reference::Absolute { scheme, authority: "", target: String::new() };
    }
    let base_path = base.split('?').next().unwrap_or_default();
    Reference::Path(match rest.bytes().next() {
        None => base.to_owned(),
        Some(b'?') => [base_path, rest].concat(),
        Some(b'/') => without_dots(rest),
        Some(_) => {
            let folder = base_path.rfind('/').map_or("/", |slash| &base_path[..=slash]);
            without_dots(&[folder, rest].concat())
        }
    })
}

/// Whether what stands before a colon is a scheme, and no part of a path.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// `target` with `.` and `..` in its path resolved ([RFC 3986 §5.2.4]).
///
/// [RFC 3986 §5.2.4]: https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4
fn without_dots(target: &str) -> String {
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let mut names = Vec::new();
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." => (),
            ".." => _ = names.pop(),
            name => names.push(name),
        }
        if is_last && matches!(segment, "." | "..") {
            names.push("");
        }
    }
    format!("/{}{query}", names.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 3986 §5.4, less their origin.
    #[test]
    fn paths_are_followed() {
        check("g", "/b/c/g");
        check("./g", "/b/c/g");
        check("g/", "/b/c/g/");
        check("/g", "/g");
        check("?y", "/b/c/d;p?y");
        check("g?y", "/b/c/g?y");
        check("#s", "/b/c/d;p?q");
        check("g#s", "/b/c/g");
        check(";x", "/b/c/;x");
        check("", "/b/c/d;p?q");
        check(".", "/b/c/");
        check("./", "/b/c/");
        check("..", "/b/");
        check("../g", "/b/g");
        check("../..", "/");
        check("../../g", "/g");
        check("../../../g", "/g");
        check("/./g", "/g");
        check("/../g", "/g");
        check("g.", "/b/c/g.");
        check("..g", "/b/c/..g");
        check("./../g", "/b/g");
        check("./g/.", "/b/c/g/");
        check("g/./h", "/b/c/g/h");
        check("g/../h", "/b/c/h");
        check("g?y/../x", "/b/c/g?y/../x");
        check("1:2", "/b/c/1:2");
    }

    #[test]
    fn origins_are_named() {
        let to = |scheme, authority, target: &str| Reference::Absolute {
            scheme,
            authority,
            target: target.to_owned(),
        };
        assert_eq!(resolve("/", "//g"), to(None, "g", "/"));
        assert_eq!(resolve("/", "//g/../x?y"), to(None, "g", "/x?y"));
        assert_eq!(resolve("/", "http://g?y"), to(Some("http"), "g", "/?y"));
        assert_eq!(resolve("/", "g:h"), to(Some("g"), "", ""));
    }

    #[track_caller]
    fn check(reference: &str, expect: &str) {
        let expect = Reference::Path(expect.to_owned());
        assert_eq!(resolve("/b/c/d;p?q", reference), expect, "for {reference:?}");
    }
}
