//! What a configuration means, and that a command line means the same.

use clap::Parser as _;

use super::*;
use crate::{
    base::Base,
    config::{Config, Said},
    flags::{Cli, Command},
    service,
    site::Table,
};

#[test]
fn flags_and_file_make_the_same_plan() {
    let file = r#"
        [serve.files]
        listen = ["http://127.0.0.1:8080", "https://:8443"]
        root = "site"
        hosts = ["a.example", "*.b.example"]
        index = "start.html"
        listing = true
        fallback = "app.html"
        error_pages = { 404 = "404.html", 500 = "500.html" }
        cache_control = [{ match = "*.css", value = "max-age=60" }]
        dotfiles = true
        compress = false
        access_log = { file = "log.txt", format = "json" }
        auth = { file = "users.txt", realm = "ours" }
        tls = { cert = "a.pem", key = "a.key", client_ca = "ca.pem" }
    "#;
    let flags = "serve site -l 8080 -l https://:8443 --host a.example --host *.b.example \
                 --index start.html --list --fallback app.html --error-page 404=404.html \
                 --error-page 500=500.html --cache-control *.css=max-age=60 --dotfiles \
                 --no-compress --access-log log.txt --log-format json --auth users.txt \
                 --realm ours --cert a.pem --key a.key --client-ca ca.pem";
    assert_eq!(from_flags(flags), from_file(file));
}

#[test]
fn the_shortest_flags_and_the_shortest_file_make_the_same_plan() {
    let file = "[serve.files]\nlisten = '8080'\nroot = '.'";
    assert_eq!(from_flags("serve"), from_file(file));
}

#[test]
fn flags_and_file_make_the_same_plan_of_a_proxy() {
    let file = r#"
        [proxy.front]
        listen = ["http://127.0.0.1:9000", "https://:9443"]
        upstream = ["https://10.0.0.1", "unix:///run/app.sock"]
        routes = [{ path = "/api", upstream = "http://127.0.0.1:8082" }]
        upstream_host = "app.example"
        upstream_http = "2"
        upstream_tls = { ca = "up.pem", cert = "us.pem", key = "us.key" }
        balance = "source"
        health = { path = "/healthz", every = "9s" }
        trust = ["10.0.0.0/8", "::1"]
        cache = { default_ttl = "1s", memory = "1MiB", object_max = 5, grace = "7s", negative_ttl = "8s", wait_max = "9s", waiting_max = 10, abandoned = "finish" }
        sniff = { log = "front.jsonl", size_max = "1MiB", keep = 1 }
        block = { list = "list.txt", log = "blocked.jsonl", status = 451, by = "http://a.example/" }
        request = { set = { x-a = "1", x-b = "=" }, add = { x-c = "3" }, remove = "x-d" }
        response = { set = { x-e = "5" }, add = { x-f = "6" }, remove = ["x-g", "x-h"] }
        name = "front-1"
        hosts = ["a.example", "*.b.example"]
        access_log = { file = "log.txt", format = "json" }
        auth = { file = "users.txt", realm = "ours" }
        tls = { cert = "a.pem", key = "a.key", client_ca = "ca.pem" }

        [proxy.front.limits]
        connect_max = "1s"
        handshake_max = "6s"
        head_max = "2s"
        stall_max = "3s"
        total_max = "14s"
        idle_max = "4s"
        in_flight_max = 11
        queue_max = 12
        queue_wait_max = "13s"
    "#;
    let flags = "proxy 9000 https://10.0.0.1 unix:///run/app.sock --listen https://:9443 \
                 --route /api=8082 --upstream-host app.example --upstream-http 2 --ca up.pem \
                 --upstream-cert us.pem --upstream-key us.key --balance source \
                 --health /healthz --health-every 9s --trust 10.0.0.0/8 --trust ::1 \
                 --cache --cache-ttl 1s --cache-memory 1MiB --cache-object-max 5 \
                 --cache-grace 7s --cache-negative-ttl 8s --cache-wait-max 9s \
                 --cache-waiting-max 10 --cache-abandoned finish \
                 --sniff front.jsonl --sniff-size-max 1MiB --sniff-keep 1 \
                 --block list.txt --block-log blocked.jsonl --block-status 451 \
                 --block-by http://a.example/ --request-set x-a=1 --request-set x-b== \
                 --request-add x-c=3 --request-remove x-d --response-set x-e=5 \
                 --response-add x-f=6 --response-remove x-g --response-remove x-h \
                 --connect-max 1s --handshake-max 6s --head-max 2s --stall-max 3s \
                 --total-max 14s --idle-max 4s --in-flight-max 11 --queue-max 12 --queue-wait-max 13s --name front-1 --host a.example --host *.b.example \
                 --access-log log.txt --log-format json --auth users.txt --realm ours \
                 --cert a.pem --key a.key --client-ca ca.pem";
    assert_eq!(from_flags(flags), from_file(file));
}

