//! What a proxy has that a reload leaves alone: what is stored, and its connections.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

use crate::program::{Place, get, until};

/// A server that counts its callers, and says with each answer how many requests it had.
struct Server {
    at: String,
    callers: Arc<AtomicUsize>,
}

impl Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap().to_string();
        let (callers, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&callers);
        thread::spawn(move || {
            for stream in listener.incoming() {
                counted.fetch_add(1, Relaxed);
                let requests = Arc::clone(&requests);
                thread::spawn(move || answer_all(&stream.unwrap(), &requests));
            }
        });
        Self { at, callers }
    }

    fn callers(&self) -> usize {
        self.callers.load(Relaxed)
    }
}

/// Answers requests without bodies, until whoever asks hangs up.
fn answer_all(mut stream: &TcpStream, requests: &AtomicUsize) {
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(line)) = lines.next() {
        if line.is_empty() {
            let body = (requests.fetch_add(1, Relaxed) + 1).to_string();
            let head = "HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n";
            _ = write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len());
        }
    }
}

fn reload(place: &Place, text: &str, expect: i32) {
    place.write("relais.toml", text);
    let output = place.run(&["reload"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(expect), "{text}: {said}");
}

#[test]
fn connections_to_an_upstream_that_stays_are_kept() {
    let (place, server) = (Place::new(), Server::start());
    let table = "[proxy.front]\nlisten = \"127.0.0.1:0\"\n";
    let text = format!("{table}upstream = \"{}\"\n", server.at);
    place.write("relais.toml", &text);
    let proxy = place.start(&["up"], 1);
    // On one connection: each core has its own to the server.
    let mut stream = proxy.connect(0);
    assert_eq!(get(&mut stream, "/", "localhost").1, "1");
    for more in ["", "cache = {}\n", "response = { set = { a = \"b\" } }\nbalance = \"round\"\n"] {
        reload(&place, &(text.clone() + more), 0);
        get(&mut stream, "/", "localhost");
        assert_eq!(server.callers(), 1, "{more}");
    }
    // Another beside it changes nothing for it.
    let both = format!("{table}upstream = [\"{}\", \"127.0.0.1:1\"]\n", server.at);
    reload(&place, &both, 0);
    for _ in 0..9 {
        assert_eq!(get(&mut stream, "/", "localhost").0[9..12], *"200");
    }
    assert_eq!(server.callers(), 1);
    reload(&place, &(text + "limits = { head_max = \"9s\" }\n"), 0);
    get(&mut stream, "/", "localhost");
    assert_eq!(server.callers(), 2);
}

#[test]
fn connections_of_a_forward_proxy_are_kept() {
    let (place, server) = (Place::new(), Server::start());
    let text = "[proxy.out]\nlisten = \"127.0.0.1:0\"\nforward = { private = true }\n";
    place.write("relais.toml", text);
    let proxy = place.start(&["up"], 1);
    let mut stream = proxy.connect(0);
    let url = format!("http://{}/", server.at);
    assert_eq!(get(&mut stream, &url, &server.at).1, "1");
    reload(&place, text, 0);
    assert_eq!(get(&mut stream, &url, &server.at).1, "2");
    assert_eq!(server.callers(), 1);
}

#[test]
fn a_changed_file_of_authorities_makes_new_connections() {
    let place = Place::new();
    place.write("site/index.html", "here");
    let server = place.start(&["serve", "site", "-l", "https://localhost:0"], 1);
    let ca = fs::read(place.path().join("data/authority/ca.pem")).unwrap();
    place.write("ca.pem", &ca);
    let text = format!(
        "[proxy.front]\nlisten = \"127.0.0.1:0\"\nupstream = \"{}\"\nupstream_tls.ca = \"ca.pem\"\n",
        server.listeners[0]
    );
    place.write("relais.toml", &text);
    let proxy = place.start(&["up"], 1);
    let mut stream = proxy.connect(0);
    assert_eq!(get(&mut stream, "/", "localhost").1, "here");
    let other = place.command(&["cert", "init"]).env("RELAIS_DATA", "other").status();
    assert!(other.unwrap().success());
    place.write("ca.pem", fs::read(place.path().join("other/authority/ca.pem")).unwrap());
    reload(&place, &text, 0);
    assert_eq!(get(&mut stream, "/", "localhost").0[9..12], *"502");
}

#[test]
fn a_refused_reload_leaves_what_is_stored() {
    let (place, server) = (Place::new(), Server::start());
    let text = format!(
        "[proxy.front]\nlisten = [\"127.0.0.1:0\"]\nupstream = \"{}\"\ncache = {{}}\n",
        server.at
    );
    place.write("relais.toml", &text);
    let proxy = place.start(&["up"], 1);
    let mut stream = proxy.connect(0);
    assert_eq!(get(&mut stream, "/", "localhost").1, "1");
    // It has to be there before it can be asked for.
    until(|| get(&mut stream, "/", "localhost").0.contains("relais; hit"));
    let changed = text.replace("{}", "{ memory = \"9MiB\" }");
    let nowhere = changed.replace("0\"]", "0\", \"192.0.2.1:1\"]");
    assert_ne!((&changed, &nowhere), (&text, &changed));
    reload(&place, &nowhere, 1);
    assert_eq!(get(&mut stream, "/", "localhost").1, "1");
    reload(&place, &text, 0);
    assert_eq!(get(&mut stream, "/", "localhost").1, "1");
    reload(&place, &changed, 0);
    assert_eq!(get(&mut stream, "/", "localhost").1, "2");
}

#[test]
fn what_is_stored_outlives_a_change_that_changes_no_answer() {
    let (place, server) = (Place::new(), Server::start());
    let text = format!(
        "[proxy.front]\nlisten = \"127.0.0.1:0\"\nupstream = \"{}\"\ncache = {{}}\n",
        server.at
    );
    place.write("relais.toml", &text);
    let proxy = place.start(&["up"], 1);
    let mut stream = proxy.connect(0);
    let first = get(&mut stream, "/", "localhost").1;
    reload(&place, &(text.clone() + "balance = \"round\"\nlimits.head_max = \"9s\"\n"), 0);
    assert_eq!(get(&mut stream, "/", "localhost").1, first);
    reload(&place, &(text + "response.set = { a = \"b\" }\n"), 0);
    assert_ne!(get(&mut stream, "/", "localhost").1, first);
}
