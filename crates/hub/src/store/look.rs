//! What is in a file, as far as its first bytes tell: who opens it makes files beside it, and beside what is
//! no hub's nothing is to be made.

use std::{
    fs::{self, File},
    io::{ErrorKind, Read as _},
    path::Path,
};

use super::{
    broken::{Broken, failed},
    lock::beside,
    schema::APPLICATION,
};

/// What a database of SQLite's begins with.
///
/// *Source*: SQLite, "Database File Format", 1.3.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// How much of it tells whose it is, and that alone.
const HEADER: usize = 72;

/// What of a database changes with its tables, and two numbers for programs to set: where each begins, of
/// four bytes.
const SCHEMA_AT: usize = 40;
const VERSION_AT: usize = 60;
const APPLICATION_AT: usize = 68;

/// Looks at what is in `file`, if anything is, and makes nothing.
///
/// # Errors
///
/// [`Broken::Foreign`], if that is no hub's; [`Broken::Io`], if it cannot be read.
pub(super) fn look(file: &Path) -> Result<(), Broken> {
    let foreign = || Broken::Foreign { path: file.to_owned() };
    match fs::metadata(file) {
        Ok(found) if !found.is_file() => return Err(foreign()),
        Ok(found) if found.len() == 0 => return Ok(()),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("opening", file)(error)),
    }
    let mut header = Vec::with_capacity(HEADER);
    let opened = File::open(file).map_err(failed("opening", file))?;
    let wanted = u64::try_from(HEADER).unwrap_or(u64::MAX);
    opened.take(wanted).read_to_end(&mut header).map_err(failed("reading", file))?;
    // What was being written when its process ended SQLite has yet to put right.
    let is_half_written = beside(file, "-journal").exists();
    if is_hub_s(&header) || (is_half_written && header.starts_with(MAGIC)) {
        Ok(())
    } else {
        Err(foreign())
    }
}

/// Whether that is the beginning of a hub's database, or of one that nothing was written to.
fn is_hub_s(header: &[u8]) -> bool {
    let number = |at: usize| {
        let four = header.get(at..at + 4).and_then(|four| four.try_into().ok());
        four.map(|four| i64::from(u32::from_be_bytes(four)))
    };
    let is_ours = number(APPLICATION_AT) == Some(APPLICATION);
    let is_blank = [APPLICATION_AT, VERSION_AT, SCHEMA_AT].iter().all(|at| number(*at) == Some(0));
    header.starts_with(MAGIC) && (is_ours || is_blank)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header(numbers: [(usize, u32); 3]) -> Vec<u8> {
        let mut header = vec![0; HEADER];
        header[..MAGIC.len()].copy_from_slice(MAGIC);
        for (at, number) in numbers {
            header[at..at + 4].copy_from_slice(&number.to_be_bytes());
        }
        header
    }

    #[test]
    fn a_hub_s_file_is_told_from_others() {
        let check = |application, version, schema, expect| {
            let numbers =
                [(APPLICATION_AT, application), (VERSION_AT, version), (SCHEMA_AT, schema)];
            assert_eq!(is_hub_s(&header(numbers)), expect, "{application:x} {version} {schema}");
        };
        check(0x726c_6862, 13, 40, true);
        check(0, 0, 0, true);
        check(0, 0, 1, false);
        check(0, 1, 0, false);
        check(0x0f05_5112, 1, 40, false);
        assert!(!is_hub_s(b"root:x:0:0:root:/root:/bin/bash\n"));
        assert!(!is_hub_s(&header([(APPLICATION_AT, 0x726c_6862); 3])[..HEADER - 1]), "cut short");
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes: Vec<u8>, numbers: [u32; 3]) {
            is_hub_s(&bytes);
            let numbers = [(APPLICATION_AT, numbers[0]), (VERSION_AT, numbers[1]), (SCHEMA_AT, numbers[2])];
            is_hub_s(&header(numbers));
        }
    }
}
