//! What goes to standard error while we run, and how panics look there.

use std::{fmt, io, panic};

use relais_wire::calendar::Moment;
use tracing::{error, level_filters::LevelFilter};
use tracing_subscriber::{
    filter::Targets,
    fmt::{format::Writer, time::FormatTime},
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::{clock, flags::Global, output::is_coloured};

/// Has events written to standard error, as loudly as asked for.
pub(crate) fn start(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => LevelFilter::ERROR,
        (_, 0) => LevelFilter::INFO,
        (_, 1) => LevelFilter::DEBUG,
        (_, _) => LevelFilter::TRACE,
    };
    let lines = tracing_subscriber::fmt::layer()
        .compact()
        .with_writer(io::stderr)
        .with_timer(Seconds)
        .with_ansi(is_coloured(global.color, &io::stderr()))
        .with_target(global.verbose > 1);
    let logs = tracing_subscriber::registry().with(shown(level));
    // systemd's journal writes the time down itself.
    if std::env::var_os("JOURNAL_STREAM").is_some() {
        logs.with(lines.without_time()).init();
    } else {
        logs.with(lines).init();
    }
    panic::set_hook(Box::new(log_panic));
}

/// Writes the second down, in UTC: `2000-10-10T13:55:36Z`.
struct Seconds;

impl FormatTime for Seconds {
    fn format_time(&self, w: &mut Writer<'_>) -> fmt::Result {
        write!(w, "{}Z", Moment::of(clock::now()))
    }
}

/// Which events are shown: of ours those up to `level`; of the libraries that read what strangers
/// send only errors, since their warnings can be had by the thousand. All of them with `-v`.
fn shown(level: LevelFilter) -> Targets {
    let theirs = if level > LevelFilter::INFO { level } else { LevelFilter::ERROR };
    let libraries = ["h2", "hyper", "hyper_util", "rustls", "tokio_rustls"];
    Targets::new().with_default(level).with_targets(libraries.map(|target| (target, theirs)))
}

/// One line: what a connection's task dies of must not fill the log.
fn log_panic(info: &panic::PanicHookInfo<'_>) {
    let what = info.payload_as_str().unwrap_or("not said");
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let at = info.location().map(ToString::to_string).unwrap_or_default();
    error!(thread, at, "panic: {}", what.escape_debug());
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn times_are_seconds() {
        let mut text = String::new();
        Seconds.format_time(&mut Writer::new(&mut text)).unwrap();
        assert_eq!((text.len(), text.as_bytes()[10], text.as_bytes()[19]), (20, b'T', b'Z'));
    }

    #[test]
    fn warnings_of_the_parsers_are_for_who_wants_more() {
        let stream = "h2::proto::streams::streams";
        for target in [stream, "hyper::proto", "rustls::conn"] {
            assert!(!shown(LevelFilter::INFO).would_enable(target, &Level::WARN), "{target}");
            assert!(shown(LevelFilter::INFO).would_enable(target, &Level::ERROR), "{target}");
            assert!(shown(LevelFilter::DEBUG).would_enable(target, &Level::DEBUG), "{target}");
        }
        assert!(shown(LevelFilter::INFO).would_enable("relais_net::door", &Level::INFO));
        assert!(!shown(LevelFilter::ERROR).would_enable("relais_net::door", &Level::WARN));
    }
}
