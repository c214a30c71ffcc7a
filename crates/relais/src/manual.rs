//! Completions and manual pages, made from the flags.

use std::{fs, io, path::Path};

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use crate::{flags::Cli, output::tell};

/// Prints completions for `shell`.
pub(crate) fn completions(shell: Shell) {
    clap_complete::generate(shell, &mut Cli::command(), "relais", &mut io::stdout());
}

/// Prints the manual page, or writes those of all commands to `dir`.
pub(crate) fn man(dir: Option<&Path>) -> anyhow::Result<()> {
    let mut command = Cli::command();
    command.build();
    let Some(dir) = dir else {
        return clap_mangen::Man::new(command).render(&mut io::stdout()).context("printing");
    };
    fs::create_dir_all(dir).with_context(|| format!("making the folder {dir:?}"))?;
    let mut count = 0;
    write_pages(&command, "relais", dir, &mut count)?;
    tell(format_args!("{count} pages written to {}", dir.display()));
    Ok(())
}

fn write_pages(command: &Command, name: &str, dir: &Path, count: &mut usize) -> anyhow::Result<()> {
    let path = dir.join(format!("{name}.1"));
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone().name(name.to_owned())).render(&mut page)?;
    fs::write(&path, page).with_context(|| format!("writing {path:?}"))?;
    *count += 1;
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        write_pages(below, &format!("{name}-{}", below.get_name()), dir, count)?;
    }
    Ok(())
}
