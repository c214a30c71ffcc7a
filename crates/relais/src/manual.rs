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
    flags::Cli,
    output::{print, tell},
};

/// Prints completions for `shell`.
pub(crate) fn completions(shell: Shell) -> anyhow::Result<()> {
    // Not to the terminal at once: a reader that goes away would make it panic.
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "relais", &mut text);
    print(&text).context("printing")
}

/// Shows the manual page, or writes those of all commands to `dir`.
pub(crate) fn man(dir: Option<&Path>) -> anyhow::Result<()> {
    let mut command = Cli::command();
    command.build();
    let Some(dir) = dir else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page).context("making the page")?;
        if io::stdout().is_terminal() && read_with_man(&page) {
            return Ok(());
        }
        return print(&page).context("printing");
    };
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
