//! `relais serve`: a `[serve.files]` of one line.

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Args, ValueHint};

use super::{CacheRule, Table};
use crate::{complaint::KeyPath, front, spelling::HttpEndpoint};

/// What `relais serve` takes.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Flags {
    /// The folder to serve
    #[arg(value_name = "DIR", default_value = ".", value_hint = ValueHint::DirPath)]
    root: PathBuf,
    /// Where to listen; may be given again
    ///
    /// `8080` is port 8080 of this machine alone, `:8080` of every address. `https://` takes its
    /// certificate from `--cert`, or from the local authority (see `relais cert`).
    #[arg(short, long, value_name = "ENDPOINT", default_value = "http://127.0.0.1:8080")]
    listen: Vec<HttpEndpoint>,
    #[command(flatten)]
    front: front::Flags,
    /// List folders that have no index
    #[arg(long)]
    list: bool,
    /// The file that a folder is answered with [default: index.html]; may be given again
    #[arg(long, value_name = "NAME")]
    index: Vec<String>,
    /// Send this file of DIR for paths that have none
    #[arg(long, value_name = "FILE")]
    fallback: Option<String>,
    /// Send this file of DIR with a status; may be given again
    #[arg(long, value_name = "STATUS=FILE", value_parser = error_page)]
    error_page: Vec<(String, String)>,
    /// Say how long matching paths may be kept; the first match counts
    #[arg(long, value_name = "GLOB=VALUE", value_parser = cache_rule)]
    cache_control: Vec<CacheRule>,
    /// Serve files whose names begin with a dot
    #[arg(long)]
    dotfiles: bool,
    /// Do not compress answers
    #[arg(long)]
    no_compress: bool,
    /// Open a browser once it listens
    #[arg(long)]
    pub(crate) open: bool,
}

const EXAMPLES: &str = "\
Examples:
  relais serve                          this folder at http://127.0.0.1:8080
  relais serve site -l :80 -l https://:443
  relais serve dist --fallback index.html --cache-control 'assets/*=max-age=31536000'
  relais serve files --list --auth users.txt --access-log -";

/// The name of the table that a command line is.
const NAME: &str = "files";

impl Flags {
    /// The table that says the same, and its name.
    pub(crate) fn table(self) -> (String, Table) {
        let Self {
            root,
            listen,
            front,
            list,
            index,
            fallback,
            error_page,
            cache_control,
            dotfiles,
            no_compress,
            open: _,
        } = self;
        let front::Table { listen, hosts, own_names, tls, access_log, auth } = front.table(listen);
        let table = Table {
            listen,
            root,
            hosts,
            own_names,
            index,
            listing: list,
            fallback,
            error_pages: BTreeMap::from_iter(error_page),
            cache_control,
            dotfiles,
            compress: no_compress.then_some(false),
            access_log,
            auth,
            tls,
        };
        (NAME.to_owned(), table)
    }
}

/// The flag that says what `key` says in a file.
pub(crate) fn flag_of(key: &KeyPath) -> Option<&'static str> {
    Some(match key.names().get(2..)? {
        ["root"] => "DIR",
        ["index"] => "--index",
        ["listing"] => "--list",
        ["fallback"] => "--fallback",
        ["error_pages", ..] => "--error-page",
        ["cache_control", ..] => "--cache-control",
        _ => return front::flag_of(key),
    })
}

fn error_page(text: &str) -> Result<(String, String), String> {
    let (status, file) = text.split_once('=').ok_or("expected STATUS=FILE, e.g. 404=404.html")?;
    Ok((status.to_owned(), file.to_owned()))
}

fn cache_rule(text: &str) -> Result<CacheRule, String> {
    let (glob, value) =
        text.split_once('=').ok_or("expected GLOB=VALUE, e.g. '*.css=max-age=3600'")?;
    Ok(CacheRule { glob: glob.to_owned(), value: value.to_owned() })
}
