//! What `relais flows` takes, and what it means.

use std::{
    fs::File,
    io::Read as _,
    num::NonZeroU64,
    path::{Path, PathBuf},
    time::SystemTime,
};

use clap::{
    Args, ValueHint,
    builder::{PossibleValuesParser, TypedValueParser},
};
use relais_inspect::{Blocked, Filter, HostName, Net, Statuses, Word};
use relais_wire::exchange::Cached;

use super::{show::How, when::When};
use crate::{
    complaint::{Complaint, Wrong},
    spelling::{Size, Time},
    stop::Stop,
};

/// What `relais flows` takes.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Flags {
    /// What to look for, anywhere in what can be seen of an exchange
    ///
    /// In time, client, method, URL, host, protocol, TLS version, status, media types, cache
    /// verdict, upstream, rule and end, but not in sizes and timings. Without a capital in it,
    /// capitals and small letters are the same (of ASCII); with one, they are not. A WORD that is
    /// the path of a log is taken for a FILE.
    word: Option<String>,
    /// Sniff logs; each with its older files FILE.1, FILE.2 and so on, the oldest first [default: those
    /// of ./relais.toml, or the demo's]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// Go on with what comes, until it is interrupted
    #[arg(short, long)]
    follow: bool,
    /// Print the lines as the log has them, JSON each
    #[arg(long)]
    json: bool,
    /// Print only how many there are
    #[arg(long, conflicts_with_all = ["json", "follow", "limit"])]
    count: bool,
    /// Stop after so many
    #[arg(short = 'n', long, value_name = "N")]
    limit: Option<NonZeroU64>,
    // Last: the arguments after it would stand under its heading.
    #[command(flatten)]
    conditions: Conditions,
}

/// What must hold of an exchange, all of it.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Conditions, which must all hold")]
struct Conditions {
    /// TEXT is in the URL; capitals as in WORD
    #[arg(long, value_name = "TEXT")]
    url: Option<Word>,
    /// The host asked for is NAME or one below it
    #[arg(long, value_name = "NAME")]
    host: Option<HostName>,
    /// The client's address is ADDRESS, or begins as it does: 192.0.2.0/24
    #[arg(long, value_name = "ADDRESS")]
    client: Option<Net>,
    /// The status: 404, 4xx or 400-499
    #[arg(long)]
    status: Option<Statuses>,
    /// The method, in any case
    #[arg(long)]
    method: Option<String>,
    /// It came WHEN or later: 10m, 2h or 1d ago, or at 2026-01-31T13:55:36Z
    #[arg(long, value_name = "WHEN")]
    since: Option<When>,
    /// It came WHEN or before
    #[arg(long, value_name = "WHEN")]
    until: Option<When>,
    /// What the cache had to do with it
    #[arg(long, value_name = "VERDICT", value_parser = cached(), hide_possible_values = false)]
    cache: Option<Cached>,
    /// It met a rule of the block list
    #[arg(long)]
    blocked: bool,
    /// It took TIME or longer in all: 200ms
    #[arg(long, value_name = "TIME")]
    slower: Option<Time>,
    /// The response's body was of SIZE or more: 1MiB
    #[arg(long, value_name = "SIZE")]
    larger: Option<Size>,
}

const EXAMPLES: &str = "\
Examples:
  relais flows index.html var/front.jsonl            which clients asked for it, and what they got
  relais flows --status 5xx --since 1h front.jsonl   what failed in the last hour
  relais flows --slower 1s --json front.jsonl | jq -r .url
  relais flows -f --blocked front.jsonl              what is refused, as it happens";

/// What is asked for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) filter: Filter,
    /// At least one.
    pub(super) files: Vec<PathBuf>,
    pub(super) how: How,
    pub(super) limit: Option<NonZeroU64>,
    pub(super) follow: bool,
}

impl Flags {
    /// What is asked for, if it is asked at `now`, in the logs that are `usual` if none is named.
    pub(super) fn asked(
        self,
        now: SystemTime,
        usual: impl FnOnce() -> Vec<PathBuf>,
    ) -> Result<Asked, Stop> {
        let Self { mut word, mut files, follow, json, count, limit, conditions } = self;
        if word.as_deref().is_some_and(|word| is_log(Path::new(word))) {
            files.insert(0, word.take().unwrap_or_default().into());
        }
        if files.is_empty() {
            files = usual();
        }
        if files.is_empty() {
            return Err(Stop::Wrong(vec![no_file(word.as_deref())]));
        }
        let how = match (json, count) {
            (true, _) => How::Json,
            (_, true) => How::Count,
            _ => How::Table,
        };
        let filter = Filter { word: word.map(Word::new), ..conditions.filter(now) };
        Ok(Asked { filter, files, how, limit, follow })
    }
}

impl Conditions {
    fn filter(self, now: SystemTime) -> Filter {
        let Self {
            url,
            host,
            client,
            status,
            method,
            since,
            until,
            cache,
            blocked,
            slower,
            larger,
        } = self;
        Filter {
            word: None,
            url,
            host,
            client,
            status,
            method,
            since: since.map(|when| when.seen_at(now)),
            until: until.map(|when| when.seen_at(now)),
            cached: cache,
            blocked: blocked.then_some(Blocked),
            took_min: slower.map(|Time(took)| took),
            bytes_min: larger.map(|Size(bytes)| bytes),
        }
    }
}

/// Whether there is a file at `path` that begins as logs do, or is empty as new ones are.
fn is_log(path: &Path) -> bool {
    let mut first = Vec::new();
    path.is_file()
        && File::open(path).is_ok_and(|file| file.take(1).read_to_end(&mut first).is_ok())
        && matches!(first.as_slice(), b"" | b"{")
}

fn no_file(word: Option<&str>) -> Complaint {
    let wrong = Wrong::expected("no log to search", "the FILE that the sniffer writes");
    let word = word.unwrap_or("WORD");
    Complaint::of_flag("FILE", wrong.hint(format!("name it: `relais flows {word:?} FILE`")))
}

fn cached() -> impl TypedValueParser<Value = Cached> {
    let words = Cached::ALL.iter().map(|cached| cached.as_str());
    PossibleValuesParser::new(words).map(|word| Cached::of(&word).expect("one of the words"))
}
