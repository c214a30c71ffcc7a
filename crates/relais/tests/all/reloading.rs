//! A changed file, applied while callers are inside.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::{
        fs::{PermissionsExt, symlink},
        net::{UnixListener, UnixStream},
    },
    process::Output,
    time::{Duration, Instant},
};

use rustix::process::{Resource, Rlimit, Signal, prlimit};

use crate::program::{self, BIG_BYTES, PATIENCE, Place, Running, ask_for_big, get, until};

fn config(listen: &str, root: &str) -> String {
    format!("[serve.site]\nlisten = [{listen}]\nroot = \"{root}\"\n")
}

fn place_of_two() -> Place {
    let place = Place::new();
    place.write("one/index.html", "one");
    place.write("two/index.html", "two");
    place
}

#[test]
fn the_next_request_of_an_open_connection_meets_the_new_site() {
    let place = place_of_two();
    place.write("relais.toml", config("\"127.0.0.1:0\"", "one"));
    let running = place.start(&["up"], 1);
    let mut stream = running.connect(0);
    assert_eq!(get(&mut stream, "/", "localhost").1, "one");
    place.write("relais.toml", config("\"127.0.0.1:0\"", "two"));
    let output = place.run(&["reload"]);
    check(&output, 0, "reloaded: 1 listener kept, 0 opened, 0 closed\n", "");
    assert_eq!(get(&mut stream, "/", "localhost").1, "two");
    assert_eq!(get(&mut running.connect(0), "/", "localhost").1, "two");
}

#[test]
fn listeners_come_and_go_and_callers_inside_stay() {
    let place = place_of_two();
    let socket = |name: &str| format!("\"unix://{}/{name}\"", place.path().display());
    let both = format!("\"127.0.0.1:0\", {}", socket("old"));
    place.write("relais.toml", config(&both, "one"));
    let running = place.start(&["up"], 2);
    let mut stream = running.connect(0);
    get(&mut stream, "/", "localhost");
    place.write("relais.toml", config(&socket("new"), "two"));
    check(&place.run(&["reload"]), 0, "reloaded: 0 listeners kept, 1 opened, 2 closed\n", "");
    assert!(place.path().join("new").exists());
    let (_, at) = running.listeners[0].split_once("://").unwrap();
    until(|| TcpStream::connect(at).is_err());
    until(|| !place.path().join("old").exists());
    running.signal(Signal::TERM);
    assert_eq!(running.end().code, Some(0));
    assert!(!place.path().join("new").exists());
}

/// A site at a listener that the next reload closes with `grace` 1ms, with a caller inside who is
/// being answered; and then a configuration with a `grace` that is long.
fn caller_of_a_closed_listener(place: &Place) -> (Running, TcpStream) {
    let socket = format!("\"unix://{}/stays\"", place.path().display());
    let both = format!("\"127.0.0.1:0\", {socket}");
    place.write_big("one/big");
    place.write("relais.toml", config(&both, "one"));
    let running = place.start(&["up"], 2);
    let mut stream = running.connect(0);
    ask_for_big(&mut stream);
    for grace in ["1ms", "30s"] {
        let text = format!("limits.grace = \"{grace}\"\n") + &config(&socket, "two");
        place.write("relais.toml", text);
        assert_eq!(place.run(&["reload"]).status.code(), Some(0));
    }
    let (_, at) = running.listeners[0].split_once("://").unwrap();
    until(|| TcpStream::connect(at).is_err());
    (running, stream)
}

