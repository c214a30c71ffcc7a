//! What `relais get` takes.

use std::path::PathBuf;

use clap::{Arg, Args, ValueHint};

use crate::{
    calling,
    spelling::{Field, Time},
};

/// What `relais get` takes.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES, arg = folder())]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct Flags {
    /// What is asked for: `http://host:port/path?query` or https; without a scheme it is http, and
    /// 9000/path is of 127.0.0.1:9000
    pub(super) url: String,
    /// Ask for the head alone
    #[arg(long, conflicts_with_all = ["body", "output", "method"])]
    pub(super) head: bool,
    /// The method [default: GET, or POST with --data]
    #[arg(short = 'X', long)]
    pub(super) method: Option<String>,
    /// The request's body: a text, or @FILE; @- is standard input
    ///
    /// Its type is `application/json` if it is that, else `application/x-www-form-urlencoded` for a
    /// text and `application/octet-stream` for a file, unless --header says something else.
    #[arg(short = 'd', long = "data", visible_alias = "body", value_name = "TEXT|@FILE")]
    pub(super) body: Option<String>,
    /// A field of the request, instead of one of that name; several times for several. Without a value
    /// (`Accept:`) the field of that name is left out
    #[arg(short = 'H', long, value_name = "NAME: VALUE")]
    pub(super) header: Vec<Field>,
    /// Who asks, by Basic authentication; without the password it is asked for
    #[arg(short, long, value_name = "NAME[:PASSWORD]")]
    pub(super) user: Option<String>,
    /// Go where the answer sends, at most so many times, or 10; the number stands behind `=`
    #[arg(
        long,
        value_name = "N",
        default_value = "0",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "10",
        value_parser = redirections
    )]
    pub(super) follow: usize,
    /// Speak HTTP/1.1, whatever else could be agreed on
    #[arg(long)]
    pub(super) http1: bool,
    /// Speak HTTP/2; in the clear without asking whether the server does
    #[arg(long, conflicts_with = "http1")]
    pub(super) http2: bool,
    /// Ask through the proxy at ENDPOINT, of `http://`, `https://` or `socks5://`: http:// is passed on
    /// by one of HTTP, all else goes through a tunnel
    #[arg(long, value_name = "ENDPOINT")]
    pub(super) proxy: Option<String>,
    /// Who asks the proxy
    #[arg(long, value_name = "NAME[:PASSWORD]", requires = "proxy")]
    pub(super) proxy_user: Option<String>,
    /// Write the body to FILE, as it comes; only with a status of 2xx, else nothing, and the exit code
    /// is 3. `-` is standard output, whatever the status
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) output: Option<PathBuf>,
    /// Go on where an earlier --output broke off, if it is still the same
    #[arg(long, requires = "output")]
    pub(super) resume: bool,
    /// Print one JSON object: request, answer, body, timings, certificates
    #[arg(long, conflicts_with_all = ["output", "head"])]
    pub(super) json: bool,
    /// Exit with 3 if the status is 400 or above
    #[arg(long)]
    pub(super) check: bool,
    /// How long each step may take: the name and the connection, the handshake, the head of the
    /// answer, a pause within its body [default: 30s, and 5s for the first word of a proxy of SOCKS]
    #[arg(long, value_name = "TIME")]
    pub(super) timeout: Option<Time>,
    // Last: the arguments after it would stand under its heading.
    #[command(flatten)]
    pub(super) tls: calling::TlsFlags,
}

/// Stands for the folder that every command takes, whose flag is the body's here: before `get` it is
/// said as ever.
fn folder() -> Arg {
    let folder = Arg::new("data").long("data-folder").hide(true).global(true);
    folder.value_parser(clap::value_parser!(PathBuf))
}

fn redirections(text: &str) -> Result<usize, &'static str> {
    text.parse().map_err(|_| "expected how many at most, e.g. `--follow=10`")
}

const EXAMPLES: &str = "\
Examples:
  relais get example.org                          status, fields, body, and how long each part took
  relais get -v https://example.org               the same, the request and the certificates
  relais get 8080/api | jq .name                  where it is piped, the body alone
  relais get -o big.iso --resume https://example.org/big.iso
  relais get -d '{\"a\": 1}' 8080/items            POSTs JSON

Exit codes: 0 answered, 1 not reached or broken off, 2 wrong arguments, 3 `--check` or `-o` and its status";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_many_redirections_are_followed_is_a_number() {
        assert_eq!(redirections("3"), Ok(3));
        for wrong in ["", "x", "-1"] {
            assert_eq!(redirections(wrong), Err("expected how many at most, e.g. `--follow=10`"));
        }
    }
}
