//! Where a download goes: a file of its own until it is whole, which nobody else writes meanwhile.

use std::{
    fs::{self, File, Metadata, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use bytes::Bytes;
use relais_http::client::{Part, Request};
use rustix::{
    fs::{FlockOperation, OFlags, flock},
    io::Errno,
    process::geteuid,
};
use serde::{Deserialize, Serialize};

use crate::{
    complaint::{Wrong, plain},
    interrupt::{Interrupt, Interrupted},
    measure::exact_bytes,
    stop::Stop,
};

/// Where a download goes.
#[derive(Debug)]
pub(super) struct Place {
    /// What it was called by who asked.
    said: PathBuf,
    /// What it is called once it is whole.
    file: PathBuf,
    /// What is called so until then, if something is: whose it is, and who may read it, stays.
    before: Option<Metadata>,
    /// What it is called until then, open and locked; none where it is no file, but e.g. a device.
    part: Option<OwnPart>,
}

/// What stands beside a part.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Note {
    url: String,
    validator: String,
    /// How much all of it is, if that was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
}

/// A part that is ours alone as long as this lives. One into which nothing came goes with it.
#[derive(Debug)]
struct OwnPart {
    path: PathBuf,
    /// What it is known by.
    note: PathBuf,
    file: File,
}

impl Place {
    /// The place of `file`. A link is followed; what is there and no file is written to as it is.
    pub(super) fn of(file: &Path) -> Result<Self, Stop> {
        let said = file.to_owned();
        let is_link = fs::symlink_metadata(file).is_ok_and(|meta| meta.is_symlink());
        let led_to = if is_link { file.canonicalize().ok() } else { None };
        let file = led_to.unwrap_or_else(|| said.clone());
        let before = fs::metadata(&file).ok();
        if before.as_ref().is_some_and(Metadata::is_dir) {
            let what = format!("{:?} is a folder", file.display());
            return Err(Stop::of_flag("--output", Wrong::expected(what, "a file")));
        }
        let is_special = before.as_ref().is_some_and(|meta| !meta.is_file());
        let part = if is_special { None } else { Some(OwnPart::beside(&file, before.as_ref())?) };
        Ok(Self { said, file, before, part })
    }

    /// What it was called by who asked.
    pub(super) fn said(&self) -> &Path {
        &self.said
    }

    /// What is there of what is asked for, if it is known by something.
    pub(super) fn part_of(&self, request: &Request) -> Option<Part> {
        let part = self.part.as_ref()?;
        let Note { url, validator, size } =
            serde_json::from_slice(&fs::read(&part.note).ok()?).ok()?;
        let bytes = part.file.metadata().ok()?.len();
        let is_of_it = url == request.url.to_string() && bytes > 0;
        is_of_it.then(|| Part { bytes, size, validator: validator.into_bytes() })
    }

    /// Where to write what comes behind the first `there` bytes; what was behind them goes.
    pub(super) async fn out(&self, there: u64, interrupt: &mut Interrupt) -> Result<Out<'_>, Stop> {
        if let Some(part) = &self.part {
            part.cut_to(there)?;
            let file = part.file.try_clone().context("writing to the part")?;
            return Ok(Out { to: To::Part(file), path: &part.path });
        }
        let path = self.file.clone();
        let opening = move || OpenOptions::new().write(true).open(path);
        let opened = interrupt.or_blocking(opening).await?;
        let file = opened.with_context(|| format!("opening {:?}", self.file.display()))?;
        Ok(Out { to: To::Other(Arc::new(file)), path: &self.file })
    }

    /// Writes down what it is known by, if it is, and its size, if that was told.
    pub(super) fn note(
        &self,
        request: &Request,
        validator: Option<&str>,
        size: Option<u64>,
    ) -> anyhow::Result<()> {
        let Some(part) = &self.part else { return Ok(()) };
        // Made anew: a link there would lead to another file.
        remove(&part.note)?;
        let Some(validator) = validator else { return Ok(()) };
        let note = Note { url: request.url.to_string(), validator: validator.to_owned(), size };
        let text = serde_json::to_vec(&note).context("writing down what it is known by")?;
        let made = OpenOptions::new().write(true).create_new(true).open(&part.note);
        let written = made.and_then(|mut file| file.write_all(&text));
        written.with_context(|| format!("writing {:?}", part.note.display()))
    }

    /// Gives it its name.
    pub(super) fn finish(&self) -> anyhow::Result<()> {
        let Some(part) = &self.part else { return Ok(()) };
        if let Some(before) = &self.before {
            part.be_as(before)
                .with_context(|| format!("setting who may read {:?}", part.path.display()))?;
        }
        fs::rename(&part.path, &self.file)
            .with_context(|| format!("renaming {:?}", part.path.display()))?;
        remove(&part.note)
    }

    /// Says that what came can be gone on with.
    pub(super) fn kept(&self, came: u64) -> String {
        match &self.part {
            Some(part) => {
                format!("{} has {}: `--resume` goes on", part.path.display(), exact_bytes(came))
            }
            None => format!("{} came", exact_bytes(came)),
        }
    }

    /// Takes off what came behind the first `there` bytes, and says so.
    pub(super) fn cut_to(&self, there: u64) -> anyhow::Result<String> {
        if let Some(part) = &self.part {
            part.cut_to(there)?;
        }
        Ok(self.kept(there))
    }

    /// Removes what came: without something that it is known by nothing can be put behind it.
    pub(super) fn dropped(&self, came: u64) -> String {
        let Some(part) = &self.part else { return format!("{} came", exact_bytes(came)) };
        _ = fs::remove_file(&part.path);
        format!("{} came, and nothing that they are known by: they are not kept", exact_bytes(came))
    }
}

