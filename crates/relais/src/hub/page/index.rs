//! The page that begins all, and the sheets that it names.

use super::{SCRIPT, SHEET, bundle::Unfit};

const INDEX: &str = "index.html";
const SHEET_LINE: &str = "<link rel=\"stylesheet\" href=\"";
const SCRIPT_LINE: &str = "<script type=\"module\" src=\"";

/// What was read of the page as it is written.
pub(super) struct Index<'a> {
    /// The module that begins.
    pub script: &'a str,
    /// Its sheets, in their order.
    pub sheets: Vec<&'a str>,
    /// The page with one script and one sheet, where the first of each stood.
    pub text: String,
}

/// Reads the page as it is written, in which each sheet and the one module have a line of their own.
///
/// # Errors
///
/// [`Unfit::Missing`] if it names no sheet or not one module.
pub(super) fn read(page: &str) -> Result<Index<'_>, Unfit> {
    let (mut scripts, mut sheets, mut text) = (Vec::new(), Vec::new(), String::new());
    for line in page.lines() {
        let (all, name, begin, made) = if let Some(name) = named(line, SHEET_LINE) {
            (&mut sheets, name, SHEET_LINE, SHEET)
        } else if let Some(name) = named(line, SCRIPT_LINE) {
            (&mut scripts, name, SCRIPT_LINE, SCRIPT)
        } else {
            text.extend([line, "\n"]);
            continue;
        };
        if all.is_empty() {
            text.push_str(&line.replace(&format!("{begin}{name}"), &format!("{begin}{made}")));
            text.push('\n');
        }
        all.push(name);
    }
    let missing = |from: &str| Unfit::Missing { path: INDEX.to_owned(), from: from.to_owned() };
    let [script] = scripts[..] else { return Err(missing(SCRIPT_LINE)) };
    if sheets.is_empty() {
        return Err(missing(SHEET_LINE));
    }
    Ok(Index { script, sheets, text })
}

fn named<'a>(line: &'a str, begin: &str) -> Option<&'a str> {
    Some(line.strip_prefix(begin)?.split_once('"')?.0)
}

/// One sheet of all `paths`, in their order.
///
/// # Errors
///
/// If one is not there, or has what would mean something else in the middle of others: `@import` and
/// `@charset`, and below a folder a `url`, which is meant from there.
pub(super) fn sheet<'a>(
    paths: &[&str],
    text_of: &dyn Fn(&str) -> Option<&'a str>,
) -> Result<String, Unfit> {
    let mut all = String::new();
    for &path in paths {
        let missing = || Unfit::Missing { path: INDEX.to_owned(), from: path.to_owned() };
        let text = text_of(path).ok_or_else(missing)?;
        let is_below = path.contains('/');
        let mut odd = ["@import", "@charset", "url("].into_iter();
        let is_odd = |what: &&str| text.contains(what) && (*what != "url(" || is_below);
        if let Some(what) = odd.find(is_odd) {
            return Err(Unfit::Sheet { path: path.to_owned(), what });
        }
        all.extend([text, "\n"]);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_and_the_script_stand_where_the_first_stood() {
        let page = "<a>\n<link rel=\"stylesheet\" href=\"a.css\">\n<b>\n\
            <link rel=\"stylesheet\" href=\"b/c.css\">\n\
            <script type=\"module\" src=\"main.js\"></script>\n<c>\n";
        let index = read(page).unwrap();
        assert_eq!((index.script, index.sheets), ("main.js", vec!["a.css", "b/c.css"]));
        let expect = "<a>\n<link rel=\"stylesheet\" href=\"page.css\">\n<b>\n\
            <script type=\"module\" src=\"page.js\"></script>\n<c>\n";
        assert_eq!(index.text, expect);
    }

    #[test]
    fn a_page_without_a_script_or_with_two_is_refused() {
        let sheet = "<link rel=\"stylesheet\" href=\"a.css\">\n";
        let script = "<script type=\"module\" src=\"main.js\"></script>\n";
        for page in ["", sheet, script, &format!("{sheet}{script}{script}")] {
            assert!(matches!(read(page), Err(Unfit::Missing { .. })), "{page}");
        }
    }

    #[test]
    fn what_means_something_else_among_others_is_refused() {
        check("a.css", "@font-face { src: url(\"a.woff2\"); }", None);
        check("b/a.css", "p { color: red; }", None);
        check("b/a.css", "p { background: url(\"a.png\"); }", Some("url("));
        check("a.css", "@import \"b.css\";", Some("@import"));
        check("a.css", "@charset \"utf-8\";", Some("@charset"));
    }

    #[track_caller]
    fn check(path: &str, text: &str, expect: Option<&'static str>) {
        let expect = match expect {
            None => Ok(format!("{text}\n")),
            Some(what) => Err(Unfit::Sheet { path: path.to_owned(), what }),
        };
        assert_eq!(sheet(&[path], &|_| Some(text)), expect);
        assert!(matches!(sheet(&[path], &|_| None), Err(Unfit::Missing { .. })));
    }
}
