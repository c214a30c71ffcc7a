//! An entry as a row of the log, and back.
//!
//! ```text
//! deed                     about         number              text
//! register                                                   name
//! unregister               whose         1: what it said, too
//! administer               who           1: on
//! delete
//! create                                 access              name
//! talk                     with whom
//! say                      answer to     kind                body
//! edit                     of what                           body
//! redact                   of what                           reason
//! react                    to what       1: on               sign
//! join, part
//! topic                                                      text
//! role                     whose         which
//! invite, unban, unmute    whom
//! kick                     whom                              reason
//! ban, mute                whom          until               reason
//! slow                                   seconds
//! retain                                 days
//! read                     up to what
//! dialogue                               1: in turns
//! dialogue_end                                               last word
//! level                    of which room which
//! keywords                                                   words
//! quiet                    until what    1: on
//! ```

use rusqlite::Row;

use super::{broken::Broken, numbers::Bits};
use crate::model::{
    Access, AccountId, Act, Cid, Deed, Entry, Kind, Level, Millis, Mode, Quiet, Role, RoomId, Said,
    Seq, Wish, Words,
};

/// The columns that [`read`] reads, in its order, of a table called `log`. The text is as it reads
/// now: the last edit's.
pub(super) const COLUMNS: &str = "log.seq, log.at, log.by, log.cid, log.room, log.deed, log.about, \
    log.number, coalesce((SELECT edit.text FROM log edit WHERE edit.seq = log.edit), log.text)";

/// The same, but with the text as it was written.
pub(super) const AS_WRITTEN: &str =
    "log.seq, log.at, log.by, log.cid, log.room, log.deed, log.about, log.number, log.text";

/// What was done, as the columns have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns<'t> {
    pub deed: &'t str,
    pub about: Option<Bits>,
    pub number: Option<Bits>,
    pub text: Option<&'t str>,
}

impl<'t> Columns<'t> {
    /// Of what was done.
    pub(super) fn of(deed: &'t Deed) -> Self {
        match deed {
            Deed::Register { name } => Self::new("register").text(name),
            Deed::Unregister { who, said } => {
                Self::new("unregister").whom(*who).number(said_number(*said))
            }
            Deed::Administer { who, on } => {
                Self::new("administer").whom(*who).number(u64::from(*on))
            }
            Deed::Delete { .. } => Self::new("delete"),
            Deed::Create { name, access } => {
                Self::new("create").number(access_number(*access)).text(name)
            }
            Deed::Talk { with } => Self::new("talk").whom(*with),
            Deed::In { act, .. } => Self::of_act(act),
            Deed::Wish(wish) => Self::of_wish(wish),
        }
    }

    fn of_wish(wish: &'t Wish) -> Self {
        match wish {
            Wish::Level { room, level } => {
                Self::new("level").of_what(room.0).number(level_number(*level))
            }
            Wish::Words(words) => Self::new("keywords").text(words.as_str()),
            Wish::Quiet(Quiet::Off) => Self::new("quiet").number(0),
            Wish::Quiet(Quiet::On) => Self::new("quiet").number(1),
            Wish::Quiet(Quiet::Until(until)) => Self::new("quiet").number(1).of_what(Seq(until.0)),
        }
    }

    fn of_act(act: &'t Act) -> Self {
        match act {
            Act::Say { kind, body, reply } => {
                let row = Self::new("say").number(kind_number(*kind)).text(body);
                Self { about: reply.map(|seq| Bits(seq.0)), ..row }
            }
            Act::Edit { of, body } => Self::new("edit").of_what(*of).text(body),
            Act::Redact { of, reason } => {
                Self::new("redact").of_what(*of).perhaps(reason.as_deref())
            }
            Act::React { of, sign, on } => {
                Self::new("react").of_what(*of).number(u64::from(*on)).text(sign)
            }
            Act::Join => Self::new("join"),
            Act::Part => Self::new("part"),
            Act::Topic { text } => Self::new("topic").text(text),
            Act::Role { who, role } => Self::new("role").whom(*who).number(role_number(*role)),
            Act::Invite { who } => Self::new("invite").whom(*who),
            Act::Kick { who, reason } => Self::new("kick").whom(*who).perhaps(reason.as_deref()),
            Act::Ban { who, until, reason } => {
                Self::new("ban").whom(*who).until(*until).perhaps(reason.as_deref())
            }
            Act::Unban { who } => Self::new("unban").whom(*who),
            Act::Mute { who, until } => Self::new("mute").whom(*who).until(*until),
            Act::Unmute { who } => Self::new("unmute").whom(*who),
            Act::Slow { seconds } => Self::new("slow").number(u64::from(*seconds)),
            Act::Retain { days } => {
                let number = days.map(|days| Bits(u64::from(days)));
                Self { number, ..Self::new("retain") }
            }
            Act::Read { last } => Self::new("read").of_what(*last),
            Act::Dialogue { mode } => Self::new("dialogue").number(u64::from(*mode == Mode::Turns)),
            Act::DialogueEnd { word } => Self::new("dialogue_end").perhaps(word.as_deref()),
        }
    }

