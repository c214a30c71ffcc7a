use std::fs::{self, File};

use super::*;
use crate::Target;

struct Dir {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

/// A folder with a list in it.
fn dir(text: &str) -> Dir {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("blocked.txt");
    fs::write(&path, text).unwrap();
    Dir { _dir: dir, path }
}

/// The line of the rule that blocks `host`, or 0.
fn line(list: &BlockList, host: &str) -> u32 {
    let target = Target { scheme: "http", host, port: None, path_and_query: "/" };
    list.rules().judge(&target).map_or(0, |rule| rule.line)
}

/// Looks twice: a change is read when it stands still.
fn refresh(list: &BlockList) -> [Refreshed; 2] {
    [list.refresh(), list.refresh()]
}

const READ: [Refreshed; 2] = [Refreshed::Unchanged, Refreshed::Read];
const KEPT: [Refreshed; 2] = [Refreshed::Unchanged, Refreshed::Kept];
const UNCHANGED: [Refreshed; 2] = [Refreshed::Unchanged; 2];

#[test]
fn a_changed_file_is_read_once_it_stands_still() {
    let Dir { path, .. } = &dir("a.example\n");
    let list = BlockList::load(path.clone()).unwrap();
    assert_eq!(refresh(&list), UNCHANGED);
    fs::write(path, "\nb.example\n").unwrap();
    assert_eq!(list.refresh(), Refreshed::Unchanged);
    fs::write(path, "\n\nb.example\n").unwrap();
    assert_eq!(refresh(&list), READ);
    assert_eq!((line(&list, "a.example"), line(&list, "b.example")), (0, 3));
    assert_eq!(refresh(&list), UNCHANGED);
}

#[test]
fn a_file_that_was_renamed_over_it_is_read_even_if_it_is_as_long_and_as_old() {
    let Dir { path, .. } = &dir("a.example\n");
    let list = BlockList::load(path.clone()).unwrap();
    let other = path.with_extension("new");
    fs::write(&other, "b.example\n").unwrap();
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    File::options().write(true).open(&other).unwrap().set_modified(modified).unwrap();
    fs::rename(&other, path).unwrap();
    assert_eq!(refresh(&list), READ);
    assert_eq!((line(&list, "a.example"), line(&list, "b.example")), (0, 1));
}

#[test]
fn a_malformed_file_leaves_the_old_rules_and_is_told_once() {
    let Dir { path, .. } = &dir("a.example\n");
    let list = BlockList::load(path.clone()).unwrap();
    fs::write(path, "b.example\nhost:\n").unwrap();
    assert_eq!(refresh(&list), KEPT);
    assert_eq!(refresh(&list), UNCHANGED);
    assert_eq!((line(&list, "a.example"), line(&list, "b.example")), (1, 0));
    fs::write(path, "b.example\n").unwrap();
    assert_eq!(refresh(&list), READ);
    assert_eq!((line(&list, "a.example"), line(&list, "b.example")), (0, 1));
}

#[test]
fn a_file_that_vanished_leaves_the_old_rules_and_is_told_once() {
    let Dir { path, .. } = &dir("a.example\n");
    let list = BlockList::load(path.clone()).unwrap();
    fs::remove_file(path).unwrap();
    assert_eq!(refresh(&list), KEPT);
    assert_eq!(refresh(&list), UNCHANGED);
    assert_eq!(line(&list, "a.example"), 1);
    fs::create_dir(path).unwrap();
    assert_eq!(refresh(&list), KEPT);
    assert_eq!(line(&list, "a.example"), 1);
    fs::remove_dir(path).unwrap();
    fs::write(path, "b.example\n").unwrap();
    assert_eq!(refresh(&list), READ);
    assert_eq!(line(&list, "b.example"), 1);
}

#[test]
fn a_list_that_cannot_be_had_says_why() {
    let Dir { path, .. } = &dir("\nbuy now\n");
    let ListError::Malformed { source, .. } = BlockList::load(path.clone()).unwrap_err() else {
        panic!("expected a malformed list");
    };
    let [BadLine { line: 2, text, .. }] = &source.lines[..] else { panic!("one bad line") };
    assert_eq!(text, "buy now");
    let malformed = told(&BlockList::load(path.clone()).unwrap_err());
    let said = format!("{}:2: \"buy now\": space in a rule: expected ", path.display());
    assert!(malformed.starts_with(&said), "{malformed}");
    let folder = path.parent().unwrap();
    for path in [folder.to_owned(), folder.join("none"), folder.join("pipe")] {
        if path.ends_with("pipe") {
            use rustix::fs::{FileType, Mode};
            rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::RWXU, 0).unwrap();
        }
        let error = BlockList::load(path.clone()).unwrap_err();
        assert!(matches!(&error, ListError::Unreadable { .. }), "{error:?}");
        assert_eq!(error.to_string(), format!("cannot read block list {path:?}"));
    }
}

#[test]
fn a_list_beyond_its_size_is_refused_unread() {
    let Dir { path, .. } = &dir("");
    // Sparse: it takes no room on the disk.
    File::options().write(true).open(path).unwrap().set_len(LIST_BYTES_MAX + 1).unwrap();
    let error = BlockList::load(path.clone()).unwrap_err();
    assert!(matches!(&error, ListError::TooLarge(_)), "{error:?}");
}

#[test]
fn its_name_is_without_its_folder_and_can_be_looked_at() {
    assert_eq!(shown(OsStr::new("a\u{202e}b\n")), "a\\u{202e}b\\u{a}");
    let Dir { path, .. } = &dir("");
    let list = BlockList::load(path.clone()).unwrap();
    assert_eq!((list.name(), list.path()), ("blocked.txt", path.as_path()));
}

#[test]
fn a_watched_list_follows_its_file_until_nobody_has_it() {
    let Dir { path, .. } = &dir("a.example\n");
    let list = Arc::new(BlockList::load(path.clone()).unwrap());
    let watching = BlockList::watch(&list, Duration::from_millis(1)).unwrap();
    fs::write(path, "\nb.example\n").unwrap();
    while line(&list, "b.example") == 0 {
        thread::yield_now();
    }
    drop(list);
    watching.join().unwrap();
}
