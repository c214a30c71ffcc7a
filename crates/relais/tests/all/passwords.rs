//! `relais password`: what it prints is what an auth file wants.

use std::{
    io::Write as _,
    process::{Output, Stdio},
};

use relais_http::auth::Users;

use crate::program::Place;

/// Types `password` for `user`.
fn ask(user: &[&str], password: &str) -> Output {
    let place = Place::new();
    let mut command = place.command(&[&["password"], user].concat());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that refuses the user reads nothing, and may be gone.
    _ = child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes());
    child.wait_with_output().unwrap()
}

#[test]
fn what_is_printed_is_read_as_the_same_user() {
    for user in ["anna", "anna b", "зоя", "a#b", "-", &"a".repeat(128)] {
        let output = ask(&["--", user], "secret");
        let line = String::from_utf8(output.stdout).unwrap();
        let users: Users = line.parse().unwrap();
        assert_eq!(users.len(), 1, "{user}");
        assert!(line.starts_with(&format!("{user}:$argon2id$")), "{line}");
    }
}

#[test]
fn a_user_that_an_auth_file_would_not_have_is_refused() {
    for user in ["", " anna", "anna ", "#anna", "a:b", "a\nb", &"a".repeat(129)] {
        let output = ask(&["--", user], "secret");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.starts_with(&format!("error: bad user name {user:?}\n")), "{said}");
        assert!(said.contains(" --> command line: USER\n  = expected 1 to 128 bytes"), "{said}");
        assert!(output.stdout.is_empty(), "{user:?}");
    }
}

#[test]
fn a_password_has_a_longest() {
    assert_eq!(ask(&[], &"é".repeat(512)).status.code(), Some(0));
    for long in [1025, 1026, 1_000_000] {
        let output = ask(&[], &"a".repeat(long));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said, "error: too long a password: expected 1024 bytes at most\n", "{long}");
        assert_eq!(output.status.code(), Some(1));
    }
    assert_eq!(ask(&[], "").status.code(), Some(1));
}

#[test]
fn a_password_that_no_client_can_send_is_refused() {
    let output = ask(&["anna"], "a\tb");
    let said = String::from_utf8(output.stderr).unwrap();
    let expect = "error: bad password: expected 1 to 1024 bytes without control characters\n";
    assert_eq!(said, expect);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
}
