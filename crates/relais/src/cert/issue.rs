//! `relais cert issue`: a certificate and its key, as files.

use std::{fs::OpenOptions, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use anyhow::Context as _;
use relais_net::tls::{ParseSubjectNameError, SubjectName};

use crate::{
    clock,
    complaint::{Complaint, Wrong},
    data::Data,
    output::say,
    stop::Stop,
    tls::open_authority,
};

/// Issues a certificate for `names` and writes it to `out`.
pub(crate) fn issue(names: &[String], out: &Path, data: &Data) -> Result<(), Stop> {
    let subjects = names.iter().map(|name| name.parse()).collect::<Result<Vec<SubjectName>, _>>();
    let subjects = subjects.map_err(|error: ParseSubjectNameError| {
        Stop::Wrong(vec![Complaint::of_flag("NAME", Wrong::from_error(&error))])
    })?;
    let authority = open_authority(&data.authority()?)?;
    let issued = authority.issue(&subjects, clock::now())?;
    // `*` and `:` would have to be quoted in every shell.
    let stem = names[0].replace('*', "_").replace(':', "-");
    let chain = out.join(format!("{stem}.pem"));
    let key = out.join(format!("{stem}-key.pem"));
    write(&chain, &issued.chain_pem, 0o644)?;
    write(&key, &issued.key_pem, 0o600)?;
    say(format_args!("certificate  {}", chain.display()));
    say(format_args!("key          {}", key.display()));
    Ok(())
}

/// Writes a file that is not there yet: a key that is in use is not to be lost.
fn write(path: &Path, text: &str, mode: u32) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("writing {:?}", path.display()))
}
