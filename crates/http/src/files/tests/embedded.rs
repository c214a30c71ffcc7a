//! Files that are a part of the program.

use super::*;

const ASSETS: &[Asset] = &[
    Asset { path: "index.html", bytes: b"home", modified_secs: Some(784_111_777) },
    Asset { path: "js/app.js", bytes: &[b'a'; 500], modified_secs: None },
    Asset { path: "js/app.js.br", bytes: b"packed", modified_secs: None },
    Asset { path: "js/lib/x.js", bytes: b"x", modified_secs: None },
    Asset { path: "js-x/y.js", bytes: b"y", modified_secs: None },
];

fn site() -> Site {
    Site::with(&[], |options| {
        options.root = Root::Embedded(ASSETS);
        options.listing = Listing::On;
        options.clock = now;
    })
}

#[test]
fn assets_are_served() {
    let site = site();
    for _ in 0..2 {
        site.check("/", 200, "home");
        site.check("/js/lib/x.js", 200, "x");
        site.check_status("GET /js", 301);
        site.check_status("GET /missing", 404);
        site.check_status("GET /j/", 404);
        site.check_status("GET /index.html/", 404);
    }
    let got = site.get("/");
    assert_eq!(got.field("last-modified"), "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_eq!(got.from, From::AtOnce);
    assert_eq!(site.get("/js/lib/x.js").field("last-modified"), "");
}

#[test]
fn assets_are_coded() {
    let site = site();
    let got = site.ask("GET /js/app.js\naccept-encoding: br, gzip;q=0.5");
    assert_eq!((got.text().as_str(), got.field("content-encoding")), ("packed", "br"));
    let got = site.ask("GET /js/app.js\naccept-encoding: gzip");
    assert_eq!(got.field("content-encoding"), "gzip");
}

#[test]
fn folders_of_assets_are_listed() {
    let got = site().check_status("GET /js/\naccept: application/json", 200);
    let text = got.text();
    let names: Vec<_> =
        text.split("\"name\":\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(names, ["lib", "app.js", "app.js.br"]);
}
