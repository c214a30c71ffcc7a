//! A folder as JSON.

use std::fmt::{self, Write};

use relais_wire::{target::encode_segment, visible::InJson};

use super::{is_linkable, iso};
use crate::files::found::Entries;

/// *Shape*: `{"path": "/a/", "cut": false, "entries": [{"name": "b", "href": "./b", "kind": "file",
/// "bytes": 1, "modified": "2026-11-21T02:19:00Z"}]}`. `bytes` is null for a folder, `href` for a
/// name that cannot be asked for. Names that are no UTF-8 have U+FFFD in them; `href` has them
/// exactly.
pub(super) fn print(path: &[u8], entries: &Entries) -> String {
    let mut text = String::with_capacity(128 + 128 * entries.list.len());
    write_all(&mut text, path, entries).expect("a string takes everything");
    text
}

fn write_all(text: &mut String, path: &[u8], entries: &Entries) -> fmt::Result {
    let path = if path.is_empty() { b"/".to_vec() } else { [b"/", path, b"/"].concat() };
    let path = String::from_utf8_lossy(&path);
    write!(text, "{{\"path\":\"{}\",\"cut\":{},\"entries\":[", InJson(&path), entries.is_cut)?;
    for (at, entry) in entries.list.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let name = String::from_utf8_lossy(&entry.name);
        write!(text, "{comma}\n{{\"name\":\"{}\",\"href\":", InJson(&name))?;
        let (kind, slash) = if entry.bytes.is_some() { ("file", "") } else { ("folder", "/") };
        if is_linkable(&entry.name) {
            write!(text, "\"./{}{slash}\"", encode_segment(&entry.name))?;
        } else {
            text.push_str("null");
        }
        write!(text, ",\"kind\":\"{kind}\",\"bytes\":")?;
        match entry.bytes {
            Some(bytes) => write!(text, "{bytes}")?,
            None => text.push_str("null"),
        }
        match entry.modified.map(iso) {
            Some(time) => write!(text, ",\"modified\":\"{time}\"}}")?,
            None => text.push_str(",\"modified\":null}"),
        }
    }
    text.push_str("]}\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{super::tests::entry, *};

    #[test]
    fn a_folder_is_printed() {
        let list = vec![entry(b"a", None, 0), entry(b"b\"\xe2\x80\xae\xff", Some(7), 784_111_777)];
        let text = print(b"x", &Entries { list, is_cut: true });
        let expect = "{\"path\":\"/x/\",\"cut\":true,\"entries\":[\n\
            {\"name\":\"a\",\"href\":\"./a/\",\"kind\":\"folder\",\"bytes\":null,\
            \"modified\":\"1970-01-01T00:00:00Z\"},\n\
            {\"name\":\"b\\\"\\u202e\u{fffd}\",\"href\":\"./b%22%E2%80%AE%FF\",\"kind\":\"file\",\"bytes\":7,\
            \"modified\":\"1994-11-06T08:49:37Z\"}]}\n";
        assert_eq!(text, expect);
    }
}
