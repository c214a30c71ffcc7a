//! What a configuration means, and that a command line means the same.

use clap::Parser as _;

use super::*;
use crate::{
    base::Base,
    config::{Config, Said},
    flags::{Cli, Command},
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

#[track_caller]
fn from_file(text: &str) -> Plan {
    let said = Said::parse("/etc/relais.toml".into(), text.to_owned()).unwrap();
    Plan::new(&said.config).unwrap()
}

#[track_caller]
fn from_flags(line: &str) -> Plan {
    let words = std::iter::once("relais").chain(line.split_whitespace());
    let Command::Serve(flags) = Cli::try_parse_from(words).unwrap().command else {
        panic!("`serve` is asked for");
    };
    Plan::new(&Config::of_serve(Base("/etc".into()), flags.table())).unwrap()
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
