//! What is sent, as flags say it: `TEXT|@FILE`.

use std::{
    fs,
    io::{self, Read as _},
    path::Path,
};

use crate::{complaint::Wrong, stop::Stop};

/// The bytes that `flag` says: a text itself, what `@FILE` holds, or standard input with `@-`. May block.
pub(crate) fn read(flag: &str, said: &str) -> Result<Vec<u8>, Stop> {
    match said.strip_prefix('@') {
        None => Ok(said.as_bytes().to_vec()),
        Some("-") => {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes)?;
            Ok(bytes)
        }
        Some(file) => fs::read(file).map_err(|error| {
            Stop::of_flag(flag, Wrong::reading("what is to be sent", Path::new(file), &error))
        }),
    }
}
