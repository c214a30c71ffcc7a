//! Media types by a name's extension.

use Gain::{Much, None as Packed};
use http::HeaderValue;

/// What is known of a file by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Media {
    /// The value of `Content-Type`.
    pub name: &'static str,
    /// Whether coding makes it smaller.
    pub gain: Gain,
}

/// Whether coding makes files of a type smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gain {
    Much,
    /// It is packed already, or unknown.
    None,
}

impl Media {
    /// The type of the file `path`. What has no extension that is known is bytes.
    pub(super) fn of(path: &[u8]) -> Self {
        let unknown = Self { name: "application/octet-stream", gain: Gain::None };
        let Some(extension) = extension(path) else { return unknown };
        let mut lower = [0; EXTENSION_MAX];
        let Some(lower) = lower.get_mut(..extension.len()) else { return unknown };
        lower.copy_from_slice(extension);
        lower.make_ascii_lowercase();
        match TABLE.binary_search_by(|(known, ..)| known.as_bytes().cmp(lower)) {
            Ok(at) => Self { name: TABLE[at].1, gain: TABLE[at].2 },
            Err(_) => unknown,
        }
    }

    pub(super) fn value(self) -> HeaderValue {
        HeaderValue::from_static(self.name)
    }
}

/// What follows the last dot of a path's last name, if anything does.
pub(super) fn extension(path: &[u8]) -> Option<&[u8]> {
    let name = path.rsplit(|&byte| byte == b'/').next()?;
    let dot = name.iter().rposition(|&byte| byte == b'.')?;
    Some(&name[dot + 1..]).filter(|extension| dot > 0 && !extension.is_empty())
}

const EXTENSION_MAX: usize = 11;

