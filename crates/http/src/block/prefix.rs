//! What looks like a prefix of a rule and is none.

/// The word before the first colon of `rule`, if who typed it likely meant one of our prefixes, or
/// knows those of other lists. Any other word before a colon may be of a URL.
pub(super) fn mistyped(rule: &str) -> Option<&str> {
    let (word, _) = rule.split_once(':').filter(|(_, rest)| !is_port(rest))?;
    let small = word.to_ascii_lowercase();
    let is_one =
        OURS.iter().any(|prefix| is_near(prefix, &small)) || OTHERS.contains(&small.as_str());
    is_one.then_some(word)
}

const OURS: [&str; 3] = ["host", "url", "glob"];

const OTHERS: [&str; 6] = ["domain", "full", "ip", "keyword", "regex", "regexp"];

/// Whether one letter more, less, other or in its neighbour's place makes them the same.
fn is_near(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let same = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    match (&one[same..], &other[same..]) {
        ([], []) => true,
        ([a, b, one @ ..], [c, d, other @ ..]) if (a, b) == (d, c) => one == other,
        (one, other) => {
            let behind = |text: &[u8]| text.get(1..).unwrap_or_default().to_vec();
            behind(one) == other || one == behind(other) || behind(one) == behind(other)
        }
    }
}

/// Whether `rest`, behind a colon, is a port, or the `//` of a URL.
fn is_port(rest: &str) -> bool {
    let behind = rest.trim_start_matches(|char: char| char.is_ascii_digit());
    let has_digits = behind.len() < rest.len();
    rest.starts_with("//")
        || has_digits && (behind.is_empty() || behind.starts_with(['/', '?', '*', '|']))
}
