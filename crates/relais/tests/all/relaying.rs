//! A relay that is changed while connections are open.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read as _, Write as _},
    net::{TcpListener, UdpSocket},
    time::Duration,
};

use rustix::process::{Resource, Rlimit, Signal, prlimit};

use crate::program::{Place, Running, get};

#[test]
fn a_connection_that_outlives_a_reload_has_its_line() {
    let place = Place::new();
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let to = upstream.local_addr().unwrap();
    let relay = |rest: &str| {
        let text = format!("listen = \"127.0.0.1:0\"\nupstream = \"{to}\"\nlog = \"log\"\n{rest}");
        place.write("relais.toml", format!("[relay.front]\n{text}"));
    };
    relay("");
    let running = place.start(&["up"], 1);
    let pass = |text: &[u8]| {
        let (mut client, mut server) = (running.connect(0), upstream.accept().unwrap().0);
        client.write_all(text).unwrap();
        server.read_exact(&mut vec![0; text.len()]).unwrap();
        (client, server)
    };
    let old = pass(b"old");
    relay("limits = { total_max = \"1h\" }\n");
    assert_eq!(place.run(&["reload"]).status.code(), Some(0));
    drop(pass(b"newer"));
    drop(old);
    running.signal(Signal::TERM);
    assert_eq!(running.end().code, Some(0));
    let log = fs::read_to_string(place.path().join("log")).unwrap();
    assert_eq!(log.lines().count(), 2, "{log}");
    assert!(log.contains("\"to_server\":3,") && log.contains("\"to_server\":5,"), "{log}");
}

#[test]
fn renewed_authorities_of_upstreams_are_read_by_a_reload() {
    let (place, strangers) = (Place::new(), Place::new());
    for place in [&place, &strangers] {
        assert!(place.run(&["cert", "issue", "localhost"]).status.success());
    }
    place.write("site/index.html", "one");
    let served = "serve site -l https://localhost:0 --cert localhost.pem --key localhost-key.pem";
    let site: Running = place.start(&served.split(' ').collect::<Vec<_>>(), 1);
    let to = site.listeners[0].replace("https://", "tls://");
    let trust = |from: &Place| {
        fs::copy(from.path().join("data/authority/ca.pem"), place.path().join("ca.pem")).unwrap();
    };
    trust(&strangers);
    let text = format!("upstream = \"{to}\"\nupstream_tls = {{ ca = \"ca.pem\" }}\n");
    place.write("relais.toml", format!("[relay.front]\nlisten = \"127.0.0.1:0\"\n{text}"));
    let running = place.start(&["up"], 1);
    assert_eq!(running.connect(0).read(&mut [0]).unwrap_or(0), 0);
    trust(&place);
    assert_eq!(place.run(&["reload"]).status.code(), Some(0));
    assert_eq!(get(&mut running.connect(0), "/", "localhost").1, "one");
}

/// Has at most so many more descriptors for what runs.
fn leave_descriptors(running: &Running, free: usize) {
    let folder = format!("/proc/{}/fd", running.pid().as_raw_nonzero());
    let open: BTreeSet<u64> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap())
        .collect();
    let next = (0..).filter(|number| !open.contains(number)).nth(free).unwrap();
    let limit = Rlimit { current: Some(next), maximum: Some(1024) };
    prlimit(Some(running.pid()), Resource::Nofile, limit).unwrap();
}

#[test]
fn who_cannot_be_followed_goes_on_answering_datagrams() {
    let place = Place::new();
    let upstream = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = upstream.local_addr().unwrap();
    let relay = |rest: &str| {
        let listen = "listen = [\"udp://127.0.0.1:0\", \"udp://127.0.0.1:0\"]";
        let text = format!("[relay.front]\n{listen}\nupstream = \"udp://{to}\"\n{rest}");
        place.write("relais.toml", text);
    };
    relay("");
    let running = place.start(&["up"], 2);
    relay("limits = { idle_max = \"1h\" }\n");
    // For who asks, and for one of both.
    leave_descriptors(&running, 2);
    let refused = place.run(&["reload"]);
    assert_eq!(refused.status.code(), Some(1));
    let why = String::from_utf8(refused.stderr).unwrap();
    assert!(why.contains("cannot wait for datagrams at udp://127.0.0.1"), "{why}");
    leave_descriptors(&running, 100);
    for listener in &running.listeners {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.send_to(b"hi", listener.strip_prefix("udp://").unwrap()).unwrap();
        upstream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        assert_eq!(upstream.recv(&mut [0; 9]).unwrap(), 2);
    }
    assert_eq!(place.run(&["reload"]).status.code(), Some(0));
}
