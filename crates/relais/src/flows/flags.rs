//! What `relais flows` takes, and what it means.

use std::{
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

use super::{
    alone::{Alone, is_log},
    show::How,
    when::When,
};
use crate::{
    complaint::{Complaint, Wrong, did_you_mean},
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
    #[arg(short = 'n', long, value_name = "N", value_parser = limit)]
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
    /// It came WHEN or later: 10m, 2h or 1d ago, or at 2026-01-31, "2026-01-31 13:55:36" or
    /// 2026-01-31T13:55:36+01:00; without a zone it is UTC
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
    /// What may be the reason if nothing is found.
    pub(super) doubts: Vec<String>,
}

impl Flags {
    /// What is asked for, if it is asked at `now`, in the logs that are `usual` if none is named.
    pub(super) fn asked(
        self,
        now: SystemTime,
        usual: impl FnOnce() -> Result<Vec<PathBuf>, Stop>,
    ) -> Result<Asked, Stop> {
        let Self { mut word, mut files, follow, json, count, limit, conditions } = self;
        let mut doubts = Vec::new();
        if let Some(text) = &word {
            match if files.is_empty() { Alone::of(text) } else { beside_others(text) } {
                Alone::Log => files.insert(0, word.take().unwrap_or_default().into()),
                Alone::NoLog => return Err(Stop::Wrong(vec![no_such_file(text)])),
                Alone::Word if files.is_empty() && text.contains('/') => {
                    doubts.push(format!("{text:?} is no file, and was looked for as a word"));
                }
                Alone::Word => (),
            }
        }
        if files.is_empty() {
            files = usual()?;
        }
        if files.is_empty() {
            return Err(Stop::Wrong(vec![no_file(word.as_deref())]));
        }
        doubts.extend(conditions.doubt());
        let how = match (json, count) {
            (true, _) => How::Json,
            (_, true) => How::Count,
            _ => How::Table,
        };
        let filter = Filter { word: word.map(Word::new), ..conditions.filter(now) };
        Ok(Asked { filter, files, how, limit, follow, doubts })
    }
}

impl Conditions {
    /// A method that nobody sends may be a slip. It may be one that nobody has sent, too.
    fn doubt(&self) -> Option<String> {
        let method = self.method.as_deref()?.to_ascii_uppercase();
        if METHODS.contains(&&*method) {
            return None;
        }
        let is_near = |known: &&str| strsim::osa_distance(&method, known) == 1;
        let meant = METHODS.into_iter().find(is_near)?;
        Some(format!("no method is called {method:?}: {}", did_you_mean(meant)))
    }

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

/// Those of RFC 9110 §9.3, and PATCH.
const METHODS: [&str; 9] =
    ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];

/// What the first argument is if others follow it.
fn beside_others(text: &str) -> Alone {
    if is_log(Path::new(text)) { Alone::Log } else { Alone::Word }
}

fn no_such_file(name: &str) -> Complaint {
    let wrong = Wrong { what: format!("no such file: {name:?}"), expected: None, hint: None };
    let hint =
        format!("as a word it is looked for in a FILE that is named: `relais flows {name} FILE`");
    Complaint::of_flag("FILE", wrong.hint(hint))
}

fn limit(text: &str) -> Result<NonZeroU64, &'static str> {
    text.parse().map_err(|_| "expected a number, 1 or more")
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
