//! A folder as a table. No script: the headings are links that sort.

use std::fmt::{self, Write};

use relais_wire::plural::plural;
use relais_wire::target::encode_segment;

use super::{Column, Order, Sorting, is_linkable, iso};
use crate::{
    files::found::{Entries, Entry},
    page::{Escaped, html},
};

pub(super) fn print(path: &[u8], entries: &Entries, sorting: Sorting) -> String {
    let mut body = String::with_capacity(1024 + 256 * entries.list.len());
    write_all(&mut body, path, entries, sorting).expect("a string takes everything");
    html(&format!("/{}", Escaped(path)), &body)
}

fn write_all(body: &mut String, path: &[u8], entries: &Entries, sorting: Sorting) -> fmt::Result {
    write!(body, "<main><h1>{}</h1>\n<table><caption>", Crumbs(path))?;
    let folders = entries.list.iter().filter(|entry| entry.bytes.is_none()).count();
    let files = entries.list.len() - folders;
    if entries.list.is_empty() {
        body.push_str("Nothing is in this folder");
    } else {
        write!(body, "{}, {}", Count(folders, "folder"), Count(files, "file"))?;
    }
    if entries.is_cut {
        body.push_str("; there are more, which are not shown");
    }
    body.push_str("</caption>\n");
    if !entries.list.is_empty() {
        body.push_str("<thead><tr>");
        for column in [Column::Name, Column::Size, Column::Time] {
            heading(body, column, sorting)?;
        }
        body.push_str("</tr></thead>\n");
    }
    body.push_str("<tbody>\n");
    if !path.is_empty() {
        body.push_str(
            "<tr><td class=\"name\"><a href=\"../\">../</a></td><td class=\"size\"></td>\
             <td class=\"time\"></td></tr>\n",
        );
    }
    for entry in &entries.list {
        row(body, entry)?;
    }
    body.push_str("</tbody></table></main>");
    Ok(())
}

fn heading(body: &mut String, column: Column, sorting: Sorting) -> fmt::Result {
    let (class, key, text) = match column {
        Column::Name => ("name", "name", "Name"),
        Column::Size => ("size", "size", "Size"),
        Column::Time => ("time", "time", "Modified (UTC)"),
    };
    let is_sorted = column == sorting.by;
    let next = if is_sorted && sorting.order == Order::Ascending { "desc" } else { "asc" };
    let (aria, mark) = match sorting.order {
        _ if !is_sorted => ("none", ""),
        Order::Ascending => ("ascending", " ↑"),
        Order::Descending => ("descending", " ↓"),
    };
    write!(body, "<th scope=\"col\" class=\"{class}\" aria-sort=\"{aria}\">")?;
    write!(body, "<a href=\"?sort={key}&amp;order={next}\">{text}</a>{mark}</th>")
}

fn row(body: &mut String, entry: &Entry) -> fmt::Result {
    let slash = if entry.bytes.is_none() { "/" } else { "" };
    let name = Escaped(&entry.name);
    body.push_str("<tr><td class=\"name\">");
    if is_linkable(&entry.name) {
        // `./` keeps a name from being read as anything but one.
        let link = encode_segment(&entry.name);
        write!(body, "<a href=\"./{link}{slash}\">{name}{slash}</a></td>")?;
    } else {
        write!(body, "{name}{slash}</td>")?;
    }
    match entry.bytes {
        Some(bytes) => {
            write!(body, "<td class=\"size\" title=\"{bytes} bytes\">{}</td>", Size(bytes))?;
        }
        None => body.push_str("<td class=\"size\"></td>"),
    }
    match entry.modified.map(iso) {
        Some(time) => {
            let shown = time.replace('T', " ").replace('Z', "");
            writeln!(body, "<td class=\"time\"><time datetime=\"{time}\">{shown}</time></td></tr>")
        }
        None => body.write_str("<td class=\"time\"></td></tr>\n"),
    }
}

/// The way from the root to a folder, each step a link.
struct Crumbs<'a>(&'a [u8]);

impl fmt::Display for Crumbs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = || self.0.split(|&byte| byte == b'/').filter(|name| !name.is_empty());
        // Steps up, and not paths from the root, which may be somewhere else for the reader.
        let mut above = names().count();
        write!(f, "<a href=\"{}\">/</a>", Up(above))?;
        for name in names() {
            above -= 1;
            write!(f, "<a href=\"{}\">{}</a>/", Up(above), Escaped(name))?;
        }
        Ok(())
    }
}

