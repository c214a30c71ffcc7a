//! The login of who was logged out at the screen: the program begins anew, and asks for the password. Not within
//! this one, in which a thread reads the terminal for as long as it lives.

use std::{
    env,
    ffi::{OsStr, OsString},
    os::unix::process::CommandExt as _,
    process::Command,
};

use super::said::PASSWORD;
use crate::stop::Stop;

/// This very program, whatever lies at its path meanwhile.
const PROGRAM: &str = "/proc/self/exe";

/// Says why `user` is in no more, and begins anew with what asks for its password. Gives why that was not done:
/// nobody would be asked, or the system says no.
pub(super) fn begin(user: &str, why: Stop) -> Stop {
    if user.is_empty() || env::var_os(PASSWORD).is_some() {
        return why;
    }
    why.tell();
    Command::new(PROGRAM).args(words(env::args_os().skip(1), user)).exec().into()
}

/// The words of a command line that logs `user` in, where `said` made an account, or did not name it.
fn words(said: impl Iterator<Item = OsString>, user: &str) -> Vec<OsString> {
    let mut words = Vec::new();
    let mut said = said.peekable();
    while let Some(word) = said.next_if(|word| word != "--") {
        let has = |flag: &str| word == flag || begins(&word, &format!("{flag}="));
        if word == "--user" || word == "--invitation" {
            // What it says stands behind it.
            said.next();
        } else if !["--user", "--invitation", "--register"].into_iter().any(has) {
            words.push(word);
        }
    }
    // One word: a name may begin as a flag does.
    words.push(format!("--user={user}").into());
    words.extend(said);
    words
}

fn begins(word: &OsStr, with: &str) -> bool {
    word.as_encoded_bytes().starts_with(with.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_made_once_and_its_name_is_said_as_one_word() {
        let check = |user: &str, said: &str, expect: &str| {
            let found = words(said.split(' ').map(OsString::from), user);
            let expect: Vec<_> = expect.split(' ').map(OsString::from).collect();
            assert_eq!(found, expect, "{said}");
        };
        check("ana", "chat", "chat --user=ana");
        check("ana", "chat 6680 --theme dark", "chat 6680 --theme dark --user=ana");
        check("ana", "chat --user Ana --register", "chat --user=ana");
        check("ana", "chat --register --invitation ri_1 --user=Ana 6680", "chat 6680 --user=ana");
        check("ana", "chat --invitation=ri_1 -- 6680", "chat --user=ana -- 6680");
        check("ana", "chat --userx", "chat --userx --user=ana");
        // A name is no flag, whatever it begins with.
        check("-v", "chat --user -v", "chat --user=-v");
    }
}
