//! An answer from the store.

use std::{ops::Range, sync::Arc, time::SystemTime};

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{AGE, CACHE_STATUS, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, DATE},
};
use relais_wire::{decimal::Decimal, range::ByteRange};

use crate::{
    cache_status::CacheStatus,
    conditional::{Form, judge_form},
    disk::FileBody,
    fields::is_digest,
    partial::{Multipart, Need, SizedRange, judge_need},
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
    /// What is between its parts, if it has several.
    multipart: Option<Box<Multipart>>,
    has_body: HasBody,
    /// How many bytes the whole body has; `None` if it still comes, and nobody knows.
    size: Option<u64>,
    age: u64,
    cache_status: CacheStatus,
    /// What its origin said with it to this client alone.
    own: Option<Box<HeaderMap>>,
}

/// A piece of a body that stands in a file.
#[derive(Clone, Debug)]
pub enum FilePiece {
    /// Something between its parts.
    Text(StoredBody),
    /// These bytes of the file.
    Part(Range<u64>),
}

impl From<StoredBody> for FilePiece {
    fn from(text: StoredBody) -> Self {
        Self::Text(text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HasBody {
    Yes,
    /// It answers HEAD.
    No,
}

impl Hit {
    /// An answer to `asked` from what is `stored`, in the form that it takes for it.
    ///
    /// # Errors
    ///
    /// What is stored, if it is parts that do not answer it.
    pub(crate) fn of(
        stored: Arc<Stored>,
        asked: &Request<'_>,
        now: SystemTime,
        told: (u64, CacheStatus),
    ) -> Result<Self, Arc<Stored>> {
        let size = stored.size();
        let form = match stored.parts() {
            Some(parts) => match judge_need(asked, (parts, stored.validators()), 0, now) {
                Need::Met(form) => form,
                Need::Missing(_) | Need::Else => return Err(stored),
            },
            None => whole_form((&stored, size), asked, now),
        };
        let mut hit = Self::in_form((stored, size), form, asked, told);
        if let Form::Parts(ranges) = &hit.form {
            let media = hit.stored.head().field(&CONTENT_TYPE);
            hit.multipart = Some(Box::new(Multipart::of(ranges, size, media.as_deref())));
        }
        Ok(hit)
    }

    /// The same of a body of so many bytes that still comes, all of it. A part is told of where that
    /// is known; who wants several gets the whole, which a server may always send.
    pub(crate) fn of_coming(
        (head, size): (Arc<Stored>, Option<u64>),
        asked: &Request<'_>,
        now: SystemTime,
        told: (u64, CacheStatus),
    ) -> Self {
        let form = match whole_form((&head, size), asked, now) {
            Form::Parts(_) => Form::Whole,
            form => form,
        };
        Self::in_form((head, size), form, asked, told)
    }

    fn in_form(
        (stored, size): (Arc<Stored>, Option<u64>),
        form: Form,
        asked: &Request<'_>,
        (age, cache_status): (u64, CacheStatus),
    ) -> Self {
        let has_body = if asked.method == Method::HEAD { HasBody::No } else { HasBody::Yes };
        Self { stored, form, multipart: None, has_body, size, age, cache_status, own: None }
    }

    /// The same with these fields, which its origin has for this client alone.
    pub(crate) fn with_own(mut self, own: HeaderMap) -> Self {
        self.own = (!own.is_empty()).then(|| Box::new(own));
        self
    }

    /// The status: that of the stored response, or 304, 206, 416.
    pub fn status(&self) -> StatusCode {
        match &self.form {
            Form::Whole => self.stored.status(),
            Form::NotModified => StatusCode::NOT_MODIFIED,
            Form::Part(_) | Form::Parts(_) | Form::Again => StatusCode::PARTIAL_CONTENT,
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
                print_field(name.as_str(), &value, out);
            }
        }
        for (name, value) in self.own() {
            print_field(name.as_str(), value.as_bytes(), out);
        }
        for text in ["age: ", Decimal::of(self.age).as_str(), "\r\ncache-status: "] {
            out.extend_from_slice(text.as_bytes());
        }
        self.cache_status.print(out);
        out.extend_from_slice(b"\r\n");
    }

    /// The same fields, for HTTP/2.
    ///
    /// *Cost*: a map is made, whose values are shared with what is stored.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = self.stored.head().headers(|name| !self.has(name));
        for (name, value) in self.of_form() {
            headers.append(name, HeaderValue::try_from(value).expect("printed from values"));
        }
        for (name, value) in self.own() {
            headers.append(name, value.clone());
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
        if let Some(multipart) = &self.multipart {
            return HeaderValue::try_from(multipart.media_type()).ok();
        }
        let value = self.has(name.as_str()).then(|| self.stored.head().field(&name))??;
        Some(HeaderValue::from_maybe_shared(value).expect("printed from a value"))
    }

    /// The body, or the part of it that is sent; empty if none is, and if it is
    /// [in pieces](Self::pieces).
    pub fn body(&self) -> StoredBody {
        let body = match &self.form {
            _ if self.has_body == HasBody::No || self.stored.file().is_some() => None,
            Form::Whole => return self.stored.stored_body().clone(),
            Form::Part(part) => {
                let mut cut = self.cut(*part);
                if cut.len() == 1 { cut.pop() } else { None }
            }
            Form::Again => self.told_again().map(|(body, _)| body.clone()),
            Form::Parts(_) | Form::NotModified | Form::Unsatisfiable => None,
        };
        body.unwrap_or_else(StoredBody::nothing)
    }

    /// The body that is sent, in its pieces; `None` if it is one: see [`body`](Self::body).
    pub fn pieces(&self) -> Option<Vec<StoredBody>> {
        match (&self.form, &self.multipart) {
            _ if self.has_body == HasBody::No || self.stored.file().is_some() => None,
            (Form::Parts(ranges), Some(multipart)) => {
                Some(multipart.pieces(ranges, |range| self.cut(range)))
            }
            (Form::Part(part), _) => {
                self.stored.parts().map(|parts| parts.cut(*part)).filter(|cut| cut.len() > 1)
            }
            _ => None,
        }
    }

    /// Which bytes of a body that comes are sent, if any: behind so many, up to so many. `None` is up
    /// to its end.
    pub(crate) fn span(&self) -> Option<(u64, Option<u64>)> {
        match &self.form {
            _ if self.has_body == HasBody::No => None,
            Form::Whole => Some((0, self.size)),
            Form::Part(part) => Some((part.first, Some(part.last + 1))),
            // What comes is read in one go, from a whole.
            Form::Parts(_) | Form::Again | Form::NotModified | Form::Unsatisfiable => None,
        }
    }

    /// How many bytes of a body are sent, if that is known.
    pub fn size(&self) -> Option<u64> {
        match (&self.form, &self.multipart) {
            _ if self.has_body == HasBody::No => Some(0),
            (Form::Whole, _) => self.size,
            (Form::Part(part), _) => Some(part.len()),
            (Form::Parts(ranges), Some(multipart)) => Some(multipart.len(ranges)),
            (Form::Again, _) => self.told_again().map(|(body, _)| body.bytes().len() as u64),
            (Form::NotModified | Form::Unsatisfiable | Form::Parts(_), _) => Some(0),
        }
    }

    /// The body that is sent, in its pieces, if what is stored has it in a file: then
    /// [`body`](Self::body) and [`pieces`](Self::pieces) are of no use.
    pub fn file_pieces(&self) -> Option<(&FileBody, Vec<FilePiece>)> {
        let file = self.stored.file()?;
        let part = |range: ByteRange| FilePiece::Part(range.first..range.last + 1);
        let pieces = match (&self.form, &self.multipart) {
            _ if self.has_body == HasBody::No => return None,
            (Form::Whole, _) => vec![FilePiece::Part(0..file.len())],
            (Form::Part(range), _) => vec![part(*range)],
            (Form::Parts(ranges), Some(multipart)) => {
                multipart.pieces(ranges, |range| vec![part(range)])
            }
            // What is stored in parts has no file.
            (Form::Again | Form::Parts(_) | Form::NotModified | Form::Unsatisfiable, _) => {
                return None;
            }
        };
        Some((file, pieces))
    }

    /// Of the body that is sent, the first bytes that stand in a file, if some do.
    pub fn first_in_file(&self) -> Option<(&FileBody, Range<u64>)> {
        let file = self.stored.file()?;
        let first = match &self.form {
            _ if self.has_body == HasBody::No => return None,
            Form::Whole => 0..file.len(),
            Form::Part(part) => part.first..part.last + 1,
            Form::Parts(ranges) => ranges.first().map(|part| part.first..part.last + 1)?,
            Form::Again | Form::NotModified | Form::Unsatisfiable => return None,
        };
        Some((file, first))
    }

    /// These bytes of what is stored.
    fn cut(&self, range: ByteRange) -> Vec<StoredBody> {
        if let Some(parts) = self.stored.parts() {
            return parts.cut(range);
        }
        let at = |byte| usize::try_from(byte).expect("a place in memory");
        vec![self.stored.stored_body().slice(at(range.first)..=at(range.last))]
    }

    /// The only part that is stored, and its `Content-Range`, word for word.
    fn told_again(&self) -> Option<(&StoredBody, &HeaderValue)> {
        self.stored.parts()?.only_told()
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
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// What is stored.
    pub fn stored(&self) -> &Arc<Stored> {
        &self.stored
    }

    /// What is for its client alone, as far as its form has it.
    fn own(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        self.own.iter().flat_map(|own| own.iter()).filter(|(name, _)| self.has(name.as_str()))
    }

    /// Whether the field called `name` of what is stored is sent.
    fn has(&self, name: &str) -> bool {
        match &self.form {
            Form::Whole => true,
            Form::NotModified => !is_of_content(name) && !is_digest(name),
            // A 200 that says a range of its own says nothing by that (RFC 9110 §14.4).
            Form::Part(_) | Form::Again => !is_of_extent(name) && !is_digest(name),
            Form::Parts(_) => {
                !is_of_extent(name) && !is_digest(name) && name != CONTENT_TYPE.as_str()
            }
            // An error of the client's: nothing of what is stored is about it.
            Form::Unsatisfiable => name == DATE.as_str(),
        }
    }

    /// The fields that are due to its form.
    fn of_form(&self) -> Vec<(HeaderName, Vec<u8>)> {
        let size = self.size;
        let sized = |part, len: u64| {
            let range = SizedRange { part, size }.to_string().into_bytes();
            vec![(CONTENT_RANGE, range), (CONTENT_LENGTH, len.to_string().into_bytes())]
        };
        match (&self.form, &self.multipart) {
            (Form::Part(part), _) => sized(Some(*part), part.len()),
            (Form::Unsatisfiable, _) => sized(None, 0),
            (Form::Parts(ranges), Some(multipart)) => vec![
                (CONTENT_TYPE, multipart.media_type().into_bytes()),
                (CONTENT_LENGTH, multipart.len(ranges).to_string().into_bytes()),
            ],
            (Form::Again, _) => {
                let Some((body, range)) = self.told_again() else { return Vec::new() };
                let len = body.bytes().len().to_string().into_bytes();
                vec![(CONTENT_RANGE, range.as_bytes().to_vec()), (CONTENT_LENGTH, len)]
            }
            (Form::Whole | Form::NotModified | Form::Parts(_), _) => Vec::new(),
        }
    }
}

/// Whether a field tells how much of the content comes.
fn is_of_extent(name: &str) -> bool {
    name == CONTENT_LENGTH.as_str() || name == CONTENT_RANGE.as_str()
}

/// In which form what is `stored` as a whole, of so many bytes, answers `asked`.
fn whole_form(
    (stored, size): (&Stored, Option<u64>),
    asked: &Request<'_>,
    now: SystemTime,
) -> Form {
    if asked.condition == Condition::None && asked.range.is_none() {
        return Form::Whole;
    }
    let what = (stored.validators(), size.unwrap_or_default());
    judge_form(asked, stored.status(), what, now)
}
