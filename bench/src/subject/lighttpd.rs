//! lighttpd, which serves files.

use super::{CONNECTIONS_MAX, Place, Setup, words};

pub(super) fn setup(place: &Place) -> Setup {
    let Place { root, scratch, http, .. } = place;
    let config = format!(
        "\
server.document-root = \"{root}\"
server.bind = \"127.0.0.1\"
server.port = {http}
server.listen-backlog = 4096
server.event-handler = \"linux-sysepoll\"
server.network-backend = \"sendfile\"
server.max-fds = {files}
server.max-connections = {CONNECTIONS_MAX}
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 3600
server.max-read-idle = 3600
mimetype.assign = ( \".bin\" => \"application/octet-stream\" )
",
        files = 2 * CONNECTIONS_MAX
    );
    Setup {
        command: words(&["lighttpd", "-D", "-f", &format!("{scratch}/{CONFIG}")]),
        files: vec![(CONFIG, config)],
        ..Setup::default()
    }
}

const CONFIG: &str = "lighttpd.conf";
