//! Taking gzip off a body as it comes (RFC 1952), within limits.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;

/// How much is decoded at a time: what a thousand times as much has room for.
const STEP_BYTES: usize = 1024;

/// Why a body is no gzip.
#[derive(Debug, thiserror::Error)]
pub enum BadGzip {
    /// It is something else, or broken.
    #[error("the body is no gzip, or a broken one")]
    Broken(#[source] io::Error),
    /// It ends too soon.
    #[error("the body is a gzip that ends too soon")]
    Cut,
    /// It becomes too much.
    #[error("the body decompresses to more than {0} bytes")]
    TooLarge(u64),
}

/// Decodes gzip in steps: what it holds is at most about 2 MiB, whatever it is fed.
#[derive(Debug)]
pub struct Gunzip {
    decoder: MultiGzDecoder<Vec<u8>>,
    /// `came <= bytes_max`
    came: u64,
    bytes_max: u64,
}

impl Gunzip {
    /// One that gives at most so many bytes.
    pub fn new(bytes_max: u64) -> Self {
        Self { decoder: MultiGzDecoder::new(Vec::new()), came: 0, bytes_max }
    }

    /// Decodes what came, and gives it to `take`, piece by piece.
    ///
    /// # Errors
    ///
    /// [`BadGzip`]; what was given before is sound. Of what is too large as much is given as may be.
    pub fn feed(&mut self, bytes: &[u8], take: &mut dyn FnMut(&[u8])) -> Result<(), BadGzip> {
        for step in bytes.chunks(STEP_BYTES) {
            self.decoder.write_all(step).map_err(BadGzip::Broken)?;
            self.give(take)?;
        }
        Ok(())
    }

    /// Nothing more comes.
    ///
    /// # Errors
    ///
    /// [`BadGzip::Cut`] if more should have.
    pub fn end(mut self, take: &mut dyn FnMut(&[u8])) -> Result<(), BadGzip> {
        self.decoder.try_finish().map_err(|_| BadGzip::Cut)?;
        self.give(take)
    }

    fn give(&mut self, take: &mut dyn FnMut(&[u8])) -> Result<(), BadGzip> {
        let out = self.decoder.get_mut();
        let room = usize::try_from(self.bytes_max - self.came).unwrap_or(usize::MAX);
        if out.len() > room {
            take(&out[..room]);
            return Err(BadGzip::TooLarge(self.bytes_max));
        }
        self.came += out.len() as u64;
        if !out.is_empty() {
            take(out);
            out.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// All that comes of it, and the most that came at once.
    fn gunzip(bytes: &[u8], cut: usize, bytes_max: u64) -> Result<(Vec<u8>, usize), BadGzip> {
        let (mut all, mut most) = (Vec::new(), 0);
        let mut take = |piece: &[u8]| {
            most = most.max(piece.len());
            all.extend_from_slice(piece);
        };
        let mut gunzip = Gunzip::new(bytes_max);
        for piece in bytes.chunks(cut) {
            gunzip.feed(piece, &mut take)?;
        }
        gunzip.end(&mut take)?;
        Ok((all, most))
    }

    #[test]
    fn what_was_packed_comes_back_however_it_is_cut() {
        let text = b"hello hello hello".repeat(100);
        let packed = gzip(&text);
        for cut in [1, 7, 100, packed.len()] {
            assert_eq!(gunzip(&packed, cut, 1 << 20).unwrap().0, text);
        }
        let twice = [packed.clone(), packed].concat();
        assert_eq!(gunzip(&twice, 50, 1 << 20).unwrap().0, text.repeat(2));
    }

    #[test]
    fn a_bomb_is_neither_held_nor_followed() {
        let bomb = gzip(&vec![0; 64 << 20]);
        assert!(matches!(gunzip(&bomb, 65_536, 1 << 20), Err(BadGzip::TooLarge(1_048_576))));
        let (_, most) = gunzip(&bomb, 65_536, 1 << 30).unwrap();
        assert!(most <= 2 << 20, "{most}");
    }

    #[test]
    fn of_what_is_too_large_the_first_is_given() {
        let packed = gzip(&[vec![1; 5000], vec![2; 5000]].concat());
        let (mut gunzip, mut all) = (Gunzip::new(7000), Vec::new());
        let mut take = |piece: &[u8]| all.extend_from_slice(piece);
        let fed = gunzip.feed(&packed, &mut take).and_then(|()| gunzip.end(&mut take));
        assert!(matches!(fed, Err(BadGzip::TooLarge(7000))));
        assert_eq!(all, [vec![1; 5000], vec![2; 2000]].concat());
    }

    #[test]
    fn what_is_broken_is_told() {
        assert!(matches!(gunzip(b"no gzip at all", 99, 99), Err(BadGzip::Broken(_))));
        let packed = gzip(&[7; 10_000]);
        let cut = &packed[..packed.len() - 9];
        assert!(matches!(gunzip(cut, 99, 99_999), Err(BadGzip::Cut | BadGzip::Broken(_))));
    }
}
