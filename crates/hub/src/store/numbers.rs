//! Places and times as SQLite keeps them: its numbers have a sign, and all 64 bits come back.

use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::model::{AccountId, Millis, RoomId, Seq};

/// A number that may have all 64 bits. Those above `i64::MAX` are less than all others in the
/// database's order: no place or time that is ordered there is so large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bits(pub u64);

impl ToSql for Bits {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.cast_signed().into())
    }
}

impl FromSql for Bits {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_i64().map(|number| Self(number.cast_unsigned()))
    }
}

macro_rules! kept_as_bits {
    ($kept:ty, $number:expr, $of:expr) => {
        impl ToSql for $kept {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                let number: fn(&Self) -> u64 = $number;
                Ok(number(self).cast_signed().into())
            }
        }

        impl FromSql for $kept {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                Bits::column_result(value).map(|bits| $of(bits.0))
            }
        }
    };
}

kept_as_bits!(Seq, |seq| seq.0, Seq);
kept_as_bits!(AccountId, |id| id.0.0, |number| AccountId(Seq(number)));
kept_as_bits!(RoomId, |id| id.0.0, |number| RoomId(Seq(number)));
kept_as_bits!(Millis, |millis| millis.0, Millis);

/// How many rows are asked for.
pub(super) fn rows(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
