//! relais itself, as someone would start it from a shell.

use super::{LOAD_CONNECTIONS, Place, SNIFFED, STORE, Setup, Task, WORD, words};
use crate::site::Served;

pub(super) fn setup(task: Task, place: &Place) -> Setup {
    let Place { relais, root, cert, key, rules, log, scratch, http, https, origin, .. } = place;
    let clear = format!("http://127.0.0.1:{http}");
    let tls = format!("https://127.0.0.1:{https}");
    let origin = format!("http://127.0.0.1:{origin}");
    let sniffed = format!("{scratch}/{SNIFFED}");
    let proxy = [relais, "proxy", &clear, &origin];
    let command = match task {
        Task::Serve => words(&[
            relais, "serve", root, "--listen", &clear, "--listen", &tls, "--cert", cert, "--key",
            key,
        ]),
        Task::Pass => words(&proxy),
        Task::Cache => words(&[&proxy[..], &["--cache"]].concat()),
        // The least memory: what is asked for in turn is not there.
        Task::CacheOnDisk => {
            let kept = format!("{scratch}/kept");
            let disk = ["--cache", "--cache-memory", "1MiB", "--cache-disk", &kept];
            words(&[&proxy[..], &disk].concat())
        }
        Task::Sniff => words(&[&proxy[..], &["--sniff", &sniffed]].concat()),
        Task::Block => words(&[&proxy[..], &["--block", rules]].concat()),
        Task::SniffAndBlock => {
            words(&[&proxy[..], &["--sniff", &sniffed, "--block", rules]].concat())
        }
        Task::Relay => {
            let (listen, far) = (clear.replace("http", "tcp"), origin.replace("http", "tcp"));
            words(&[relais, "relay", &listen, &far])
        }
        Task::EchoDatagrams => {
            words(&[relais, "listen", &clear.replace("http", "udp"), "--as", "echo"])
        }
        Task::RelayDatagrams => {
            let (listen, far) = (clear.replace("http", "udp"), origin.replace("http", "udp"));
            words(&[relais, "relay", &listen, &far])
        }
        Task::Load => {
            let url = format!("{clear}/{}", Served::Small.name());
            words(&[relais, "load", &url, "-c", LOAD_CONNECTIONS, "-t", "1", "--json"])
        }
        Task::Message => {
            let (listen, store) = (clear.replace("http", "tcp"), format!("{scratch}/{STORE}"));
            let tls = format!("tls://127.0.0.1:{https}");
            let unhurried = ["--burst", "1000000", "--messages-a-second", "0"];
            let proof = ["--cert", cert, "--key", key];
            let doors = [relais, "hub", &listen, &tls, "--store", &store];
            words(&[&doors[..], &unhurried, &proof].concat())
        }
        Task::Search => words(&[relais, "flows", WORD, log]),
    };
    Setup { command, env: vec![("RELAIS_DATA", scratch.clone())], ..Setup::default() }
}
