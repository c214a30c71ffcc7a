//! What `relais cache` takes.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::{Args, Subcommand, ValueHint};

use crate::{
    complaint::{Complaint, Wrong},
    control::{AskedFor, Chosen, Fetches, Hardness, read_fields},
};

/// What `relais cache` takes.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Flags {
    #[command(subcommand)]
    pub(super) command: Command,
    /// Ask the relais that runs this file [default: relais.toml; without one, the relais that runs and
    /// has a cache, of several the one that listens at the URL's port]
    #[arg(short, long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) file: Option<PathBuf>,
    /// Ask the relais that listens at this port, whatever it runs: also `relais proxy` without a file
    #[arg(long, global = true, value_name = "PORT", conflicts_with = "file")]
    pub(super) at: Option<u16>,
    /// Ask of the cache of this `[proxy.NAME]` alone
    #[arg(long, global = true, value_name = "NAME")]
    pub(super) proxy: Option<String>,
    /// Ask no relais, but look into a cache's folder (`disk`) that none uses
    #[arg(long, global = true, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    #[arg(conflicts_with_all = ["file", "at", "proxy"])]
    pub(super) folder: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  relais cache ls                                     what is stored
  relais cache explain http://127.0.0.1:9000/         why that is answered from the cache, or not
  relais cache purge http://127.0.0.1:9000/a.css      fetch it anew for who asks next
  relais cache purge --tag news --soft                all that its server tagged so is stale
  relais cache warm urls.txt                          store what will be asked for

URLs are as clients ask for them: with the host and the port that they name.";

/// What to do.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum Command {
    /// List what is stored, in no order
    Ls {
        /// URLs that begin so; with a `*` in it, which stands for any text: that look so
        pattern: Option<String>,
        /// What its server tagged so
        #[arg(long, value_name = "TAG", conflicts_with = "pattern")]
        tag: Option<String>,
        /// Print JSON, a line each
        #[arg(long)]
        json: bool,
    },
    /// Show all that is known of what is stored for a URL
    Show {
        /// The whole URL
        #[arg(value_hint = ValueHint::Url)]
        url: String,
        /// Print JSON, a line each
        #[arg(long)]
        json: bool,
    },
    /// Show how much is stored
    Stats {
        /// Print JSON, a line each
        #[arg(long)]
        json: bool,
    },
    /// Read all that is on disk: whether it is what was stored. What is not, is taken out
    Verify {
        /// Print JSON, a line each
        #[arg(long)]
        json: bool,
    },
    /// Take answers out, or have them asked about
    Purge(Purge),
    /// Fetch URLs through the cache, so that they are stored
    Warm {
        /// A file with a whole URL a line, `-` for standard input
        ///
        /// Empty lines are passed over, and those that begin with #.
        #[arg(value_hint = ValueHint::FilePath)]
        list: PathBuf,
        #[command(flatten)]
        fields: Fields,
        /// So many at once
        #[arg(short, long, value_name = "N", default_value = "4", value_parser = jobs)]
        jobs: NonZeroUsize,
        /// Print JSON, a line each
        #[arg(long)]
        json: bool,
    },
    /// Tell why a request is answered from what is stored, or is not, and why not
    Explain {
        /// The whole URL
        #[arg(value_hint = ValueHint::Url)]
        url: String,
        #[command(flatten)]
        fields: Fields,
        /// Do not ask the server what it would answer, if nothing is stored
        #[arg(long)]
        no_fetch: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// What a request says.
#[derive(Clone, Debug, Args)]
#[group(skip)]
pub(super) struct Fields {
    /// Ask with this field, e.g. 'Accept-Language: de'; may be given again
    #[arg(short = 'H', long = "header", value_name = "FIELD")]
    field: Vec<String>,
}

/// What is to be purged.
#[derive(Clone, Debug, Args)]
pub(super) struct Purge {
    #[command(flatten)]
    what: What,
    /// Leave it there, but have it asked about before it is used again
    ///
    /// Until then it may be sent only where what is stale may be: `stale-while-revalidate`,
    /// `stale-if-error`, or a server that cannot be reached.
    #[arg(long)]
    soft: bool,
    /// Print JSON, a line each
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = true)]
struct What {
    /// What is stored for these URLs, all variants; with a `*` in it, as of --glob
    #[arg(value_hint = ValueHint::Url)]
    url: Vec<String>,
    /// What is stored for URLs that begin so; may be given again, as the flags below
    #[arg(long, value_name = "TEXT")]
    prefix: Vec<String>,
    /// What is stored for URLs that look so: `*` stands for any text
    #[arg(long, value_name = "PATTERN")]
    glob: Vec<String>,
    /// What its server tagged so, by `Surrogate-Key` or `Cache-Tag`
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,
    /// What its server counts to this group, by `Cache-Groups`: GROUP@URL, a URL of that server
    #[arg(long, value_name = "GROUP@URL")]
    group: Vec<String>,
    /// Everything
    #[arg(long, conflicts_with_all = ["url", "prefix", "glob", "tag", "group"])]
    all: bool,
}

