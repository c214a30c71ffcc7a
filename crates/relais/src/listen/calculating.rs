//! The calculator's child process, which is this program.

use std::{
    io::{stdin, stdout},
    process::ExitCode,
};

use relais_talk::calc::{self, Program};

/// What this program is told to be one. No command: nobody is to type it, and nothing else of the
/// program is to be started first.
const ARGUMENT: &str = "calculator-child";

/// How a child is run: the file of this very process, whatever lies at its path meanwhile.
pub(crate) fn program() -> Program {
    Program { path: "/proc/self/exe".into(), arguments: vec![ARGUMENT.to_owned()] }
}

/// Calculates to the end, if this process is a calculator's child.
pub(crate) fn calculate() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let is_child = arguments.next().is_some_and(|word| word == ARGUMENT);
    if !is_child || arguments.next().is_some() {
        return None;
    }
    Some(match calc::child(stdin().lock(), stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}
