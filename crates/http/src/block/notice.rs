//! What is told to who asks for what is blocked.

use std::str::FromStr;

use http::{
    HeaderValue, Method, Response, StatusCode, Uri,
    header::{CACHE_CONTROL, LINK},
};
use relais_wire::visible::InJson;

use super::Rule;
use crate::{
    Answer, Ask, Body,
    page::{Escaped, HTML, JSON, Language, PLAIN, Page, html},
};

/// As what a blocked request is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Notice {
    /// 403 Forbidden.
    #[default]
    Forbidden,
    /// 451 Unavailable For Legal Reasons ([RFC 7725]), perhaps with who blocks.
    ///
    /// [RFC 7725]: https://www.rfc-editor.org/rfc/rfc7725
    Legal(Option<BlockedBy>),
}

/// Who blocks, as a `Link` (RFC 7725 §4). Read from the URL of a page about them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockedBy {
    /// Visible ASCII without `<` and `>`.
    url: String,
    link: HeaderValue,
}

/// Why a text is not a [`BlockedBy`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad URL {0:?}: expected http://host/… or https://host/…")]
pub struct ParseBlockedByError(String);

impl FromStr for BlockedBy {
    type Err = ParseBlockedByError;

    fn from_str(text: &str) -> Result<Self, ParseBlockedByError> {
        let bad = || ParseBlockedByError(text.to_owned());
        let url: Uri = text.parse().map_err(|_| bad())?;
        let is_web = matches!(url.scheme_str(), Some("http" | "https"));
        if !is_web || text.contains(['<', '>']) {
            return Err(bad());
        }
        let link = format!("<{url}>; rel=\"blocked-by\"");
        let link = HeaderValue::try_from(link).map_err(|_| bad())?;
        Ok(Self { url: url.to_string(), link })
    }
}

impl Notice {
    fn by(&self) -> Option<&BlockedBy> {
        match self {
            Self::Forbidden => None,
            Self::Legal(by) => by.as_ref(),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Legal(_) => StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS,
        }
    }

    /// The answer to `ask`, which `rule` blocks, of the list with this name.
    pub(super) fn answer(&self, ask: &Ask, rule: Rule<'_>, list: &str) -> Answer {
        let page = self.page(rule, list, Language::asked_for(ask.request.headers()));
        let mut head = page.head();
        // The rule may be gone soon.
        head.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(BlockedBy { link, .. }) = self.by() {
            head.insert(LINK, link.clone());
        }
        let is_head = *ask.request.method() == Method::HEAD;
        let body = if is_head { Body::empty() } else { Body::full(page.text.into()) };
        let mut answer = Response::new(body);
        *answer.status_mut() = self.status();
        *answer.headers_mut() = head;
        answer
    }

    fn page(&self, rule: Rule<'_>, list: &str, language: Language) -> Page {
        let status = self.status();
        let (code, reason) = (status.as_u16(), status.canonical_reason().unwrap_or_default());
        let Rule { text: rule, line } = rule;
        let by = self.by().map(|by| by.url.as_str());
        match language {
            Language::Json => {
                let (rule, list) = (InJson(rule), InJson(list));
                let by = by.map(|by| format!(",\"by\":\"{}\"", InJson(by))).unwrap_or_default();
                let text = format!(
                    "{{\"status\":{code},\"error\":\"{reason}\",\"hint\":\"{HINT}\",\
                     \"blocked_by\":{{\"rule\":\"{rule}\",\"list\":\"{list}\",\"line\":{line}{by}}}}}\n"
                );
                Page { kind: JSON, text }
            }
            Language::Plain => {
                let by = by.map(|by| format!("by: {by}\n")).unwrap_or_default();
                let text = format!(
                    "{code} {reason}\n{HINT}\nrule: {rule}\nlist: {list}, line {line}\n{by}"
                );
                Page { kind: PLAIN, text }
            }
            Language::Html => {
                let (rule, list) = (Escaped(rule.as_bytes()), Escaped(list.as_bytes()));
                let by = by.map(|by| Escaped(by.as_bytes()));
                let by = by.map(|by| format!("<p>Who wants that: <a href=\"{by}\">{by}</a></p>"));
                let by = by.unwrap_or_default();
                let body = format!(
                    "<main class=\"error\"><h1><b>{code}</b> Blocked</h1><p>{HINT}</p>{by}\
                     <p class=\"note\">The rule is <code>{rule}</code>, in line {line} of {list}.</p>\
                     </main>"
                );
                Page { kind: HTML, text: html(&format!("{code} Blocked"), &body) }
            }
        }
    }
}

const HINT: &str = "This address is blocked here. The server was not contacted.";

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Rule<'static> = Rule { text: "<b>\"a\"&*", line: 7 };

    #[test]
    fn a_page_names_rule_and_list_and_neither_breaks_out() {
        let told = |language| Notice::Forbidden.page(RULE, "<my> \"list\"", language).text;
        let html = told(Language::Html);
        let rule =
            "<code>&lt;b&gt;&quot;a&quot;&amp;*</code>, in line 7 of &lt;my&gt; &quot;list&quot;.";
        assert!(html.contains(rule), "{html}");
        assert!(html.contains("<h1><b>403</b> Blocked</h1>"), "{html}");
        let json: serde_json::Value = serde_json::from_str(&told(Language::Json)).unwrap();
        assert_eq!(json["status"], 403);
        assert_eq!(json["error"], "Forbidden");
        assert_eq!(json["blocked_by"]["rule"], RULE.text);
        assert_eq!(json["blocked_by"]["list"], "<my> \"list\"");
        assert_eq!(json["blocked_by"]["line"], 7);
        let plain = "403 Forbidden\nThis address is blocked here. The server was not contacted.\n\
                     rule: <b>\"a\"&*\nlist: <my> \"list\", line 7\n";
        assert_eq!(told(Language::Plain), plain);
    }

    #[test]
    fn a_page_names_who_blocks() {
        let by = "https://isp.example/why?a='b'&c".parse().unwrap();
        let notice = Notice::Legal(Some(by));
        let told = |language| notice.page(RULE, "list", language).text;
        let told = [Language::Html, Language::Json, Language::Plain].map(told);
        let link = "<a href=\"https://isp.example/why?a=&#39;b&#39;&amp;c\">";
        assert!(told[0].contains(link), "{}", told[0]);
        let json: serde_json::Value = serde_json::from_str(&told[1]).unwrap();
        assert_eq!(json["blocked_by"]["by"], "https://isp.example/why?a='b'&c");
        assert!(told[2].ends_with("\nby: https://isp.example/why?a='b'&c\n"), "{}", told[2]);
    }

    #[test]
    fn who_blocks_is_a_page_on_the_web() {
        let by: BlockedBy = "https://isp.example/why?a=b".parse().unwrap();
        assert_eq!(by.link, "<https://isp.example/why?a=b>; rel=\"blocked-by\"");
        for bad in
            ["", "isp.example", "/why", "ftp://isp.example/", "https://a/>;", "https://a/\r\nx"]
        {
            assert_eq!(bad.parse::<BlockedBy>(), Err(ParseBlockedByError(bad.to_owned())));
        }
    }
}
