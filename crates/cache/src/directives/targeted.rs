//! Targeted fields: directives for one kind of cache ([RFC 9213]).
//!
//! [RFC 9213]: https://www.rfc-editor.org/rfc/rfc9213

use std::time::Duration;

use super::{
    Directives, Flag, SECONDS_MAX,
    dictionary::{Value, read_dictionary},
    field_names, flag,
};

/// Reads the value of a targeted field; of several lines, what they are together, with commas
/// between them.
///
/// `None` if it is empty or malformed: then it counts as absent ([RFC 9213 §2.1]). A directive that
/// we know with a value of another type makes the field malformed, too: half of what somebody
/// meant may be the opposite of it. Names are in lower case, as keys of structured fields are.
///
/// [RFC 9213 §2.1]: https://www.rfc-editor.org/rfc/rfc9213#section-2.1
pub(crate) fn read_targeted(field: &[u8]) -> Option<Directives> {
    let members = read_dictionary(field)?;
    if members.is_empty() {
        return None;
    }
    let mut directives = Directives::default();
    for (name, value) in members {
        if let Some(flag) = flag(name) {
            add_flag(&mut directives, flag, &value)?;
        } else if let Some(place) = directives.number(name) {
            *place = Some(seconds(name, &value)?);
        }
    }
    Some(directives)
}

fn seconds(name: &[u8], value: &Value) -> Option<Duration> {
    match value {
        Value::Integer(number) => {
            u64::try_from(*number).ok().map(|number| Duration::from_secs(number).min(SECONDS_MAX))
        }
        Value::Boolean(true) if name == b"max-stale" => Some(SECONDS_MAX),
        _ => None,
    }
}

fn add_flag(directives: &mut Directives, flag: Flag, value: &Value) -> Option<()> {
    match (flag, value) {
        (_, Value::Boolean(true)) => directives.add(flag),
        (_, Value::Boolean(false)) => (),
        (Flag::NoCache | Flag::Private, Value::String(names)) => {
            directives.withheld.extend(field_names(names)?);
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_have_types() {
        check("max-age=60, no-store", Some("no-store max-age=60"));
        check("max-age=60;x=y, foobar=\"z\"", Some("max-age=60"));
        check("max-age=999999999999", Some("max-age=2147483648"));
        check("s-maxage=1, stale-if-error=2", Some("s-maxage=1 sie=2"));
        check("no-store=?0, public=?1", Some("public"));
        check("private=\"a, B\"", Some("withheld=a,b"));
        check("none", Some(""));
    }

    #[test]
    fn what_is_empty_or_malformed_is_absent() {
        for field in [
            "",
            " ",
            "max-age=60, &&&&&",
            "max-age=\"60\"",
            "max-age",
            "max-age=1.5",
            "max-age=-1",
            "max-age =60",
            "max-age= 60",
            "MaX-aGe=60",
            "no-store=1",
            "private=\"\"",
            "no-cache=(a)",
        ] {
            check(field, None);
        }
    }

    #[track_caller]
    fn check(field: &str, expect: Option<&str>) {
        let read = read_targeted(field.as_bytes());
        assert_eq!(
            read.as_ref().map(super::super::tests::text).as_deref(),
            expect,
            "for {field:?}"
        );
    }
}
