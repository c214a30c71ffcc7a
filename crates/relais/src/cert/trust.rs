//! `relais cert trust`: how this machine comes to believe the local authority, and how not.
//!
//! All that is told here is what was asked for, so it goes to standard output in one piece.

use std::{
    io,
    process::{Command, Stdio},
};

use anyhow::{anyhow, bail};
use rustix::process::geteuid;

use super::stores::{Line, Machine, Ours, Store};
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

/// What came of it at one store.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Trusted,
    NoLongerTrusted,
    /// There was nothing to take out.
    WasNotTrusted,
    /// These are for the person to type.
    ToType(Vec<Line>),
}

/// Tells or does it.
pub(crate) fn trust(deed: Deed, data: &Data) -> Result<(), Stop> {
    let home = std::env::var_os("HOME").map(Into::into);
    let machine = Machine { root: "/".into(), home, is_root: geteuid().is_root() };
    let failed = if deed == Deed::Remove {
        distrust(&machine, data)?
    } else {
        let path = open_authority(&data.authority()?)?.certificate_path();
        let ours = Ours::read(&path)?.ok_or_else(|| anyhow!("{:?} is gone", path.display()))?;
        say(format_args!("The local authority's certificate is {}", path.display()));
        let failed = each_store(&machine, |store| add(store, deed, &ours, &machine, &mut run));
        tell_the_rest(&machine, &ours);
        failed
    };
    match failed {
        0 => Ok(()),
        1 => Err(anyhow!("1 store could not be changed").into()),
        _ => Err(anyhow!("{failed} stores could not be changed").into()),
    }
}

/// Takes the authority out. One that is not there is not made for it.
fn distrust(machine: &Machine, data: &Data) -> anyhow::Result<usize> {
    let ours = Ours::read(&data.authority_certificate()?)?;
    if ours.is_none() {
        say(format_args!("There is no local authority in {}", data.authority()?.display()));
    }
    Ok(each_store(machine, |store| {
        let (outcome, others) = remove(store, ours.as_ref(), machine, &mut run)?;
        for other in others {
            say(format_args!("{}: {other:?} is another authority and stays", store.name));
        }
        Ok(outcome)
    }))
}

/// Says what comes of `deal` at each store; how many failed.
fn each_store(machine: &Machine, mut deal: impl FnMut(&Store) -> anyhow::Result<Outcome>) -> usize {
    let mut failed = 0;
    for store in machine.stores() {
        let name = &store.name;
        match deal(&store) {
            Ok(Outcome::Trusted) => say(format_args!("{name}: trusts it now")),
            Ok(Outcome::NoLongerTrusted) => say(format_args!("{name}: no longer trusts it")),
            Ok(Outcome::WasNotTrusted) => say(format_args!("{name}: did not trust it")),
            Ok(Outcome::ToType(lines)) => {
                say(format_args!("\n{name}:"));
                let sudo = if store.is_roots() && !machine.is_root { "sudo " } else { "" };
                for line in lines {
                    say(format_args!("  {sudo}{line}"));
                }
            }
            Err(error) => {
                tell(format_args!("{name}: {error:#}"));
                failed += 1;
            }
        }
    }
    failed
}

/// Whoever keeps no store here yet, and whoever wants none.
fn tell_the_rest(machine: &Machine, ours: &Ours) {
    for (name, lines) in machine.missing(ours) {
        say(format_args!("\n{name}, which has no store here yet:"));
        for line in lines {
            say(format_args!("  {line}"));
        }
    }
    if !machine.stores().iter().any(Store::is_roots) {
        say(ELSEWHERE);
    }
    let line = Line(["curl", "--cacert", &ours.path.display().to_string()].map(Into::into).into());
    say(format_args!("\ncurl, this once:\n  {line} https://localhost:8443/"));
    let folder = ours.path.parent().unwrap_or(&ours.path).display();
    say(format_args!(
        "\nWhoever reads the key in {folder} can pose as any site to those who trust it: keep it to yourself."
    ));
}

const ELSEWHERE: &str = "
No store of a system that is known here was found. Elsewhere:
  macOS    sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain FILE
  Windows  certutil -addstore -f ROOT FILE";

fn add(
    store: &Store,
    deed: Deed,
    ours: &Ours,
    machine: &Machine,
    run: &mut impl FnMut(&Line) -> anyhow::Result<String>,
) -> anyhow::Result<Outcome> {
    let lines = store.add(ours);
    if deed == Deed::Tell || (store.is_roots() && !machine.is_root) {
        return Ok(Outcome::ToType(lines));
    }
    lines.iter().try_for_each(|line| run(line).map(drop))?;
    Ok(Outcome::Trusted)
}

