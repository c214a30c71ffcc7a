//! JSON as strictly as frames have it: what two readers could understand in two ways is refused.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// How deep objects and lists may lie in each other: `{"a":[1]}` is two deep.
pub(super) const DEPTH_MAX: usize = 16;

/// What stands in a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    Truth(bool),
    Number(u64),
    /// A number below zero, with parts, or past what is counted here.
    OtherNumber,
    Text(String),
    List(Vec<Self>),
    Object(Members),
}

/// What an object holds, in its order, no name twice.
pub(super) type Members = Vec<(String, Value)>;

/// Why something is no object as frames are. Each says what is the matter, or what was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flaw {
    /// It is none of JSON.
    #[error("{0}")]
    NoObject(String),
    /// It may be one, but frames are stricter: of UTF-8, no deeper than [`DEPTH_MAX`], no name twice.
    #[error("{0}")]
    TooLoose(String),
}

impl From<serde_json::Error> for Flaw {
    fn from(error: serde_json::Error) -> Self {
        // What is JSON is refused by `Within` alone.
        if error.is_data() {
            Self::TooLoose(error.to_string())
        } else {
            Self::NoObject(error.to_string())
        }
    }
}

/// Reads an object.
///
/// *Cost*: grows with `line` as sorting does.
///
/// # Errors
///
/// [`Flaw`]
pub(super) fn object(line: &[u8]) -> Result<Members, Flaw> {
    let line = str::from_utf8(line).map_err(|_| Flaw::TooLoose("expected UTF-8".to_owned()))?;
    let mut reader = serde_json::Deserializer::from_str(line);
    let value = Within(DEPTH_MAX).deserialize(&mut reader)?;
    reader.end()?;
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(Flaw::NoObject("expected an object".to_owned())),
    }
}

/// Reads a value in which there may be so many more, one in the other.
#[derive(Clone, Copy)]
struct Within(usize);

impl Within {
    /// For what is in the value.
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let within = self.0.checked_sub(1).map(Self);
        within.ok_or_else(|| E::custom(format_args!("deeper than {DEPTH_MAX}")))
    }
}

impl<'de> DeserializeSeed<'de> for Within {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Within {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Value, E> {
        Ok(Value::Truth(truth))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(u64::try_from(number).map_or(Value::OtherNumber, Value::Number))
    }

    fn visit_f64<E>(self, _number: f64) -> Result<Value, E> {
        Ok(Value::OtherNumber)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let (within, mut list) = (self.deeper()?, Vec::new());
        while let Some(value) = seq.next_element_seed(within)? {
            list.push(value);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let (within, mut members) = (self.deeper()?, Members::new());
        while let Some(name) = map.next_key()? {
            members.push((name, map.next_value_seed(within)?));
        }
        match twice(&members) {
            None => Ok(Value::Object(members)),
            Some(name) => Err(Error::custom(format_args!("{name:?} stands there twice"))),
        }
    }
}

/// A name that stands there twice.
fn twice(members: &Members) -> Option<&str> {
    let mut names: Vec<_> = members.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_object_is_read_in_its_order() {
        let members = object(br#" {"b":[1,-1,0.5,null],"a":{"":true},"c":"\u00e9\n"} "#).unwrap();
        let list = [Value::Number(1), Value::OtherNumber, Value::OtherNumber, Value::Null];
        let expect = [
            ("b".to_owned(), Value::List(list.to_vec())),
            ("a".to_owned(), Value::Object(vec![(String::new(), Value::Truth(true))])),
            ("c".to_owned(), Value::Text("é\n".to_owned())),
        ];
        assert_eq!(members, expect);
        assert_eq!(object(b"{}\r\n"), Ok(Members::new()));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        check(b"", "EOF while parsing a value");
        check(b"[]", "expected an object");
        check(b"1", "expected an object");
        check(b"{} {}", "trailing characters");
        check(b"{\"a\":1,}", "trailing comma");
        check(b"{a:1}", "key must be a string");
        check(b"{'a':1}", "key must be a string");
        check(b"{\"a\":NaN}", "expected value");
        check(b"{\"a\":Infinity}", "expected value");
        check(b"{\"a\":01}", "invalid number");
        check(b"{\"a\":1e999}", "number out of range");
        check(b"{\"a\":\"\\ud800\"}", "");
        check(b"{\"a\":\"\n\"}", "control character");
        check(b"{\"a\":\"\xff\"}", "expected UTF-8");
        check(b"\xef\xbb\xbf{}", "expected value");
        check(br#"{"a":1,"b":2,"a":1}"#, r#""a" stands there twice"#);
        check(br#"{"a":1,"\u0061":1}"#, r#""a" stands there twice"#);
        check(br#"{"x":[{"a":1,"a":1}]}"#, r#""a" stands there twice"#);
    }

    #[track_caller]
    fn check(line: &[u8], expect: &str) {
        let found = object(line).unwrap_err().to_string();
        assert!(found.contains(expect), "{found}");
    }

    #[test]
    fn what_lies_deeper_than_it_may_is_refused() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let nested = |depth: usize| {
                format!("{{\"a\":{}1{}}}", open.repeat(depth - 1), close.repeat(depth - 1))
            };
            assert!(object(nested(DEPTH_MAX).as_bytes()).is_ok());
            check(nested(DEPTH_MAX + 1).as_bytes(), "deeper than 16");
        }
        check(format!("{{\"a\":{}", "[".repeat(1 << 20)).as_bytes(), "deeper than 16");
    }

    #[test]
    fn ten_thousand_names_are_compared_in_no_time() {
        let names: Vec<_> = (0..10_000).map(|name| format!("\"{name}\":0")).collect();
        assert_eq!(object(format!("{{{}}}", names.join(",")).as_bytes()).unwrap().len(), 10_000);
        check(format!("{{{},\"77\":1}}", names.join(",")).as_bytes(), "\"77\" stands there twice");
    }

    proptest! {
        #[test]
        fn nothing_panics(line: Vec<u8>) {
            _ = object(&line);
        }

        #[test]
        fn nothing_almost_right_panics(line in r#"[{}\[\]",:0-9a-e\\u.\- ]{0,40}"#) {
            _ = object(line.as_bytes());
        }
    }
}
