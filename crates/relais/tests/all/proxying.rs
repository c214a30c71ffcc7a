//! What is passed on, from one process to another.

use std::{io::Write as _, net::TcpStream};

use rustix::process::Signal;

use crate::program::{Place, Running, answer, get, until};

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
    let (head, body) = get(&mut proxy.connect(0), "/file.txt", "localhost");
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
    let (head, _) = get(&mut stream, "/", "localhost");
    assert!(head.starts_with("HTTP/1.1 502 "), "{head}");
    let _server = place.start(&["serve", "site", "-l", &at], 1);
    until(|| TcpStream::connect(&at).is_ok());
    write!(stream, "GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n").unwrap();
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
    assert_eq!(get(&mut stream, "/", "localhost").1, "A");
    place.write("relais.toml", text(&b.listeners[0]));
    assert!(place.run(&["reload"]).status.success());
    assert_eq!(get(&mut stream, "/", "localhost").1, "B");
}

/// A client may say it through a balancer that is trusted.
#[test]
fn what_a_trusted_hop_says_is_not_answered_to_others() {
    let place = Place::new();
    place.write("site/index.html", "here");
    let server = place.start(&["serve", "site", "-l", "127.0.0.1:0"], 1);
    let upstream = server.listeners[0].as_str();
    let said = |trust: &[&str]| {
        let proxy = place.start(&[&["proxy", "0", upstream, "--cache"], trust].concat(), 1);
        let mut stream = proxy.connect(0);
        ["", "X-Forwarded-Host: evil\r\n", "X-Forwarded-Proto: https\r\n", ""].map(|line| {
            write!(stream, "GET / HTTP/1.1\r\nHost: a.localhost\r\n{line}\r\n").unwrap();
            let (head, _) = answer(&mut stream);
            head.to_ascii_lowercase().contains("cache-status: relais; fwd=uri-miss")
        })
    };
    assert_eq!(said(&["--trust", "127.0.0.1"]), [true, true, true, false]);
    assert_eq!(said(&[]), [true, false, false, false]);
}

#[test]
fn a_server_under_tls_has_to_be_who_it_says() {
    let place = Place::new();
    place.write("site/index.html", "secret");
    let server = place.start(&["serve", "site", "-l", "https://localhost:0"], 1);
    let upstream = server.listeners[0].as_str();
    let answer = |arguments: &[&str]| {
        let arguments = [&["proxy", "0", upstream], arguments].concat();
        let proxy = place.start(&arguments, 1);
        let (head, body) = get(&mut proxy.connect(0), "/", "localhost");
        (head[9..12].to_owned(), body)
    };
    // The local authority vouches for it, which is in the data folder of both.
    assert_eq!(answer(&[]), ("200".to_owned(), "secret".to_owned()));
    assert_eq!(answer(&["--ca", "data/authority/ca.pem"]).0, "200");
    assert!(place.run(&["cert", "issue", "a.localhost"]).status.success());
    assert!(
        place.command(&["cert", "init"]).env("RELAIS_DATA", "other").status().unwrap().success()
    );
    let (status, body) = answer(&["--ca", "other/authority/ca.pem"]);
    assert_eq!(status, "502");
    assert!(body.contains("could not prove who it is"), "{body}");
    assert_eq!(answer(&["--insecure"]).0, "200");
}

#[test]
fn a_server_is_asked_over_the_http_that_is_wanted() {
    let place = Place::new();
    place.write("site/index.html", "same");
    let serve = ["serve", "site", "-l", "https://localhost:0", "--access-log", "-"];
    let server = place.start(&serve, 1);
    for (version, told) in [("1.1", "HTTP/1.1"), ("2", "HTTP/2.0")] {
        let arguments = ["proxy", "0", &server.listeners[0], "--upstream-http", version];
        let proxy = place.start(&arguments, 1);
        assert_eq!(get(&mut proxy.connect(0), "/", "localhost").1, "same");
        let line = server.line();
        assert!(line.contains(&format!("\"GET / {told}\" 200 ")), "{line}");
    }
}

/// HTTP/2 has none. In the clear, where nobody says what is spoken beside it, nobody is asked.
#[test]
fn a_change_of_the_protocol_is_asked_for_over_http1_or_refused() {
    let place = Place::new();
    place.write("site/index.html", "same");
    let listeners = ["-l", "https://localhost:0", "-l", "127.0.0.1:0", "--access-log", "-"];
    let server = place.start(&[&["serve", "site"], &listeners[..]].concat(), 2);
    let asked = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\n\
        Upgrade: websocket\r\n\r\n";
    let ask = |upstream: &str| {
        let proxy = place.start(&["proxy", "0", upstream, "--upstream-http", "2"], 1);
        let mut stream = proxy.connect(0);
        stream.write_all(asked.as_bytes()).unwrap();
        answer(&mut stream)
    };
    let (_, body) = ask(&server.listeners[0]);
    assert_eq!(body, "same");
    let line = server.line();
    assert!(line.contains("\"GET / HTTP/1.1\" 200 "), "{line}");
    let (head, body) = ask(&server.listeners[1]);
    assert!(head.starts_with("HTTP/1.1 501 "), "{head}");
    assert!(body.contains("no way to another protocol"), "{body}");
}

