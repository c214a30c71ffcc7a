//! An answer from the store.

use std::{fmt::Write, io, sync::Arc, time::SystemTime};

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{AGE, CACHE_STATUS, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE},
};
use relais_wire::range::print_content_range;

use crate::{
    cache_status::CacheStatus,
    conditional::{Form, judge_form},
    prebuilt::{is_of_content, print_field},
    request::{Condition, Request},
    stored::Stored,
    stored_body::StoredBody,
};

/// An answer from the store, ready to be sent.
#[derive(Clone, Debug)]
pub struct Hit {
    stored: Arc<Stored>,
    form: Form,
    has_body: HasBody,
    /// How many bytes the whole body has; `None` if it still comes, and nobody knows.
    size: Option<u64>,
    age: u64,
    cache_status: CacheStatus,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HasBody {
    Yes,
    /// It answers HEAD.
    No,
}

impl Hit {
    /// An answer to `asked` from what is `stored`, in the form that it takes for it.
    pub(crate) fn of(
        stored: Arc<Stored>,
        asked: &Request<'_>,
        now: SystemTime,
        told: (u64, CacheStatus),
    ) -> Self {
        let size = Some(stored.body().len() as u64);
        Self::of_coming((stored, size), asked, now, told)
    }

    /// The same of a body of so many bytes that may still come. A part is told of where that is
    /// known.
    pub(crate) fn of_coming(
        (stored, size): (Arc<Stored>, Option<u64>),
        asked: &Request<'_>,
        now: SystemTime,
        (age, cache_status): (u64, CacheStatus),
    ) -> Self {
        let is_plain = asked.condition == Condition::None && asked.range.is_none();
        let form = if is_plain {
            Form::Whole
        } else {
            let what = (stored.validators(), size.unwrap_or_default());
            judge_form(asked, stored.status(), what, now)
        };
        let has_body = if asked.method == Method::HEAD { HasBody::No } else { HasBody::Yes };
        Self { stored, form, has_body, size, age, cache_status }
    }

    /// The status: that of the stored response, or 304, 206, 416.
    pub fn status(&self) -> StatusCode {
        match self.form {
            Form::Whole => self.stored.status(),
            Form::NotModified => StatusCode::NOT_MODIFIED,
            Form::Part(_) => StatusCode::PARTIAL_CONTENT,
            Form::Unsatisfiable => StatusCode::RANGE_NOT_SATISFIABLE,
        }
    }

    /// Appends the fields as HTTP/1 sends them, a line each: `Date`, `Content-Length`, `Age` and
    /// `Cache-Status` are among them. The status line before them and the empty line behind are the
    /// caller's, who may have fields of the connection to add.
    ///
    /// *Cost*: one copy, and two numbers printed, for a whole response; a walk over its fields for
    /// other forms.
    pub fn print_fields(&self, out: &mut Vec<u8>) {
        if self.form == Form::Whole {
            out.extend_from_slice(self.stored.head().bytes());
        } else {
            for (name, value) in self.stored.head().fields().filter(|(name, _)| self.has(name)) {
                print_field(name, value, out);
            }
            for (name, value) in self.of_form() {
                print_field(name.as_str(), value.as_bytes(), out);
            }
        }
        let print = |out: &mut Vec<u8>| {
            let (age, status) = (self.age, self.cache_status);
            io::Write::write_fmt(out, format_args!("age: {age}\r\ncache-status: {status}\r\n"))
        };
        print(out).expect("room in memory");
    }

    /// The same fields, for HTTP/2.
    ///
    /// *Cost*: a map is made, whose values are shared with what is stored.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = self.stored.head().headers(|name| !self.has(name));
        for (name, value) in self.of_form() {
            headers.append(name, HeaderValue::try_from(value).expect("printed in ASCII"));
        }
        headers.insert(AGE, self.age.into());
        let status = self.cache_status.to_string();
        headers.append(CACHE_STATUS, HeaderValue::try_from(status).expect("printed in ASCII"));
        headers
    }

    /// The value of `Content-Type`.
    ///
    /// *Cost*: a walk over the fields.
    pub fn media_type(&self) -> Option<HeaderValue> {
        let name = CONTENT_TYPE;
        let value = self.has(name.as_str()).then(|| self.stored.head().field(&name))??;
        Some(HeaderValue::from_maybe_shared(value).expect("printed from a value"))
    }

    /// The body, or the part of it that is sent; empty if none is.
    pub fn body(&self) -> StoredBody {
        let body = self.stored.stored_body();
        match self.form {
            _ if self.has_body == HasBody::No => StoredBody::nothing(),
            Form::Whole => body.clone(),
            Form::Part(part) => {
                let at = |byte| usize::try_from(byte).expect("a place in memory");
                body.slice(at(part.first)..=at(part.last))
            }
            Form::NotModified | Form::Unsatisfiable => StoredBody::nothing(),
        }
    }

    /// Which bytes of the whole body are sent, if any: behind so many, up to so many. `None` is up to
    /// its end.
    pub(crate) fn span(&self) -> Option<(u64, Option<u64>)> {
        match self.form {
            _ if self.has_body == HasBody::No => None,
            Form::Whole => Some((0, self.size)),
            Form::Part(part) => Some((part.first, Some(part.last + 1))),
            Form::NotModified | Form::Unsatisfiable => None,
        }
    }

    /// How many bytes of a body are sent, if that is known.
    pub fn size(&self) -> Option<u64> {
        match self.span() {
            Some((first, end)) => Some(end? - first),
            None => Some(0),
        }
    }

    /// How old the response is, in seconds: what `Age` says.
    pub fn age(&self) -> u64 {
        self.age
    }

    /// What `Cache-Status` says.
    pub fn cache_status(&self) -> CacheStatus {
        self.cache_status
    }

    /// In which form the stored response is sent.
    pub fn form(&self) -> Form {
        self.form
    }

    /// What is stored.
    pub fn stored(&self) -> &Arc<Stored> {
        &self.stored
    }

    /// Whether the field called `name` of what is stored is sent.
    fn has(&self, name: &str) -> bool {
        match self.form {
            Form::Whole => true,
            Form::NotModified => !is_of_content(name),
            Form::Part(_) => name != CONTENT_LENGTH.as_str(),
            // An error of the client's: nothing of what is stored is about it.
            Form::Unsatisfiable => name == DATE.as_str(),
        }
    }

    /// The fields that are due to its form.
    fn of_form(&self) -> Vec<(HeaderName, String)> {
        let size = self.size.unwrap_or_default();
        let (part, len) = match self.form {
            Form::Whole | Form::NotModified => return Vec::new(),
            Form::Part(part) => (Some(part), part.len()),
            Form::Unsatisfiable => (None, 0),
        };
        let mut range = String::new();
        write!(range, "{}", print_content_range(part, size)).expect("room in a string");
        vec![(CONTENT_RANGE, range), (CONTENT_LENGTH, len.to_string())]
    }
}
