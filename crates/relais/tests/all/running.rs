//! Running: who is let in, how it ends, and what is in the way.

use std::{
    fs,
    io::{Read, Write},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use rustix::process::Signal;

use crate::program::{Place, Running, answer, ask_for_big, get, until};

#[test]
fn serves_a_folder_and_ends_when_told() {
    let place = Place::new();
    place.write("site/index.html", "<h1>here</h1>");
    let running = place.start(&["serve", "site", "-l", "http://127.0.0.1:0"], 1);
    assert!(running.listeners[0].starts_with("http://127.0.0.1:"));
    let mut stream = running.connect(0);
    let (head, body) = get(&mut stream, "/", "localhost");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert_eq!(body, "<h1>here</h1>");
    running.signal(Signal::TERM);
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stderr, "");
}

#[test]
fn a_request_under_way_gets_its_answer_after_the_signal() {
    let place = Place::new();
    place.write("file.txt", "whole");
    let running = place.start(&["serve", "-l", "127.0.0.1:0"], 1);
    let mut stream = running.connect(0);
    // Half a head: the request is under way.
    stream.write_all(b"GET /file.txt HTTP/1.1\r\nHost: a.localhost\r\n").unwrap();
    // One whole request on another connection proves that the half is read by then, or soon.
    get(&mut running.connect(0), "/file.txt", "localhost");
    running.signal(Signal::INT);
    await_refusal(&running);
    stream.write_all(b"\r\n").unwrap();
    let (head, body) = answer(&mut stream);
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert_eq!(body, "whole");
    let mut rest = Vec::new();
    assert_eq!(stream.read_to_end(&mut rest).unwrap(), 0);
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn who_is_waited_for_at_the_end_is_told() {
    let place = Place::new();
    place.write(
        "relais.toml",
        "limits.grace = \"2s\"\n[serve.site]\nlisten = \"127.0.0.1:0\"\nroot = \"site\"\nlisting = true\n",
    );
    place.write_big("site/big");
    let running = place.start(&["up"], 1);
    let mut stream = running.connect(0);
    ask_for_big(&mut stream);
    running.signal(Signal::TERM);
    let ended = running.end();
    assert_eq!(ended.code, Some(1));
    let (first, rest) = ended.stderr.split_once('\n').unwrap();
    let said = "INFO 1 connection may take 2s to finish; a second signal ends at once";
    assert!(first.ends_with(said), "{first}");
    assert_eq!(rest, "error: callers were cut off: they took too long\n");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let place = Place::new();
    place.write_big("big");
    let running = place.start(&["serve", "-l", "127.0.0.1:0"], 1);
    let mut stream = running.connect(0);
    ask_for_big(&mut stream);
    running.signal(Signal::TERM);
    await_refusal(&running);
    stop_again(&running);
    let ended = running.end();
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.ends_with("error: callers were cut off: told to stop twice\n"));
}

#[test]
fn the_end_of_a_log_is_written_when_callers_are_cut_off() {
    let place = Place::new();
    place.write("file.txt", "whole");
    place.write_big("big");
    let log = place.path().join("log");
    let running = place.start(&["serve", "-l", "127.0.0.1:0", "--access-log", "log"], 1);
    let mut stream = running.connect(0);
    ask_for_big(&mut stream);
    // An answer may be read before it is noted; that it was noted is known once the next is read.
    let mut other = running.connect(0);
    for _ in 0..=100 {
        get(&mut other, "/file.txt", "localhost");
    }
    running.signal(Signal::TERM);
    await_refusal(&running);
    stop_again(&running);
    assert_eq!(running.end().code, Some(1));
    let lines = fs::read_to_string(log).unwrap();
    assert!(lines.matches("GET /file.txt HTTP/1.1\" 200 ").count() >= 100, "{lines}");
}

/// Sends a second signal, once it is not taken for the first any more, which takes 100 ms.
fn stop_again(running: &Running) {
    let first = Instant::now();
    until(|| first.elapsed() > Duration::from_millis(150));
    running.signal(Signal::TERM);
}

/// Waits until nobody is let in any more.
fn await_refusal(running: &Running) {
    let (_, at) = running.listeners[0].split_once("://").unwrap();
    until(|| std::net::TcpStream::connect(at).is_err());
}

