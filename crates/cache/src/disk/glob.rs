//! Patterns with `*` over bytes.

/// Whether `text` is what `pattern` says: `*` stands for any bytes, `/` among them, or none; all else
/// for itself, `?`, too: in URLs it begins the query.
///
/// *Cost*: at most the product of both lengths.
pub(super) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    // Where the last `*` stood, and up to where it has taken what it stands for.
    let mut star = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(&byte) if byte == text[seen] => {
                at += 1;
                seen += 1;
            }
            _ => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                (at, seen) = (star_at + 1, taken + 1);
            }
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_bytes() {
        for (pattern, text, expect) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a/b", true),
            ("a", "a", true),
            ("a", "b", false),
            ("a?", "a", false),
            ("a?", "ab", false),
            ("*a?x=*", "http://a?x=1", true),
            ("*.css", "http://a/b.css", true),
            ("*.css", "http://a/b.css?x", false),
            ("http://a/*/c", "http://a/b/c/d", false),
            ("http://a/*/c", "http://a/b/d/c", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("a*a", "a", false),
            ("**", "ab", true),
        ] {
            let matched = matches(pattern.as_bytes(), text.as_bytes());
            assert_eq!(matched, expect, "{pattern:?} {text:?}");
        }
    }

    #[test]
    fn no_pattern_takes_longer_than_the_product_of_both() {
        let pattern = b"*a".repeat(200);
        let text = vec![b'a'; 20_000];
        assert!(matches(&pattern, &text));
        assert!(!matches(&[&pattern[..], b"b"].concat(), &text));
    }
}
