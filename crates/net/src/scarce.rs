//! What there may be too little of here.

use std::io;

use rustix::io::Errno;

/// Whether `error` says that this machine has too little of something, descriptors or memory: to whom a
/// call was made does not matter, another would fare no better.
pub fn is_scarce(error: &io::Error) -> bool {
    let scarce = [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM];
    Errno::from_io_error(error).is_some_and(|errno| scarce.contains(&errno))
}
