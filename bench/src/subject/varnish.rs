//! Varnish: its defaults, with memory for what it keeps.

use super::{Place, Setup, Task, words};

pub(super) fn setup(task: Task, Place { scratch, http, origin, .. }: &Place) -> Setup {
    let pass = if task == Task::Pass { "sub vcl_recv { return (pass); }\n" } else { "" };
    let config = format!(
        "\
vcl 4.1;
backend origin {{ .host = \"127.0.0.1\"; .port = \"{origin}\"; }}
{pass}"
    );
    let (name, config_path) = (format!("{scratch}/varnish"), format!("{scratch}/{CONFIG}"));
    let at = format!("127.0.0.1:{http}");
    // Without a jail it stays the user who may read the temporary folder; no management port.
    let command = [
        "varnishd",
        "-F",
        "-j",
        "none",
        "-T",
        "none",
        "-n",
        &name,
        "-a",
        &at,
        "-f",
        &config_path,
        "-s",
        "malloc,256m",
    ];
    Setup { command: words(&command), files: vec![(CONFIG, config)], ..Setup::default() }
}

const CONFIG: &str = "origin.vcl";