#[test]
fn a_taken_port_is_told_with_who_has_it_and_nothing_is_bound() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let text = format!(
        "[serve.site]\nlisten = [\"unix://{}/s\", \"http://127.0.0.1:{port}\"]\nroot = \".\"\n",
        place.path().display()
    );
    place.write("relais.toml", text);
    let output = place.run(&["up"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let name = fs::read_to_string("/proc/self/comm").unwrap();
    let who = format!("{} (process {})", name.trim_end(), std::process::id());
    let first = format!("error: cannot listen on http://127.0.0.1:{port}: {who} does already\n");
    assert!(said.starts_with(&first), "{said}");
    assert!(said.contains(" --> relais.toml:2:"), "{said}");
    assert!(said.contains("= key: serve.site.listen[1]\nhint: end that,"), "{said}");
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    assert!(!place.path().join("s").exists());
}

#[test]
fn a_hub_that_cannot_listen_makes_no_store() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let output = place.run(&["hub", &at]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with(&format!("error: cannot listen on tcp://{at}: ")), "{said}");
    assert_eq!(output.status.code(), Some(1));
    let made = fs::read_dir(place.path()).unwrap().map(|file| file.unwrap().file_name());
    let is_of_store = |name: &std::ffi::OsString| name.to_string_lossy().starts_with("hub.db");
    assert_eq!(made.filter(is_of_store).count(), 0);
}

#[test]
fn a_file_in_the_place_of_a_socket_is_told_and_left_alone() {
    let place = Place::new();
    place.write("s", "precious");
    let at = format!("unix://{}/s", place.path().display());
    let output = place.run(&["serve", "-l", &at]);
    let said = String::from_utf8_lossy(&output.stderr);
    let expect = format!("error: cannot listen on {at}: a file that is no socket is there\n");
    assert!(said.starts_with(&expect), "{said}");
    assert!(said.contains("hint: remove it, or listen at another path"), "{said}");
    assert_eq!(fs::read_to_string(place.path().join("s")).unwrap(), "precious");
    let long = format!("unix:///{}", "x".repeat(107));
    let output = place.run(&["serve", "-l", &long]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("the path has 108 bytes"), "{said}");
    assert!(said.contains("at most 107"), "{said}");
}

