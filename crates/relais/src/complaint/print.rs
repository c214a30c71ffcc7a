//! How complaints look: for people like the Rust compiler's, for programs as JSON.

use std::{fmt, path::Path};

use relais_wire::visible::is_disturbing;
use serde::Serialize;

use super::{Complaint, KeyPath, Line, Place, Step, Wrong};

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) => {
                    let dot = if place == 0 { "" } else { "." };
                    let bare = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
                    if !key.is_empty() && key.chars().all(bare) {
                        write!(f, "{dot}{key}")?;
                    } else {
                        write!(f, "{dot}{key:?}")?;
                    }
                }
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// A text that may be somebody's file: what a terminal would obey is replaced, so that the rest stays
/// in its columns.
struct Shown<'a>(&'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_layout = |char| matches!(char, '\n' | '\t');
        let show = |char| if is_disturbing(char) && !is_layout(char) { '\u{fffd}' } else { char };
        self.0.chars().try_for_each(|char| fmt::Write::write_char(f, show(char)))
    }
}

impl fmt::Display for Complaint {
    /// Several lines, without a line end after the last.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, key, wrong: Wrong { what, expected, hint } } = self;
        write!(f, "error: {}", Shown(what))?;
        match place {
            Place::Nowhere => (),
            Place::Flag(flag) => write!(f, "\n --> command line: {flag}")?,
            Place::File(file) => write!(f, "\n --> {}", file.display())?,
            Place::Line(line) => {
                return fmt_line(f, line, key, expected.as_deref(), hint.as_deref());
            }
        }
        if let Some(expected) = expected {
            write!(f, "\n  = expected {}", Shown(expected))?;
        }
        fmt_tail(f, "", &KeyPath::default(), hint.as_deref())
    }
}

fn fmt_line(
    f: &mut fmt::Formatter<'_>,
    at: &Line,
    key: &KeyPath,
    expected: Option<&str>,
    hint: Option<&str>,
) -> fmt::Result {
    let Line { file, line, column, text, width } = at;
    let margin = " ".repeat(line.to_string().len());
    // Tabs stay tabs under themselves, so that the carets stand right whatever their width.
    let indent: String =
        text.chars().take(column - 1).map(|c| if c == '\t' { c } else { ' ' }).collect();
    let carets = "^".repeat((*width).max(1));
    write!(f, "\n{margin}--> {}:{line}:{column}", file.display())?;
    write!(f, "\n{margin} |\n{line} | {}\n{margin} | {indent}{carets}", Shown(text))?;
    if let Some(expected) = expected {
        write!(f, " expected {}", Shown(expected))?;
    }
    fmt_tail(f, &margin, key, hint)
}

fn fmt_tail(
    f: &mut fmt::Formatter<'_>,
    margin: &str,
    key: &KeyPath,
    hint: Option<&str>,
) -> fmt::Result {
    if !key.is_empty() {
        write!(f, "\n{margin} = key: {key}")?;
    }
    match hint {
        Some(hint) => write!(f, "\nhint: {}", Shown(hint)),
        None => Ok(()),
    }
}

impl Serialize for Complaint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Flat<'c> {
            file: Option<&'c Path>,
            flag: Option<&'c str>,
            line: Option<usize>,
            column: Option<usize>,
            key: Option<String>,
            problem: &'c str,
            expected: Option<&'c str>,
            hint: Option<&'c str>,
        }
        let (file, flag, line) = match &self.place {
            Place::Nowhere => (None, None, None),
            Place::Flag(flag) => (None, Some(flag.as_str()), None),
            Place::File(file) => (Some(file.as_path()), None, None),
            Place::Line(line) => (Some(line.file.as_path()), None, Some(line)),
        };
        let Wrong { what, expected, hint } = &self.wrong;
        Flat {
            file,
            flag,
            line: line.map(|line| line.line),
            column: line.map(|line| line.column),
            key: (!self.key.is_empty()).then(|| self.key.to_string()),
            problem: what,
            expected: expected.as_deref(),
            hint: hint.as_deref(),
        }
        .serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_shows_the_line_and_what_is_meant() {
        let complaint = Complaint {
            place: Place::Line(Line {
                file: "relais.toml".into(),
                line: 12,
                column: 2,
                text: "\trot = \"files\"".to_owned(),
                width: 3,
            }),
            key: KeyPath::of(["serve", "my site", "rot"]),
            wrong: Wrong::from_message("unknown key `rot`, expected one of `listen`, `root`")
                .near("rot", ["listen", "root"]),
        };
        let expect = "error: unknown key `rot`\n\
                      \u{20} --> relais.toml:12:2\n\
                      \u{20}  |\n\
                      12 | \trot = \"files\"\n\
                      \u{20}  | \t^^^ expected one of `listen`, `root`\n\
                      \u{20}  = key: serve.\"my site\".rot\n\
                      hint: did you mean `root`?";
        assert_eq!(complaint.to_string(), expect);
    }

    #[test]
    fn what_a_terminal_would_obey_is_not_printed() {
        let complaint = Complaint {
            place: Place::Line(Line {
                file: "relais.toml".into(),
                line: 1,
                column: 1,
                text: "a\u{1b}[31mb\tc".to_owned(),
                width: 1,
            }),
            key: KeyPath::default(),
            wrong: Wrong::from_message("unknown key `a\u{1b}[31mb`"),
        };
        let expect = "error: unknown key `a\u{fffd}[31mb`\n --> relais.toml:1:1\n  |\n\
                      1 | a\u{fffd}[31mb\tc\n  | ^";
        assert_eq!(complaint.to_string(), expect);
    }

    #[test]
    fn a_flag_has_no_line() {
        let complaint = Complaint {
            place: Place::Flag("--cert".to_owned()),
            key: KeyPath::of(["serve", "files", "tls", "cert"]),
            wrong: Wrong::expected("a certificate without its key", "`--key` beside it"),
        };
        let expect = "error: a certificate without its key\n --> command line: --cert\n  \
                      = expected `--key` beside it";
        assert_eq!(complaint.to_string(), expect);
    }
}