/// Takes out what is ours; the names of what is others'.
fn remove(
    store: &Store,
    ours: Option<&Ours>,
    machine: &Machine,
    run: &mut impl FnMut(&Line) -> anyhow::Result<String>,
) -> anyhow::Result<(Outcome, Vec<String>)> {
    let held = store.held(run)?;
    let (mine, others): (Vec<_>, Vec<_>) =
        held.into_iter().partition(|held| ours.is_some_and(|ours| ours.is(held)));
    let others = others.into_iter().map(|held| held.name).collect();
    if mine.is_empty() {
        return Ok((Outcome::WasNotTrusted, others));
    }
    let lines = store.remove(mine.iter().map(|held| held.name.as_str()));
    if store.is_roots() && !machine.is_root {
        return Ok((Outcome::ToType(lines), others));
    }
    lines.iter().try_for_each(|line| run(line).map(drop))?;
    Ok((Outcome::NoLongerTrusted, others))
}

/// Runs a command to its end; what it printed.
fn run(line: &Line) -> anyhow::Result<String> {
    let (program, arguments) = line.0.split_first().expect("a command has a name");
    match Command::new(program).args(arguments).stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        }
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

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    use super::*;

    /// A machine with a folder of the system's, and two authorities beside it.
    struct Scene {
        machine: Machine,
        anchors: PathBuf,
        ours: Ours,
        other: Ours,
        _folder: tempfile::TempDir,
    }

    fn scene() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let anchors = root.join("usr/local/share/ca-certificates");
        fs::create_dir_all(&anchors).unwrap();
        let made = |name: &str| {
            let path = open_authority(&root.join(name).join("authority")).unwrap();
            Ours::read(&path.certificate_path()).unwrap().unwrap()
        };
        let machine = Machine { root: root.to_owned(), home: None, is_root: true };
        Scene { machine, anchors, ours: made("ours"), other: made("other"), _folder: folder }
    }

    impl Scene {
        fn store(&self) -> Store {
            self.machine.stores().remove(0)
        }

        /// Has the machine trust `whom`, and gives the file that says so.
        fn trust(&self, whom: &Ours) -> String {
            let mut file = String::new();
            let outcome = add(&self.store(), Deed::Install, whom, &self.machine, &mut |line| {
                if let [program, .., from, to] = &*line.0
                    && program == "install"
                {
                    fs::copy(from, to).unwrap();
                    file.clone_from(to);
                }
                Ok(String::new())
            });
            assert_eq!(outcome.unwrap(), Outcome::Trusted);
            assert!(Path::new(&file).starts_with(&self.anchors));
            file
        }

        /// Takes `whom` out; what came of it, who stays, and what was run.
        fn remove(&self, whom: Option<&Ours>) -> (Outcome, Vec<String>, Vec<String>) {
            let mut ran = Vec::new();
            let (outcome, others) = remove(&self.store(), whom, &self.machine, &mut |line| {
                ran.push(line.to_string());
                Ok(String::new())
            })
            .unwrap();
            (outcome, others, ran)
        }
    }

    #[test]
    fn two_authorities_are_trusted_beside_each_other_and_only_ours_is_taken_out() {
        let scene = scene();
        let (our_file, other_file) = (scene.trust(&scene.ours), scene.trust(&scene.other));
        assert_ne!(our_file, other_file);
        let (outcome, others, ran) = scene.remove(Some(&scene.ours));
        assert_eq!(outcome, Outcome::NoLongerTrusted);
        assert_eq!(others, [other_file]);
        assert_eq!(ran, [format!("rm -f {our_file}"), "update-ca-certificates".to_owned()]);
    }

    #[test]
    fn where_ours_is_not_trusted_nothing_is_run() {
        let scene = scene();
        assert_eq!(scene.remove(Some(&scene.ours)), (Outcome::WasNotTrusted, vec![], vec![]));
        let other = scene.trust(&scene.other);
        let expect = (Outcome::WasNotTrusted, vec![other], vec![]);
        assert_eq!(scene.remove(Some(&scene.ours)), expect);
        assert_eq!(scene.remove(None), expect);
    }

    #[test]
    fn what_is_roots_is_told_to_others() {
        let mut scene = scene();
        let file = scene.trust(&scene.ours);
        scene.machine.is_root = false;
        let (outcome, _, ran) = scene.remove(Some(&scene.ours));
        let Outcome::ToType(lines) = outcome else { panic!("{outcome:?}") };
        assert_eq!(lines[0].to_string(), format!("rm -f {file}"));
        assert_eq!(ran.len(), 0);
    }
}