#[test]
fn paths_have_upstreams_of_their_own_and_fields_are_changed() {
    let place = Place::new();
    place.write("a/index.html", "A");
    place.write("b/index.html", "B");
    let [a, b] = ["a", "b"].map(|dir| place.start(&["serve", dir, "-l", "127.0.0.1:0"], 1));
    let text = format!(
        "[proxy.front]\nlisten = \"127.0.0.1:0\"\nupstream = \"{}\"\n\
         routes = [{{ path = \"/api/\", upstream = \"{}\", strip = true }}]\n\
         response = {{ set = {{ x-front = \"relais\" }}, remove = \"etag\" }}\n",
        a.listeners[0], b.listeners[0]
    );
    place.write("relais.toml", text);
    let proxy = place.start(&["up"], 1);
    let mut stream = proxy.connect(0);
    let (head, body) = get(&mut stream, "/", "localhost");
    assert_eq!(body, "A");
    assert!(head.contains("\r\nx-front: relais\r\n") && !head.contains("\r\netag"), "{head}");
    assert_eq!(get(&mut stream, "/api/", "localhost").1, "B");
}

#[test]
fn who_is_not_well_is_passed_over_and_told_of() {
    let place = Place::new();
    place.write("site/index.html", "well");
    let well = place.start(&["serve", "site", "-l", "127.0.0.1:0"], 1);
    let ill = place.start(&["serve", "site", "-l", "127.0.0.1:0"], 1);
    let (well_at, ill_at) = (well.listeners[0].clone(), ill.listeners[0].clone());
    drop(ill);
    let arguments = ["proxy", "0", &ill_at, &well_at, "--health", "/", "--balance", "round"];
    let proxy = place.start(&arguments, 1);
    for _ in 0..4 {
        let (head, _) = get(&mut proxy.connect(0), "/", "localhost");
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    }
    proxy.signal(Signal::TERM);
    let ended = proxy.end();
    assert_eq!(ended.code, Some(0));
    let told = "WARN an upstream is not well, and passed over";
    let line = ended.stderr.lines().find(|line| line.contains(told)).unwrap_or_default();
    assert_eq!(line.matches(&ill_at).count(), 1, "{}", ended.stderr);
}

/// Of those whom clients name nothing is told: there is no end to them.
#[test]
fn who_does_not_answer_is_told_of_once_and_noted_each_time() {
    let place = Place::new();
    place.write("site/index.html", "back");
    let gone = place.start(&["serve", "site", "-l", "127.0.0.1:0"], 1);
    let at = gone.listeners[0].clone();
    drop(gone);
    let proxy = place.start(&["proxy", "0", &at, "--sniff", "log.jsonl"], 1);
    for _ in 0..2 {
        let (head, body) = get(&mut proxy.connect(0), "/", "localhost");
        assert!(head.starts_with("HTTP/1.1 502 "), "{head}");
        assert!(!head.contains("proxy-status") && !body.contains("127.0.0.1"), "{head}{body}");
    }
    proxy.signal(Signal::TERM);
    let told = proxy.end().stderr;
    let line = format!("WARN an upstream gave no answer error={at} refused the connection");
    assert_eq!(told.matches(&line).count(), 1, "{told}");
    assert_eq!(told.matches("WARN").count(), 1, "{told}");
    let log = std::fs::read_to_string(place.path().join("log.jsonl")).unwrap();
    let noted = format!(",\"upstream\":\"{at}\",\"error\":\"connection_refused\",");
    assert_eq!(log.matches(&noted).count(), 2, "{log}");

    let proxy = place.start(&["proxy", "0", "--forward", "--private"], 1);
    let host = at.strip_prefix("http://").unwrap();
    let (head, body) = get(&mut proxy.connect(0), &format!("{at}/"), host);
    assert!(head.contains("error=connection_refused"), "{head}");
    assert!(body.contains(&format!("{host} refused the connection.")), "{body}");
    proxy.signal(Signal::TERM);
    let told = proxy.end().stderr;
    assert!(!told.contains("WARN"), "{told}");
}