#[test]
fn https_works_at_once_with_a_certificate_of_the_local_authority() {
    let place = Place::new();
    let running = place.start(&["serve", "-l", "https://localhost:0"], 1);
    let shown = place.run(&["cert", "show", &running.listeners[0], "--json"]);
    let said: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(said["handshake"]["verified"], true, "{said}");
    assert_eq!(said["handshake"]["protocol"], "h2");
    assert_eq!(said["chain"][0]["names"][0], "localhost");
    let key = place.path().join("data/authority/ca-key.pem");
    assert_eq!(fs::metadata(key).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn only_who_needs_a_data_folder_is_asked_for_one() {
    let place = Place::new();
    let nowhere = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env_clear();
        command
    };
    let running = Running::of(nowhere(&["serve", "-l", "127.0.0.1:0"]), 1);
    running.signal(Signal::TERM);
    assert_eq!(running.end().stderr.matches("data folder").count(), 0);
    let output = nowhere(&["serve", "-l", "https://127.0.0.1:0"]).output().unwrap();
    let said = "error: no data folder for the local authority of `https://`\n \
                --> command line: --data\n  = expected HOME, RELAIS_DATA or --data\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), said);
    place.write("relais.toml", "[serve.site]\nlisten = \"127.0.0.1:0\"\nroot = \".\"\n");
    assert_eq!(nowhere(&["check"]).output().unwrap().status.code(), Some(0));
    let running = Running::of(nowhere(&["up"]), 1);
    running.signal(Signal::TERM);
    let said = running.end().stderr;
    assert!(
        said.contains(
            "`relais reload`, `relais cache` and `relais hub` will not reach us: no data folder: expected"
        ),
        "{said}"
    );
}

#[test]
fn a_data_folder_that_cannot_be_written_is_told_as_such() {
    let place = Place::new();
    // No folder can be made in it, not even by root.
    place.write("data", "a file");
    let folder = place.path().join("data/authority");
    let output = place.run(&["serve", "-l", "https://127.0.0.1:0"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let at = format!("\n --> {}\nhint: `--data DIR` or `RELAIS_DATA` names", folder.display());
    assert!(said.starts_with("error: cannot keep an authority in "), "{said}");
    assert!(said.contains(&at), "{said}");
    let output = place.run(&["up"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.starts_with("error: cannot keep the demo's logs in "), "{said}");
    assert!(said.contains("\nhint: `--data DIR` or `RELAIS_DATA` names"), "{said}");
}

#[test]
fn the_demo_runs_without_a_file_and_evades_taken_ports() {
    let place = Place::new();
    // Taken by us, or by whoever has it already.
    let _taken = TcpListener::bind("127.0.0.1:8081");
    let running = place.start(&["up"], 7);
    let (head, body) = get(&mut running.connect(0), "/", "localhost");
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(body.contains("<html"), "{body}");
    let (head, _) = get(&mut running.connect(0), "/nowhere", "localhost");
    assert!(head.starts_with("HTTP/1.1 404 "), "{head}");
    // The proxy asks the site of this demo, wherever it is.
    let mut proxied = running.connect(2);
    let (head, same) = get(&mut proxied, "/", "localhost");
    assert!(head.to_ascii_lowercase().contains("\r\nvia: 1.1 relais-"), "{head}");
    assert_eq!(same, body);
    until(|| get(&mut proxied, "/", "localhost").0.to_ascii_lowercase().contains("; hit"));
    assert!(get(&mut proxied, "/casino", "localhost").0.starts_with("HTTP/1.1 403 "));
    running.signal(Signal::TERM);
    let ended = running.end();
    assert_eq!(ended.code, Some(0));
    assert!(ended.stderr.contains(" does already; took port "), "{}", ended.stderr);
    assert!(ended.stderr.contains("relais cert trust"), "{}", ended.stderr);
    assert!(ended.stderr.lines().filter(|line| !line.contains(" INFO ")).count() <= 18);
    let found = place.run(&["flows", "--json"]);
    let lines = String::from_utf8(found.stdout).unwrap();
    for part in ["\"cache\":\"miss\"", "\"cache\":\"hit\"", "\"blocked\":\"casino\""] {
        assert!(lines.contains(part), "{lines}");
    }
    assert!(!place.path().join("front.jsonl").exists(), "the folder is left alone");
}

#[test]
fn who_does_not_know_the_password_is_sent_away_and_both_are_logged() {
    let place = Place::new();
    place.write("site/file.txt", "secret");
    let mut hashing = place.command(&["password", "anna"]);
    let mut child = hashing.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"pass word\n").unwrap();
    place.write("users.txt", child.wait_with_output().unwrap().stdout);
    let flags = "serve site -l 127.0.0.1:0 --auth users.txt --realm ours --access-log -";
    let running = place.start(&flags.split(' ').collect::<Vec<_>>(), 1);
    let (head, _) = get(&mut running.connect(0), "/file.txt", "localhost");
    assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
    assert!(head.contains("realm=\"ours\""), "{head}");
    assert!(running.line().contains("\"GET /file.txt HTTP/1.1\" 401 "));
    let mut stream = running.connect(0);
    // `anna:pass word`, in Base64.
    let credentials = "Authorization: Basic YW5uYTpwYXNzIHdvcmQ=";
    write!(stream, "GET /file.txt HTTP/1.1\r\nHost: a.localhost\r\n{credentials}\r\n\r\n").unwrap();
    let (head, body) = answer(&mut stream);
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert_eq!(body, "secret");
    assert!(running.line().contains(" anna "));
}

#[test]
fn each_host_has_its_site() {
    let place = Place::new();
    place.write("a/index.html", "A");
    place.write("b/index.html", "B");
    place.write(
        "relais.toml",
        "[limits]\ngrace = \"1s\"\n\
         [serve.a]\nlisten = \"unix://HERE/s\"\nroot = \"a\"\nhosts = [\"a.test\"]\n\
         [serve.b]\nlisten = \"unix://HERE/s\"\nroot = \"b\"\n"
            .replace("HERE", &place.path().display().to_string()),
    );
    let running = place.start(&["up"], 1);
    assert!(running.line().ends_with("/s  serve b  (b)"));
    for (host, body) in [("a.test", "A"), ("other.test", "B")] {
        let mut stream = std::os::unix::net::UnixStream::connect(place.path().join("s")).unwrap();
        write!(stream, "GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.ends_with(&format!("\r\n\r\n{body}")), "{answer}");
    }
}

#[test]
fn a_socket_of_the_service_manager_is_taken_over() {
    let place = Place::new();
    place.write("index.html", "activated");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    // A shell puts the socket where systemd would, and the number of the process that follows.
    let mut shell = Command::new("sh");
    let script = "exec 3<&0 0</dev/null; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"";
    shell.args(["-c", script, "sh", env!("CARGO_BIN_EXE_relais"), "serve", "-l"]);
    shell.arg(at.to_string()).current_dir(place.path());
    shell.env("RELAIS_DATA", place.path().join("data"));
    shell.stdin(std::os::fd::OwnedFd::from(listener));
    let running = Running::of(shell, 1);
    let (_, body) = get(&mut running.connect(0), "/", "localhost");
    assert_eq!(body, "activated");
}

#[test]
fn the_service_manager_is_told() {
    let place = Place::new();
    let path = place.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    let mut command = place.command(&["serve", "-l", "127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", &path);
    let running = Running::of(command, 1);
    let hear = || {
        let mut room = [0; 256];
        let len = socket.recv(&mut room).unwrap();
        String::from_utf8_lossy(&room[..len]).into_owned()
    };
    assert_eq!(hear(), "READY=1\n");
    running.signal(Signal::HUP);
    assert!(hear().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    assert_eq!(hear(), "READY=1\n");
    running.signal(Signal::TERM);
    assert_eq!(hear(), "STOPPING=1\n");
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn completions_and_manual_pages_are_made() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = place.run(&["completions", shell]);
        assert!(String::from_utf8(output.stdout).unwrap().contains("relais"), "{shell}");
    }
    assert!(place.run(&["man", "--dir", "man"]).status.success());
    let page = fs::read_to_string(place.path().join("man/relais-cert-trust.1")).unwrap();
    assert!(page.contains("Tell how to make this machine trust"));
}
