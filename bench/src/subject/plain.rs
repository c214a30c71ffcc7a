//! Who is told all by its arguments, without a file.

use super::{HEAD, LOAD_CONNECTIONS, Place, Setup, Task, WORD, words};
use crate::site::Served;

/// Quiet, in one process, keeping nothing: the least that it does for each exchange.
pub(super) fn mitmdump(Place { scratch, http, origin, .. }: &Place) -> Setup {
    let (mode, confdir) =
        (format!("reverse:http://127.0.0.1:{origin}"), format!("confdir={scratch}"));
    let listen = ["--listen-host", "127.0.0.1", "--listen-port", http];
    let command = [&["mitmdump", "--quiet", "--mode", &mode, "--set", &confdir], &listen[..]];
    Setup { command: words(&command.concat()), ..Setup::default() }
}

pub(super) fn socat(Place { http, origin, .. }: &Place) -> Setup {
    let listen = format!("TCP-LISTEN:{http},bind=127.0.0.1,fork,reuseaddr,nodelay");
    let call = format!("TCP:127.0.0.1:{origin},nodelay");
    Setup { command: words(&["socat", &listen, &call]), ..Setup::default() }
}

pub(super) fn grep(Place { log, .. }: &Place) -> Setup {
    Setup {
        command: words(&["grep", "--fixed-strings", "--ignore-case", WORD, log]),
        env: vec![("LC_ALL", "C".to_owned())],
        ..Setup::default()
    }
}

pub(super) fn wrk(Place { http, exact, .. }: &Place) -> Setup {
    let url = format!("http://127.0.0.1:{http}/{}", Served::Small.name());
    let command = ["wrk", "-t1", "-c", LOAD_CONNECTIONS, "--timeout", "10s", "-s", exact, &url];
    Setup { command: words(&command), ..Setup::default() }
}

pub(super) fn floor(task: Task, place: &Place) -> Setup {
    let Place { bench, root, scratch, http, origin, .. } = place;
    let of_datagrams = [bench, "datagrams", "--port", http];
    match task {
        Task::Message => {
            let command = [bench, "room", "--port", http];
            return Setup { command: words(&command), ..Setup::default() };
        }
        Task::EchoDatagrams => {
            return Setup { command: words(&of_datagrams), ..Setup::default() };
        }
        Task::RelayDatagrams => {
            let command = [&of_datagrams[..], &["--upstream", origin]].concat();
            return Setup { command: words(&command), ..Setup::default() };
        }
        _ => (),
    }
    let file = format!("{root}/{}", Served::Small.name());
    let head = format!("{scratch}/{HEAD}");
    let command = [bench, "floor", "--port", http, "--file", &file, "--head", &head];
    Setup { command: words(&command), ..Setup::default() }
}
