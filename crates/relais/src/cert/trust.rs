//! `relais cert trust`: how this machine comes to believe the local authority, and how not.

use std::{
    io,
    process::{Command, Stdio},
};

use anyhow::{anyhow, bail};
use rustix::process::geteuid;

use super::stores::{Line, Machine, Store};
use crate::{
    data::Data,
    output::{say, tell},
    stop::Stop,
    tls::open_authority,
};

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Tell what could be done.
    Tell,
    /// Add the authority where we may.
    Install,
    /// Take it out where we may.
    Remove,
}

/// Tells or does it.
pub(crate) fn trust(deed: Deed, data: &Data) -> Result<(), Stop> {
    let certificate = open_authority(&data.authority()?)?.certificate_path();
    let home = std::env::var_os("HOME").map(Into::into);
    let stores = Machine { root: "/".into(), home }.stores(&certificate);
    tell(format_args!("The local authority's certificate is {}", certificate.display()));
    let mut failed = 0;
    for store in &stores {
        if deed == Deed::Tell || (store.is_roots && !geteuid().is_root()) {
            describe(store, deed);
        } else if let Err(error) = change(store, deed) {
            tell(format_args!("{}: {error:#}", store.name));
            failed += 1;
        } else {
            let done = if deed == Deed::Remove { "no longer trusts it" } else { "trusts it now" };
            say(format_args!("{}: {done}", store.name));
        }
    }
    if !stores.iter().any(|store| store.is_roots) {
        tell(ELSEWHERE);
    }
    if deed == Deed::Tell {
        tell("Whoever has that folder can pose as any site to this machine: keep it to yourself.");
    }
    match failed {
        0 => Ok(()),
        _ => Err(anyhow!("{failed} of {} stores could not be changed", stores.len()).into()),
    }
}

const ELSEWHERE: &str = "\
No store of a system that is known here was found. Elsewhere:
  macOS    sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain FILE
  Windows  certutil -addstore -f ROOT FILE
  Firefox  Settings, Privacy & Security, View Certificates, Authorities, Import";

fn lines(store: &Store, deed: Deed) -> &[Line] {
    if deed == Deed::Remove { &store.remove } else { &store.add }
}

fn describe(store: &Store, deed: Deed) {
    tell(format_args!("\n{}:", store.name));
    let sudo = if store.is_roots { "sudo " } else { "" };
    for line in lines(store, deed) {
        say(format_args!("  {sudo}{line}"));
    }
}

fn change(store: &Store, deed: Deed) -> anyhow::Result<()> {
    for line in lines(store, deed) {
        let (program, arguments) = line.0.split_first().expect("a command has a name");
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
        match command.output() {
            Ok(output) if output.status.success() => (),
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                bail!("`{line}` failed: {}", said.trim());
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && program == "certutil" => {
                bail!("there is no `certutil`; it is in libnss3-tools (Debian) or nss-tools");
            }
            Err(error) => bail!("`{line}` failed: {error}"),
        }
    }
    Ok(())
}
