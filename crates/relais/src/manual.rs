//! Completions and manual pages, made from the flags.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{
    complaint::Wrong,
    flags::Cli,
    output::{print, tell},
    stop::Stop,
};

/// Prints completions for `shell`.
pub(crate) fn completions(shell: Shell) -> anyhow::Result<()> {
    // Not to the terminal at once: a reader that goes away would make it panic.
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "relais", &mut text);
    print(&text).context("printing")
}

/// Shows the manual page of the command that these words name: of relais, if there are none.
pub(crate) fn show(words: &[String]) -> Result<(), Stop> {
    let mut command = Cli::command();
    command.build();
    let mut of = &command;
    for word in words {
        of = of.find_subcommand(word).ok_or_else(|| {
            let names = of.get_subcommands().map(clap::Command::get_name);
            let names = names.collect::<Vec<_>>().join(", ");
            let expected = if names.is_empty() { "nothing more".to_owned() } else { names };
            let what = format!("no command {word:?} of `{}`", of.get_name());
            Stop::of_flag("COMMAND", Wrong::expected(what, expected))
        })?;
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(of.clone()).render(&mut page).context("making the page")?;
    if io::stdout().is_terminal() && read_with_man(&page) {
        return Ok(());
    }
    Ok(print(&page).context("printing")?)
}

/// Writes the manual pages of all commands to `dir`.
pub(crate) fn write_all(dir: &Path) -> anyhow::Result<()> {
    let mut command = Cli::command();
    command.build();
    fs::create_dir_all(dir).with_context(|| format!("making the folder {:?}", dir.display()))?;
    clap_mangen::generate_to(command, dir)
        .with_context(|| format!("writing to {:?}", dir.display()))?;
    tell(format_args!("manual pages written to {}", dir.display()));
    Ok(())
}

/// Has `man` show a page, as it shows all others; whether there is a `man` that did.
fn read_with_man(page: &[u8]) -> bool {
    let mut command = Command::new("man");
    let Ok(mut man) = command.args(["-l", "-"]).stdin(Stdio::piped()).spawn() else {
        return false;
    };
    if let Some(mut input) = man.stdin.take() {
        // One that does not read to the end has been read enough of.
        _ = input.write_all(page);
    }
    man.wait().is_ok_and(|status| status.success())
}
