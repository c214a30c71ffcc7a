//! What is passed on, from one process to another.

use std::{io::Write as _, net::TcpStream};

use rustix::process::Signal;

use crate::program::{Place, answer, get, until};

/// The port of a listener that was told.
fn port(listener: &str) -> &str {
    listener.rsplit_once(':').unwrap().1
}

#[test]
fn what_a_server_answers_is_passed_on() {
    let place = Place::new();
    place.write("site/file.txt", "whole");
    let server = place.start(&["serve", "site", "-l", "127.0.0.1:0", "--access-log", "-"], 1);
    let upstream = port(&server.listeners[0]);
    let proxy = place.start(&["proxy", "0", upstream, "--name", "front-1"], 1);
    let (head, body) = get(&mut proxy.connect(0), "/file.txt", "a");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.to_ascii_lowercase().contains("\r\nvia: 1.1 front-1\r\n"), "{head}");
    assert_eq!(body, "whole");
    assert!(server.line().contains("\"GET /file.txt HTTP/1.1\" 200 5 "));
    proxy.signal(Signal::TERM);
    assert_eq!(proxy.end().code, Some(0));
}

#[test]
fn one_address_answers_with_files_and_with_what_is_passed_on() {
    let place = Place::new();
    place.write("a/index.html", "A");
    place.write("b/index.html", "B");
    let server = place.start(&["serve", "b", "-l", "127.0.0.1:0"], 1);
    let text = format!(
        "[serve.a]\nlisten = \"127.0.0.1:0\"\nroot = \"a\"\n\
         [proxy.b]\nlisten = \"unix://HERE/s\"\nupstream = \"{}\"\nhosts = \"b.test\"\n\
         [serve.rest]\nlisten = \"unix://HERE/s\"\nroot = \"a\"\n",
        server.listeners[0]
    );
    place.write("relais.toml", text.replace("HERE", &place.path().display().to_string()));
    let running = place.start(&["up"], 3);
    for (host, body) in [("b.test", "B"), ("other.test", "A")] {
        let mut stream = std::os::unix::net::UnixStream::connect(place.path().join("s")).unwrap();
        write!(stream, "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
        assert!(answer.ends_with(&format!("\r\n\r\n{body}")), "{answer}");
    }
    drop(running);
}

#[test]
fn a_server_that_is_not_there_is_a_bad_gateway_until_it_is() {
    let place = Place::new();
    place.write("site/index.html", "late");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = free.local_addr().unwrap().to_string();
    drop(free);
    let proxy = place.start(&["proxy", "0", &at], 1);
    let mut stream = proxy.connect(0);
    let (head, _) = get(&mut stream, "/", "a");
    assert!(head.starts_with("HTTP/1.1 502 "), "{head}");
    let _server = place.start(&["serve", "site", "-l", &at], 1);
    until(|| TcpStream::connect(&at).is_ok());
    write!(stream, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let (head, body) = answer(&mut stream);
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert_eq!(body, "late");
}

#[test]
fn a_reload_changes_whom_is_asked_and_keeps_the_connection() {
    let place = Place::new();
    place.write("a/index.html", "A");
    place.write("b/index.html", "B");
    let [a, b] = ["a", "b"].map(|dir| place.start(&["serve", dir, "-l", "127.0.0.1:0"], 1));
    let text = |upstream: &str| {
        format!("[proxy.front]\nlisten = \"127.0.0.1:0\"\nupstream = \"{upstream}\"\n")
    };
    place.write("relais.toml", text(&a.listeners[0]));
    let proxy = place.start(&["up"], 1);
    let mut stream = proxy.connect(0);
    assert_eq!(get(&mut stream, "/", "a").1, "A");
    place.write("relais.toml", text(&b.listeners[0]));
    assert!(place.run(&["reload"]).status.success());
    assert_eq!(get(&mut stream, "/", "a").1, "B");
}