    fn new(deed: &'t str) -> Self {
        Self { deed, about: None, number: None, text: None }
    }

    fn of_what(self, seq: Seq) -> Self {
        Self { about: Some(Bits(seq.0)), ..self }
    }

    fn whom(self, who: AccountId) -> Self {
        self.of_what(who.0)
    }

    fn number(self, number: u64) -> Self {
        Self { number: Some(Bits(number)), ..self }
    }

    fn until(self, until: Option<Millis>) -> Self {
        Self { number: until.map(|until| Bits(until.0)), ..self }
    }

    fn text(self, text: &'t str) -> Self {
        Self { text: Some(text), ..self }
    }

    fn perhaps(self, text: Option<&'t str>) -> Self {
        Self { text, ..self }
    }

    /// What was done; `None` if that is nothing known. A text that was taken out is empty.
    pub(super) fn deed(self, room: Option<RoomId>) -> Option<Deed> {
        let text = || self.text.map(str::to_owned);
        let number = self.number.map(|bits| bits.0);
        Some(match self.deed {
            "register" => Deed::Register { name: text()? },
            "unregister" => Deed::Unregister { who: self.who()?, said: said(number?)? },
            "administer" => Deed::Administer { who: self.who()?, on: number? != 0 },
            "delete" => Deed::Delete { room: room? },
            "create" => Deed::Create { name: text()?, access: access(number?)? },
            "talk" => Deed::Talk { with: self.who()? },
            "level" => {
                let room = RoomId(self.about.map(|bits| Seq(bits.0))?);
                Deed::Wish(Wish::Level { room, level: level(number?)? })
            }
            "keywords" => Deed::Wish(Wish::Words(Words::read(self.text?))),
            "quiet" => Deed::Wish(Wish::Quiet(quiet(number? != 0, self.about))),
            _ => Deed::In { room: room?, act: self.act(text(), number)? },
        })
    }

    fn act(self, text: Option<String>, number: Option<u64>) -> Option<Act> {
        let of = self.about.map(|bits| Seq(bits.0));
        let until = number.map(Millis);
        Some(match self.deed {
            "say" => Act::Say { kind: kind(number?)?, body: text?, reply: of },
            "edit" => Act::Edit { of: of?, body: text? },
            "redact" => Act::Redact { of: of?, reason: text },
            "react" => Act::React { of: of?, sign: text?, on: number? != 0 },
            "join" => Act::Join,
            "part" => Act::Part,
            "topic" => Act::Topic { text: text? },
            "role" => Act::Role { who: self.who()?, role: role(number?)? },
            "invite" => Act::Invite { who: self.who()? },
            "kick" => Act::Kick { who: self.who()?, reason: text },
            "ban" => Act::Ban { who: self.who()?, until, reason: text },
            "unban" => Act::Unban { who: self.who()? },
            "mute" => Act::Mute { who: self.who()?, until },
            "unmute" => Act::Unmute { who: self.who()? },
            "slow" => Act::Slow { seconds: u32::try_from(number?).ok()? },
            "retain" => Act::Retain { days: number.map(u32::try_from).transpose().ok()? },
            "read" => Act::Read { last: of? },
            "dialogue" => {
                Act::Dialogue { mode: if number? == 0 { Mode::Free } else { Mode::Turns } }
            }
            "dialogue_end" => Act::DialogueEnd { word: text },
            _ => return None,
        })
    }

    fn who(self) -> Option<AccountId> {
        self.about.map(|bits| AccountId(Seq(bits.0)))
    }
}

/// Reads an entry of a row that begins with [`COLUMNS`].
///
/// # Errors
///
/// [`Broken::Unknown`]
pub(super) fn read(row: &Row<'_>) -> Result<Entry, Broken> {
    let seq = row.get(0)?;
    let unknown = |_| Broken::Unknown { seq };
    let deed = row.get_ref(5)?.as_str().map_err(unknown)?;
    let text = row.get_ref(8)?.as_str_or_null().map_err(unknown)?;
    let columns = Columns { deed, about: row.get(6)?, number: row.get(7)?, text };
    let deed = columns.deed(row.get(4)?).ok_or(Broken::Unknown { seq })?;
    let cid = row.get_ref(3)?.as_str_or_null().map_err(unknown)?;
    Ok(Entry { seq, at: row.get(1)?, by: row.get(2)?, cid: cid.and_then(Cid::new), deed })
}

pub(super) fn access_number(access: Access) -> u64 {
    match access {
        Access::Public => 0,
        Access::Private => 1,
    }
}

pub(super) fn access(number: u64) -> Option<Access> {
    [Access::Public, Access::Private].into_iter().find(|one| access_number(*one) == number)
}

pub(super) fn role_number(role: Role) -> u64 {
    match role {
        Role::Member => 0,
        Role::Moderator => 1,
        Role::Owner => 2,
    }
}

