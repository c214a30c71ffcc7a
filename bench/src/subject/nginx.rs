//! nginx: one worker, connections kept on both sides.

use super::{CONNECTIONS_MAX, Place, Setup, Task, words};

pub(super) fn setup(task: Task, nopush: &str, place: &Place) -> Setup {
    let Place { scratch, .. } = place;
    let user = user();
    if task == Task::Relay {
        return relay("off", place);
    }
    let inside = if task == Task::Serve { serving(place) } else { proxying(task, place) };
    let config = format!(
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
{inside}}}
"
    );
    Setup {
        command: words(&["nginx", "-c", &format!("{scratch}/{CONFIG}")]),
        files: vec![(CONFIG, config)],
        ..Setup::default()
    }
}

/// As root, its worker would become a user who may not read the temporary folder.
fn user() -> &'static str {
    if rustix::process::geteuid().is_root() { "user root;\n" } else { "" }
}

/// Bytes as they are. A connection there has two places, and ends as a whole when one side of it does
/// unless `half_close` is on.
pub(super) fn relay(half_close: &str, Place { scratch, http, origin, .. }: &Place) -> Setup {
    let user = user();
    let config = format!(
        "\
load_module modules/ngx_stream_module.so;
{user}daemon off;
worker_processes 1;
pid {scratch}/pid;
error_log stderr error;
events {{ worker_connections {}; }}
stream {{
    server {{
        listen 127.0.0.1:{http} backlog=4096;
        proxy_pass 127.0.0.1:{origin};
        proxy_timeout 1h;
        proxy_half_close {half_close};
    }}
}}
",
        2 * CONNECTIONS_MAX
    );
    Setup {
        command: words(&["nginx", "-c", &format!("{scratch}/{CONFIG}")]),
        files: vec![(CONFIG, config)],
        ..Setup::default()
    }
}

fn serving(Place { root, cert, key, http, https, .. }: &Place) -> String {
    format!(
        "    \
    ssl_certificate {cert};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:tls:10m;
    server {{
        listen 127.0.0.1:{http} backlog=4096;
        listen 127.0.0.1:{https} ssl http2 backlog=4096;
        root {root};
    }}
"
    )
}

/// Buffers hold the largest response at once: with its own of 4 KiB, nginx takes more than twice
/// the time for 100 KiB.
fn proxying(task: Task, Place { scratch, http, origin, .. }: &Place) -> String {
    let (kept, keep) = match task {
        Task::Cache => (
            format!("    proxy_cache_path {scratch}/kept keys_zone=kept:10m inactive=1h;\n"),
            "            proxy_cache kept;\n",
        ),
        _ => (String::new(), ""),
    };
    format!(
        "{kept}    \
    upstream origin {{
        server 127.0.0.1:{origin};
        keepalive 256;
        keepalive_requests 1000000000;
        keepalive_timeout 1h;
    }}
    server {{
        listen 127.0.0.1:{http} backlog=4096;
        location / {{
            proxy_pass http://origin;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Host $host;
            proxy_buffer_size 128k;
            proxy_buffers 4 128k;
            proxy_busy_buffers_size 256k;
            proxy_max_temp_file_size 0;
{keep}        }}
    }}
"
    )
}

const CONFIG: &str = "nginx.conf";
