//! What goes to standard error while we run, and how panics look there.

use std::{io, panic};

use clap::ColorChoice;
use tracing::{error, level_filters::LevelFilter};

use crate::flags::Global;

/// Has events written to standard error, as loudly as asked for.
pub(crate) fn start(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::ERROR,
        (_, 0) => LevelFilter::INFO,
        (_, 1) => LevelFilter::DEBUG,
        (_, _) => LevelFilter::TRACE,
    };
    let logs = tracing_subscriber::fmt()
        .compact()
        .with_writer(io::stderr)
        .with_ansi(is_coloured(global.color))
        .with_target(global.verbose > 0)
        .with_max_level(level);
    // systemd's journal writes the time down itself.
    if std::env::var_os("JOURNAL_STREAM").is_some() {
        logs.without_time().init();
    } else {
        logs.init();
    }
    panic::set_hook(Box::new(log_panic));
}

fn is_coloured(choice: ColorChoice) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            !is_refused && io::IsTerminal::is_terminal(&io::stderr())
        }
    }
}

/// One line: what a connection's task dies of must not fill the log.
fn log_panic(info: &panic::PanicHookInfo<'_>) {
    let what = info.payload_as_str().unwrap_or("not said");
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let at = info.location().map(ToString::to_string).unwrap_or_default();
    error!(thread, at, "panic: {}", what.escape_debug());
}
