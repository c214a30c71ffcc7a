//! Traffic Server: one thread for the network, in folders of its own.

use super::{Place, Setup, Task, words};

pub(super) fn setup(task: Task, place: &Place) -> Setup {
    let Place { scratch, origin, .. } = place;
    let files = vec![
        ("runroot.yaml", run_root(scratch)),
        ("etc/records.config", records(task, place)),
        ("etc/remap.config", format!("map / http://127.0.0.1:{origin}/\n")),
        ("etc/ip_allow.yaml", IP_ALLOW.to_owned()),
        // Asked for even by who caches nothing.
        ("etc/storage.config", format!("{scratch}/kept 256M\n")),
    ];
    Setup {
        command: words(&["traffic_server", &format!("--run-root={scratch}/runroot.yaml")]),
        env: Vec::new(),
        files,
        folders: &["run", "log", "kept"],
    }
}

/// Everything below the folder but the program.
fn run_root(scratch: &str) -> String {
    format!(
        "\
prefix: {scratch}
exec_prefix: /usr
bindir: /usr/bin
sbindir: /usr/bin
includedir: /usr/include
libdir: /usr/lib/trafficserver
libexecdir: /usr/lib/trafficserver/modules
sysconfdir: {scratch}/etc
datadir: {scratch}/kept
localstatedir: {scratch}/run
runtimedir: {scratch}/run
logdir: {scratch}/log
cachedir: {scratch}/kept
"
    )
}

fn records(task: Task, Place { http, .. }: &Place) -> String {
    let cache =
        if task == Task::Cache { CACHE } else { "CONFIG proxy.config.http.cache.http INT 0\n" };
    format!(
        "\
CONFIG proxy.config.http.server_ports STRING {http}:ip-in=127.0.0.1
CONFIG proxy.config.admin.user_id STRING #-1
CONFIG proxy.config.crash_log_helper STRING NULL
CONFIG proxy.config.exec_thread.autoconfig INT 0
CONFIG proxy.config.exec_thread.limit INT 1
CONFIG proxy.config.accept_threads INT 0
CONFIG proxy.config.task_threads INT 1
CONFIG proxy.config.log.logging_enabled INT 0
CONFIG proxy.config.url_remap.pristine_host_hdr INT 1
{cache}"
    )
}

/// It accepts nobody before the cache is ready.
const CACHE: &str = "\
CONFIG proxy.config.http.cache.http INT 1
CONFIG proxy.config.http.wait_for_cache INT 1
CONFIG proxy.config.cache.ram_cache.size INT 67108864
CONFIG proxy.config.cache.threads_per_disk INT 1
";
const IP_ALLOW: &str = "\
ip_allow:
  - apply: in
    ip_addrs: 127.0.0.1
    action: allow
    methods: ALL
";
