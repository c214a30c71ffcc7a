//! What was typed wrongly, told in French: programs are told of it in English, which is read back here.

use super::{argument, commands::commands, lang::Lang};

/// `english`, which says what is wrong with a line, in French; `None` if it says something else.
///
/// *Cost*: each command and argument is tried.
pub(super) fn misuse_in_french(english: &str) -> Option<String> {
    commands().find_map(|command| {
        let usage = command.usage();
        let what = in_french(english.strip_suffix(&*usage.behind(Lang::En))?)?;
        Some(format!("{what}{}", usage.behind(Lang::Fr)))
    })
}

/// The same of what is wrong alone.
fn in_french(what: &str) -> Option<String> {
    argument::ALL.into_iter().find_map(|argument| {
        if what == argument.missing(Lang::En) {
            return Some(argument.missing(Lang::Fr));
        }
        let found = what.strip_suffix(&*argument.wrong("", Lang::En))?;
        Some(argument.wrong(found, Lang::Fr))
    })
}
