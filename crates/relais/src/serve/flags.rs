//! `relais serve`: a `[serve.files]` of one line.

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Args, ValueHint};

use super::{CacheRule, Table};
use crate::{
    access_log, auth,
    complaint::{KeyPath, Step},
    spelling::{HostName, HttpEndpoint},
    tls,
};

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
    /// The certificate of `https://`, PEM, with those that vouch for it
    #[arg(long, value_name = "FILE", requires = "key", value_hint = ValueHint::FilePath)]
    cert: Option<PathBuf>,
    /// The certificate's key, PEM
    #[arg(long, value_name = "FILE", requires = "cert", value_hint = ValueHint::FilePath)]
    key: Option<PathBuf>,
    /// Let only callers in whose certificate one of these has signed, PEM
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    client_ca: Option<PathBuf>,
    /// Answer for this host only; may be given again
    #[arg(long, value_name = "NAME")]
    host: Vec<HostName>,
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
    /// Write a line for each answer, `-` to standard output
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    access_log: Option<PathBuf>,
    /// How such a line looks
    #[arg(long, value_name = "FORMAT", default_value = "combined", requires = "access_log")]
    log_format: access_log::Format,
    /// Ask for a user of this file (see `relais password`)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    auth: Option<PathBuf>,
    /// What the password is for
    #[arg(long, value_name = "TEXT", requires = "auth")]
    realm: Option<String>,
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
            cert,
            key,
            client_ca,
            host,
            list,
            index,
            fallback,
            error_page,
            cache_control,
            dotfiles,
            no_compress,
            access_log,
            log_format,
            auth,
            realm,
            open: _,
        } = self;
        let table = Table {
            listen,
            root,
            hosts: host,
            index,
            listing: list,
            fallback,
            error_pages: BTreeMap::from_iter(error_page),
            cache_control,
            dotfiles,
            compress: no_compress.then_some(false),
            access_log: access_log.map(|file| access_log::Table { file, format: log_format }),
            auth: auth.map(|file| auth::Table { file, realm }),
            tls: tls::Table { cert, key, client_ca },
        };
        (NAME.to_owned(), table)
    }
}

/// The flag that says what `key` says in a file.
pub(crate) fn flag_of(key: &KeyPath) -> Option<&'static str> {
    let keys: Vec<&str> = key
        .0
        .iter()
        .skip(2)
        .filter_map(|step| match step {
            Step::Key(key) => Some(key.as_str()),
            Step::Index(_) => None,
        })
        .collect();
    Some(match keys.as_slice() {
        ["listen"] => "--listen",
        ["root"] => "DIR",
        ["hosts"] => "--host",
        ["index"] => "--index",
        ["listing"] => "--list",
        ["fallback"] => "--fallback",
        ["error_pages", ..] => "--error-page",
        ["cache_control", ..] => "--cache-control",
        ["access_log", "format"] => "--log-format",
        ["access_log", ..] => "--access-log",
        ["auth", "realm"] => "--realm",
        ["auth", ..] => "--auth",
        ["tls", "key"] => "--key",
        ["tls", "client_ca"] => "--client-ca",
        ["tls", ..] => "--cert",
        _ => return None,
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
