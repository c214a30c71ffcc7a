//! The answers to who gets no file.

use http::{
    HeaderMap, HeaderValue,
    header::{ALLOW, CONTENT_RANGE, RETRY_AFTER, VARY},
};
use relais_wire::range::print_content_range;

use super::{
    refusal::Refusal,
    reply::{Asked, METHODS, with_head},
};
use crate::{
    Answer, Body,
    page::{Language, Page},
};

/// Tells that there is no file, in the words of a page of ours.
pub(super) fn refuse(refusal: Refusal, asked: &Asked<'_>) -> Answer {
    let page = error_page(refusal, asked.headers);
    let mut answer = with_head(refusal.status(), page.head(), Body::empty());
    *answer.body_mut() = asked.body(Body::full(page.text.into()));
    explain(refusal, answer.headers_mut());
    answer
}

/// Adds the fields that belong to `refusal`, whoever wrote its page.
pub(super) fn explain(refusal: Refusal, head: &mut HeaderMap) {
    match refusal {
        Refusal::BadMethod => {
            head.insert(ALLOW, METHODS);
        }
        // Beside the language of a page of ours.
        Refusal::NotAcceptable => {
            head.append(VARY, HeaderValue::from_static("accept-encoding"));
        }
        Refusal::Busy => {
            head.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        Refusal::Unsatisfiable { size } => {
            let text = print_content_range(None, size).to_string();
            head.insert(CONTENT_RANGE, HeaderValue::try_from(text).expect("numbers are ASCII"));
        }
        _ => (),
    }
}

fn error_page(refusal: Refusal, headers: &HeaderMap) -> Page {
    Page::of_error(refusal.status(), refusal.hint(), Language::asked_for(headers))
}

#[cfg(test)]
mod tests {
    use http::header::ACCEPT;

    use super::*;
    use crate::page::{HTML, JSON, PLAIN};

    #[test]
    fn errors_are_told_in_the_language_that_is_asked_for() {
        check(None, PLAIN, "404 Not Found\nThere is nothing at this address.\n");
        check(Some("*/*"), PLAIN, "404 Not Found\nThere is nothing at this address.\n");
        let json = "{\"status\":404,\"error\":\"Not Found\",\
                    \"hint\":\"There is nothing at this address.\"}\n";
        check(Some("application/json"), JSON, json);
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        let page = error_page(Refusal::Missing, &accepting(Some(browser)));
        assert_eq!(page.kind, HTML);
        assert!(page.text.contains("<h1><b>404</b> Not Found</h1>"), "{}", page.text);
    }

    #[track_caller]
    fn check(accept: Option<&'static str>, kind: &str, text: &str) {
        let page = error_page(Refusal::Missing, &accepting(accept));
        assert_eq!((page.kind, page.text.as_str()), (kind, text), "for {accept:?}");
    }

    fn accepting(accept: Option<&'static str>) -> HeaderMap {
        accept.map(|accept| (ACCEPT, HeaderValue::from_static(accept))).into_iter().collect()
    }
}
