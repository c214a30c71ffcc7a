//! Who is asked at the terminal who it is: one of those who are known here, or somebody else.

use std::io::{self, BufRead as _, Read as _, Write as _};

use anyhow::Context as _;
use relais_hub::name::{account_name, is_same};

use crate::{columns, output::tell, visible::Escaped};

/// Longer lines are no names.
const LINE_BYTES_MAX: u64 = 1024;

/// Who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) user: String,
    pub(super) account: Account,
}

/// Whether there is an account of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Account {
    /// One that the hub has.
    There,
    /// One that is to be made.
    New,
}

/// Asks who talks at the hub `at`, of which `known` were logged in from here. `ask` gives what is answered to a
/// question; `None`, if nobody answers any more, and then nobody is named.
///
/// # Errors
///
/// Those of `ask`.
pub(super) fn named(
    (known, at): (&[String], &str),
    mut ask: impl FnMut(&str) -> anyhow::Result<Option<String>>,
) -> anyhow::Result<Option<Named>> {
    let question = question(known, at);
    let user = loop {
        let Some(answer) = ask(&question)? else { return Ok(None) };
        let answer = answer.trim();
        if let Some(user) = known.iter().find(|name| is_same(name, answer)) {
            return Ok(Some(Named { user: user.clone(), account: Account::There }));
        }
        match account_name(answer) {
            Ok(user) => break user,
            Err(why) => tell(format_args!("{answer:?} will not do: {why}")),
        }
    };
    Ok(account_of(&user, ask)?.map(|account| Named { user, account }))
}

/// Whether `user`, of whom nothing is known here, is to have an account made.
fn account_of(
    user: &str,
    mut ask: impl FnMut(&str) -> anyhow::Result<Option<String>>,
) -> anyhow::Result<Option<Account>> {
    let question = format!("make an account for {}? [Y/n] ", Escaped(user.as_bytes()));
    loop {
        let Some(answer) = ask(&question)? else { return Ok(None) };
        match answer.trim().to_lowercase().as_str() {
            "" | "y" | "yes" => return Ok(Some(Account::New)),
            "n" | "no" => return Ok(Some(Account::There)),
            wrong => {
                wipe(&format!("{question}{wrong}"));
                tell("expected y, to make one, or n, to log in to one that is there");
            }
        }
    }
}

/// Takes `line`, which stands above, off the terminal: what was typed may be a password.
fn wipe(line: &str) {
    let talk = io::stderr();
    let Some(width) = columns::of(&talk) else { return };
    let rows = columns::columns(line).div_ceil(width).max(1);
    // Up to where it begins, and empty from there.
    _ = write!(talk.lock(), "\x1b[{rows}A\x1b[J");
}

fn question(known: &[String], at: &str) -> String {
    let names: Vec<_> = known.iter().map(|name| Escaped(name.as_bytes()).to_string()).collect();
    match &names[..] {
        [] => format!("your name at {at}: "),
        names => format!("your name at {at} ({}, or another): ", names.join(", ")),
    }
}

/// Asks at the terminal. Gives what is typed; `None` at its end.
///
/// # Errors
///
/// The terminal's.
pub(super) fn ask(question: &str) -> anyhow::Result<Option<String>> {
    let mut talk = io::stderr();
    write!(talk, "{question}").and_then(|()| talk.flush()).context("asking for a name")?;
    let mut line = String::new();
    let mut input = io::stdin().lock().take(LINE_BYTES_MAX);
    let count = input.read_line(&mut line).context("reading a name")?;
    if count == 0 {
        _ = writeln!(talk);
    }
    Ok((count > 0).then_some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(known: &[&str], answers: &[&str], expect: Option<(&str, Account)>) -> Vec<String> {
        let known: Vec<_> = known.iter().map(|&name| name.to_owned()).collect();
        let (mut answers, mut asked) = (answers.iter(), Vec::new());
        let found = named((&known, "the hub"), |question| {
            asked.push(question.to_owned());
            Ok(answers.next().map(|&answer| answer.to_owned()))
        });
        let expect = expect.map(|(user, account)| Named { user: user.to_owned(), account });
        assert_eq!((found.unwrap(), answers.next()), (expect, None));
        asked
    }

    #[test]
    fn who_is_not_known_here_is_asked_for_a_name_and_whether_it_is_new() {
        let asked = check(&[], &["ana\n", "\n"], Some(("ana", Account::New)));
        assert_eq!(asked, ["your name at the hub: ", "make an account for ana? [Y/n] "]);
        check(&[], &["ana", "Yes"], Some(("ana", Account::New)));
        check(&[], &["ana", "n"], Some(("ana", Account::There)));
    }

    #[test]
    fn of_several_who_are_known_one_is_chosen_or_another_comes() {
        let asked = check(&["ana", "b\u{1b}"], &["ANA\n"], Some(("ana", Account::There)));
        assert_eq!(asked, ["your name at the hub (ana, b\\u{1b}, or another): "]);
        check(&["ana", "bob"], &["eve", "y"], Some(("eve", Account::New)));
    }

    #[test]
    fn what_is_no_answer_is_asked_again() {
        let asked = check(&[], &["", "a b", "ana", "perhaps", "no"], Some(("ana", Account::There)));
        assert_eq!(asked.len(), 5);
    }

    #[test]
    fn who_answers_no_more_is_nobody() {
        check(&[], &[], None);
        check(&["ana", "bob"], &["a b"], None);
        check(&[], &["ana"], None);
    }
}
