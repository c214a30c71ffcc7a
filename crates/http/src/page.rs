//! Pages that we write ourselves: their style, and what keeps them harmless.

use std::{fmt, sync::LazyLock};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{
        ACCEPT, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY, X_CONTENT_TYPE_OPTIONS,
    },
};
use relais_wire::{
    accept::{media_quality, prefers_json},
    visible::{InJson, is_disturbing},
};
use sha2::{Digest, Sha256};

use crate::joined::joined;

/// A page in one of the languages we speak.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) kind: &'static str,
    pub(crate) text: String,
}

/// The media types of our pages.
pub(crate) const HTML: &str = "text/html; charset=utf-8";
pub(crate) const JSON: &str = "application/json";
pub(crate) const PLAIN: &str = "text/plain; charset=utf-8";

/// What a page can be told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Html,
    Json,
    Plain,
}

impl Language {
    /// HTML for who asks for it, JSON likewise, and plain text for who takes anything: programs.
    pub(crate) fn asked_for(headers: &HeaderMap) -> Self {
        let accept = joined(headers, ACCEPT);
        let accept = accept.as_deref();
        if prefers_json(accept) {
            Self::Json
        } else if media_quality(accept, "text", "html") > media_quality(accept, "text", "plain") {
            Self::Html
        } else {
            Self::Plain
        }
    }
}

impl Page {
    /// Tells an error, and in a sentence what it means. Whatever the sentence holds, it does not
    /// break out.
    pub(crate) fn of_error(status: StatusCode, hint: &str, language: Language) -> Self {
        let (code, reason) = (status.as_u16(), status.canonical_reason().unwrap_or_default());
        let (kind, text) = match language {
            Language::Json => {
                let hint = InJson(hint);
                let text =
                    format!("{{\"status\":{code},\"error\":\"{reason}\",\"hint\":\"{hint}\"}}\n");
                (JSON, text)
            }
            Language::Plain => (PLAIN, format!("{code} {reason}\n{hint}\n")),
            Language::Html => {
                let hint = Escaped(hint.as_bytes());
                let body = format!(
                    "<main class=\"error\"><h1><b>{code}</b> {reason}</h1><p>{hint}</p></main>"
                );
                (HTML, html(&format!("{code} {reason}"), &body))
            }
        };
        Self { kind, text }
    }

    /// The head it is sent with. Nothing on a page of ours runs, loads or frames anything.
    pub(crate) fn head(&self) -> HeaderMap {
        static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
            let digest = STANDARD.encode(Sha256::digest(STYLE));
            let policy = format!(
                "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; \
                 form-action 'none'; frame-ancestors 'none'"
            );
            HeaderValue::try_from(policy).expect("base64 is ASCII")
        });
        let mut head = HeaderMap::with_capacity(8);
        head.insert(CONTENT_TYPE, HeaderValue::from_static(self.kind));
        head.insert(CONTENT_LENGTH, HeaderValue::from(self.text.len()));
        head.insert(CONTENT_SECURITY_POLICY, POLICY.clone());
        head.insert(VARY, HeaderValue::from_static("accept"));
        head.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        head
    }
}

/// A whole document. `title` and `body` are HTML already.
pub(crate) fn html(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <title>{title}</title><style>{STYLE}</style></head>\n<body>{body}</body></html>\n"
    )
}

/// Prints bytes as text in HTML, in an attribute with quotes, too. What is no UTF-8 becomes U+FFFD,
/// and what [`is_disturbing`] its escape.
pub(crate) struct Escaped<'a>(pub &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in String::from_utf8_lossy(self.0).chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                char if is_disturbing(char) => write!(f, "{}", char.escape_unicode())?,
                char => write!(f, "{char}")?,
            }
        }
        Ok(())
    }
}

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#59636e;--line:#d8dee4;--back:#fff;--link:#0550ae;\
--over:#f3f5f7}\
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#9aa4af;--line:#333a42;--back:#14171b;\
--link:#7cb7ff;--over:#1d2228}}\
*{box-sizing:border-box}\
body{margin:0 auto;max-width:64rem;padding:1.5rem 1rem;background:var(--back);color:var(--ink);\
font:16px/1.5 system-ui,sans-serif}\
a{color:var(--link);text-decoration:none}a:hover,a:focus-visible{text-decoration:underline}\
h1{font-size:1.25rem;font-weight:600;overflow-wrap:anywhere;margin:0 0 1rem;padding:0 .5rem}\
table{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}\
caption{text-align:left;color:var(--soft);padding:0 .5rem .5rem}\
th,td{text-align:left;padding:.35rem .5rem;border-bottom:1px solid var(--line);vertical-align:top}\
th{font-weight:600}tbody tr:hover{background:var(--over)}\
.name{overflow-wrap:anywhere;width:100%}.size,.time{white-space:nowrap;color:var(--soft)}\
.size{text-align:right}\
.note{color:var(--soft)}\
.error{max-width:32rem;margin:15vh auto 0}.error h1{padding:0}.error b{color:var(--soft);margin-right:.35em}\
@media(max-width:34rem){.time{display:none}}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_told_in_the_language_that_is_asked_for() {
        check(None, Language::Plain);
        check(Some("*/*"), Language::Plain);
        check(Some("text/plain, text/html;q=0.9"), Language::Plain);
        check(Some("application/json"), Language::Json);
        let mut lines = HeaderMap::new();
        for line in ["text/plain;q=0.5", "text/html"] {
            lines.append(ACCEPT, HeaderValue::from_static(line));
        }
        assert_eq!(Language::asked_for(&lines), Language::Html, "in two lines");
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        check(Some(browser), Language::Html);
    }

    #[track_caller]
    fn check(accept: Option<&'static str>, expect: Language) {
        let field = accept.map(|accept| (ACCEPT, HeaderValue::from_static(accept)));
        let headers = field.into_iter().collect();
        assert_eq!(Language::asked_for(&headers), expect, "for {accept:?}");
    }

    #[test]
    fn names_cannot_break_out() {
        let html = |bytes: &[u8]| Escaped(bytes).to_string();
        assert_eq!(html(b"<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
        assert_eq!(html(b"a\xffb"), "a\u{fffd}b");
        assert_eq!(html("a\u{202e}b\n".as_bytes()), "a\\u{202e}b\\u{a}");
        assert_eq!(html("\u{61c}\u{85}".as_bytes()), "\\u{61c}\\u{85}");
    }

    #[test]
    fn errors_are_told_in_every_language() {
        let told = |language| Page::of_error(StatusCode::FORBIDDEN, "<\"a\">", language).text;
        assert_eq!(told(Language::Plain), "403 Forbidden\n<\"a\">\n");
        let json = "{\"status\":403,\"error\":\"Forbidden\",\"hint\":\"<\\\"a\\\">\"}\n";
        assert_eq!(told(Language::Json), json);
        let html = told(Language::Html);
        let body = "<h1><b>403</b> Forbidden</h1><p>&lt;&quot;a&quot;&gt;</p>";
        assert!(html.contains(body), "{html}");
    }

    #[test]
    fn the_policy_allows_the_style_alone() {
        let page = Page { kind: HTML, text: html("", "") };
        let head = page.head();
        let policy = head[CONTENT_SECURITY_POLICY].to_str().unwrap();
        let digest = STANDARD.encode(Sha256::digest(STYLE));
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.contains(&digest), "{policy}");
        assert!(page.text.contains(&format!("<style>{STYLE}</style>")));
        assert!(!STYLE.contains('<'));
    }
}
