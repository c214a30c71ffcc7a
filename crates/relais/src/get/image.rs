//! How large an image is, as its first bytes say.

/// Width and height of a PNG, a GIF or a JPEG whose first bytes these are.
pub(super) fn pixels(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => {
            let at = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
            Some((at(16)?, at(20)?))
        }
        [b'G', b'I', b'F', b'8', _, b'a', rest @ ..] => {
            let at = |at: usize| Some(u16::from_le_bytes(rest.get(at..at + 2)?.try_into().ok()?));
            Some((at(0)?.into(), at(2)?.into()))
        }
        [0xff, 0xd8, rest @ ..] => of_jpeg(rest),
        _ => None,
    }
}

/// Goes from segment to segment, to the one that begins a frame.
fn of_jpeg(mut bytes: &[u8]) -> Option<(u32, u32)> {
    loop {
        let [0xff, marker, rest @ ..] = bytes else { return None };
        let [high, low, ..] = *rest else { return None };
        // All of the kind but those for tables.
        if matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc) {
            let at = |at: usize| Some(u16::from_be_bytes(rest.get(at..at + 2)?.try_into().ok()?));
            return Some((at(5)?.into(), at(3)?.into()));
        }
        bytes = rest.get(usize::from(u16::from_be_bytes([high, low])).max(2)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_an_image_is_read_and_nothing_else_is_one() {
        let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0";
        assert_eq!(pixels(png), Some((640, 480)));
        assert_eq!(pixels(b"GIF89a\x80\x02\xe0\x01"), Some((640, 480)));
        let jpeg = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08\x01\xe0\x02\x80";
        assert_eq!(pixels(jpeg), Some((640, 480)));
        assert_eq!(pixels(b"<html>"), None);
        for image in [&png[..], jpeg, b"GIF89a\x80\x02\xe0\x01"] {
            for cut in 0..image.len() {
                assert_eq!(pixels(&image[..cut]), None, "{cut}");
            }
        }
        assert_eq!(pixels(&[0xff, 0xd8, 0xff, 0xe0, 0, 0, 0xff]), None);
    }
}