/// What of a file's mode says who may read and write it.
const PERMISSIONS: u32 = 0o777;

/// How often a part is opened that another one renames or removes at that moment.
const TRIES: usize = 5;

impl OwnPart {
    /// That of `file`, which is made if it is not there. No more people may read it than what is called
    /// so `before`, and its owner may go on with it.
    fn beside(file: &Path, before: Option<&Metadata>) -> Result<Self, Stop> {
        let mode = before.map(|before| before.mode() & PERMISSIONS | 0o600);
        let with = |end: &str| {
            let mut name = file.to_owned().into_os_string();
            name.push(end);
            PathBuf::from(name)
        };
        let (path, note) = (with(".part"), with(".part.json"));
        let refuse = |what: String, expected: &str| {
            Err(Stop::of_flag("--output", Wrong::expected(what, expected)))
        };
        for _ in 0..TRIES {
            let opened = OpenOptions::new()
                .append(true)
                .create(true)
                .mode(mode.unwrap_or(0o666))
                // Nothing is waited for where it is a pipe, either.
                .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed())
                .open(&path);
            let file = match opened {
                Ok(file) => file,
                Err(error) if Errno::from_io_error(&error) == Some(Errno::LOOP) => {
                    return refuse(format!("{:?} is a link", path.display()), "no file, or a part");
                }
                Err(error) => {
                    let why = plain(&error.to_string());
                    return refuse(format!("cannot write {:?}: {why}", path.display()), "a FILE");
                }
            };
            let meta = file.metadata()?;
            if !meta.is_file() || meta.uid() != geteuid().as_raw() {
                let what = format!("{:?} is no file of yours", path.display());
                return refuse(what, "no file, or a part");
            }
            if let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
                if error != Errno::WOULDBLOCK {
                    return Err(anyhow::Error::new(error).context("locking the part").into());
                }
                let what = format!("{:?} is being written by another relais", path.display());
                return refuse(what, "another FILE, or to wait for that one");
            }
            // Whoever had it may have renamed or removed it before it was locked.
            let there = fs::symlink_metadata(&path);
            if there.is_ok_and(|there| (there.dev(), there.ino()) == (meta.dev(), meta.ino())) {
                let part = Self { path, note, file };
                mode.map_or(Ok(()), |mode| part.permit(mode))?;
                return Ok(part);
            }
        }
        refuse(format!("{:?} is being written by others", path.display()), "another FILE")
    }

    /// Gives it the permissions of `before`, and as far as we may its owner and its group.
    fn be_as(&self, before: &Metadata) -> io::Result<()> {
        let (uid, gid) = (before.uid(), before.gid());
        _ = fchown(&self.file, Some(uid), Some(gid))
            .or_else(|_| fchown(&self.file, None, Some(gid)));
        self.permit(before.mode() & PERMISSIONS)
    }

    /// Has it be read and written by whom `mode` says, which not every file system lets one set.
    fn permit(&self, mode: u32) -> io::Result<()> {
        if self.file.metadata()?.mode() & PERMISSIONS == mode {
            return Ok(());
        }
        self.file.set_permissions(Permissions::from_mode(mode))
    }

    fn cut_to(&self, there: u64) -> anyhow::Result<()> {
        self.file.set_len(there).with_context(|| format!("cutting {:?}", self.path.display()))
    }
}

impl Drop for OwnPart {
    fn drop(&mut self) {
        let is_here = |meta: Metadata| {
            let there = fs::symlink_metadata(&self.path);
            there.is_ok_and(|there| (there.dev(), there.ino()) == (meta.dev(), meta.ino()))
        };
        // Nothing came. It is locked still: nobody else has it.
        if self.file.metadata().is_ok_and(|meta| meta.len() == 0 && is_here(meta)) {
            _ = fs::remove_file(&self.path);
            _ = remove(&self.note);
        }
    }
}

/// What is written to.
#[derive(Debug)]
pub(super) struct Out<'a> {
    to: To,
    pub(super) path: &'a Path,
}

#[derive(Debug)]
enum To {
    /// A file, for which nobody has to be waited for.
    Part(File),
    /// What somebody may have to read first, a pipe for example.
    Other(Arc<File>),
}

impl Out<'_> {
    /// Writes all of `piece`, unless `interrupt` comes before: then it is of no use any more.
    pub(super) async fn write(
        &mut self,
        piece: Bytes,
        interrupt: &mut Interrupt,
    ) -> Result<io::Result<()>, Interrupted> {
        match &mut self.to {
            To::Part(file) => Ok(file.write_all(&piece)),
            To::Other(file) => {
                let file = Arc::clone(file);
                interrupt.or_blocking(move || (&*file).write_all(&piece)).await
            }
        }
    }
}

fn remove(file: &Path) -> anyhow::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {:?}", file.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_known_by_what_was_noted_with_or_without_a_size() {
        let check = |text: &str, size| {
            let note = Note { url: "u".to_owned(), validator: "\"a\"".to_owned(), size };
            assert_eq!(serde_json::to_string(&note).unwrap(), text);
            assert_eq!(serde_json::from_str::<Note>(text).unwrap(), note);
        };
        check(r#"{"url":"u","validator":"\"a\""}"#, None);
        check(r#"{"url":"u","validator":"\"a\"","size":20}"#, Some(20));
    }
}
