//! What is said about files that are there and no good, and about command lines.

use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt, process::Output};

use rustix::fs::{CWD, Mode, mkfifoat};

use crate::program::Place;

#[test]
fn a_configuration_that_is_not_there() {
    let place = Place::new();
    let said = "error: cannot read the configuration \"relais.toml\": no such file or directory\n \
                --> relais.toml\n";
    check(&place.run(&["reload"]), 2, said);
    let start = "  [serve.site]\n  listen = \"http://127.0.0.1:8080\"\n  root = \"site\"\n";
    let hint = "hint: these lines are a start; `relais up` without any file runs the demo\n";
    let said = format!("{said}{hint}{start}");
    check(&place.run(&["check"]), 2, &said);
    check(&place.run(&["up", "relais.toml"]), 2, &said);
    place.write("relais.toml", start);
    place.write("site/index.html", "");
    check(&place.run(&["check"]), 0, "");
}

#[test]
fn an_authority_of_callers_that_is_not_there_is_told_with_what_makes_one() {
    let place = Place::new();
    place.write("site/index.html", "");
    let tls = "tls.client_ca = \"members.pem\"\n";
    place.write(
        "relais.toml",
        format!("[serve.a]\nlisten = \"https://127.0.0.1:0\"\nroot = \"site\"\n{tls}"),
    );
    let output = place.run(&["check"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("members.pem\": no such file or directory"), "{said}");
    assert!(
        said.contains(
            "hint: it is the certificate of who signs those of callers: `openssl req -x509`"
        ),
        "{said}"
    );
    place.write("members.pem", "no certificate");
    let output = place.run(&["check"]);
    assert!(
        !String::from_utf8_lossy(&output.stderr).contains("hint: it is the certificate of who")
    );
}

#[test]
fn a_configuration_that_is_a_folder() {
    let place = Place::new();
    place.write("relais.toml/file", "");
    let said = "error: \"relais.toml\" is a folder\n --> relais.toml\n  \
                = expected a configuration file\n";
    check(&place.run(&["check"]), 2, said);
}

#[test]
fn a_configuration_that_is_too_long() {
    let place = Place::new();
    let text = "[serve.site]\nlisten = \"8080\"\nroot = \".\"\n# ".to_owned();
    let most = text.clone() + &"x".repeat(1024 * 1024 - text.len());
    place.write("relais.toml", &most);
    assert_eq!(place.run(&["check"]).status.code(), Some(0));
    place.write("relais.toml", most + "x");
    let said = "error: \"relais.toml\" is too long\n --> relais.toml\n  \
                = expected a configuration of 1MiB at most\n";
    check(&place.run(&["check"]), 2, said);
}

#[test]
fn a_configuration_or_a_file_it_names_that_is_no_regular_file_is_not_waited_for() {
    let place = Place::new();
    mkfifoat(CWD, place.path().join("pipe"), Mode::RUSR).unwrap();
    for (path, found) in [("pipe", "a pipe"), ("/dev/zero", "a device")] {
        let said = format!(
            "error: cannot read the configuration \"{path}\": it is {found}\n --> {path}\n  \
             = expected a regular file\n"
        );
        check(&place.run(&["check", path]), 2, &said);
        let users =
            format!("[serve.site]\nlisten = \"8080\"\nroot = \".\"\nauth.file = \"{path}\"\n");
        place.write("relais.toml", users);
        let output = place.run(&["check"]);
        let said = String::from_utf8_lossy(&output.stderr);
        let expect = format!("error: cannot read the auth file \"{path}\": it is {found}\n");
        assert!(said.starts_with(&expect), "{said}");
        assert!(said.contains("^ expected a regular file\n"), "{said}");
    }
}

#[test]
fn an_auth_file_that_is_too_large() {
    let place = Place::new();
    place.write(
        "relais.toml",
        "[serve.site]\nlisten = \"8080\"\nroot = \".\"\nauth.file = \"users.txt\"\n",
    );
    let most = "#".repeat(16 << 20);
    place.write("users.txt", &most);
    assert_eq!(place.run(&["check"]).status.code(), Some(0));
    place.write("users.txt", most + "#");
    let output = place.run(&["check"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.starts_with("error: the auth file \"users.txt\" is too large\n"), "{said}");
    assert!(said.contains("^ expected 16MiB or less\n"), "{said}");
}

#[test]
fn a_configuration_that_is_not_text() {
    let place = Place::new();
    place.write("relais.toml", b"# one\n# two \xff\n");
    let said = "error: \"relais.toml\" is not text: bad byte in line 2\n --> relais.toml\n  \
                = expected UTF-8\n";
    check(&place.run(&["check"]), 2, said);
}

#[test]
fn a_key_of_another_certificate() {
    let place = Place::new();
    for name in ["a.test", "b.test"] {
        assert!(place.run(&["cert", "issue", name]).status.success());
    }
    let text = "[serve.site]\nlisten = \"https://127.0.0.1:0\"\nroot = \".\"\n\
                tls = { cert = \"a.test.pem\", key = \"b.test-key.pem\" }\n";
    place.write("relais.toml", text);
    let said = "\
error: cannot use \"a.test.pem\" with \"b.test-key.pem\": the private key does not belong to the first \
            certificate of the chain
 --> relais.toml:4:36
  |
4 | tls = { cert = \"a.test.pem\", key = \"b.test-key.pem\" }
  |                                    ^^^^^^^^^^^^^^^^
  = key: serve.site.tls.key
";
    check(&place.run(&["check"]), 2, said);
}

#[test]
fn each_site_is_warned_of_once_however_many_listeners_it_has() {
    let place = Place::new();
    let mut text = String::new();
    for name in ["a.test", "b.test"] {
        assert!(place.run(&["cert", "issue", name]).status.success());
        let key = place.path().join(format!("{name}-key.pem"));
        fs::set_permissions(key, fs::Permissions::from_mode(0o644)).unwrap();
        text +=
            &"[serve.\"NAME\"]\nlisten = [\"https://127.0.0.1:8443\", \"https://[::1]:8443\"]\n\
                  root = \".\"\nhosts = \"NAME\"\n\
                  tls = { cert = \"NAME.pem\", key = \"NAME-key.pem\" }\n"
                .replace("NAME", name);
    }
    place.write("relais.toml", &text);
    let output = place.run(&["check"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said.matches("is open to others").count(), 2, "{said}");
    place.write("relais.toml", text.replace("-key.pem", "-no-key.pem"));
    let output = place.run(&["check"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said.matches("error: ").count(), 2, "{said}");
}

#[test]
fn a_rule_of_a_cache_that_is_none() {
    let place = Place::new();
    let text = "[proxy.front]\nlisten = \"127.0.0.1:0\"\nupstream = \"8081\"\ncache.rules = [\n    \
                { path = \"/a\", bypass = true },\n    { path = \"/a/b\", ttl = \"1d\" },\n]\n";
    place.write("relais.toml", text);
    let said = "\
error: \"/a/b\" is never asked for: \"/a\" before it takes all
 --> relais.toml:6:14
  |
6 |     { path = \"/a/b\", ttl = \"1d\" },
  |              ^^^^^^ expected the longer path first
  = key: proxy.front.cache.rules[1].path
";
    check(&place.run(&["check"]), 2, said);
    place.write("relais.toml", text.replace("/a/b", "/b"));
    check(&place.run(&["check"]), 0, "");
    place.write("relais.toml", text.replace("/a/b", "/b").replace("bypass = true", "bypass = 1"));
    let told = String::from_utf8(place.run(&["check"]).stderr).unwrap();
    assert!(told.contains(" --> relais.toml:5:"), "{told}");
    assert!(told.contains("proxy.front.cache.rules"), "{told}");
}

#[test]
fn an_auth_file_with_a_password_in_clear() {
    let place = Place::new();
    place.write("users.txt", "# who may enter\nanna:secret\n");
    let text = "[serve.site]\nlisten = \"8080\"\nroot = \".\"\nauth.file = \"users.txt\"\n";
    place.write("relais.toml", text);
    let output = place.run(&["check"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.starts_with("error: bad auth file \"users.txt\", line 2: "), "{said}");
    assert!(said.contains(" --> relais.toml:4:13\n"), "{said}");
    assert!(said.ends_with("hint: `relais password USER` prints such lines\n"), "{said}");
    assert!(!said.contains("secret"), "{said}");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn an_auth_file_without_users_is_warned_of() {
    let place = Place::new();
    place.write("users.txt", "# nobody yet\n\n");
    let text =
        "[serve.site]\nlisten = [\"8080\", \"8081\"]\nroot = \".\"\nauth.file = \"users.txt\"\n";
    place.write("relais.toml", text);
    let output = place.run(&["check"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let warning = "WARN nobody is let in: there is no user in \"users.txt\"";
    assert_eq!(said.matches(warning).count(), 1, "{said}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_command_line_is_told_by_its_flags() {
    let place = Place::new();
    let said = "error: no folder at \"nowhere\"\n \
                --> command line: DIR\n";
    check(&place.run(&["serve", "nowhere"]), 2, said);
    let said = "error: bad status \"200\"\n --> command line: --error-page\n  \
                = expected one that files have: 400, 403, 404, 405, 406, 412, 416, 500, 503\n";
    check(&place.run(&["serve", "--error-page", "200=ok.html"]), 2, said);
    let said = said.replace("200", "401");
    check(&place.run(&["serve", "--error-page", "401=who.html"]), 2, &said);
    let said = "error: http://127.0.0.1:9000 and http://:9000 both take port 9000 of 127.0.0.1\n \
                --> command line: --listen\n  = expected one of them\n";
    check(&place.run(&["serve", "-l", "9000", "-l", ":9000"]), 2, said);
    let said = "error: nothing is done with \"ca.pem\"\n --> command line: --client-ca\n  \
                = expected an endpoint with `https://` beside it\n";
    check(&place.run(&["serve", "--client-ca", "ca.pem"]), 2, said);
    let said = "error: bad name \"a b\"\n --> command line: NAME\n  \
                = expected a DNS name, \"*.\" and a DNS name, or an address\n";
    check(&place.run(&["cert", "issue", "a b"]), 2, said);
}

#[test]
fn what_clap_finds_has_the_same_exit_code() {
    let place = Place::new();
    assert_eq!(place.run(&["serve", "--nonsense"]).status.code(), Some(2));
    assert_eq!(place.run(&[]).status.code(), Some(2));
    assert_eq!(place.run(&["--help"]).status.code(), Some(0));
}

#[test]
fn what_is_typed_out_of_habit_is_told_in_our_words() {
    let place = Place::new();
    let habit = |arguments: &[&str], what: &str, flag: &str, meant: &str| {
        let said = format!(
            "error: {what}\n --> command line: {flag}\n\
             hint: where to listen is said by `--listen {meant}`\n"
        );
        check(&place.run(&[&["serve"], arguments].concat()), 2, &said);
    };
    habit(&["--port", "9000"], "no flag `--port`: \"9000\"", "--port", "9000");
    habit(&["-p9000", "--bind=0.0.0.0"], "no flag `--port`: \"9000\"", "--port", ":9000");
    habit(&["--bind", "192.0.2.1"], "no flag `--bind`: \"192.0.2.1\"", "--bind", "192.0.2.1:8080");
    habit(&["-b", "::1"], "no flag `--bind`: \"::1\"", "--bind", "[::1]:8080");
    let at = "0.0.0.0:9000";
    habit(&["--bind", at], "no flag `--bind`: \"0.0.0.0:9000\"", "--bind", at);
    habit(&["8000"], "no folder at \"8000\"", "DIR", "8000");
    habit(&[":8000"], "no folder at \":8000\"", "DIR", ":8000");
    let http = "http://127.0.0.1:8000";
    habit(&[http], &format!("no folder at {http:?}"), "DIR", http);
    assert!(!String::from_utf8(place.run(&["serve", "-h"]).stdout).unwrap().contains("--port"));
}

#[test]
fn ends_of_a_proxy_behind_flags_are_told_in_our_words() {
    let place = Place::new();
    let habit = |line: &str, what: &str, flag: &str, meant: &str| {
        let said = format!(
            "error: {what}\n --> command line: {flag}\nhint: first where to listen, then who is \
             asked: `relais proxy {meant}`\n"
        );
        let arguments: Vec<_> = ["proxy"].into_iter().chain(line.split(' ')).collect();
        check(&place.run(&arguments), 2, &said);
    };
    let upstream = "no flag `--upstream`: \"8081\"";
    habit("--listen 9000 --upstream 8081", upstream, "--upstream", "http://127.0.0.1:9000 8081");
    habit("9000 --upstream 8081", upstream, "--upstream", "http://127.0.0.1:9000 8081");
    habit("--from :9000 --to :8081", "no flag `--from`: \":9000\"", "--from", ":9000 8081");
    habit("-p 9000 http://a", "no flag `--port`: \"9000\"", "--port", "9000 http://a:80");
    let mode = "no flag `--mode`: \"reverse:http://a\"";
    habit("--mode reverse:http://a", mode, "--mode", "9000 http://a");
    habit("-m regular", "no flag `--mode`: \"regular\"", "--mode", "9000 --forward");
    habit("--target 1 --target 2", "no flag `--target`: \"1\"", "--target", "9000 1 2");
    habit("--listen :9000 8081", "no UPSTREAM", "UPSTREAM", "http://:9000 http://127.0.0.1:8081");
    let output = place.run(&["proxy"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("<LISTEN>"));
    let output = place.run(&["proxy", "9000"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("<UPSTREAM>"));
    assert!(!String::from_utf8(place.run(&["proxy", "-h"]).stdout).unwrap().contains("--target"));
}

#[test]
fn a_proxy_on_a_command_line_is_told_by_its_flags() {
    let place = Place::new();
    let wrong = |line: &str, what: &str, flag: &str, expected: &str| {
        let said = format!("error: {what}\n --> command line: {flag}\n  = expected {expected}\n");
        let arguments: Vec<_> = ["proxy"].into_iter().chain(line.split(' ')).collect();
        check(&place.run(&arguments), 2, &said);
    };
    let itself = "it would ask itself: \"http://127.0.0.1:9000\"";
    wrong("9000 9000", itself, "UPSTREAM", "another server than `LISTEN`");
    let short = "`--connect-max` is too short: \"1ms\"";
    wrong("9000 8081 --connect-max 1ms", short, "--connect-max", "10ms or more");
    let range = "`--cache-memory` is too small: \"1B\"";
    wrong("9000 8081 --cache --cache-memory 1", range, "--cache-memory", "1MiB or more");
    wrong(
        "9000 8081 --block b --block-status 200",
        "bad status 200",
        "--block-status",
        "403 or 451",
    );
    let path = "bad path \"healthz\"";
    wrong("9000 8081 --health healthz", path, "--health", "one that begins with a slash");
    let name = "bad field name \"a b\"";
    let arguments = ["proxy", "9000", "8081", "--request-set", "a b=c"];
    let said = format!(
        "error: {name}\n --> command line: --request-set\n  = expected letters, digits and `-`\n"
    );
    check(&place.run(&arguments), 2, &said);
    let via = "field \"via\" is what loops are found by";
    wrong("9000 8081 --response-remove via", via, "--response-remove", "another");
    let useless = "nothing is done with `--balance` beside `--forward`";
    wrong("9000 --forward --balance round", useless, "--balance", "one of them");
    let auth = "`--auth` is for who asks a site, and no proxy";
    wrong("9000 --forward --auth users.txt", auth, "--auth", "`--client`");
    let every = "`--health-every` is too short: \"1ms\"";
    wrong("9000 8081 --health / --health-every 1ms", every, "--health-every", "1s or more");
    let tunnels = "nothing is done with `--connect-port`";
    wrong("9000 8081 --connect-port 443", tunnels, "--connect-port", "`--forward` beside it");
    let private = "nothing is done with `--private`";
    wrong("9000 8081 --private", private, "--private", "`--forward` beside it");
    let folder = "no folder for the log \"no/such/log\"";
    wrong("9000 8081 --sniff no/such/log", folder, "--sniff", "a folder that exists");
}

#[test]
fn clients_are_not_kept_out_by_a_flag_that_does_nothing() {
    let place = Place::new();
    let said = "error: nothing is done with `--client`\n --> command line: --client\n  \
                = expected `--forward` beside it\n\
                hint: before an UPSTREAM, `--auth` or `--client-ca` says who may ask\n";
    check(&place.run(&["proxy", "9000", "8081", "--client", "10.0.0.0/8"]), 2, said);
    let output = place.run(&["proxy", "9000", "--client", "10.0.0.0/8"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("<UPSTREAM>"));
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn who_believes_any_upstream_is_warned_loudly() {
    let place = Place::new();
    let text = "[proxy.front]\nlisten = \"9000\"\nupstream = \"https://a.example\"\n\
                upstream_tls.insecure = true\n";
    place.write("relais.toml", text);
    let output = place.run(&["check"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let warning = "WARN INSECURE: `proxy.front.upstream_tls.insecure` believes whoever answers";
    assert_eq!(said.matches(warning).count(), 1, "{said}");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(shown.contains("INSECURE: whoever answers is believed"), "{shown}");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn help_and_version_are_commands_for_whoever_types_them_so() {
    let place = Place::new();
    for (words, flags) in [
        (&["help"][..], &["--help"][..]),
        (&["help", "serve"], &["serve", "--help"]),
        (&["help", "cert", "issue"], &["cert", "issue", "--help"]),
        (&["version"], &["--version"]),
    ] {
        let (one, other) = (place.run(words), place.run(flags));
        assert_eq!(one.status.code(), Some(0));
        assert_eq!(one.stdout, other.stdout);
    }
    assert_eq!(place.run(&["help", "nonsense"]).status.code(), Some(2));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let place = Place::new();
    place.write("relais.toml", "[serve.site]\nlisten = \"8080\"\nroot = \".\"\n");
    for arguments in [
        &["man"][..],
        &["completions", "bash"],
        &["check"],
        &["check", "--json"],
        &["cert", "init"],
        &["cert", "trust"],
        &["--help"],
        &["--version"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = place.command(arguments).stdout(writer).output().unwrap();
        check(&output, 0, "");
    }
}

#[test]
fn checking_binds_nothing_and_makes_nothing() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let on = taken.local_addr().unwrap();
    let text = format!(
        "[serve.site]\nlisten = \"https://{on}\"\nroot = \".\"\naccess_log.file = \"log\"\n"
    );
    place.write("relais.toml", text);
    let said = format!(
        "https://{on}\n\
         └─ tls: certificate of the local authority for 127.0.0.1, localhost, ::1\n   \
         └─ serve site\n      └─ log: log, combined\n         └─ files: .\n"
    );
    let output = place.run(&["check"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), said);
    assert_eq!(output.status.code(), Some(0));
    assert!(!place.path().join("data").exists() && !place.path().join("log").exists());
}

#[test]
fn how_to_trust_the_authority_is_told_and_nothing_is_done() {
    let place = Place::new();
    let output = place.run(&["cert", "trust"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let certificate = place.path().join("data/authority/ca.pem");
    let first = format!("The local authority's certificate is {}\n", certificate.display());
    assert!(said.starts_with(&first), "{said}");
    for who in ["\nChromium, Chrome", "\nFirefox", "\ncurl"] {
        assert!(said.contains(who), "{said}");
    }
    assert!(certificate.exists());
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "one stream, one order");
}

#[test]
fn json_says_the_same() {
    let place = Place::new();
    place.write("relais.toml", "[serve.site]\nlisten = \"8080\"\nrot = \".\"\n");
    let output = place.run(&["check", "--json"]);
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let complaint = &said["complaints"][0];
    assert_eq!(complaint["file"], "relais.toml");
    assert_eq!((&complaint["line"], &complaint["column"]), (&3.into(), &1.into()));
    assert_eq!(complaint["key"], "serve.site.rot");
    assert_eq!(complaint["hint"], "did you mean `root`?");
    assert_eq!(output.status.code(), Some(2));
}

#[track_caller]
fn check(output: &Output, code: i32, said: &str) {
    assert_eq!(String::from_utf8_lossy(&output.stderr), said);
    assert_eq!(output.status.code(), Some(code));
}
