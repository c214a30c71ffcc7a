//! Where a machine keeps whom it trusts, and the commands that change that.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// A machine and a person on it.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    /// `/`, but for tests.
    pub(crate) root: PathBuf,
    /// The person's home.
    pub(crate) home: Option<PathBuf>,
}

/// A place where trust is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Store {
    /// What it is called, and who believes it.
    pub(crate) name: String,
    /// Whether only root may change it.
    pub(crate) is_roots: bool,
    /// What adds the authority.
    pub(crate) add: Vec<Line>,
    /// What takes it out.
    pub(crate) remove: Vec<Line>,
}

/// A command and its arguments. Prints as it would be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line(pub(crate) Vec<String>);

/// What the authority is called in stores.
const NICKNAME: &str = "relais local authority";

/// What its file is called there.
const FILE: &str = "relais-local-authority.crt";

/// The system's store on one kind of system.
struct Kind {
    name: &'static str,
    folder: &'static str,
    /// What has the system take notice.
    update: &'static [&'static str],
}

const KINDS: &[Kind] = &[
    Kind {
        name: "Debian, Ubuntu, Alpine",
        folder: "usr/local/share/ca-certificates",
        update: &["update-ca-certificates"],
    },
    Kind {
        name: "Fedora, Red Hat",
        folder: "etc/pki/ca-trust/source/anchors",
        update: &["update-ca-trust"],
    },
    Kind {
        name: "Arch",
        folder: "etc/ca-certificates/trust-source/anchors",
        update: &["trust", "extract-compat"],
    },
    Kind { name: "openSUSE", folder: "etc/pki/trust/anchors", update: &["update-ca-certificates"] },
];

impl Machine {
    /// The stores that are there, for the authority whose certificate is `certificate`.
    pub(crate) fn stores(&self, certificate: &Path) -> Vec<Store> {
        let system = KINDS.iter().find_map(|kind| self.system(kind, certificate));
        let people =
            self.databases().into_iter().map(|(name, folder)| nss(name, &folder, certificate));
        system.into_iter().chain(people).collect()
    }

    fn system(&self, kind: &Kind, certificate: &Path) -> Option<Store> {
        let folder = self.root.join(kind.folder);
        if !folder.is_dir() {
            return None;
        }
        let file = folder.join(FILE).display().to_string();
        let update = Line(kind.update.iter().map(ToString::to_string).collect());
        let copy = ["install", "-m", "644", &certificate.display().to_string(), &file];
        Some(Store {
            name: format!("the system ({}): curl, wget, git and most programs", kind.name),
            is_roots: true,
            add: vec![Line::of(&copy), update.clone()],
            remove: vec![Line::of(&["rm", "-f", &file]), update],
        })
    }

    /// Databases of NSS: Chromium has one for a person, Firefox one for each profile.
    fn databases(&self) -> Vec<(String, PathBuf)> {
        let Some(home) = &self.home else { return Vec::new() };
        let mut found = Vec::new();
        let chromium = home.join(".pki/nssdb");
        if chromium.join("cert9.db").is_file() {
            found.push(("Chromium, Chrome".to_owned(), chromium));
        }
        for profiles in [".mozilla/firefox", "snap/firefox/common/.mozilla/firefox"] {
            let Ok(entries) = home.join(profiles).read_dir() else { continue };
            let mut profiles: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            profiles.retain(|profile| profile.join("cert9.db").is_file());
            profiles.sort();
            found.extend(profiles.into_iter().map(|profile| ("Firefox".to_owned(), profile)));
        }
        found
    }
}

fn nss(name: String, folder: &Path, certificate: &Path) -> Store {
    let database = format!("sql:{}", folder.display());
    let certificate = certificate.display().to_string();
    let add = ["certutil", "-d", &database, "-A", "-t", "C,,", "-n", NICKNAME, "-i", &certificate];
    let remove = ["certutil", "-d", &database, "-D", "-n", NICKNAME];
    Store { name, is_roots: false, add: vec![Line::of(&add)], remove: vec![Line::of(&remove)] }
}

impl Line {
    fn of(words: &[&str]) -> Self {
        Self(words.iter().map(ToString::to_string).collect())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, word) in self.0.iter().enumerate() {
            let space = if place == 0 { "" } else { " " };
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,+=@".contains(c);
            if !word.is_empty() && word.chars().all(is_plain) {
                write!(f, "{space}{word}")?;
            } else {
                write!(f, "{space}'{}'", word.replace('\'', r"'\''"))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_stores_that_are_there_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("etc/pki/ca-trust/source/anchors")).unwrap();
        let profile = root.join("home/.mozilla/firefox/a b.default");
        fs::create_dir_all(&profile).unwrap();
        fs::write(profile.join("cert9.db"), "").unwrap();
        let machine = Machine { root: root.to_owned(), home: Some(root.join("home")) };
        let stores = machine.stores(Path::new("/data/ca.pem"));
        let lines: Vec<String> =
            stores.iter().flat_map(|store| &store.add).map(ToString::to_string).collect();
        let root = root.display();
        assert_eq!(
            lines,
            [
                format!(
                    "install -m 644 /data/ca.pem \
                     {root}/etc/pki/ca-trust/source/anchors/relais-local-authority.crt"
                ),
                "update-ca-trust".to_owned(),
                format!(
                    "certutil -d 'sql:{root}/home/.mozilla/firefox/a b.default' -A -t C,, \
                     -n 'relais local authority' -i /data/ca.pem"
                ),
            ]
        );
    }
}