#[test]
fn what_a_list_blocks_is_refused_and_the_server_is_not_asked() {
    let place = Place::new();
    place.write("site/index.html", "open");
    place.write("blocked.txt", "casino\n");
    let server = place.start(&["serve", "site", "-l", "127.0.0.1:0", "--access-log", "-"], 1);
    let text = |status: u16| {
        format!(
            "[proxy.front]\nlisten = \"127.0.0.1:0\"\nupstream = \"{}\"\n\
             block = {{ list = \"blocked.txt\", status = {status} }}\n",
            server.listeners[0]
        )
    };
    place.write("relais.toml", text(403));
    let proxy = place.start(&["up"], 1);
    let mut stream = proxy.connect(0);
    let (head, body) = get(&mut stream, "/c%61sino", "localhost");
    assert!(head.starts_with("HTTP/1.1 403 "), "{head}");
    assert!(body.contains("casino"), "{body}");
    assert_eq!(get(&mut stream, "/", "localhost").1, "open");
    assert!(server.line().contains("\"GET / HTTP/1.1\" 200 "));
    place.write("relais.toml", text(451));
    place.write("blocked.txt", "lottery\n");
    assert!(place.run(&["reload"]).status.success());
    assert!(get(&mut stream, "/lottery", "localhost").0.starts_with("HTTP/1.1 451 "));
    assert!(get(&mut stream, "/casino", "localhost").0.starts_with("HTTP/1.1 404 "));
    place.write("blocked.txt", "host:\n");
    let refused = place.run(&["reload"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.starts_with("error: blocked.txt:1: \"host:\": "), "{said}");
    assert!(get(&mut stream, "/lottery", "localhost").0.starts_with("HTTP/1.1 451 "));
}

#[test]
fn each_exchange_is_a_line_that_flows_finds_and_so_is_what_was_blocked() {
    let place = Place::new();
    place.write("site/index.html", "open");
    place.write("blocked.txt", "casino\n");
    let server = place.start(&["serve", "site", "-l", "127.0.0.1:0"], 1);
    let upstream = server.listeners[0].as_str();
    let arguments = ["proxy", "0", upstream, "--sniff", "front.jsonl"];
    let block = ["--block", "blocked.txt", "--block-log", "blocked.jsonl"];
    let proxy = place.start(&[&arguments[..], &block].concat(), 1);
    let mut stream = proxy.connect(0);
    get(&mut stream, "/index.html", "a.localhost");
    get(&mut stream, "/casino", "a.localhost");
    proxy.signal(Signal::TERM);
    assert_eq!(proxy.end().code, Some(0));
    let found = |arguments: &[&str]| -> Vec<serde_json::Value> {
        let output = place.run(&[&["flows", "--json"], arguments].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let [line] = &found(&["index", "front.jsonl"])[..] else { panic!("one line") };
    assert_eq!(line["url"], "http://a.localhost/index.html");
    assert_eq!(line["upstream"], upstream);
    assert_eq!((&line["status"], &line["bytes"]), (&200.into(), &4.into()));
    for log in ["front.jsonl", "blocked.jsonl"] {
        let [line] = &found(&["--blocked", log])[..] else { panic!("one line in {log}") };
        assert_eq!(line["url"], "http://a.localhost/casino");
        assert_eq!((&line["blocked"], &line["status"]), (&"casino".into(), &403.into()));
        // The log of what was blocked tells of nothing that it did not measure.
        let is_measured = log == "front.jsonl";
        for key in ["protocol", "bytes", "total_us"] {
            assert_eq!(line.get(key).is_some(), is_measured, "{key} in {log}");
        }
    }
}

#[test]
fn the_logs_of_a_configuration_are_searched_by_who_names_none() {
    let place = Place::new();
    let text = "[proxy.front]\nlisten = \"127.0.0.1:0\"\nupstream = \"127.0.0.1:1\"\n\
                sniff.log = \"front.jsonl\"\n";
    place.write("relais.toml", text);
    let output = place.run(&["flows", "word"]);
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error: no log to search"));
    let proxy = place.start(&["up"], 1);
    get(&mut proxy.connect(0), "/word", "localhost");
    proxy.signal(Signal::TERM);
    assert_eq!(proxy.end().code, Some(0));
    let output = place.run(&["flows", "word", "--json"]);
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&line["url"], &line["status"]), (&"http://localhost/word".into(), &502.into()));
}

#[test]
fn logs_are_opened_anew_at_a_reload() {
    let place = Place::new();
    place.write("site/index.html", "open");
    let server = place.start(&["serve", "site", "-l", "127.0.0.1:0"], 1);
    let text = format!(
        "[proxy.front]\nlisten = \"127.0.0.1:0\"\nupstream = \"{}\"\n\
         sniff.log = \"front.jsonl\"\n",
        server.listeners[0]
    );
    place.write("relais.toml", text);
    let proxy = place.start(&["up"], 1);
    get(&mut proxy.connect(0), "/before", "localhost");
    let log = place.path().join("front.jsonl");
    until(|| std::fs::read_to_string(&log).unwrap().contains("/before"));
    std::fs::rename(&log, place.path().join("old.jsonl")).unwrap();
    assert!(place.run(&["reload"]).status.success());
    until(|| log.exists());
    get(&mut proxy.connect(0), "/after", "localhost");
    until(|| std::fs::read_to_string(&log).unwrap().contains("/after"));
}

#[test]
fn what_is_kept_is_not_asked_for_again_not_even_after_a_reload() {
    let place = Place::new();
    place.write("site/index.html", "kept");
    let server = place.start(&["serve", "site", "-l", "127.0.0.1:0", "--access-log", "-"], 1);
    let text = |ttl: &str| {
        format!(
            "[proxy.front]\nlisten = \"127.0.0.1:0\"\nupstream = \"{}\"\n\
             cache = {{ default_ttl = \"{ttl}\", ignore_origin = true }}\nsniff.log = \"front.jsonl\"\n",
            server.listeners[0]
        )
    };
    place.write("relais.toml", text("1m"));
    let proxy = place.start(&["up"], 1);
    let mut stream = proxy.connect(0);
    let mut status = |path: &str| {
        let (head, _) = get(&mut stream, path, "localhost");
        let field =
            head.lines().find(|line| line.to_ascii_lowercase().starts_with("cache-status:"));
        field.unwrap_or_else(|| panic!("{head}")).to_ascii_lowercase()
    };
    assert!(status("/").contains("fwd="));
    until(|| status("/").contains("; hit"));
    assert!(place.run(&["reload"]).status.success());
    assert!(status("/").contains("; hit"));
    place.write("relais.toml", text("2m"));
    assert!(place.run(&["reload"]).status.success());
    assert!(status("/").contains("fwd="), "another cache");
    proxy.signal(Signal::TERM);
    assert_eq!(proxy.end().code, Some(0));
    let found = place.run(&["flows", "--json", "--cache", "hit"]);
    assert!(!found.stdout.is_empty());
}

#[test]
fn a_forward_proxy_asks_whom_the_client_names_but_not_itself_and_no_neighbour() {
    let place = Place::new();
    place.write("site/index.html", "named");
    let server = place.start(&["serve", "site", "-l", "127.0.0.1:0"], 1);
    let (_, at) = server.listeners[0].split_once("://").unwrap();
    let ask = |proxy: &Running, line: &str| {
        let mut stream = proxy.connect(0);
        let host = line.split(' ').nth(1).unwrap().trim_start_matches("http://");
        write!(stream, "{line}\r\nHost: {}\r\n\r\n", host.trim_end_matches('/')).unwrap();
        let (head, body) = answer(&mut stream);
        (head[9..12].to_owned(), body)
    };
    let closed = place.start(&["proxy", "0", "--forward"], 1);
    assert_eq!(ask(&closed, &format!("GET http://{at}/ HTTP/1.1")).0, "403");
    let open = place.start(&["proxy", "0", "--forward", "--private"], 1);
    let (status, body) = ask(&open, &format!("GET http://{at}/ HTTP/1.1"));
    assert_eq!((status.as_str(), body.as_str()), ("200", "named"));
    let (_, itself) = open.listeners[0].split_once("://").unwrap();
    assert_eq!(ask(&open, &format!("GET http://{itself}/ HTTP/1.1")).0, "403");
    assert_eq!(ask(&open, &format!("CONNECT {at} HTTP/1.1")).0, "403");
    // By whatever name it listens there.
    let named = place.start(&["proxy", "localhost:0", "--forward", "--private"], 1);
    let itself = format!("127.0.0.1:{}", port(&named.listeners[0]));
    assert_eq!(ask(&named, &format!("GET http://{itself}/ HTTP/1.1")).0, "403");
}

#[test]
fn a_tunnel_leads_to_a_port_that_is_allowed() {
    let place = Place::new();
    place.write("site/index.html", "through");
    let server = place.start(&["serve", "site", "-l", "127.0.0.1:0"], 1);
    let (_, at) = server.listeners[0].split_once("://").unwrap();
    let arguments = ["proxy", "0", "--forward", "--private", "--connect-port", port(at)];
    let proxy = place.start(&arguments, 1);
    let mut stream = proxy.connect(0);
    write!(stream, "CONNECT {at} HTTP/1.1\r\nHost: {at}\r\n\r\n").unwrap();
    assert!(answer(&mut stream).0.starts_with("HTTP/1.1 200 "));
    assert_eq!(get(&mut stream, "/", "localhost").1, "through");
}
