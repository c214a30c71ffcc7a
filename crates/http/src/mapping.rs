//! A file's bytes as memory for the kernel alone to read.
//!
//! What `sendfile` puts into a socket's queue is not the file's bytes but its pages: who writes to
//! the file before they leave changes what is sent. A `send` out of a mapping copies, once, in the
//! kernel. Nothing here ever reads the mapping, so a file that shrinks meanwhile makes that call
//! fail (`EFAULT`), where a look of ours would end the process.

use std::{ffi::c_void, fs::File, io, os::fd::AsRawFd, ptr};

use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// A mapping of a whole file, shared and read-only.
#[derive(Debug)]
pub(crate) struct Mapping {
    /// An address: mapped until the drop, `len` bytes from here on.
    start: usize,
    len: usize,
}

impl Mapping {
    /// Maps the first `len` bytes of `file`.
    ///
    /// # Errors
    ///
    /// What the system says; not every file system has mappings, and none has one of nothing.
    pub(crate) fn of(file: &File, len: u64) -> io::Result<Self> {
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::OutOfMemory)?;
        // SAFETY: a new mapping, at no address of ours; nothing refers to what is in it.
        #[expect(unsafe_code, reason = "copies once, where reading and sending copy twice")]
        let start =
            unsafe { mmap(ptr::null_mut(), len, ProtFlags::READ, MapFlags::SHARED, file, 0) }?;
        Ok(Self { start: start.expose_provenance(), len })
    }

    /// Sends at most `len` bytes from `offset` on to `socket`, without waiting.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::UnexpectedEof`] if the file does not have them any more; else what the
    /// system says.
    pub(crate) fn send(&self, socket: &impl AsRawFd, offset: u64, len: usize) -> io::Result<usize> {
        let offset = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let left = self.len.checked_sub(offset).ok_or(io::ErrorKind::UnexpectedEof)?;
        let start = ptr::with_exposed_provenance::<c_void>(self.start + offset);
        // SAFETY: the part is inside the mapping, and only the kernel reads it: where there is no
        // file behind it any more, the call fails.
        #[expect(unsafe_code, reason = "a slice would promise that nobody writes to the file")]
        let sent = unsafe {
            libc::send(
                socket.as_raw_fd(),
                start,
                len.min(left),
                libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT,
            )
        };
        usize::try_from(sent).map_err(|_| match io::Error::last_os_error() {
            error if error.raw_os_error() == Some(libc::EFAULT) => {
                io::Error::new(io::ErrorKind::UnexpectedEof, "the file was cut")
            }
            error => error,
        })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `of`, unmapped here alone, and `send` does not outlive `self`.
        #[expect(unsafe_code, reason = "what was mapped is unmapped")]
        let unmapped = unsafe { munmap(ptr::with_exposed_provenance_mut(self.start), self.len) };
        debug_assert!(unmapped.is_ok(), "it was mapped");
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        os::unix::net::UnixStream,
    };

    use super::*;

    #[test]
    fn parts_are_sent_and_what_was_cut_off_is_not() {
        let mut file = tempfile::tempfile().unwrap();
        let bytes: Vec<u8> = (0..20_000_u32).flat_map(u32::to_le_bytes).collect();
        file.write_all(&bytes).unwrap();
        let mapping = Mapping::of(&file, bytes.len() as u64).unwrap();
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        for (offset, len) in [(0, 10), (5000, 4096), (79_990, 10), (79_990, 100)] {
            let sent = mapping.send(&ours, offset, len).unwrap();
            let mut got = vec![0; sent];
            theirs.read_exact(&mut got).unwrap();
            let from = usize::try_from(offset).unwrap();
            assert_eq!(got, bytes[from..bytes.len().min(from + len)], "{offset}");
        }
        file.set_len(4096).unwrap();
        assert_eq!(mapping.send(&ours, 0, 10).unwrap(), 10);
        let cut = mapping.send(&ours, 8192, 10).unwrap_err();
        assert_eq!(cut.kind(), io::ErrorKind::UnexpectedEof);
        let beyond = mapping.send(&ours, 80_001, 10).unwrap_err();
        assert_eq!(beyond.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn of_nothing_there_is_none() {
        assert!(Mapping::of(&tempfile::tempfile().unwrap(), 0).is_err());
    }
}
