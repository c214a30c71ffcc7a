use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderValue, Request, StatusCode};
use proptest::prelude::*;

use super::*;
use crate::{Refused, access_log::entry::Said, auth::User, says::ask};

fn entry(target: &str, referer: &[u8], agent: &[u8]) -> Entry {
    let mut request = Request::get(target).header("host", "a.org").body(()).unwrap();
    for (name, value) in [("referer", referer), ("user-agent", agent)] {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            request.headers_mut().insert(name, value);
        }
    }
    Entry {
        at: UNIX_EPOCH + Duration::from_millis(971_186_136_123),
        took: Duration::from_micros(12_034),
        peer: Peer::Net("192.0.2.1:4711".parse().unwrap()),
        tls: Some(relais_net::tls::Version::Tls13),
        user: None,
        said: Said::of(&request),
        version: Some(Version::HTTP_11),
        status: StatusCode::OK,
        ended: Ended::Whole(2326),
        cached: Some(Cached::Hit),
    }
}

fn print(format: Format, entry: &Entry) -> String {
    let mut out = Vec::new();
    format.print(entry, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn combined_is_what_apache_and_nginx_write() {
    let mut entry = entry("/a?b", b"http://b.org/", b"curl/8");
    assert_eq!(
        print(Format::Combined, &entry),
        "192.0.2.1 - - [10/Oct/2000:13:55:36 +0000] \"GET /a?b HTTP/1.1\" 200 2326 \
         \"http://b.org/\" \"curl/8\"\n"
    );
    entry.user = Some(User("ada \"l\" é".into()));
    entry.peer = Peer::Local;
    entry.ended = Ended::Short(7);
    entry.version = Some(Version::HTTP_2);
    entry.said = Said::of(&Request::get("/").body(()).unwrap());
    assert_eq!(
        print(Format::Combined, &entry),
        "- - ada\\x20\\x22l\\x22\\x20\\xC3\\xA9 [10/Oct/2000:13:55:36 +0000] \
         \"GET / HTTP/2.0\" 200 7 \"-\" \"-\"\n"
    );
}

#[test]
fn what_was_not_read_is_left_out() {
    let caller = &ask(Peer::Local, "/", &[]).caller;
    let status = StatusCode::BAD_REQUEST;
    let refused = Refused { caller, request: None, status, ended: Ended::Whole(9) };
    let entry = Entry::refused(&refused, UNIX_EPOCH);
    assert_eq!(
        print(Format::Combined, &entry),
        "- - - [01/Jan/1970:00:00:00 +0000] \"-\" 400 9 \"-\" \"-\"\n"
    );
    let line = print(Format::Json, &entry);
    let expect = "\"user\":null,\"method\":null,\"target\":null,\"version\":null,\"host\":null,";
    assert!(line.contains(expect), "{line}");
}

#[test]
fn combined_lets_no_byte_out_of_its_quotes() {
    let entry = entry("/", b"a\"b\\c\td\x80", "é\u{9b}".as_bytes());
    let line = print(Format::Combined, &entry);
    let expect = "\"a\\x22b\\x5Cc\\x09d\\x80\" \"\\xC3\\xA9\\xC2\\x9B\"\n";
    assert!(line.ends_with(expect), "{line}");
    let mut out = Vec::new();
    escape(b"\r\n\0\x1b\x7f ~", is_plain, &mut out);
    assert_eq!(out, b"\\x0D\\x0A\\x00\\x1B\\x7F ~");
}

#[test]
fn json_has_every_field_in_order() {
    let mut entry = entry("/a?b", b"http://b.org/", b"curl/8");
    entry.user = Some(User("ada".into()));
    assert_eq!(
        print(Format::Json, &entry),
        concat!(
            "{\"time\":\"2000-10-10T13:55:36.123Z\",\"peer\":\"192.0.2.1\",\"port\":4711,",
            "\"user\":\"ada\",\"method\":\"GET\",\"target\":\"/a?b\",\"version\":\"HTTP/1.1\",",
            "\"host\":\"a.org\",\"referer\":\"http://b.org/\",\"agent\":\"curl/8\",",
            "\"tls\":\"TLS 1.3\",\"status\":200,\"bytes\":2326,\"complete\":true,",
            "\"cache\":\"hit\",\"duration_ms\":12.034}\n",
        )
    );
    entry.user = None;
    entry.peer = Peer::Local;
    entry.ended = Ended::Short(0);
    entry.said = Said::of(&Request::get("/").body(()).unwrap());
    let line = print(Format::Json, &entry);
    for part in [
        "\"peer\":null,\"port\":null,\"user\":null,",
        "\"host\":null,\"referer\":null,\"agent\":null,",
        "\"bytes\":0,\"complete\":false,",
    ] {
        assert!(line.contains(part), "{line}");
    }
}

#[test]
fn json_escapes_what_json_and_terminals_obey() {
    let check = |bytes: &[u8], expect: &str| {
        let mut out = Vec::new();
        field("f", bytes, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), format!(",\"f\":\"{expect}\""));
    };
    check(b"a\"b\\c", "a\\\"b\\\\c");
    check(b"\r\n\0\x1b\x7f", "\\u000d\\u000a\\u0000\\u001b\\u007f");
    check("é\u{9b}\u{202e}".as_bytes(), "é\\u009b\\u202e");
    check(b"\xff\xc3", "\\\\xFF\\\\xC3");
}

proptest! {
    #[test]
    fn any_bytes_make_one_line(bytes: Vec<u8>) {
        let entry = entry("/", &bytes, &bytes);
        for format in [Format::Combined, Format::Json] {
            let line = print(format, &entry);
            prop_assert_eq!(line.find(char::is_control), Some(line.len() - 1));
        }
        let mut out = Vec::new();
        field("f", &bytes, &mut out);
        let value: serde_json::Value = serde_json::from_slice(&[b"{\"g\":0", &*out, b"}"].concat()).unwrap();
        let whole = serde_json::from_str::<serde_json::Value>(&print(Format::Json, &entry)).unwrap();
        prop_assert_eq!(whole.as_object().unwrap().len(), 16);
        if let Ok(text) = str::from_utf8(&bytes) {
            prop_assert_eq!(value["f"].as_str().unwrap_or_default(), text);
        }
    }
}