#[test]
fn callers_of_a_closed_listener_may_take_longer_than_grace() {
    let place = place_of_two();
    let (running, mut stream) = caller_of_a_closed_listener(&place);
    assert_eq!(program::answer(&mut stream).1.len() as u64, BIG_BYTES);
    // Before the stop: nobody is cut off by it.
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    running.signal(Signal::TERM);
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn callers_of_a_closed_listener_are_waited_for_at_the_end() {
    let place = place_of_two();
    let (running, mut stream) = caller_of_a_closed_listener(&place);
    running.signal(Signal::TERM);
    until(|| UnixStream::connect(place.path().join("stays")).is_err());
    assert_eq!(program::answer(&mut stream).1.len() as u64, BIG_BYTES);
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn what_one_reload_takes_out_another_puts_back() {
    let site = config("\"127.0.0.1:0\"", "one");
    let hub = "[hub.main]\nlisten = \"tcp://127.0.0.1:0\"\nstore = \"hub.db\"\n";
    let proxy = "[proxy.cached]\nlisten = \"127.0.0.1:0\"\nupstream = \"http://127.0.0.1:9\"\n\
                 cache.disk = \"cache\"\n";
    for (removed, lock) in [(hub, "hub.db.lock"), (proxy, "cache/lock")] {
        let (place, with_all) = (place_of_two(), format!("{site}{removed}"));
        place.write("relais.toml", &with_all);
        let _running = place.start(&["up"], 2);
        for _ in 0..2 {
            place.write("relais.toml", &site);
            let said = "reloaded: 1 listener kept, 0 opened, 1 closed\n";
            check(&place.run(&["reload"]), 0, said, "");
            // Who has it lets go of it on a thread of its own.
            until(|| fs::File::open(place.path().join(lock)).unwrap().try_lock().is_ok());
            place.write("relais.toml", &with_all);
            let said = "reloaded: 1 listener kept, 1 opened, 0 closed\n";
            check(&place.run(&["reload"]), 0, said, "");
        }
    }
}

#[test]
fn a_hub_keeps_the_listener_of_its_page() {
    let place = place_of_two();
    let hub = "[hub.main]\nlisten = [\"tcp://127.0.0.1:0\", \"http://127.0.0.1:0\"]\n\
               store = \"hub.db\"\n";
    place.write("relais.toml", hub);
    let running = place.start(&["up"], 2);
    let nth = running.listeners.iter().position(|on| on.starts_with("http://")).unwrap();
    let mut stream = running.connect(nth);
    let page = get(&mut stream, "/", "localhost").1;
    for grace in ["1s", "2s"] {
        place.write("relais.toml", format!("limits.grace = \"{grace}\"\n{hub}"));
        let said = "reloaded: 2 listeners kept, 0 opened, 0 closed\n";
        check(&place.run(&["reload"]), 0, said, "");
        assert_eq!(get(&mut stream, "/", "localhost").1, page);
    }
}

#[test]
fn upstreams_that_a_reload_takes_out_are_asked_no_more() {
    let site = config("\"127.0.0.1:0\"", "one");
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    upstream.set_nonblocking(true).unwrap();
    let to = upstream.local_addr().unwrap();
    let proxy = format!("[proxy.a]\nlisten = \"127.0.0.1:0\"\nupstream = \"http://{to}\"\n");
    let relay = format!("[relay.a]\nlisten = \"127.0.0.1:0\"\nupstream = \"tcp://{to}\"\n");
    let asked_by_proxy = proxy + "health = { path = \"/\", every = \"1s\" }\n";
    let asked_by_relay = relay + "check_every = \"100ms\"\n";
    for (asking, silence) in [(asked_by_proxy, 4), (asked_by_relay, 1)] {
        let place = place_of_two();
        place.write("relais.toml", format!("{site}{asking}"));
        let _running = place.start(&["up"], 2);
        until(|| upstream.accept().is_ok());
        place.write("relais.toml", &site);
        let said = "reloaded: 1 listener kept, 0 opened, 1 closed\n";
        check(&place.run(&["reload"]), 0, said, "");
        let mut asked_at = Instant::now();
        until(|| {
            if upstream.accept().is_ok() {
                asked_at = Instant::now();
            }
            asked_at.elapsed() > Duration::from_secs(silence)
        });
    }
}

#[test]
fn a_file_that_does_not_check_is_refused_and_the_old_one_runs_on() {
    let place = place_of_two();
    place.write("relais.toml", config("\"127.0.0.1:0\"", "one"));
    let running = place.start(&["up"], 1);
    let mut stream = running.connect(0);
    place.write("relais.toml", config("\"127.0.0.1:0\"", "three"));
    let said = "error: no folder at \"three\"\n --> relais.toml:3:8\n  |\n\
                3 | root = \"three\"\n  |        ^^^^^^^\n  = key: serve.site.root\n\n\
                the old configuration runs on\n";
    check(&place.run(&["reload"]), 2, "", said);
    assert_eq!(get(&mut stream, "/", "localhost").1, "one");
    place.write("relais.toml", config("\"127.0.0.1:0\", \"192.0.2.1:1\"", "two"));
    let output = place.run(&["reload"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("cannot listen on http://192.0.2.1:1: no such address here"), "{said}");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(get(&mut stream, "/", "localhost").1, "one");
}

#[test]
fn a_file_that_is_gone_is_told_by_who_runs_it_as_the_old_one_runs_on() {
    let place = place_of_two();
    place.write("relais.toml", config("\"127.0.0.1:0\"", "one"));
    let running = place.start(&["up"], 1);
    let mut stream = running.connect(0);
    fs::remove_file(place.path().join("relais.toml")).unwrap();
    let output = place.run(&["reload"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.starts_with("error: cannot read the configuration \"relais.toml\""), "{said}");
    assert!(said.ends_with("\n\nthe old configuration runs on\n"), "{said}");
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(get(&mut stream, "/", "localhost").1, "one");
}

#[test]
fn who_runs_a_file_by_a_link_is_found_once_that_leads_elsewhere() {
    let place = place_of_two();
    let link = place.path().join("relais.toml");
    for (file, root) in [("first.toml", "one"), ("second.toml", "two")] {
        place.write(file, config("\"127.0.0.1:0\"", root));
    }
    symlink("first.toml", &link).unwrap();
    let running = place.start(&["up"], 1);
    let mut stream = running.connect(0);
    for (to, expect) in [("second.toml", "two"), ("first.toml", "one")] {
        fs::remove_file(&link).unwrap();
        symlink(to, &link).unwrap();
        let said = "reloaded: 1 listener kept, 0 opened, 0 closed\n";
        check(&place.run(&["reload"]), 0, said, "");
        assert_eq!(get(&mut stream, "/", "localhost").1, expect);
    }
    // Told by who runs it.
    fs::remove_file(&link).unwrap();
    symlink("none.toml", &link).unwrap();
    let output = place.run(&["reload"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.ends_with("\n\nthe old configuration runs on\n"), "{said}");
}

#[test]
fn a_link_that_leads_nowhere_runs_no_demo() {
    let place = Place::new();
    symlink("none.toml", place.path().join("relais.toml")).unwrap();
    let output = place.run(&["up"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.starts_with("error: cannot read the configuration \"relais.toml\""), "{said}");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_port_that_is_to_speak_another_scheme_takes_a_restart() {
    let place = place_of_two();
    let port = free_port();
    place.write("relais.toml", config(&format!("\"http://127.0.0.1:{port}\""), "one"));
    let running = place.start(&["up"], 1);
    place.write("relais.toml", config(&format!("\"https://127.0.0.1:{port}\""), "one"));
    let output = place.run(&["reload"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("its port is open as something else"), "{said}");
    assert!(said.contains("hint: this change takes a restart"), "{said}");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(get(&mut running.connect(0), "/", "localhost").1, "one");
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_hang_up_opens_a_moved_log_anew() {
    let place = place_of_two();
    let log = place.path().join("log");
    let flags = "serve one -l 127.0.0.1:0 --access-log log --log-format json";
    let running = place.start(&flags.split(' ').collect::<Vec<_>>(), 1);
    let lines = |path: &std::path::Path| fs::read_to_string(path).unwrap_or_default();
    get(&mut running.connect(0), "/?first", "localhost");
    until(|| lines(&log).contains("?first"));
    fs::rename(&log, place.path().join("log.1")).unwrap();
    running.signal(Signal::HUP);
    until(|| log.exists());
    get(&mut running.connect(0), "/?second", "localhost");
    running.signal(Signal::TERM);
    assert_eq!(running.end().code, Some(0));
    assert!(lines(&log).contains("?second"));
    assert!(!lines(&place.path().join("log.1")).contains("?second"));
}

#[test]
fn a_renewed_certificate_is_shown_to_the_next_caller() {
    let place = place_of_two();
    let renew = |name: &str| {
        assert!(place.run(&["cert", "issue", name, "localhost"]).status.success());
        fs::rename(place.path().join(format!("{name}.pem")), place.path().join("cert.pem"))
            .unwrap();
        fs::rename(place.path().join(format!("{name}-key.pem")), place.path().join("key.pem"))
            .unwrap();
    };
    let text = config("\"https://localhost:0\"", "one")
        + "tls = { cert = \"cert.pem\", key = \"key.pem\" }\n";
    place.write("relais.toml", text);
    renew("first.test");
    let running = place.start(&["up"], 1);
    let names = || {
        let shown = place.run(&["cert", "show", &running.listeners[0]]);
        String::from_utf8(shown.stdout).unwrap()
    };
    assert!(names().contains("first.test"));
    renew("second.test");
    assert!(names().contains("first.test"));
    assert_eq!(place.run(&["reload"]).status.code(), Some(0));
    assert!(names().contains("second.test"));
}

#[test]
fn changed_limits_hold_for_who_comes_then() {
    let place = place_of_two();
    let text = config("\"127.0.0.1:0\"", "one");
    place.write("relais.toml", &text);
    let running = place.start(&["up"], 1);
    let mut open = running.connect(0);
    get(&mut open, "/", "localhost");
    place.write("relais.toml", "limits.grace = \"1s\"\n".to_owned() + &text);
    let kept = "reloaded: 1 listener kept, 0 opened, 0 closed";
    check(&place.run(&["reload"]), 0, &format!("{kept}\n"), "");
    let limits = "limits.head_fields_max = 1\nlimits.connections_max = 2\n";
    place.write("relais.toml", limits.to_owned() + &text);
    let said = "the changed limits hold for new connections, and those that are open keep theirs";
    check(&place.run(&["reload"]), 0, &format!("{kept}; {said}\n"), "");
    let head = "GET / HTTP/1.1\r\nHost: a.localhost\r\nAccept: */*\r\n\r\n";
    let mut new = running.connect(0);
    for (stream, expect) in [(&mut open, "HTTP/1.1 200"), (&mut new, "HTTP/1.1 431")] {
        stream.write_all(head.as_bytes()).unwrap();
        let (head, _) = program::answer(stream);
        assert!(head.starts_with(expect), "{head}");
    }
    drop(new);
    let taken = let_in(&running);
    let (head, _) = program::answer(&mut running.connect(0));
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    drop((open, taken));
}

/// A connection that is among those of `running`, which may not have noticed yet who left before.
fn let_in(running: &Running) -> TcpStream {
    let mut taken = None;
    until(|| {
        let mut stream = running.connect(0);
        // Whoever is one too many is told at once, and may be cut off while asking.
        let mut told = [0; 12];
        let asked = stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let heard = asked.and_then(|()| stream.read_exact(&mut told));
        let is_in = heard.is_ok() && told == *b"HTTP/1.1 200";
        taken = is_in.then_some(stream);
        is_in
    });
    taken.unwrap()
}

#[test]
fn when_nobody_listens_that_is_said() {
    let place = place_of_two();
    place.write("relais.toml", config("\"127.0.0.1:0\"", "one"));
    let output = place.run(&["reload"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.starts_with("error: no relais runs \"relais.toml\": nobody listens on "),
        "{said}"
    );
    assert!(
        said.contains("\nhint: `relais serve` and `relais proxy` run no file; `kill -HUP PID` "),
        "{said}"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_control_socket_is_its_owners_and_goes_with_the_program() {
    let place = place_of_two();
    place.write("relais.toml", config("\"127.0.0.1:0\"", "one"));
    let running = place.start(&["up"], 1);
    let folder = place.path().join("data/run");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let socket = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    assert_eq!((mode(&folder), mode(&socket)), (0o700, 0o600));
    running.signal(Signal::TERM);
    running.end();
    assert!(!socket.exists());
}

#[track_caller]
fn check(output: &Output, code: i32, stdout: &str, stderr: &str) {
    assert_eq!(String::from_utf8_lossy(&output.stderr), stderr);
    assert_eq!(String::from_utf8_lossy(&output.stdout), stdout);
    assert_eq!(output.status.code(), Some(code));
}

/// Calls the control socket of the one relais that runs in `place`.
fn call(place: &Place) -> UnixStream {
    let mut sockets = fs::read_dir(place.path().join("data/run")).unwrap();
    let stream = UnixStream::connect(sockets.next().unwrap().unwrap().path()).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The line that answers. What is left unread of a request that is too long ends in an error.
fn answer(stream: &UnixStream) -> String {
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer
}

const RELOADED: &str = "{\"done\":{\"text\":\"1 listener kept, 0 opened, 0 closed\"}}\n";

#[test]
fn what_the_control_socket_does_not_understand_is_refused_in_words() {
    let place = place_of_two();
    place.write("relais.toml", config("\"127.0.0.1:0\"", "one"));
    let _running = place.start(&["up"], 1);
    let long = vec![b'x'; 70_000];
    let cases: [(&[u8], &str); 6] = [
        (b"{\"do\":\"reload\",\"now\":true}\n", "unknown field `now`"),
        (b"{\"do\":\"stop\"}\n", "unknown variant `stop`"),
        (b"GET / HTTP/1.1\r\n", "expected value at line 1 column 1"),
        (b"\xff\xfe\n", "expected value at line 1 column 1"),
        (&long, "expected a whole line of at most 65536 bytes"),
        (b"{\"do\":", "no whole line came in 2s"),
    ];
    for (request, expect) in cases {
        let mut stream = call(&place);
        stream.write_all(request).unwrap();
        let answer = answer(&stream);
        assert!(answer.starts_with("{\"refused\":{\"text\":\"error: "), "{answer:?}");
        assert!(answer.contains(expect) && answer.ends_with("\"exit\":2}}\n"), "{answer:?}");
    }
    assert_eq!(place.run(&["reload"]).status.code(), Some(0));
}

#[test]
fn an_answer_without_end_is_not_read_to_its_end() {
    let place = place_of_two();
    place.write("relais.toml", config("\"127.0.0.1:0\"", "one"));
    let running = place.start(&["up"], 1);
    let mut sockets = fs::read_dir(place.path().join("data/run")).unwrap();
    let path = sockets.next().unwrap().unwrap().path();
    running.signal(Signal::TERM);
    running.end();
    let listener = UnixListener::bind(path).unwrap();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // Until whoever asks hangs up.
        while stream.write_all(&[b' '; 4096]).is_ok() {}
    });
    let output = place.run(&["reload"]);
    let said = "error: the relais that runs says more than 1048576 bytes\n";
    check(&output, 1, "", said);
    answering.join().unwrap();
}

#[test]
fn callers_who_say_nothing_hold_up_nobody() {
    let place = place_of_two();
    place.write("relais.toml", config("\"127.0.0.1:0\"", "one"));
    let _running = place.start(&["up"], 1);
    // More than there are places.
    let _silent: Vec<_> = (0..40).map(|_| call(&place)).collect();
    let mut stream = call(&place);
    // Longer than it has patience with them, shorter than with nobody.
    stream.set_read_timeout(Some(Duration::from_secs(15))).unwrap();
    stream.write_all(b"{\"do\":\"reload\"}\n").unwrap();
    assert_eq!(answer(&stream), RELOADED);
}

#[test]
fn the_control_socket_answers_soon_after_descriptors_ran_out() {
    let place = place_of_two();
    place.write("relais.toml", config("\"127.0.0.1:0\"", "one"));
    let running = place.start(&["up"], 1);
    let limit = |current| {
        let limit = Rlimit { current: Some(current), maximum: Some(1024) };
        prlimit(Some(running.pid()), Resource::Nofile, limit).unwrap()
    };
    limit(1);
    let mut stream = call(&place);
    stream.write_all(b"{\"do\":\"reload\"}\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    stream.read(&mut [0]).expect_err("nobody can be accepted");
    limit(1024);
    stream.set_read_timeout(Some(Duration::from_secs(4))).unwrap();
    assert_eq!(answer(&stream), RELOADED);
}

#[test]
fn too_few_descriptors_are_told_at_the_start() {
    let place = place_of_two();
    let text = "limits.connections_max = 100\n".to_owned() + &config("\"127.0.0.1:0\"", "one");
    place.write("relais.toml", text);
    let up = format!("ulimit -n 200; exec {} up", env!("CARGO_BIN_EXE_relais"));
    let mut command = std::process::Command::new("/bin/sh");
    command.current_dir(place.path()).args(["-c", &up]).env_clear();
    command.env("RELAIS_DATA", place.path().join("data")).env("HOME", place.path());
    let running = Running::of(command, 1);
    running.signal(Signal::TERM);
    let said = running.end().stderr;
    let expect = "`connections_max` is 100, and 200 descriptors are enough for 54";
    assert!(said.contains(expect), "{said}");
}
