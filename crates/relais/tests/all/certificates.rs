//! `relais cert`: what it shows, what it writes, and what it says of what is not there.

use std::{fs, os::unix::fs::PermissionsExt as _, process::Output};

use crate::program::Place;

#[test]
fn a_certificate_that_nobody_vouches_for_is_a_no() {
    let (place, stranger) = (Place::new(), Place::new());
    let running = place.start(&["serve", "-l", "https://127.0.0.1:0"], 1);
    let on = &*running.listeners[0];
    let verdict = |place: &Place, json: &[&str]| {
        let output = place.run(&[&["cert", "show", on], json].concat());
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), said.lines().next().unwrap_or_default().to_owned())
    };
    let (code, first) = verdict(&place, &[]);
    assert_eq!((code, &*first), (Some(0), "verdict      verified by the local authority"));
    let (code, first) = verdict(&stranger, &[]);
    assert!(first.starts_with("verdict      not verified: "), "{first}");
    assert_eq!(code, Some(3));
    assert_eq!(verdict(&place, &["--json"]).0, Some(0));
    assert_eq!(verdict(&stranger, &["--json"]).0, Some(3));
}

#[test]
fn who_speaks_no_tls_is_told_so() {
    let place = Place::new();
    let running = place.start(&["serve", "-l", "127.0.0.1:0"], 1);
    let on = running.listeners[0].strip_prefix("http://").unwrap();
    check(
        &place.run(&["cert", "show", on]),
        1,
        &format!("error: no TLS is spoken at https://{on}\n"),
    );
}

#[test]
fn a_file_that_is_not_there_is_looked_for_nowhere_else() {
    let place = Place::new();
    for name in ["nope.pem", "nope.CRT", "a.cer", "b.key", "keys/nope", "./localhost"] {
        let said = format!("error: no such file: {name:?}\n --> command line: FILE|ENDPOINT\n");
        check(&place.run(&["cert", "show", name]), 2, &said);
    }
}

#[test]
fn a_key_is_overwritten_on_request_only() {
    let place = Place::new();
    let issue = |more: &[&str]| place.run(&[&["cert", "issue", "a.test"], more].concat());
    let key = place.path().join("a.test-key.pem");
    assert!(issue(&[]).status.success());
    let first = fs::read(&key).unwrap();
    let said = "error: \"a.test.pem\" is there already\n --> a.test.pem\n\
                hint: `--force` overwrites the certificate and its key\n";
    check(&issue(&[]), 1, said);
    fs::remove_file(place.path().join("a.test.pem")).unwrap();
    check(&issue(&[]), 1, &said.replace("a.test.pem", "a.test-key.pem"));
    assert!(!place.path().join("a.test.pem").exists(), "both or none");
    assert_eq!(fs::read(&key).unwrap(), first);
    place.write("a.test-key.pem.new", "left by one that was killed");
    assert!(issue(&["--force"]).status.success());
    assert_ne!(fs::read(&key).unwrap(), first);
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!place.path().join("a.test-key.pem.new").exists());
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let place = Place::new();
    let said = "error: no folder at \"nodir\"\n --> command line: --out\n";
    check(&place.run(&["cert", "issue", "a.test", "--out", "nodir"]), 2, said);
    assert!(!place.path().join("data/authority").exists());
}

#[track_caller]
fn check(output: &Output, code: i32, said: &str) {
    assert_eq!(String::from_utf8_lossy(&output.stderr), said);
    assert_eq!(output.status.code(), Some(code));
}