#[test]
fn flags_and_file_make_the_same_plan_of_a_forward_proxy() {
    let file = r#"
        [proxy.front]
        listen = "3128"
        forward = { ports = [443, 8443], clients = "192.0.2.0/24", private = true }
    "#;
    let flags = "proxy 3128 --forward --connect-port 443 --connect-port 8443 \
                 --client 192.0.2.0/24 --private";
    assert_eq!(from_flags(flags), from_file(file));
    let file = "[proxy.front]\nlisten = '3128'\nforward = true\ncache = true";
    assert_eq!(from_flags("proxy 3128 --forward --cache"), from_file(file));
}

#[test]
fn the_shortest_flags_and_the_shortest_file_make_the_same_plan_of_a_proxy() {
    let file = "[proxy.front]\nlisten = '9000'\nupstream = '8081'";
    assert_eq!(from_flags("proxy 9000 8081"), from_file(file));
}

#[track_caller]
fn from_file(text: &str) -> Plan {
    let said = Said::parse("/etc/relais.toml".into(), text.to_owned()).unwrap();
    Plan::new(&said.config).unwrap()
}

#[track_caller]
fn from_flags(line: &str) -> Plan {
    let words = std::iter::once("relais").chain(line.split_whitespace());
    let empty = Config::of(Base("/etc".into()));
    let config = match Cli::try_parse_from(words).unwrap().command {
        Command::Serve(flags) => {
            let (name, table) = flags.table();
            Config { sites: vec![(name, Table::Serve(Box::new(table)))], ..empty }
        }
        Command::Proxy(flags) => {
            let (name, table) = flags.table().unwrap();
            Config { sites: vec![(name, Table::Proxy(Box::new(table)))], ..empty }
        }
        Command::Listen(flags) => {
            let (name, table) = flags.table();
            Config { services: vec![(name, service::Table::Listen(Box::new(table)))], ..empty }
        }
        other => panic!("no command of one table: {other:?}"),
    };
    Plan::new(&config).unwrap()
}

#[test]
fn flags_and_file_make_the_same_plan_of_a_dialogue() {
    let file = r#"
        [listen.dialogue]
        on = ["6666", "udp://127.0.0.1:6666", "tls://:6667"]
        as = "echo"
        tls = { cert = "a.pem", key = "a.key", client_ca = "ca.pem" }
    "#;
    let flags = "listen 6666 udp://127.0.0.1:6666 tls://:6667 --as echo --cert a.pem --key a.key \
                 --client-ca ca.pem";
    assert_eq!(from_flags(flags), from_file(file));
}

#[test]
fn a_port_is_one_services_alone_and_udp_has_ports_of_its_own() {
    let table = |name: &str, on: &str| format!("[listen.{name}]\non = '{on}'\nas = 'echo'\n");
    let check = |one: &str, other: &str, expect: &str| {
        let said = Said::parse("t.toml".into(), table("a", one) + &table("b", other)).unwrap();
        let problems = Plan::new(&said.config).err().unwrap_or_default();
        let whats: Vec<_> = problems.into_iter().map(|problem| problem.wrong.what).collect();
        assert_eq!(whats.join("; "), expect, "{one} {other}");
    };
    check("tcp://127.0.0.1:1", "udp://127.0.0.1:1", "");
    check("tcp://127.0.0.1:1", "tcp://127.0.0.1:1", "the same endpoint twice");
    check("unix:///s", "unix:///s", "the same endpoint twice");
    let both = "tcp://127.0.0.1:1 and tls://127.0.0.1:1 both take port 1 of 127.0.0.1";
    check("tcp://127.0.0.1:1", "tls://127.0.0.1:1", both);
    check("tcp://127.0.0.1:0", "tcp://127.0.0.1:0", "");
    let http = "no dialogue over http: \"http://127.0.0.1:1\"";
    check("tcp://127.0.0.1:2", "http://127.0.0.1:1", http);
}

#[test]
fn tables_that_share_an_endpoint_are_its_virtual_hosts() {
    let plan = from_file(
        "[serve.a]\nlisten = ':80'\nroot = 'a'\nhosts = 'a.example'\n\
         [serve.rest]\nlisten = [':80', 'https://:443']\nroot = '/srv'\n\
         access_log = { file = '-' }\nauth = { file = 'users' }",
    );
    let expect = "\
http://:80
├─ serve a for a.example
│  └─ files: /etc/a
└─ serve rest for every other host
   └─ log: standard output, combined
      └─ auth: users of /etc/users, realm \"relais\"
         └─ files: /srv
https://:443
└─ tls: certificate of the local authority for localhost, 127.0.0.1, ::1
   └─ serve rest
      └─ log: standard output, combined
         └─ auth: users of /etc/users, realm \"relais\"
            └─ files: /srv";
    assert_eq!(plan.to_string(), expect);
    let json = plan.json();
    assert_eq!(json["listeners"][1]["serve"][0]["root"]["folder"], "/srv");
    assert_eq!(json["limits"]["grace"], "10s");
}

