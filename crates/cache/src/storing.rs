//! Whether a response may be stored ([RFC 9111 §3]).
//!
//! [RFC 9111 §3]: https://www.rfc-editor.org/rfc/rfc9111#section-3

use http::{
    HeaderMap, HeaderName, Method, StatusCode,
    header::{ETAG, LAST_MODIFIED, SET_COOKIE},
};
use relais_wire::range::Extent;

use crate::{
    age::{Times, date_in},
    directives::{Control, Flag},
    fields::OF_PART,
    freshness::{Basis, Head, lifetime},
    of_request::{is_of_request, may_be_of_odd_request},
    partial::{NoPlace, Told, place_of},
    request::{Content, Request, Sender, Switch},
    settings::{SetCookie, Settings},
    terms::Terms,
    vary::{Selecting, Vary},
};

/// Why a response is not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotStored {
    /// It answers another method than GET, or a GET that would be taken for another.
    #[error("only answers to GET are stored")]
    Method,
    /// Nothing is stored for its path, as was said here.
    #[error("nothing is stored for the path")]
    Bypassed,
    /// It answers a GET that brought a body: no key holds that.
    #[error("the request brought a body")]
    RequestContent,
    /// It answers a GET that asked for another protocol: others might get another answer.
    #[error("the request asked for another protocol")]
    Upgrade,
    /// The request says `no-store` ([RFC 9111 §5.2.1.5]).
    ///
    /// [RFC 9111 §5.2.1.5]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1.5
    #[error("the request says no-store")]
    RequestNoStore,
    /// It is a part (206) of which nobody can tell where it stands, or of what
    /// ([RFC 9110 §14.4]).
    ///
    /// [RFC 9110 §14.4]: https://www.rfc-editor.org/rfc/rfc9110#section-14.4
    #[error("a part (206) that cannot be put in its place")]
    Partial,
    /// It is a part (206) of what is stored as a whole: what it says anew is stored with that.
    #[error("a part (206) of what is stored")]
    PartOfStored,
    /// It is a 304 for what the client has, or no answer at all (1xx).
    #[error("a status that is about another response")]
    NotAnAnswer,
    /// Its status is about who asked or how, which no key holds: others may ask in another way.
    #[error("a status that is about its own request")]
    OfRequest,
    /// It is an error, and its request was out of the ordinary: what is wrong may be that.
    #[error("an error, and its request was out of the ordinary")]
    OddRequest,
    /// It says `no-store` ([RFC 9111 §5.2.2.5]).
    ///
    /// [RFC 9111 §5.2.2.5]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.5
    #[error("the response says no-store")]
    NoStore,
    /// It says `must-understand`, and its status is unknown here ([RFC 9111 §5.2.2.3]).
    ///
    /// [RFC 9111 §5.2.2.3]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.3
    #[error("the response says must-understand, and its status is unknown")]
    NotUnderstood,
    /// It says `private` ([RFC 9111 §5.2.2.7]).
    ///
    /// [RFC 9111 §5.2.2.7]: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.7
    #[error("the response says private")]
    Private,
    /// The request had `Authorization`, and the response does not say that others may have it
    /// ([RFC 9111 §3.5]).
    ///
    /// [RFC 9111 §3.5]: https://www.rfc-editor.org/rfc/rfc9111#section-3.5
    #[error("the request had authorization, and the response is not for others")]
    Authorization,
    /// It sets a cookie, and [`SetCookie`] does not let it.
    #[error("the response sets a cookie")]
    SetCookie,
    /// It varies by everything, or by more than we can tell ([RFC 9111 §4.1]).
    ///
    /// [RFC 9111 §4.1]: https://www.rfc-editor.org/rfc/rfc9111#section-4.1
    #[error("the response varies by everything")]
    VariesByEverything,
    /// It says nothing about its lifetime, and its status is none to guess at.
    #[error("no lifetime is given, and the status allows no guess")]
    NoLifetime,
    /// It says nothing about its lifetime, nor that it is for all, and may be one person's: the request
    /// had cookies or `Authorization`.
    #[error("no lifetime is given, and the request may be somebody's own")]
    Personal,
    /// It would never be fresh, and could never be validated.
    #[error("never fresh, and nothing to validate it by")]
    Useless,
    /// Its body has more than [`Settings::object_max`] bytes.
    #[error("larger than object_max")]
    TooLarge,
    /// There is no room for its body, beside those that come in and those that are being sent.
    #[error("no room for its body")]
    NoRoom,
    /// What it was asked for was invalidated while it came.
    #[error("invalidated while it came")]
    Invalidated,
    /// Its body does not pass through memory.
    #[error("its body is not in memory")]
    NotInMemory,
}

/// What is stored with a response that may be.
#[derive(Clone, Debug)]
pub(crate) struct Storable {
    /// What it may be used for.
    pub terms: Terms,
    /// Which requests it is for.
    pub selecting: Selecting,
    /// The fields of the response that are left out.
    pub withheld: Vec<HeaderName>,
    /// Where its body stands in the whole, if it is a part.
    pub place: Option<(Extent, Told)>,
}

