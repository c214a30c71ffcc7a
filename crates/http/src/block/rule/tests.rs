use proptest::prelude::*;

use super::*;

#[test]
fn a_name_with_a_dot_and_an_address_are_hosts() {
    check("example.org", "it and below: example.org");
    check(".example.org", "it and below: example.org");
    check("*.example.org", "below: example.org");
    check("*.org", "below: org");
    check("Example.ORG.", "it and below: Example.ORG.");
    check("a_b.example", "it and below: a_b.example");
    check("ads.js", "it and below: ads.js");
    check("-a-.example", "it and below: -a-.example");
    check("192.0.2.1", "it: 192.0.2.1");
    check("2001:db8::1", "it: 2001:db8::1");
    check("[::1]", "it: [::1]");
}

#[test]
fn other_words_are_parts_of_urls() {
    check("casino", "word casino");
    check("Casino", "word casino");
    check("казино", "word казино");
    check("example.org/ads", "word example.org/ads");
    check("http://example.org", "word http://example.org");
    check("example.org:8080", "word example.org:8080");
    check("localhost", "word localhost");
    check(".zip", "word .zip");
    check("a%20b", "word a b");
    check("3232235521", "word 3232235521");
    check("a@b", "word a@b");
}

#[test]
fn what_has_wildcards_is_a_glob() {
    check("/ads/*.gif", "glob M/ads/M.gifM");
    check("|http://example.org/|", "glob http://example.org/");
    check("*.example.org/", "glob M.example.org/M");
    check("a?c", "glob MaOcM");
    check("*.*.example", "glob M.M.exampleM");
}

#[test]
fn a_prefix_says_what_a_rule_is() {
    check("host:localhost", "it and below: localhost");
    check("host: .zip", "it and below: zip");
    check("host:*.example", "below: example");
    check("host:[::1]", "it: [::1]");
    check("url:ads.js", "word ads.js");
    check("url:buy now", "word buy now");
    check("url:a*b", "word a*b");
    check("url:host:8080", "word host:8080");
    check("glob:ads.js", "glob Mads.jsM");
    check("glob:a b*", "glob Ma bM");
}

#[test]
fn lines_of_hosts_files_are_of_their_names_alone() {
    check("0.0.0.0 ads.example", "it: ads.example");
    check("127.0.0.1\tads.example  more.example # both", "it: ads.example more.example");
    check(":: ads.example", "it: ads.example");
    check("0.0.0.0 192.0.2.1 ::2", "it: 192.0.2.1 ::2");
    check("0.0.0.0 0.0.0.0", "nothing");
    check("127.0.0.1 localhost localhost.localdomain", "nothing");
    check("255.255.255.255 broadcasthost", "nothing");
    check("fe80::1%lo0 localhost", "nothing");
    check("0.0.0.0 localhost tracker", "it: tracker");
}

#[test]
fn comments_and_blank_lines_are_no_rules() {
    for line in ["", "  \t", "# a", "  # b", "#"] {
        check(line, "nothing");
    }
    check("casino # and why", "word casino");
    check("casino\t#", "word casino");
}

#[track_caller]
fn check(line: &str, expect: &str) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let found = match parse(line).unwrap() {
        None => "nothing".to_owned(),
        Some(Form::Names(Reach::Itself, names)) => format!("it: {}", names.join(" ")),
        Some(Form::Names(Reach::Below, names)) => format!("below: {}", names.join(" ")),
        Some(Form::Names(Reach::All, names)) => format!("it and below: {}", names.join(" ")),
        Some(Form::Word(word)) => format!("word {}", text(&word)),
        Some(Form::Glob(glob)) => format!("glob {}", text(&glob)),
    };
    assert_eq!(found, expect, "for {line:?}");
}

