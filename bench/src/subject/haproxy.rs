//! `HAProxy`: one thread, connections to the origin shared by all clients.

use super::{CONNECTIONS_MAX, Place, Setup, Task, words};

pub(super) fn setup(task: Task, Place { scratch, http, origin, .. }: &Place) -> Setup {
    if task == Task::Relay {
        return relay(scratch, http, origin);
    }
    let (kept, keep) = if task == Task::Cache { (KEPT, KEEP) } else { ("", "") };
    // Without strict limits it does not insist on files for twice as many connections.
    let config = format!(
        "\
global
    nbthread 1
    maxconn {CONNECTIONS_MAX}
    no strict-limits
defaults
    mode http
    maxconn {CONNECTIONS_MAX}
    http-reuse always
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout http-keep-alive 1h
{kept}frontend clients
    bind 127.0.0.1:{http} backlog 4096
    default_backend origin
backend origin
{keep}    server origin 127.0.0.1:{origin}
"
    );
    Setup {
        command: words(&["haproxy", "-f", &format!("{scratch}/{CONFIG}")]),
        files: vec![(CONFIG, config)],
        ..Setup::default()
    }
}

/// Bytes as they are, with its usual buffers and without `splice`, which it leaves to be asked for.
fn relay(scratch: &str, http: &str, origin: &str) -> Setup {
    let config = format!(
        "\
global
    nbthread 1
    maxconn {CONNECTIONS_MAX}
    no strict-limits
defaults
    mode tcp
    maxconn {CONNECTIONS_MAX}
    timeout connect 5s
    timeout client 1h
    timeout server 1h
frontend clients
    bind 127.0.0.1:{http} backlog 4096
    default_backend origin
backend origin
    server origin 127.0.0.1:{origin}
"
    );
    Setup {
        command: words(&["haproxy", "-f", &format!("{scratch}/{CONFIG}")]),
        files: vec![(CONFIG, config)],
        ..Setup::default()
    }
}

const KEPT: &str = "\
cache kept
    total-max-size 64
    max-object-size 1048576
    max-age 3600
";
const KEEP: &str = "    \
    http-request cache-use kept
    http-response cache-store kept
";
const CONFIG: &str = "haproxy.cfg";