/// More would find no place at the control socket beside others.
const JOBS_MAX: usize = 16;

fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    let jobs = text.parse().ok().filter(|jobs: &NonZeroUsize| jobs.get() <= JOBS_MAX);
    jobs.ok_or_else(|| format!("bad number {text:?}: expected 1 to {JOBS_MAX}"))
}

impl Fields {
    /// A request for `url` with these fields.
    pub(super) fn of(&self, url: String) -> AskedFor {
        AskedFor { url, fields: self.field.clone() }
    }

    /// What is wrong with them.
    pub(super) fn check(&self) -> Result<(), Box<Complaint>> {
        match read_fields(&self.field) {
            Ok(_) => Ok(()),
            Err(wrong) => Err(Box::new(Complaint::of_flag("--header", wrong))),
        }
    }
}

impl Purge {
    /// What is to be purged, one after the other, and how.
    pub(super) fn chosen(&self) -> Result<(Vec<Chosen>, Hardness), Box<Complaint>> {
        let Self { what: What { url, prefix, glob, tag, group, all }, soft, json: _ } = self;
        let how = if *soft { Hardness::Soft } else { Hardness::Hard };
        let texts = [
            (url, "URL", by_url as fn(String) -> Chosen),
            (prefix, "--prefix", Chosen::Prefix),
            (glob, "--glob", Chosen::Glob),
            (tag, "--tag", Chosen::Tag),
        ];
        let mut chosen = if *all { vec![Chosen::All] } else { Vec::new() };
        for (texts, flag, of) in texts {
            for text in texts {
                chosen.push(checked(of(text.clone()), flag)?);
            }
        }
        for group in group {
            chosen.push(checked(a_group(group)?, "--group")?);
        }
        Ok((chosen, how))
    }
}

/// What a URL chooses: with a `*` in it, as `ls` takes it.
fn by_url(url: String) -> Chosen {
    if url.contains('*') { Chosen::Glob(url) } else { Chosen::Url(url) }
}

/// What `ls` lists.
pub(super) fn listed(
    pattern: Option<String>,
    tag: Option<String>,
) -> Result<Chosen, Box<Complaint>> {
    match (pattern, tag) {
        (Some(pattern), _) if pattern.contains('*') => checked(Chosen::Glob(pattern), "PATTERN"),
        (Some(pattern), _) => checked(Chosen::Prefix(pattern), "PATTERN"),
        (None, Some(tag)) => checked(Chosen::Tag(tag), "--tag"),
        (None, None) => Ok(Chosen::All),
    }
}

/// Judged here, before anybody is asked.
fn checked(chosen: Chosen, flag: &str) -> Result<Chosen, Box<Complaint>> {
    match chosen.pattern() {
        Ok(_) => Ok(chosen),
        Err(wrong) => Err(Box::new(Complaint::of_flag(flag, wrong))),
    }
}

fn a_group(text: &str) -> Result<Chosen, Box<Complaint>> {
    // Both may have an `@` of their own.
    let at = ["@http://", "@https://"].iter().find_map(|scheme| text.rfind(scheme));
    let Some((name, url)) = at.map(|at| (&text[..at], &text[at + 1..])) else {
        let wrong = Wrong::expected(
            format!("no URL in {text:?}"),
            "GROUP@URL, e.g. \"news@http://example.org\"",
        );
        return Err(Box::new(Complaint::of_flag("--group", wrong)));
    };
    Ok(Chosen::Group { url: url.to_owned(), name: name.to_owned() })
}

/// Whether the upstream may be asked.
pub(super) fn fetches(no_fetch: bool) -> Fetches {
    if no_fetch { Fetches::Never } else { Fetches::Once }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_told_from_its_url() {
        let read = |text: &str| match a_group(text) {
            Ok(Chosen::Group { url, name }) => format!("{name} of {url}"),
            Ok(other) => format!("{other:?}"),
            Err(complaint) => complaint.wrong.what,
        };
        assert_eq!(read("news@http://a/b"), "news of http://a/b");
        assert_eq!(read("a@b@https://c@d/"), "a@b of https://c@d/");
        assert_eq!(read("news"), "no URL in \"news\"");
        assert_eq!(read("news@a"), "no URL in \"news@a\"");
    }

    #[test]
    fn a_star_makes_a_pattern() {
        let list = |text: &str| listed(Some(text.to_owned()), None).unwrap();
        assert_eq!(list("http://a/"), Chosen::Prefix("http://a/".to_owned()));
        assert_eq!(list("*/a"), Chosen::Glob("*/a".to_owned()));
        assert!(listed(Some(String::new()), None).is_err());
    }
}
