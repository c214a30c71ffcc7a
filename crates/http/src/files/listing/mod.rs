//! What is in a folder, in an order. As a page in `html`, as data in `json`.

mod html;
mod json;
mod lister;
mod natural;

use std::cmp::Ordering;

use http::HeaderMap;
use relais_wire::{
    accept::prefers_json,
    calendar::Moment,
    target::{encode_segment, file_path},
};

pub(super) use lister::Lister;

use super::{
    found::{Entries, Entry},
    stamp::time_of,
};
use crate::{
    joined::joined,
    page::{self, Page},
};

/// In which order entries are shown. Folders always come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sorting {
    by: Column,
    order: Order,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Name,
    Size,
    Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Ascending,
    Descending,
}

/// The listing of the folder at `path`, sorted as `query` says.
pub(super) fn show(path: &[u8], mut entries: Entries, query: &str, headers: &HeaderMap) -> Page {
    let sorting = Sorting::of(query);
    entries.list.sort_unstable_by(|one, other| sorting.compare(one, other));
    let accept = joined(headers, http::header::ACCEPT);
    if prefers_json(accept.as_deref()) {
        return Page { kind: page::JSON, text: json::print(path, &entries) };
    }
    Page { kind: page::HTML, text: html::print(path, &entries, sorting) }
}

impl Sorting {
    /// Reads `sort=name|size|time&order=asc|desc`; what is not understood is passed over.
    fn of(query: &str) -> Self {
        let mut sorting = Self { by: Column::Name, order: Order::Ascending };
        for pair in query.split('&') {
            match pair {
                "sort=name" => sorting.by = Column::Name,
                "sort=size" => sorting.by = Column::Size,
                "sort=time" => sorting.by = Column::Time,
                "order=asc" => sorting.order = Order::Ascending,
                "order=desc" => sorting.order = Order::Descending,
                _ => (),
            }
        }
        sorting
    }

    fn compare(self, one: &Entry, other: &Entry) -> Ordering {
        let by = match self.by {
            Column::Name => Ordering::Equal,
            Column::Size => one.bytes.cmp(&other.bytes),
            Column::Time => one.modified.cmp(&other.modified),
        };
        let by = by.then_with(|| natural::compare(&one.name, &other.name));
        let by = if self.order == Order::Ascending { by } else { by.reverse() };
        one.bytes.is_some().cmp(&other.bytes.is_some()).then(by)
    }
}

/// Whether a file called `name` can be asked for: not every name that it may have can.
fn is_linkable(name: &[u8]) -> bool {
    file_path(format!("/{}", encode_segment(name)).as_bytes()).is_ok_and(|path| *path.path == *name)
}

/// A time as `2026-11-21T02:19:00Z`.
fn iso(time: (i64, i64)) -> String {
    format!("{}Z", Moment::of(time_of(time)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_sorted_with_folders_first() {
        check("", "y z a b c");
        check("sort=name&order=desc", "z y c b a");
        check("sort=size", "y z b c a");
        check("sort=size&order=desc", "z y a c b");
        check("sort=time", "z y c a b");
        check("order=desc&sort=time", "y z b a c");
        check("sort=nonsense&order=&&x=<script>", "y z a b c");
    }

    #[test]
    fn times_are_printed() {
        assert_eq!(iso((784_111_777, 5)), "1994-11-06T08:49:37Z");
        assert_eq!(iso((0, 0)), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn names_that_cannot_be_asked_for_are_not_linked() {
        assert!(is_linkable(b"a b"));
        assert!(is_linkable(b"\xff%?#"));
        assert!(is_linkable(b".hidden"));
        assert!(!is_linkable(b"a\\b"));
        assert!(!is_linkable(b"a\nb"));
    }

    #[track_caller]
    fn check(query: &str, expect: &str) {
        let sorting = Sorting::of(query);
        let mut list = [
            entry(b"b", Some(1), 5),
            entry(b"z", None, 3),
            entry(b"a", Some(3), 4),
            entry(b"y", None, 9),
            entry(b"c", Some(2), 1),
        ];
        list.sort_by(|one, other| sorting.compare(one, other));
        let names: Vec<_> = list.iter().map(|entry| String::from_utf8_lossy(&entry.name)).collect();
        assert_eq!(names.join(" "), expect, "for {query:?}");
    }

    pub(super) fn entry(name: &[u8], bytes: Option<u64>, modified: i64) -> Entry {
        Entry { name: name.to_vec(), bytes, modified: Some((modified, 0)) }
    }
}
