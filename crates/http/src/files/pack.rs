//! Coding: bytes in, fewer bytes out.

use std::io::{self, Write};

use brotli::enc::BrotliEncoderParams;
use flate2::{Compression, GzBuilder};
use relais_wire::accept::Coding;

use super::options::Levels;

/// Codes `bytes`; `None` if that does not make them smaller, by a twentieth at least.
///
/// The same bytes give the same result, as long as the encoder is the same.
///
/// # Errors
///
/// What an encoder says; it does so only if memory runs out.
pub(super) fn pack(bytes: &[u8], coding: Coding, levels: Levels) -> io::Result<Option<Vec<u8>>> {
    let packed = match coding {
        Coding::Gzip => gzip(bytes, levels.gzip)?,
        Coding::Br => br(bytes, levels.br)?,
        // A window of 8 MiB is all that a browser has to have (RFC 9659); levels up to 19 keep it.
        Coding::Zstd => zstd::bulk::compress(bytes, levels.zstd.clamp(1, 19))?,
        Coding::Identity => return Ok(None),
    };
    Ok((packed.len() < bytes.len() - bytes.len() / 20).then_some(packed))
}

fn gzip(bytes: &[u8], level: u32) -> io::Result<Vec<u8>> {
    let packed = Vec::with_capacity(bytes.len() / 3);
    let mut encoder = GzBuilder::new().mtime(0).write(packed, Compression::new(level.min(9)));
    encoder.write_all(bytes)?;
    encoder.finish()
}

fn br(bytes: &[u8], level: u32) -> io::Result<Vec<u8>> {
    let quality = i32::try_from(level.min(11)).unwrap_or(5);
    let parameters = BrotliEncoderParams { quality, size_hint: bytes.len(), ..Default::default() };
    let mut packed = Vec::with_capacity(bytes.len() / 3);
    brotli::BrotliCompress(&mut &*bytes, &mut packed, &parameters)?;
    Ok(packed)
}

#[cfg(test)]
pub(super) fn unpack(bytes: &[u8], coding: Coding) -> Vec<u8> {
    let mut plain = Vec::new();
    match coding {
        Coding::Gzip => {
            let mut decoder = flate2::read::GzDecoder::new(bytes);
            io::copy(&mut decoder, &mut plain).unwrap();
        }
        Coding::Br => brotli::BrotliDecompress(&mut &*bytes, &mut plain).unwrap(),
        Coding::Zstd => plain = zstd::stream::decode_all(bytes).unwrap(),
        Coding::Identity => plain.extend_from_slice(bytes),
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_unpacks() {
        let text = "what is said often is soon said shorter; ".repeat(100);
        for coding in [Coding::Zstd, Coding::Br, Coding::Gzip] {
            let packed = pack(text.as_bytes(), coding, Levels::default()).unwrap().unwrap();
            assert!(packed.len() < 200, "{coding:?}: {}", packed.len());
            assert_eq!(unpack(&packed, coding), text.as_bytes(), "{coding:?}");
        }
    }

    #[test]
    fn what_does_not_get_smaller_stays() {
        for coding in [Coding::Zstd, Coding::Br, Coding::Gzip, Coding::Identity] {
            assert_eq!(pack(b"k3Jq0zP", coding, Levels::default()).unwrap(), None, "{coding:?}");
            assert_eq!(pack(b"", coding, Levels::default()).unwrap(), None, "{coding:?}");
        }
    }
}
