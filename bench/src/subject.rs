//! Who is measured, and how each is set up: commands and configurations, as they are run and as
//! they are reported.

use crate::site::Served;

/// A server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Relais,
    /// nginx with `tcp_nopush on`: head and file leave in full segments.
    NginxNopush,
    /// nginx with `tcp_nopush off`, its default.
    Nginx,
    Lighttpd,
    /// What a server costs that does nothing ([`crate::floor`]).
    Floor,
}

/// Where a server finds and puts things: paths and ports, or names for them in a report.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) relais: String,
    pub(crate) bench: String,
    pub(crate) root: String,
    pub(crate) cert: String,
    pub(crate) key: String,
    /// A folder of the server's own.
    pub(crate) scratch: String,
    pub(crate) http: String,
    pub(crate) https: String,
}

impl Subject {
    pub(crate) const ALL: [Self; 5] =
        [Self::Relais, Self::NginxNopush, Self::Nginx, Self::Lighttpd, Self::Floor];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Relais => "relais",
            Self::NginxNopush => "nginx, tcp_nopush on",
            Self::Nginx => "nginx, tcp_nopush off",
            Self::Lighttpd => "lighttpd",
            Self::Floor => "floor",
        }
    }

    pub(crate) fn is_nginx(self) -> bool {
        matches!(self, Self::NginxNopush | Self::Nginx)
    }

    /// Whether it has a TLS listener here.
    pub(crate) fn speaks_tls(self) -> bool {
        matches!(self, Self::Relais | Self::NginxNopush | Self::Nginx)
    }

    pub(crate) fn command(self, place: &Place) -> Vec<String> {
        let Place { relais, bench, root, cert, key, scratch, http, https } = place;
        let clear = format!("http://127.0.0.1:{http}");
        let tls = format!("https://127.0.0.1:{https}");
        let config = format!("{scratch}/{CONFIG}");
        let head = format!("{scratch}/{HEAD}");
        let small = format!("{root}/{}", Served::Small.name());
        let words: &[&str] = match self {
            Self::Relais => &[
                relais, "serve", root, "--listen", &clear, "--listen", &tls, "--cert", cert,
                "--key", key,
            ],
            Self::NginxNopush | Self::Nginx => &["nginx", "-c", &config],
            Self::Lighttpd => &["lighttpd", "-D", "-f", &config],
            Self::Floor => &[bench, "floor", "--port", http, "--file", &small, "--head", &head],
        };
        words.iter().copied().map(str::to_owned).collect()
    }

    /// What is added to the environment of its command.
    pub(crate) fn env(self, place: &Place) -> Vec<(&'static str, &str)> {
        match self {
            Self::Relais => vec![("RELAIS_DATA", &place.scratch)],
            _ => Vec::new(),
        }
    }

    /// What [`CONFIG`] in its folder has to say.
    pub(crate) fn config(self, place: &Place) -> Option<String> {
        match self {
            Self::NginxNopush => Some(nginx(place, "on")),
            Self::Nginx => Some(nginx(place, "off")),
            Self::Lighttpd => Some(lighttpd(place)),
            Self::Relais | Self::Floor => None,
        }
    }
}

/// The name of a configuration file in a server's folder.
pub(crate) const CONFIG: &str = "server.conf";
/// The name of the file with the floor's response head.
pub(crate) const HEAD: &str = "head";

fn nginx(place: &Place, nopush: &str) -> String {
    let Place { root, cert, key, scratch, http, https, .. } = place;
    // As root, its worker would become a user who may not read the temporary folder.
    let user = if rustix::process::geteuid().is_root() { "user root;\n" } else { "" };
    format!(
        "\
{user}daemon off;
worker_processes 1;
pid {scratch}/pid;
error_log stderr error;
events {{ worker_connections {CONNECTIONS_MAX}; }}
http {{
    default_type application/octet-stream;
    access_log off;
    sendfile on;
    tcp_nopush {nopush};
    open_file_cache max=1000;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    client_body_temp_path {scratch}/body;
    proxy_temp_path {scratch}/proxy;
    fastcgi_temp_path {scratch}/fastcgi;
    uwsgi_temp_path {scratch}/uwsgi;
    scgi_temp_path {scratch}/scgi;
    ssl_certificate {cert};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:tls:10m;
    server {{
        listen 127.0.0.1:{http} backlog=4096;
        listen 127.0.0.1:{https} ssl http2 backlog=4096;
        root {root};
    }}
}}
"
    )
}

fn lighttpd(place: &Place) -> String {
    let Place { root, http, .. } = place;
    format!(
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
    )
}

/// How many connections a peer is told to expect: more than any row opens.
const CONNECTIONS_MAX: u32 = 12_000;