#[test]
fn files_and_what_is_passed_on_share_an_endpoint_by_host() {
    let plan = from_file(
        "[proxy.app]\nlisten = ':80'\nupstream = ['8081', 'https://b.example']\n\
         hosts = 'app.example'\naccess_log = { file = '-' }\n\
         [serve.rest]\nlisten = ':80'\nroot = '/srv'",
    );
    let expect = "\
http://:80
├─ proxy app for app.example
│  └─ log: standard output, combined
│     └─ upstream: http://127.0.0.1:8081 or https://b.example:443, the less busy
└─ serve rest for every other host
   └─ files: /srv";
    assert_eq!(plan.to_string(), expect);
    let json = plan.json();
    let door = &json["listeners"][0];
    assert_eq!(door["serve"][0]["name"], "rest");
    assert_eq!(door["proxy"][0]["name"], "app");
    assert_eq!(door["proxy"][0]["hosts"][0], "app.example");
    assert_eq!(door["proxy"][0]["upstream"][1]["endpoint"], "https://b.example:443");
    assert_eq!(door["proxy"][0]["upstream"][1]["host"], "b.example");
    assert_eq!(door["proxy"][0]["limits"]["connect_max"], "5s");
}

#[test]
fn each_step_of_a_request_is_shown_in_its_order() {
    let plan = from_file(
        "[proxy.front]\nlisten = '9000'\nupstream = ['8081', 'https://b.example']\n\
         routes = [{ path = '/api/', upstream = ['unix:///s'], strip = true }]\n\
         health.path = '/healthz'\nbalance = 'round'\nupstream_tls.insecure = true\n\
         access_log.file = '-'\ncache = {}\nsniff.log = 'front.jsonl'\n\
         block = { list = 'list.txt', log = '/var/blocked.jsonl' }\n\
         upstream_http = '2'\nrequest.set.x-a = '1'\nresponse = { add = { x-b = '2' }, remove = 'server' }\n\
         [proxy.forward]\nlisten = '3128'\nforward = true\n",
    );
    let expect = "\
http://127.0.0.1:9000
└─ proxy front
   └─ log: standard output, combined
      └─ sniff: /etc/front.jsonl
         └─ block: /etc/list.txt, answered with 403, log /var/blocked.jsonl
            └─ cache: 256MiB of memory, answers of 8MiB at most, 1m if they do not say
               └─ request: sets x-a
                  └─ response: removes server, adds x-b
                     ├─ for /api/, taken off: unix:///s
                     └─ upstream: http://127.0.0.1:8081 or https://b.example:443, in turn, \
                        over HTTP/2, /healthz asked for every 5s, INSECURE: whoever answers is believed
http://127.0.0.1:3128
└─ proxy forward
   └─ forward: whom the client names; tunnels to port 443; for this machine and private addresses";
    assert_eq!(plan.to_string(), expect);
    let json = plan.json();
    let proxy = &json["listeners"][0]["proxy"][0];
    assert_eq!(proxy["routes"][0]["path"], "/api/");
    assert_eq!(proxy["block"]["log"]["log"], "/var/blocked.jsonl");
    assert_eq!(proxy["response"]["add"]["x-b"], "2");
    assert_eq!(proxy["upstream_tls"]["believed"], "insecure");
    assert_eq!(proxy["cache"]["memory"], "256MiB");
    let forward = &json["listeners"][1]["proxy"][0]["forward"];
    assert_eq!(forward["ports"][0], 443);
    assert_eq!(forward["clients"][0], "127.0.0.0/8");
}

#[test]
fn certificates_of_one_endpoint_are_a_choice_and_no_chain() {
    let site = |name: &str| {
        format!(
            "[serve.{name}]\nlisten = 'https://:443'\nroot = '/{name}'\nhosts = '{name}.example'\n\
             tls = {{ cert = '/{name}.pem', key = '/{name}.key', client_ca = '/ca.pem' }}\n"
        )
    };
    let plan = from_file(&(site("a") + &site("b")));
    let expect = "\
https://:443
└─ tls: certificate /a.pem, key /a.key or certificate /b.pem, key /b.key; callers need one signed by /ca.pem
   ├─ serve a for a.example
   │  └─ files: /a
   └─ serve b for b.example
      └─ files: /b";
    assert_eq!(plan.to_string(), expect);
}

#[test]
fn the_kernel_may_choose_a_port_twice() {
    let plan = from_file("[serve.a]\nlisten = ['127.0.0.1:0', '127.0.0.1:0']\nroot = 'a'");
    assert_eq!(plan.listeners.len(), 2);
}
