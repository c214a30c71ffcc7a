//! Changes to the fields of what passes, as the configuration wants them.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{CONTENT_LENGTH, HOST, TRAILER},
};

use crate::upstream::is_of_connection;

/// Changes to fields: first some are removed, then some set, then some added.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    remove: Vec<HeaderName>,
    set: Vec<(HeaderName, HeaderValue)>,
    add: Vec<(HeaderName, HeaderValue)>,
}

/// A field that is not to be changed: it frames the message, or says what the connection does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("field {0:?} is the connection's own: expected another")]
pub struct NotEditable(pub HeaderName);

/// Whether nobody may change a field. Who we are to the next proxy may be said.
fn is_fixed(name: &HeaderName) -> bool {
    is_of_connection(name) || matches!(*name, CONTENT_LENGTH | HOST | TRAILER)
}

impl Edits {
    /// These changes.
    ///
    /// # Errors
    ///
    /// If one is of a field that is not to be changed.
    pub fn new(
        remove: Vec<HeaderName>,
        set: Vec<(HeaderName, HeaderValue)>,
        add: Vec<(HeaderName, HeaderValue)>,
    ) -> Result<Self, NotEditable> {
        let named = set.iter().chain(&add).map(|(name, _)| name);
        match named.chain(&remove).find(|name| is_fixed(name)) {
            Some(fixed) => Err(NotEditable(fixed.clone())),
            None => Ok(Self { remove, set, add }),
        }
    }

    /// Whether there are none.
    pub(super) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Whether one of them is of the field `name`.
    pub(super) fn are_of(&self, name: &HeaderName) -> bool {
        let values = self.set.iter().chain(&self.add).map(|(name, _)| name);
        values.chain(&self.remove).any(|edited| edited == name)
    }

    /// Makes them.
    pub(crate) fn apply(&self, headers: &mut HeaderMap) {
        for name in &self.remove {
            headers.remove(name);
        }
        for (name, value) in &self.set {
            headers.insert(name, value.clone());
        }
        for (name, value) in &self.add {
            headers.append(name, value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: HeaderName = HeaderName::from_static("x-a");
    const B: HeaderName = HeaderName::from_static("x-b");

    fn value(text: &'static str) -> HeaderValue {
        HeaderValue::from_static(text)
    }

    #[test]
    fn fields_are_removed_then_set_then_added() {
        let set = vec![(B, value("2"))];
        let add = vec![(A, value("3")), (B, value("4"))];
        let edits = Edits::new(vec![A, B], set, add).unwrap();
        let mut headers = HeaderMap::new();
        headers.append(A, value("0"));
        headers.append(B, value("1"));
        edits.apply(&mut headers);
        let all = |name| headers.get_all(name).into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(all(A), [value("3")]);
        assert_eq!(all(B), [value("2"), value("4")]);
    }

    #[test]
    fn what_frames_a_message_is_not_changed() {
        for name in [
            "connection",
            "content-length",
            "keep-alive",
            "proxy-connection",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
        ] {
            let name = HeaderName::from_static(name);
            let fixed = Err(NotEditable(name.clone()));
            assert_eq!(Edits::new(vec![name.clone()], Vec::new(), Vec::new()), fixed);
            assert_eq!(Edits::new(Vec::new(), vec![(name, value("a"))], Vec::new()), fixed);
        }
        let error = Edits::new(Vec::new(), Vec::new(), vec![(HOST, value("a"))]).unwrap_err();
        assert_eq!(error, NotEditable(HOST));
        assert_eq!(error.to_string(), "field \"host\" is the connection's own: expected another");
    }
}