/// Judges the `head` of a response to `asked`: what is stored with it, or why it is not stored.
///
/// # Errors
///
/// [`NotStored`], the first reason there is.
pub(crate) fn judge_storing(
    asked: &Request<'_>,
    head: Head<'_>,
    times: Times,
    settings: &Settings,
) -> Result<Storable, NotStored> {
    judge_request(asked)?;
    let place = place_of(asked, head).map_err(|NoPlace| NotStored::Partial)?;
    if head.status.is_informational() || head.status == StatusCode::NOT_MODIFIED {
        return Err(NotStored::NotAnAnswer);
    }
    if is_of_request(head.status) {
        return Err(NotStored::OfRequest);
    }
    if may_be_of_odd_request(asked, head.status) {
        return Err(NotStored::OddRequest);
    }
    let control = Control::said_of(head.headers, asked.rule, settings);
    judge_directives(&control, head.status)?;
    if asked.sender == Sender::Authorization && !is_for_others(&control) {
        return Err(NotStored::Authorization);
    }
    let selecting = match Vary::of(head.headers) {
        Vary::Nothing => Some(Selecting::default()),
        Vary::Fields(names) => {
            Selecting::of(&names, asked).map(|selecting| selecting.of_response(head.headers))
        }
        Vary::Everything => None,
    };
    let selecting = selecting.ok_or(NotStored::VariesByEverything)?;
    let lifetime = lifetime(head, &control, settings);
    if sets_cookie(head.headers, &control) && !may_set_cookie(&control, lifetime.basis, settings) {
        return Err(NotStored::SetCookie);
    }
    match lifetime.basis {
        Basis::Nothing => return Err(NotStored::NoLifetime),
        basis if basis.is_ours() && asked.sender != Sender::Nobody => {
            return Err(NotStored::Personal);
        }
        // When it was modified says nothing of whom it is for.
        Basis::Heuristic
            if asked.sender != Sender::Nobody && !control.directives.has(Flag::Public) =>
        {
            return Err(NotStored::Personal);
        }
        _ => (),
    }
    let terms = Terms::of(head, times, &control, settings);
    if !terms.can_be_sent_unasked() && !has_validator(head.headers, times) {
        return Err(NotStored::Useless);
    }
    let mut withheld = control.directives.withheld;
    if place.is_some() {
        // It speaks of the part that came, and not of what is stored.
        withheld.extend_from_slice(&OF_PART);
    }
    Ok(Storable { terms, selecting, withheld, place })
}

/// Judges whether any answer to `asked` may be stored.
pub(crate) fn judge_request(asked: &Request<'_>) -> Result<(), NotStored> {
    if asked.is_bypassed() {
        return Err(NotStored::Bypassed);
    }
    if asked.method != Method::GET || names_another_method(asked.headers) {
        return Err(NotStored::Method);
    }
    if asked.content == Content::Some {
        return Err(NotStored::RequestContent);
    }
    if asked.switch == Switch::Wanted {
        return Err(NotStored::Upgrade);
    }
    if asked.directives.has(Flag::NoStore) {
        return Err(NotStored::RequestNoStore);
    }
    Ok(())
}

/// Whether a request says that its method is not meant: there are servers that believe it, and
/// answer a GET as if it were a DELETE.
fn names_another_method(headers: &HeaderMap) -> bool {
    OTHER_METHOD.iter().any(|name| headers.contains_key(name))
}

static OTHER_METHOD: [HeaderName; 3] = [
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-method-override"),
];

fn judge_directives(control: &Control, status: StatusCode) -> Result<(), NotStored> {
    let directives = &control.directives;
    let understood = is_understood(status);
    if directives.has(Flag::MustUnderstand) && !understood {
        return Err(NotStored::NotUnderstood);
    }
    // `no-store` beside it is for caches that do not know `must-understand`.
    if directives.has(Flag::NoStore) && !directives.has(Flag::MustUnderstand) {
        return Err(NotStored::NoStore);
    }
    if directives.has(Flag::Private) {
        return Err(NotStored::Private);
    }
    Ok(())
}

/// Whether the rules for caching `status` are known here: those of [RFC 9110 §15].
///
/// [RFC 9110 §15]: https://www.rfc-editor.org/rfc/rfc9110#section-15
fn is_understood(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        200..=206 | 300..=303 | 305 | 307 | 308 | 400..=417 | 421 | 422 | 426 | 500..=505
    )
}

/// Whether an answer to one who was authorized may be given to others.
fn is_for_others(control: &Control) -> bool {
    let directives = &control.directives;
    directives.s_maxage.is_some()
        || directives.has(Flag::Public)
        || directives.has(Flag::MustRevalidate)
}

/// Whether what is stored of a response would set a cookie.
fn sets_cookie(headers: &HeaderMap, control: &Control) -> bool {
    headers.contains_key(SET_COOKIE) && !control.directives.withheld.contains(&SET_COOKIE)
}

fn may_set_cookie(control: &Control, basis: Basis, settings: &Settings) -> bool {
    let directives = &control.directives;
    match settings.set_cookie {
        SetCookie::Refused => false,
        SetCookie::Explicit => basis.is_explicit(),
        SetCookie::SharedOnly => {
            let speaks_of_us = control.is_targeted()
                || directives.s_maxage.is_some()
                || directives.has(Flag::Public);
            basis.is_explicit() && speaks_of_us
        }
    }
}

fn has_validator(headers: &HeaderMap, times: Times) -> bool {
    headers.contains_key(ETAG) || date_in(headers, LAST_MODIFIED, times.received).is_some()
}

#[cfg(test)]
mod tests;