pub(super) fn role(number: u64) -> Option<Role> {
    [Role::Member, Role::Moderator, Role::Owner].into_iter().find(|one| role_number(*one) == number)
}

pub(super) fn level_number(level: Level) -> u64 {
    match level {
        Level::Mentions => 0,
        Level::All => 1,
        Level::Nothing => 2,
    }
}

pub(super) fn level(number: u64) -> Option<Level> {
    let all = [Level::Mentions, Level::All, Level::Nothing];
    all.into_iter().find(|one| level_number(*one) == number)
}

/// As two columns have it.
pub(super) fn quiet(on: bool, until: Option<Bits>) -> Quiet {
    match (on, until) {
        (false, _) => Quiet::Off,
        (true, None) => Quiet::On,
        (true, Some(until)) => Quiet::Until(Millis(until.0)),
    }
}

pub(super) fn said_number(said: Said) -> u64 {
    match said {
        Said::Stays => 0,
        Said::Goes => 1,
    }
}

pub(super) fn said(number: u64) -> Option<Said> {
    [Said::Stays, Said::Goes].into_iter().find(|one| said_number(*one) == number)
}

fn kind_number(kind: Kind) -> u64 {
    match kind {
        Kind::Text => 0,
        Kind::Action => 1,
        Kind::Notice => 2,
    }
}

fn kind(number: u64) -> Option<Kind> {
    [Kind::Text, Kind::Action, Kind::Notice].into_iter().find(|one| kind_number(*one) == number)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROOM: RoomId = RoomId(Seq(7));
    const WHO: AccountId = AccountId(Seq(u64::MAX));

    #[test]
    fn what_was_done_comes_back_from_its_columns() {
        let (text, reason) = (|| "é\0".to_owned(), Some("so".to_owned()));
        check(Deed::Register { name: text() });
        check(Deed::Unregister { who: WHO, said: Said::Goes });
        check(Deed::Unregister { who: WHO, said: Said::Stays });
        check(Deed::Administer { who: WHO, on: true });
        check(Deed::Delete { room: ROOM });
        check(Deed::Create { name: text(), access: Access::Private });
        check(Deed::Talk { with: WHO });
        for reply in [None, Some(Seq(3))] {
            check_act(Act::Say { kind: Kind::Notice, body: text(), reply });
        }
        check_act(Act::Edit { of: Seq(1), body: text() });
        check_act(Act::Redact { of: Seq(1), reason: None });
        check_act(Act::React { of: Seq(1), sign: text(), on: true });
        check_act(Act::React { of: Seq(1), sign: text(), on: false });
        check_act(Act::Join);
        check_act(Act::Part);
        check_act(Act::Topic { text: text() });
        check_act(Act::Role { who: WHO, role: Role::Moderator });
        check_act(Act::Invite { who: WHO });
        check_act(Act::Kick { who: WHO, reason: reason.clone() });
        check_act(Act::Ban { who: WHO, until: Some(Millis(u64::MAX)), reason });
        check_act(Act::Ban { who: WHO, until: None, reason: None });
        check_act(Act::Unban { who: WHO });
        check_act(Act::Mute { who: WHO, until: Some(Millis(0)) });
        check_act(Act::Unmute { who: WHO });
        check_act(Act::Slow { seconds: u32::MAX });
        check_act(Act::Retain { days: None });
        check_act(Act::Retain { days: Some(0) });
        check_act(Act::Read { last: Seq(9) });
        check_act(Act::Dialogue { mode: Mode::Turns });
        check_act(Act::Dialogue { mode: Mode::Free });
        check_act(Act::DialogueEnd { word: Some("fin".to_owned()) });
        check_act(Act::DialogueEnd { word: None });
        for level in [Level::All, Level::Mentions, Level::Nothing] {
            check(Deed::Wish(Wish::Level { room: ROOM, level }));
        }
        for words in ["", "tea", "tea été"] {
            check(Deed::Wish(Wish::Words(Words::read(words))));
        }
        for quiet in [Quiet::Off, Quiet::On, Quiet::Until(Millis(u64::MAX))] {
            check(Deed::Wish(Wish::Quiet(quiet)));
        }
    }

    #[track_caller]
    fn check_act(act: Act) {
        check(Deed::In { room: ROOM, act });
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "a table reads better")]
    fn check(deed: Deed) {
        assert_eq!(Columns::of(&deed).deed(Some(ROOM)), Some(deed.clone()));
    }

    proptest! {
        #[test]
        fn nothing_panics(deed in "[a-z]{0,8}|say|role|slow|create", about: Option<u64>,
                          number: Option<u64>, text: Option<String>, room: Option<u64>) {
            let text = text.as_deref();
            let (about, number) = (about.map(Bits), number.map(Bits));
            Columns { deed: &deed, about, number, text }.deed(room.map(|seq| RoomId(Seq(seq))));
        }
    }
}
