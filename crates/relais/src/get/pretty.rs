//! JSON, laid out for reading: its order, its numbers and its spelling stay.

use serde::de::IgnoredAny;

/// How deep JSON may be: each level is indented further, and a server could go on with that.
const DEPTH_MAX: usize = 64;

/// `text` with a line for each value, if it is JSON, not too deep to be read by anybody, and no longer
/// than so many bytes then.
pub(super) fn pretty(text: &str, bytes_max: usize) -> Option<String> {
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    let mut out = String::with_capacity(bytes_max.min(text.len() * 2));
    let (mut depth, mut is_string, mut is_escaped) = (0, false, false);
    let mut chars = text.trim().chars().peekable();
    while let Some(char) = chars.next() {
        if out.len() > bytes_max {
            return None;
        }
        if is_string {
            out.push(char);
            is_string = is_escaped || char != '"';
            is_escaped = !is_escaped && char == '\\';
            continue;
        }
        match char {
            ' ' | '\t' | '\r' | '\n' => {}
            '{' | '[' => {
                out.push(char);
                while chars.next_if(char::is_ascii_whitespace).is_some() {}
                if let Some(end) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    if depth > DEPTH_MAX {
                        return None;
                    }
                    line(depth, &mut out);
                }
            }
            '}' | ']' => {
                depth -= 1;
                line(depth, &mut out);
                out.push(char);
            }
            ',' => {
                out.push(char);
                line(depth, &mut out);
            }
            ':' => out.push_str(": "),
            char => {
                is_string = char == '"';
                out.push(char);
            }
        }
    }
    (out.len() <= bytes_max).then_some(out)
}

fn line(depth: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_laid_out_and_nothing_of_it_changed() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(pretty(text, 100).as_deref(), expect, "{text}");
        };
        check(
            r#"{"b":1.50,"a":[1,{}, [ ]]}"#,
            Some("{\n  \"b\": 1.50,\n  \"a\": [\n    1,\n    {},\n    []\n  ]\n}"),
        );
        check(r#" "a\\\"{,:" "#, Some(r#""a\\\"{,:""#));
        check("[1e400, -0]", Some("[\n  1e400,\n  -0\n]"));
        check("{", None);
        check("", None);
        check(&"[".repeat(1000), None);
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        check(&deep, None);
    }

    #[test]
    fn what_becomes_too_long_is_not_laid_out() {
        let text = format!("{}{}0{}", "[".repeat(60), "0,".repeat(1000), "]".repeat(60));
        let laid_out = pretty(&text, 200_000).unwrap();
        assert!(laid_out.len() > 120_000, "{}", laid_out.len());
        assert_eq!(pretty(&text, laid_out.len()), Some(laid_out.clone()));
        assert_eq!(pretty(&text, laid_out.len() - 1), None);
    }
}
