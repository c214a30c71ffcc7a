//! What a block list costs: nanoseconds a request, bytes, and the time to read it.
//!
//! `cargo run --release -p relais-http --example block_cost [FILE]`

#![expect(clippy::print_stdout, reason = "a measurement for a person")]

use std::{
    fmt::Write,
    hint::black_box,
    time::{Duration, Instant},
};

use relais_http::{Target, block::Rules};

/// For so long each kind is asked for, at least once.
const LONG: Duration = Duration::from_millis(500);

/// Of each kind of URL there are so many, so that the memory they are looked up in is not always
/// the same.
const URLS: usize = 1_000;

fn main() {
    if let Some(file) = std::env::args_os().nth(1) {
        measure("the file", std::fs::read(file).expect("a file to read"));
        return;
    }
    let mut words = Words(42);
    measure("100,000 hosts", list(&mut words, [100_000, 0, 0]));
    measure("70,000 hosts, 20,000 words, 10,000 globs", list(&mut words, [70_000, 20_000, 10_000]));
    measure("50,000 words, 50,000 globs", list(&mut words, [0, 50_000, 50_000]));
    measure("2,000,000 hosts", list(&mut words, [2_000_000, 0, 0]));
}

fn measure(what: &str, list: Vec<u8>) {
    let bytes = list.len();
    let begun = Instant::now();
    let rules = Rules::parse(list).expect("a list");
    println!(
        "{what}: {} rules, {bytes} bytes, read in {:?}, {} bytes of memory",
        rules.len(),
        begun.elapsed(),
        rules.memory()
    );
    let mut words = Words(7);
    for (kind, url) in KINDS {
        let urls: Vec<_> = (0..URLS).map(|_| url(&mut words)).collect();
        let bytes = urls.iter().map(|(host, path)| 7 + host.len() + path.len()).sum::<usize>();
        let (took, blocked) = judge(&rules, &urls);
        println!("  {kind:24} {took:>5} ns  {} bytes, {blocked} of {URLS} blocked", bytes / URLS);
    }
}

/// Nanoseconds for each, in the best of some rounds, since others use the machine, too; and how many
/// were blocked.
fn judge(rules: &Rules, urls: &[(String, String)]) -> (u128, usize) {
    let all_begun = Instant::now();
    let round = || {
        let begun = Instant::now();
        let is_blocked = |(host, path): &&(String, String)| {
            let target = Target { scheme: "http", host, port: None, path_and_query: path };
            rules.judge(black_box(&target)).is_some()
        };
        let blocked = urls.iter().filter(is_blocked).count();
        (begun.elapsed().as_nanos() / urls.len() as u128, blocked)
    };
    let mut best = round();
    while all_begun.elapsed() < LONG {
        best = best.min(round());
    }
    best
}

type Url = fn(&mut Words) -> (String, String);

const KINDS: [(&str, Url); 5] = [
    ("short", |_| ("127.0.0.1".into(), "/1k.bin".into())),
    ("a page", |words| (words.host(), format!("/{}/{}.html", words.next(), words.next()))),
    ("a page with a query", |words| {
        let path =
            format!("/{}/{}/{}-{}.html", words.next(), words.next(), words.next(), words.next());
        (words.host(), format!("{path}?session={:x}&page=2&from={}", words.number(), words.next()))
    }),
    ("the same, encoded", |words| {
        let path =
            format!("/{}/{}/%7e{}-{}.html", words.next(), words.next(), words.next(), words.next());
        (words.host(), format!("{path}?session={:x}&page=2&from={}", words.number(), words.next()))
    }),
    ("30 KiB, all encoded", |words| (words.host(), "/%2e%2561".repeat(3_400))),
];

/// So many hosts, words and globs, mixed.
fn list(words: &mut Words, [hosts, texts, globs]: [usize; 3]) -> Vec<u8> {
    let mut list = String::from("# made up\n");
    let mut left = [hosts, texts, globs];
    while left != [0; 3] {
        let kind = usize::try_from(words.number() % 3).expect("a small number");
        let Some(fewer) = left[kind].checked_sub(1) else { continue };
        left[kind] = fewer;
        let (one, two) = (words.rare(), words.next());
        let written = match kind {
            0 => writeln!(list, "{one}.{two}.example"),
            1 => writeln!(list, "{two}-{one}"),
            _ => writeln!(list, "/{two}/*/{one}*.js"),
        };
        written.expect("a string takes everything");
    }
    list.into()
}

/// Words like those in URLs, of syllables, always the same.
struct Words(u64);

impl Words {
    fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn next(&mut self) -> String {
        let count = 2 + self.number() % 3;
        (0..count).map(|_| self.syllable()).collect()
    }

    /// One that no other URL has.
    fn rare(&mut self) -> String {
        format!("{}{}", self.next(), self.number() % 1_000_000)
    }

    fn host(&mut self) -> String {
        format!("www.{}.{}.com", self.next(), self.next())
    }

    fn syllable(&mut self) -> &'static str {
        const SYLLABLES: [&str; 32] = [
            "al", "ban", "cer", "di", "en", "for", "ga", "hel", "in", "jo", "ka", "ler", "mo",
            "net", "or", "pro", "qui", "ra", "shop", "tion", "ur", "ver", "web", "xa", "yo", "zen",
            "st", "pre", "man", "lo", "ti", "book",
        ];
        SYLLABLES[usize::try_from(self.number() % 32).expect("a small number")]
    }
}