/// A link that many folders up.
struct Up(usize);

impl fmt::Display for Up {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { f.write_str("./") } else { f.write_str(&"../".repeat(self.0)) }
    }
}

struct Count(usize, &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, what) = self;
        write!(f, "{count} {what}{}", plural(*count))
    }
}

/// A size as a person reads it.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        let Self(bytes) = *self;
        if bytes < 1024 {
            return write!(f, "{bytes} B");
        }
        let mut unit = 0;
        // Tenths, so that there is nothing to round in floating point.
        let mut tenths = u128::from(bytes) * 10 / 1024;
        while tenths >= 10_240 {
            tenths /= 1024;
            unit += 1;
        }
        write!(f, "{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::entry, *};

    const BY_NAME: Sorting = Sorting { by: Column::Name, order: Order::Ascending };

    #[test]
    fn sizes_are_readable() {
        let print = |bytes| Size(bytes).to_string();
        assert_eq!(print(0), "0 B");
        assert_eq!(print(1023), "1023 B");
        assert_eq!(print(1024), "1.0 KiB");
        assert_eq!(print(1536), "1.5 KiB");
        assert_eq!(print(1 << 20), "1.0 MiB");
        assert_eq!(print((1 << 20) - 1), "1023.9 KiB");
        assert_eq!(print(u64::MAX), "15.9 EiB");
    }

    #[test]
    fn names_are_linked_and_escaped() {
        check(b"a b.txt", "<a href=\"./a%20b.txt\">a b.txt</a>");
        check(b"<script>", "<a href=\"./%3Cscript%3E\">&lt;script&gt;</a>");
        check(b"\" onclick=\"x", "&quot; onclick=&quot;x</a>");
        check(b"javascript:x", "<a href=\"./javascript%3Ax\">");
        check(b"\xff", "<a href=\"./%FF\">\u{fffd}</a>");
        check(b"a\\b", "<td class=\"name\">a\\b</td>");
    }

    #[test]
    fn the_way_up_is_linked() {
        let text = print(b"a b/c", &Entries::default(), BY_NAME);
        let crumbs =
            "<h1><a href=\"../../\">/</a><a href=\"../\">a b</a>/<a href=\"./\">c</a>/</h1>";
        assert!(text.contains(crumbs), "{text}");
        assert!(text.contains("<a href=\"../\">../</a>"), "{text}");
        assert!(!print(b"", &Entries::default(), BY_NAME).contains("../"));
    }

    #[test]
    fn headings_sort_and_tell_how() {
        let sorting = Sorting { by: Column::Size, order: Order::Descending };
        let entries = Entries { list: vec![entry(b"a", None, 0)], is_cut: false };
        let text = print(b"", &entries, sorting);
        assert!(
            text.contains("aria-sort=\"descending\"><a href=\"?sort=size&amp;order=asc\">Size")
        );
        assert!(text.contains("aria-sort=\"none\"><a href=\"?sort=name&amp;order=asc\">Name"));
        let text = print(b"", &entries, BY_NAME);
        assert!(
            text.contains("aria-sort=\"ascending\"><a href=\"?sort=name&amp;order=desc\">Name")
        );
    }

    #[test]
    fn a_cut_listing_says_so() {
        let mut entries = Entries { list: vec![entry(b"a", None, 0)], is_cut: true };
        assert!(print(b"", &entries, BY_NAME).contains("1 folder, 0 files; there are more"));
        entries.is_cut = false;
        assert!(!print(b"", &entries, BY_NAME).contains("there are more"));
    }

    #[test]
    fn an_empty_folder_says_so_and_has_no_headings() {
        let text = print(b"a", &Entries::default(), BY_NAME);
        assert!(text.contains("<caption>Nothing is in this folder</caption>"), "{text}");
        assert!(!text.contains("<th"), "{text}");
    }

    #[track_caller]
    fn check(name: &[u8], expect: &str) {
        let entries = Entries { list: vec![entry(name, Some(1), 0)], is_cut: false };
        let text = print(b"", &entries, BY_NAME);
        assert!(text.contains(expect), "{text}");
    }
}
