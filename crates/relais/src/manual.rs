//! Completions and manual pages, made from the flags.

use std::{fs, io, path::Path};

use anyhow::Context as _;
use clap::CommandFactory as _;
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
    fs::create_dir_all(dir).with_context(|| format!("making the folder {:?}", dir.display()))?;
    clap_mangen::generate_to(command, dir)
        .with_context(|| format!("writing to {:?}", dir.display()))?;
    tell(format_args!("manual pages written to {}", dir.display()));
    Ok(())
}
