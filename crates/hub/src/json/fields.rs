//! What a frame says, field by field.

use relais_wire::timestamp::parse_timestamp;

use super::value::Value;
use crate::{
    model::{Cid, Millis, Seq},
    protocol::{Code, Place, Refusal},
};

/// Why a field is not what it has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Amiss {
    /// It is not there.
    #[error("{0:?} is missing")]
    Missing(&'static str),
    /// It is something else.
    #[error("{0:?}: expected {1}")]
    Other(&'static str, &'static str),
}

/// What a field says, or that it is not there: what is `null` is not.
pub(super) type Found<T> = Result<Option<T>, Amiss>;

/// The fields of an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a>(pub(super) &'a [(String, Value)]);

impl<'a> Fields<'a> {
    /// What `read` finds there, which may not be missing.
    pub(super) fn needed<T>(
        self,
        field: &'static str,
        read: fn(Self, &'static str) -> Found<T>,
    ) -> Result<T, Amiss> {
        read(self, field)?.ok_or(Amiss::Missing(field))
    }

    /// Whether it is there, `null` or not.
    pub(super) fn has(self, field: &str) -> bool {
        self.0.iter().any(|(name, _)| name == field)
    }

    pub(super) fn value(self, field: &str) -> Option<&'a Value> {
        let found = self.0.iter().find(|(name, _)| name == field);
        found.map(|(_, value)| value).filter(|value| **value != Value::Null)
    }

    pub(super) fn text(self, field: &'static str) -> Found<String> {
        self.str(field).map(|text| text.map(str::to_owned))
    }

    pub(super) fn str(self, field: &'static str) -> Found<&'a str> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(Amiss::Other(field, "a string")),
        }
    }

    pub(super) fn number(self, field: &'static str) -> Found<u64> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Number(number)) => Ok(Some(*number)),
            Some(_) => Err(Amiss::Other(field, "a whole number from 0 on")),
        }
    }

    /// A number that is not as long as numbers may be.
    pub(super) fn short<T: TryFrom<u64>>(self, field: &'static str) -> Found<T> {
        let short = |number| T::try_from(number).map_err(|_| Amiss::Other(field, "a lower number"));
        self.number(field)?.map(short).transpose()
    }

    pub(super) fn seq(self, field: &'static str) -> Found<Seq> {
        self.number(field).map(|number| number.map(Seq))
    }

    pub(super) fn truth(self, field: &'static str) -> Found<bool> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Truth(truth)) => Ok(Some(*truth)),
            Some(_) => Err(Amiss::Other(field, "true or false")),
        }
    }

    pub(super) fn list(self, field: &'static str) -> Found<&'a [Value]> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::List(list)) => Ok(Some(list)),
            Some(_) => Err(Amiss::Other(field, "a list")),
        }
    }

    pub(super) fn object(self, field: &'static str) -> Found<Self> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::Object(members)) => Ok(Some(Self(members))),
            Some(_) => Err(Amiss::Other(field, "an object")),
        }
    }

    pub(super) fn place(self, field: &'static str) -> Found<Place> {
        let read = |text| Place::read(text).ok_or(Amiss::Other(field, PLACE));
        self.str(field)?.map(read).transpose()
    }

    pub(super) fn cid(self) -> Found<Cid> {
        let expect = "1 to 64 letters, digits, _ and -";
        let read = |text| Cid::new(text).ok_or(Amiss::Other("cid", expect));
        self.str("cid")?.map(read).transpose()
    }

    pub(super) fn time(self, field: &'static str) -> Found<Millis> {
        let read = |text| millis(text).ok_or(Amiss::Other(field, "a time of day"));
        self.str(field)?.map(read).transpose()
    }
}

/// What a room, or a talk, is called by.
pub(super) const PLACE: &str = "a #room or a @person";

fn millis(text: &str) -> Option<Millis> {
    let since = parse_timestamp(text)?.duration_since(std::time::UNIX_EPOCH).ok()?;
    u64::try_from(since.as_millis()).ok().map(Millis)
}

impl From<Amiss> for Refusal {
    fn from(amiss: Amiss) -> Self {
        match amiss {
            Amiss::Missing(field) => Self::of(Code::MissingField).field(field),
            Amiss::Other(field, expect) => {
                Self::of(Code::BadField).field(field).why(format!("expected {expect}"))
            }
        }
    }
}
