//! How values are spelled in frames: straight to bytes, with no tree between.

use std::{
    io::Write,
    time::{Duration, UNIX_EPOCH},
};

use relais_wire::{decimal::Decimal, timestamp::Timestamp, visible::InJson};

use crate::{
    model::{Cid, Millis, Seq},
    protocol::{Place, Secret},
};

/// What has a spelling.
pub(super) trait Spell {
    /// Adds it to `out`.
    fn spell(&self, out: &mut Vec<u8>);
}

/// An object that is being written.
pub(super) struct Object<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Object<'a> {
    /// Writes one, as `fill` fills it.
    pub(super) fn write(out: &'a mut Vec<u8>, fill: impl FnOnce(&mut Self)) {
        out.push(b'{');
        let mut object = Self { out };
        fill(&mut object);
        object.out.push(b'}');
    }

    /// Adds a field.
    pub(super) fn put(&mut self, field: &str, value: &(impl Spell + ?Sized)) -> &mut Self {
        value.spell(self.field(field));
        self
    }

    /// Adds a field, if there is a value.
    pub(super) fn maybe(
        &mut self,
        field: &str,
        value: Option<&(impl Spell + ?Sized)>,
    ) -> &mut Self {
        match value {
            Some(value) => self.put(field, value),
            None => self,
        }
    }

    /// Adds an object.
    pub(super) fn object(&mut self, field: &str, fill: impl FnOnce(&mut Object<'_>)) -> &mut Self {
        Object::write(self.field(field), fill);
        self
    }

    /// Adds a list, each thing in it as `spell` has it.
    pub(super) fn list<T>(
        &mut self,
        field: &str,
        things: &[T],
        spell: impl Fn(&T, &mut Vec<u8>),
    ) -> &mut Self {
        let out = self.field(field);
        out.push(b'[');
        for (at, thing) in things.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            spell(thing, out);
        }
        out.push(b']');
        self
    }

    /// Begins a field.
    fn field(&mut self, field: &str) -> &mut Vec<u8> {
        // No value ends so: an object that does was closed.
        if self.out.last() != Some(&b'{') {
            self.out.push(b',');
        }
        field.spell(self.out);
        self.out.push(b':');
        self.out
    }
}

impl Spell for str {
    fn spell(&self, out: &mut Vec<u8>) {
        out.push(b'"');
        inside(self, out);
        out.push(b'"');
    }
}

impl Spell for String {
    fn spell(&self, out: &mut Vec<u8>) {
        self.as_str().spell(out);
    }
}

impl Spell for u64 {
    fn spell(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(Decimal::of(*self).as_bytes());
    }
}

impl Spell for u32 {
    fn spell(&self, out: &mut Vec<u8>) {
        u64::from(*self).spell(out);
    }
}

/// Numbers of things in memory.
impl Spell for usize {
    fn spell(&self, out: &mut Vec<u8>) {
        u64::try_from(*self).unwrap_or(u64::MAX).spell(out);
    }
}

impl Spell for bool {
    fn spell(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if *self { b"true" } else { b"false" });
    }
}

/// Nothing is `null`.
impl<T: Spell> Spell for Option<T> {
    fn spell(&self, out: &mut Vec<u8>) {
        match self {
            Some(value) => value.spell(out),
            None => out.extend_from_slice(b"null"),
        }
    }
}

impl Spell for Seq {
    fn spell(&self, out: &mut Vec<u8>) {
        self.0.spell(out);
    }
}

/// In UTC, to the millisecond: `2026-11-20T19:00:03.511Z`.
impl Spell for Millis {
    fn spell(&self, out: &mut Vec<u8>) {
        let since = Duration::from_millis(self.0.min(MILLIS_MAX));
        let micros = Timestamp::of(UNIX_EPOCH + since);
        out.push(b'"');
        out.extend_from_slice(&micros.as_bytes()[..MILLIS_END]);
        out.extend_from_slice(b"Z\"");
    }
}

/// The end of the year 9999.
const MILLIS_MAX: u64 = 253_402_300_799_999;

/// Where the milliseconds end in a [`Timestamp`].
const MILLIS_END: usize = 23;

impl Spell for Cid {
    fn spell(&self, out: &mut Vec<u8>) {
        self.as_str().spell(out);
    }
}

impl Spell for Secret {
    fn spell(&self, out: &mut Vec<u8>) {
        self.0.spell(out);
    }
}

impl Spell for Place {
    fn spell(&self, out: &mut Vec<u8>) {
        match self {
            Self::Room(name) => name.spell(out),
            Self::Person(name) => {
                out.extend_from_slice(b"\"@");
                inside(name, out);
                out.push(b'"');
            }
        }
    }
}

/// Adds the inside of a string.
fn inside(text: &str, out: &mut Vec<u8>) {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
    if text.bytes().all(is_plain) {
        out.extend_from_slice(text.as_bytes());
    } else {
        write!(out, "{}", InJson(text)).expect("a vector that takes all");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_written_as_json() {
        let mut out = Vec::new();
        Object::write(&mut out, |object| {
            object.put("a", &1_u64).put("b", &true).maybe("c", None::<&str>).maybe("d", Some("{"));
            object.object("e", |_| {}).list("f", &[1_u64, 2], Spell::spell);
            object.put("g", &None::<u64>).put("h", &Seq(3)).put("i", &Place::Person("bob".into()));
        });
        let expect = r#"{"a":1,"b":true,"d":"{","e":{},"f":[1,2],"g":null,"h":3,"i":"@bob"}"#;
        assert_eq!(str::from_utf8(&out).unwrap(), expect);
    }

    #[test]
    fn what_disturbs_terminals_is_escaped() {
        check("salut", r#""salut""#);
        check("é 😀", "\"é 😀\"");
        check("a\"b\\c\n\u{1b}[0m", r#""a\"b\\c\u000a\u001b[0m""#);
        check("\u{202e}", r#""\u202e""#);
    }

    #[test]
    fn times_are_told_to_the_millisecond() {
        check(&Millis(971_186_136_123), "\"2000-10-10T13:55:36.123Z\"");
        check(&Millis(0), "\"1970-01-01T00:00:00.000Z\"");
        check(&Millis(u64::MAX), "\"9999-12-31T23:59:59.999Z\"");
    }

    #[track_caller]
    fn check(value: &(impl Spell + ?Sized), expect: &str) {
        let mut out = Vec::new();
        value.spell(&mut out);
        assert_eq!(str::from_utf8(&out).unwrap(), expect);
    }
}
