//! Squid: one process, before one origin, with memory and no disk for what it keeps.

use super::{CONNECTIONS_MAX, Place, Setup, Task, words};

pub(super) fn setup(task: Task, Place { scratch, http, origin, .. }: &Place) -> Setup {
    let cache = if task == Task::Cache { CACHE } else { "cache deny all\n" };
    // Two descriptors for each who asks for what is not kept.
    let config = format!(
        "\
http_port 127.0.0.1:{http} accel defaultsite=localhost no-vhost
cache_peer 127.0.0.1 parent {origin} 0 no-query no-digest no-netdb-exchange originserver
never_direct allow all
http_access allow all
{cache}access_log none
cache_log stdio:/dev/null
pid_filename none
coredump_dir none
max_filedescriptors {files}
shutdown_lifetime 0 seconds
",
        files = 2 * CONNECTIONS_MAX
    );
    let path = format!("{scratch}/{CONFIG}");
    // In the foreground, and of no other on this machine: an instance has its name.
    let command = ["squid", "-N", "-n", &format!("bench{http}"), "-f", &path];
    Setup { command: words(&command), files: vec![(CONFIG, config)], ..Setup::default() }
}

/// It is asked for nothing that is longer.
const CACHE: &str = "\
cache_mem 256 MB
maximum_object_size_in_memory 1 MB
";
const CONFIG: &str = "squid.conf";
