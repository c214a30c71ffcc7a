//! The bytes that are asked for besides those that are stored.

use http::{
    HeaderMap, HeaderValue,
    header::{ETAG, IF_RANGE, LAST_MODIFIED, RANGE},
};
use relais_wire::range::ByteRange;

use crate::conditional::Validators;

/// The bytes that are asked for besides those that are stored.
#[derive(Debug)]
pub(crate) struct Rest {
    pub range: ByteRange,
    /// For `Range`.
    wanted: HeaderValue,
    /// For `If-Range`: else all of it comes.
    validator: Option<HeaderValue>,
}

impl Rest {
    /// The bytes of `range`, to go with what is stored: a response of `size` bytes with these
    /// `headers`.
    pub(crate) fn of(
        range: ByteRange,
        size: Option<u64>,
        (headers, validators): (&HeaderMap, Validators<'_>),
    ) -> Self {
        let ByteRange { first, last } = range;
        let is_end = size.is_some_and(|size| last + 1 == size);
        let wanted =
            if is_end { format!("bytes={first}-") } else { format!("bytes={first}-{last}") };
        let wanted = HeaderValue::try_from(wanted).expect("numbers are ASCII");
        let name = match (validators.tag, validators.strong_date()) {
            (Some(tag), _) => (!tag.weak).then_some(ETAG),
            (None, date) => date.map(|_| LAST_MODIFIED),
        };
        let validator = name.and_then(|name| headers.get(name).cloned());
        Self { range, wanted, validator }
    }

    /// Whether who is asked can tell if they are of the same response. Who cannot, may send them all
    /// the same; or everything.
    pub(crate) fn has_validator(&self) -> bool {
        self.validator.is_some()
    }

    /// Puts it into a request's `headers`, in the place of the client's own range.
    pub(crate) fn put(&self, headers: &mut HeaderMap) {
        headers.insert(RANGE, self.wanted.clone());
        match &self.validator {
            Some(validator) => headers.insert(IF_RANGE, validator.clone()),
            None => headers.remove(IF_RANGE),
        };
    }
}
