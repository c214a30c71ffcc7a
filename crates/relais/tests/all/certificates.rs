//! `relais cert`: what it shows, what it writes, and what it says of what is not there.

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