/// By extension. The types are IANA's, where there is one. Text is UTF-8; JSON always is, and XML
/// says for itself what it is.
const TABLE: &[(&str, &str, Gain)] = &[
    ("3gp", "video/3gpp", Packed),
    ("7z", "application/x-7z-compressed", Packed),
    ("aac", "audio/aac", Packed),
    ("apk", "application/vnd.android.package-archive", Packed),
    ("apng", "image/apng", Packed),
    ("asc", "text/plain; charset=utf-8", Much),
    ("atom", "application/atom+xml", Much),
    ("avi", "video/x-msvideo", Packed),
    ("avif", "image/avif", Packed),
    ("bmp", "image/bmp", Much),
    ("br", "application/octet-stream", Packed),
    ("bz2", "application/x-bzip2", Packed),
    ("c", "text/plain; charset=utf-8", Much),
    ("cc", "text/plain; charset=utf-8", Much),
    ("cer", "application/pkix-cert", Packed),
    ("cjs", "text/javascript; charset=utf-8", Much),
    ("conf", "text/plain; charset=utf-8", Much),
    ("cpp", "text/plain; charset=utf-8", Much),
    ("crt", "application/x-x509-ca-cert", Packed),
    ("css", "text/css; charset=utf-8", Much),
    ("csv", "text/csv; charset=utf-8", Much),
    ("dash", "application/dash+xml", Much),
    ("deb", "application/vnd.debian.binary-package", Packed),
    ("diff", "text/plain; charset=utf-8", Much),
    ("dmg", "application/x-apple-diskimage", Packed),
    ("doc", "application/msword", Much),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", Packed),
    ("eot", "application/vnd.ms-fontobject", Much),
    ("eps", "application/postscript", Much),
    ("epub", "application/epub+zip", Packed),
    ("flac", "audio/flac", Packed),
    ("geojson", "application/geo+json", Much),
    ("gif", "image/gif", Packed),
    ("glb", "model/gltf-binary", Much),
    ("gltf", "model/gltf+json", Much),
    ("go", "text/plain; charset=utf-8", Much),
    ("gz", "application/gzip", Packed),
    ("h", "text/plain; charset=utf-8", Much),
    ("heic", "image/heic", Packed),
    ("htm", "text/html; charset=utf-8", Much),
    ("html", "text/html; charset=utf-8", Much),
    ("ico", "image/x-icon", Much),
    ("ics", "text/calendar; charset=utf-8", Much),
    ("ini", "text/plain; charset=utf-8", Much),
    ("iso", "application/x-iso9660-image", Packed),
    ("jar", "application/java-archive", Packed),
    ("java", "text/plain; charset=utf-8", Much),
    ("jpeg", "image/jpeg", Packed),
    ("jpg", "image/jpeg", Packed),
    ("js", "text/javascript; charset=utf-8", Much),
    ("json", "application/json", Much),
    ("json5", "application/json5", Much),
    ("jsonl", "application/jsonl", Much),
    ("jsonld", "application/ld+json", Much),
    ("jxl", "image/jxl", Packed),
    ("key", "application/vnd.apple.keynote", Packed),
    ("kml", "application/vnd.google-earth.kml+xml", Much),
    ("kmz", "application/vnd.google-earth.kmz", Packed),
    ("log", "text/plain; charset=utf-8", Much),
    ("m3u8", "application/vnd.apple.mpegurl", Much),
    ("m4a", "audio/mp4", Packed),
    ("m4s", "video/iso.segment", Packed),
    ("m4v", "video/mp4", Packed),
    ("map", "application/json", Much),
    ("markdown", "text/markdown; charset=utf-8", Much),
    ("md", "text/markdown; charset=utf-8", Much),
    ("mid", "audio/midi", Much),
    ("mjs", "text/javascript; charset=utf-8", Much),
    ("mkv", "video/matroska", Packed),
    ("mov", "video/quicktime", Packed),
    ("mp3", "audio/mpeg", Packed),
    ("mp4", "video/mp4", Packed),
    ("mpd", "application/dash+xml", Much),
    ("mpeg", "video/mpeg", Packed),
    ("mpg", "video/mpeg", Packed),
    ("msi", "application/x-msi", Packed),
    ("odp", "application/vnd.oasis.opendocument.presentation", Packed),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet", Packed),
    ("odt", "application/vnd.oasis.opendocument.text", Packed),
    ("oga", "audio/ogg", Packed),
    ("ogg", "audio/ogg", Packed),
    ("ogv", "video/ogg", Packed),
    ("opus", "audio/ogg", Packed),
    ("otf", "font/otf", Much),
    ("patch", "text/plain; charset=utf-8", Much),
    ("pcap", "application/vnd.tcpdump.pcap", Packed),
    ("pcapng", "application/vnd.tcpdump.pcap", Packed),
    ("pdf", "application/pdf", Packed),
    ("pem", "application/x-pem-file", Packed),
    ("png", "image/png", Packed),
    ("ppt", "application/vnd.ms-powerpoint", Much),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation", Packed),
    ("ps", "application/postscript", Much),
    ("py", "text/plain; charset=utf-8", Much),
    ("rar", "application/vnd.rar", Packed),
    ("rpm", "application/x-rpm", Packed),
    ("rs", "text/plain; charset=utf-8", Much),
    ("rss", "application/rss+xml", Much),
    ("rst", "text/plain; charset=utf-8", Much),
    ("rtf", "application/rtf", Much),
    ("sh", "text/plain; charset=utf-8", Much),
    ("sql", "text/plain; charset=utf-8", Much),
    ("srt", "text/plain; charset=utf-8", Much),
    ("svg", "image/svg+xml", Much),
    ("svgz", "image/svg+xml", Packed),
    ("tar", "application/x-tar", Much),
    ("tgz", "application/gzip", Packed),
    ("tif", "image/tiff", Packed),
    ("tiff", "image/tiff", Packed),
    ("toml", "application/toml", Much),
    ("ts", "video/mp2t", Packed),
    ("tsv", "text/tab-separated-values; charset=utf-8", Much),
    ("ttc", "font/collection", Much),
    ("ttf", "font/ttf", Much),
    ("txt", "text/plain; charset=utf-8", Much),
    ("vcf", "text/vcard; charset=utf-8", Much),
    ("vtt", "text/vtt; charset=utf-8", Much),
    ("wasm", "application/wasm", Much),
    ("wav", "audio/wav", Packed),
    ("weba", "audio/webm", Packed),
    ("webm", "video/webm", Packed),
    ("webmanifest", "application/manifest+json", Much),
    ("webp", "image/webp", Packed),
    ("woff", "font/woff", Packed),
    ("woff2", "font/woff2", Packed),
    ("xhtml", "application/xhtml+xml", Much),
    ("xls", "application/vnd.ms-excel", Much),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Packed),
    ("xml", "application/xml", Much),
    ("xsl", "application/xslt+xml", Much),
    ("xslt", "application/xslt+xml", Much),
    ("xz", "application/x-xz", Packed),
    ("yaml", "application/yaml", Much),
    ("yml", "application/yaml", Much),
    ("zip", "application/zip", Packed),
    ("zst", "application/zstd", Packed),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides() {
        check("a.html", "text/html; charset=utf-8");
        check("A.HTML", "text/html; charset=utf-8");
        check("a/b.c/d.js", "text/javascript; charset=utf-8");
        check("a.tar.gz", "application/gzip");
        check("site.webmanifest", "application/manifest+json");
        check("a.svg", "image/svg+xml");
        check("a.woff2", "font/woff2");
    }

    #[test]
    fn what_is_unknown_is_bytes() {
        for path in
            ["", "a", "a.", "html", ".html", "a.html/b", "a.unheardof", "a.muchtoolongforanytype"]
        {
            check(path, "application/octet-stream");
        }
    }

    #[test]
    fn the_table_is_sorted_and_sound() {
        assert!(TABLE.is_sorted_by(|(one, ..), (next, ..)| one < next));
        assert_eq!(TABLE.iter().map(|(name, ..)| name.len()).max(), Some(EXTENSION_MAX));
        for (extension, name, _) in TABLE {
            assert!(HeaderValue::from_str(name).is_ok(), "{extension}");
            assert!(!name.starts_with("text/") || name.ends_with("; charset=utf-8"), "{extension}");
        }
    }

    #[track_caller]
    fn check(path: &str, expect: &str) {
        assert_eq!(Media::of(path.as_bytes()).name, expect, "for {path:?}");
    }
}
