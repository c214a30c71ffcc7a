//! Asks whether what cannot be undone is meant.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::Context as _;

use crate::{hub::Sure, output::tell, stop::Stop};

/// Asks a person at a terminal. Scripts mean what they say, as does who says so beforehand.
///
/// # Errors
///
/// [`Stop::No`], if it is not meant.
pub(super) fn confirm(sure: &Sure, question: &str) -> Result<(), Stop> {
    let mut err = io::stderr();
    if sure.yes || !io::stdin().is_terminal() || !err.is_terminal() {
        return Ok(());
    }
    write!(err, "{question} [y/N] ").context("asking")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).context("reading the answer")?;
    if is_yes(&answer) {
        return Ok(());
    }
    tell("nothing was deleted");
    Err(Stop::No)
}

/// Whether an answer says so. Of none, and of what is not understood, nothing is deleted.
fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_one() {
        for yes in ["y\n", "Y", " yes \r\n", "YES\n"] {
            assert!(is_yes(yes), "{yes:?}");
        }
        for no in ["", "\n", "n\n", "no", "yep", "ye", "delete"] {
            assert!(!is_yes(no), "{no:?}");
        }
    }
}
