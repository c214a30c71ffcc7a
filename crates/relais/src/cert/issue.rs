//! `relais cert issue`: a certificate and its key, as files.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::Context as _;
use relais_net::tls::{ParseSubjectNameError, SubjectName};

use crate::{
    base::Base,
    clock,
    complaint::{Complaint, Wrong},
    data::Data,
    output::say,
    stop::Stop,
    tls::open_authority,
};

/// What becomes of files that are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum There {
    /// They stay, and nothing is issued: a key that is in use is not to be lost.
    Kept,
    /// They are replaced.
    Replaced,
}

/// Issues a certificate for `names` and writes it to `out`.
pub(crate) fn issue(names: &[String], out: &Path, there: There, data: &Data) -> Result<(), Stop> {
    let subjects = names.iter().map(|name| name.parse()).collect::<Result<Vec<SubjectName>, _>>();
    let subjects = subjects.map_err(|error: ParseSubjectNameError| {
        Stop::Wrong(vec![Complaint::of_flag("NAME", Wrong::from_error(&error))])
    })?;
    if !out.is_dir() {
        let wrong = Wrong::from_message(&format!("no folder at {:?}", out.display()));
        return Err(Stop::Wrong(vec![Complaint::of_flag("--out", wrong)]));
    }
    // `*` and `:` would have to be quoted in every shell.
    let stem = names[0].replace('*', "_").replace(':', "-");
    let out = Base(out.to_owned());
    let chain = out.join(format!("{stem}.pem").as_ref());
    let key = out.join(format!("{stem}-key.pem").as_ref());
    if there == There::Kept {
        // Both before either is written.
        [&chain, &key].into_iter().try_for_each(|path| is_free(path))?;
    }
    let authority = open_authority(&data.authority()?)?;
    let issued = authority.issue(&subjects, clock::now())?;
    write(&chain, &issued.chain_pem, 0o644, there)?;
    write(&key, &issued.key_pem, 0o600, there)?;
    say(format_args!("certificate  {}", chain.display()));
    say(format_args!("key          {}", key.display()));
    Ok(())
}

fn is_free(path: &Path) -> Result<(), Stop> {
    if fs::symlink_metadata(path).is_err() {
        return Ok(());
    }
    let wrong = Wrong::from_message(&format!("{:?} is there already", path.display()));
    let wrong = wrong.hint("`--force` overwrites the certificate and its key");
    Err(Stop::Refused(vec![Complaint::of_file(path.to_owned(), wrong)]))
}

/// Writes a file whole: who reads it meanwhile has the old one or the new one.
fn write(path: &Path, text: &str, mode: u32, there: There) -> anyhow::Result<()> {
    let failed = || format!("writing {:?}", path.display());
    if there == There::Kept {
        return create(path, text, mode).with_context(failed);
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).with_context(failed)?,
        _ => (),
    }
    create(&new, text, mode).and_then(|()| fs::rename(&new, path)).with_context(failed)
}

/// Writes a file that is not there yet.
fn create(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