#[test]
fn what_is_no_rule_says_what_was_expected() {
    let empty = "empty rule: expected something after the prefix";
    check_wrong("url:", empty);
    check_wrong("url: # nothing", empty);
    let host = |host| {
        format!("bad host {host:?}: expected a name or an address, or `url:` before a part of URLs")
    };
    check_wrong("host:", &host(""));
    check_wrong("host:a/b", &host("a/b"));
    check_wrong("host:a:80", &host("a:80"));
    check_wrong("host:*", &host("*"));
    check_wrong("host:a b", &host("a b"));
    check_wrong("a..b", &host("a..b"));
    check_wrong("3.14", &host("3.14"));
    check_wrong("0xC0.513", &host("0xC0.513"));
    check_wrong("host:[1.2.3.4]", &host("[1.2.3.4]"));
    check_wrong("0.0.0.0 a/b", &host("a/b"));
    check_wrong("1.2.3.4.5", &host("1.2.3.4.5"));
    let ascii = "host \"Bücher.example\" is not ASCII: expected it as DNS has it, \
                 probably \"xn--bcher-kva.example\"";
    check_wrong("Bücher.example", ascii);
    check_wrong("host:Bücher.example", ascii);
    check_wrong("0.0.0.0 Bücher.example", ascii);
    let spaced = "space in a rule: expected one rule, or `url:` before words with spaces between";
    check_wrong("buy now", spaced);
    check_wrong("ads.example 0.0.0.0", spaced);
    let address =
        "address \"192.0.2.7\" before a host: expected 0.0.0.0, as in a hosts file that blocks";
    check_wrong("192.0.2.7 nas", address);
    let adblock = "a rule in Adblock's syntax: expected a host, a part of a URL, or a glob";
    for line in ["||ads.example^", "@@||a", "! Title: a list", "[Adblock Plus 2.0]", "ads.example^"]
    {
        check_wrong(line, adblock);
    }
    let fragment = "`#` in a rule: expected a space before a comment; no request has one";
    check_wrong("example.org##.ad", fragment);
    check_wrong("url:a#b", fragment);
    check_wrong(
        "casino\u{200b}",
        "invisible character '\\u{200b}': expected a rule that can be read",
    );
    check_wrong("cas\0ino", "invisible character '\\0': expected a rule that can be read");
}

#[test]
fn what_would_block_everything_is_refused() {
    let everything = "nearly every URL has that: expected a text that most do not have";
    for line in ["/", "http", "url::", "url://", "://", "http*", "|http*/|", "glob:/", "*t*p*"] {
        check_wrong(line, everything);
    }
    for line in [".", "*.", ".*", "*.*", "?.?", "url:.", "|http", "//", "|http*.*"] {
        check_wrong(line, everything);
    }
    let no_text = "no text in a glob: expected something besides `*` and `?`";
    for line in ["*", "**", "glob:", "|", "|?????????|", "glob:*?*"] {
        check_wrong(line, no_text);
    }
    check("https://", "word https://");
    check("|http://*", "glob http://M");
}

#[test]
fn what_blocks_nothing_is_refused() {
    let network = "a network: expected single addresses, or `url:` before a part of URLs";
    for line in ["192.0.2.0/24", "2001:db8::/32", "[2001:db8::]/32", "10.0.0.0/8 # all"] {
        check_wrong(line, network);
    }
    check("url:192.0.2.0/24", "word 192.0.2.0/24");
    check("192.0.2.0/24/a", "word 192.0.2.0/24/a");
    check("192.0.2.0/", "word 192.0.2.0/");
    let never = "no URL is like that: expected `http://` or `https://`, a host, and a `/`";
    for line in
        ["|http|", "|http://|", "|http://a.example|", "|a.example/*", "|ftp://*", "|http:///*"]
    {
        check_wrong(line, never);
    }
    check("|http://a.example/|", "glob http://a.example/");
    check("|http*.zip|", "glob httpM.zip");
    check("a.example|", "glob Ma.example");
    let nameless = |address| {
        format!("address {address:?} without a host: expected names after it, or `host:` before it")
    };
    check_wrong("0.0.0.0", &nameless("0.0.0.0"));
    check_wrong(":: # all", &nameless("::"));
    check("host:0.0.0.0", "it: 0.0.0.0");
    check("127.0.0.1", "it: 127.0.0.1");
    let host = "bad host \"xn--\": expected a name or an address, or `url:` before a part of URLs";
    check_wrong("host:xn--", host);
}

#[test]
fn a_mistyped_prefix_is_no_part_of_urls() {
    let prefix = |word| format!("unknown prefix `{word}:`: expected `host:`, `url:` or `glob:`");
    for word in ["hots", "hosts", "hst", "Host", "URL", "ulr", "uri", "golb", "domain", "regexp"] {
        check_wrong(&format!("{word}:foo.example"), &prefix(word));
    }
    check_wrong("hots:", &prefix("hots"));
    check_wrong("hots: a.example", &prefix("hots"));
    check_wrong("hots:192.0.2.1", &prefix("hots"));
    check_wrong("ip:192.0.2.1", &prefix("ip"));
    for word in [
        ":8080/",
        "http://a",
        "a.example:8443",
        "hots:8080",
        "hots:80/a",
        "talk:main",
        "data:image",
    ] {
        check(word, &format!("word {word}"));
    }
}

#[track_caller]
fn check_wrong(line: &str, expect: &str) {
    assert_eq!(parse(line).unwrap_err().to_string(), expect, "for {line:?}");
}

proptest! {
    #[test]
    fn nothing_panics(
        line: String,
        prefixed in "(host|url|glob)?:? ?.{0,12}",
        pieces in r"[a.0:\[\]*?|/# %^é]{0,12}",
    ) {
        for line in [line, prefixed, pieces] {
            _ = parse(&line);
        }
    }
}
