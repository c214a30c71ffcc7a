//! Where a machine keeps whom it trusts, what is kept there of ours, and the commands that change it.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use relais_net::tls::{Fingerprint, read_chain};

/// A machine and a person on it.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    /// `/`, but for tests.
    pub(crate) root: PathBuf,
    /// The person's home.
    pub(crate) home: Option<PathBuf>,
    /// Whether the person may change what is the system's.
    pub(crate) is_root: bool,
}

/// The authority that is to be trusted, or no longer.
#[derive(Clone, Debug)]
pub(crate) struct Ours {
    /// Where its certificate is.
    pub(crate) path: PathBuf,
    /// What stands between the lines of its PEM.
    body: String,
    /// The start of its fingerprint: two authorities of one person are two entries in a store.
    mark: String,
}

/// A place where trust is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Store {
    /// What it is called, and who believes it.
    pub(crate) name: String,
    keeps: Keeps,
}

/// How trust is kept there.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Keeps {
    /// The system's: files in a folder, and a command that has it take notice. Only root may.
    Files { folder: PathBuf, update: Line },
    /// A database of NSS, which `certutil` reads and writes.
    Nss { database: String },
}

/// A certificate in a store, under a name that only relais gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// The file, or the name in the database.
    pub(crate) name: String,
    body: String,
}

/// A command and its arguments. Prints as it would be typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line(pub(crate) Vec<String>);

/// What starts the names of our authorities in databases.
const NICKNAME: &str = "relais local authority";

/// What starts and ends the names of their files.
const FILE: (&str, &str) = ("relais-local-authority", ".crt");

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

impl Ours {
    /// The authority whose certificate is at `path`; `None` if there is none.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Option<Self>> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.with_context(|| format!("reading {:?}", path.display()))?,
        };
        let fingerprint = Fingerprint::of(&read_chain(path)?[0]).to_string();
        let mark = fingerprint.replace(':', "").chars().take(8).collect();
        Ok(Some(Self { path: path.to_owned(), body: body(&text), mark }))
    }

    /// Whether that is this authority, and not another person's, folder's or year's.
    pub(crate) fn is(&self, held: &Held) -> bool {
        self.body == held.body
    }
}

/// What stands between the lines of the first certificate in a PEM text, without line ends.
fn body(pem: &str) -> String {
    let lines =
        pem.lines().map(str::trim).skip_while(|line| *line != "-----BEGIN CERTIFICATE-----");
    lines.skip(1).take_while(|line| !line.starts_with("-----END")).collect()
}

impl Machine {
    /// The stores that are there.
    pub(crate) fn stores(&self) -> Vec<Store> {
        let system = KINDS.iter().find_map(|kind| self.system(kind));
        let chromium = self.chromium().into_iter().map(|folder| ("Chromium, Chrome", folder));
        let firefox = self.firefox().into_iter().map(|folder| ("Firefox", folder));
        let people = chromium.chain(firefox).map(|(name, folder)| Store {
            name: name.to_owned(),
            keeps: Keeps::Nss { database: format!("sql:{}", folder.display()) },
        });
        system.into_iter().chain(people).collect()
    }

    fn system(&self, kind: &Kind) -> Option<Store> {
        let folder = self.root.join(kind.folder);
        folder.is_dir().then(|| Store {
            name: format!("the system ({}): curl, wget, git and most programs", kind.name),
            keeps: Keeps::Files { folder, update: Line::of(kind.update) },
        })
    }

    /// Chromium's databases: one for a person, where it was put of old or is put now.
    fn chromium(&self) -> Vec<PathBuf> {
        let folders = [CHROMIUM, ".local/share/pki/nssdb"].map(|folder| self.at_home(folder));
        folders.into_iter().flatten().filter(|folder| folder.join("cert9.db").is_file()).collect()
    }

    /// Firefox's databases: one for each profile.
    fn firefox(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for profiles in [".mozilla/firefox", "snap/firefox/common/.mozilla/firefox"] {
            let Some(entries) = self.at_home(profiles).and_then(|path| path.read_dir().ok()) else {
                continue;
            };
            let mut profiles: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            profiles.retain(|profile| profile.join("cert9.db").is_file());
            profiles.sort();
            found.extend(profiles);
        }
        found
    }

    fn at_home(&self, path: &str) -> Option<PathBuf> {
        self.home.as_ref().map(|home| home.join(path))
    }

    /// What to do for the browsers that keep nothing here yet: their names, and each a few lines.
    pub(crate) fn missing(&self, ours: &Ours) -> Vec<(&'static str, Vec<String>)> {
        let mut missing = Vec::new();
        if let (true, Some(folder)) = (self.chromium().is_empty(), self.at_home(CHROMIUM)) {
            let database = format!("sql:{}", folder.display());
            let make = Line::of(&["certutil", "-d", &database, "-N", "--empty-password"]);
            let mut lines = vec![Line::of(&["mkdir", "-p", &folder.display().to_string()]), make];
            lines.extend(nss_add(&database, ours));
            let mut lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
            lines.push(
                "(`certutil` is in libnss3-tools on Debian, in nss-tools elsewhere)".to_owned(),
            );
            missing.push(("Chromium, Chrome", lines));
        }
        if self.firefox().is_empty() {
            let import = "in its settings: Privacy & Security, Certificates, View Certificates, \
                          Authorities, Import";
            missing.push(("Firefox", vec![import.to_owned()]));
        }
        missing
    }
}

/// Where Chromium looks first, below the home.
const CHROMIUM: &str = ".pki/nssdb";

impl Store {
    /// Whether only root may change it.
    pub(crate) fn is_roots(&self) -> bool {
        matches!(self.keeps, Keeps::Files { .. })
    }

    /// The authorities of relais in it, ours or others; `run` runs a command and gives its output.
    pub(crate) fn held(
        &self,
        run: &mut impl FnMut(&Line) -> anyhow::Result<String>,
    ) -> anyhow::Result<Vec<Held>> {
        match &self.keeps {
            Keeps::Files { folder, .. } => held_in_files(folder),
            Keeps::Nss { database } => held_in_nss(database, run),
        }
    }

    /// What adds the authority.
    pub(crate) fn add(&self, ours: &Ours) -> Vec<Line> {
        match &self.keeps {
            Keeps::Files { folder, update } => {
                let file = folder.join(format!("{}-{}{}", FILE.0, ours.mark, FILE.1));
                let (from, to) = (ours.path.display().to_string(), file.display().to_string());
                vec![Line::of(&["install", "-m", "644", &from, &to]), update.clone()]
            }
            Keeps::Nss { database } => nss_add(database, ours),
        }
    }

    /// What takes out what is held there under these names.
    pub(crate) fn remove<'n>(&self, names: impl Iterator<Item = &'n str>) -> Vec<Line> {
        match &self.keeps {
            Keeps::Files { update, .. } => {
                names.map(|file| Line::of(&["rm", "-f", file])).chain([update.clone()]).collect()
            }
            Keeps::Nss { database } => names
                .map(|name| Line::of(&["certutil", "-d", database, "-D", "-n", name]))
                .collect(),
        }
    }
}

fn nss_add(database: &str, ours: &Ours) -> Vec<Line> {
    let name = format!("{NICKNAME} {}", ours.mark);
    let from = ours.path.display().to_string();
    vec![Line::of(&["certutil", "-d", database, "-A", "-t", "C,,", "-n", &name, "-i", &from])]
}

fn held_in_files(folder: &Path) -> anyhow::Result<Vec<Held>> {
    let mut held = Vec::new();
    let reading = || format!("reading {:?}", folder.display());
    for entry in folder.read_dir().with_context(reading)? {
        let path = entry.with_context(reading)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(FILE.0) && name.ends_with(FILE.1) {
            let text = fs::read(&path).with_context(|| format!("reading {:?}", path.display()))?;
            let body = body(&String::from_utf8_lossy(&text));
            held.push(Held { name: path.display().to_string(), body });
        }
    }
    held.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(held)
}

fn held_in_nss(
    database: &str,
    run: &mut impl FnMut(&Line) -> anyhow::Result<String>,
) -> anyhow::Result<Vec<Held>> {
    let list = run(&Line::of(&["certutil", "-d", database, "-L"]))?;
    let mut held = Vec::new();
    for line in list.lines().filter(|line| line.starts_with(NICKNAME)) {
        // The name, blanks, and what it is trusted for: `C,,`.
        let name = line.trim_end().rsplit_once(' ').map_or(line, |(name, _)| name.trim_end());
        // Those of the same subject follow the one that was asked for.
        let pem = run(&Line::of(&["certutil", "-d", database, "-L", "-n", name, "-a"]))?;
        held.push(Held { name: name.to_owned(), body: body(&pem) });
    }
    Ok(held)
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
    use super::*;

    fn at(root: &Path) -> Machine {
        Machine { root: root.to_owned(), home: Some(root.join("home")), is_root: false }
    }

    fn ours() -> Ours {
        Ours { path: "/data/ca.pem".into(), body: "AAAA".to_owned(), mark: "0A1B2C3D".to_owned() }
    }

    fn pem(body: &str) -> String {
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    }

    #[test]
    fn the_stores_that_are_there_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("etc/pki/ca-trust/source/anchors")).unwrap();
        let profile = root.join("home/.mozilla/firefox/a b.default");
        fs::create_dir_all(&profile).unwrap();
        fs::write(profile.join("cert9.db"), "").unwrap();
        let stores = at(root).stores();
        let lines: Vec<String> =
            stores.iter().flat_map(|store| store.add(&ours())).map(|l| l.to_string()).collect();
        let root = root.display();
        assert_eq!(
            lines,
            [
                format!(
                    "install -m 644 /data/ca.pem \
                     {root}/etc/pki/ca-trust/source/anchors/relais-local-authority-0A1B2C3D.crt"
                ),
                "update-ca-trust".to_owned(),
                format!(
                    "certutil -d 'sql:{root}/home/.mozilla/firefox/a b.default' -A -t C,, \
                     -n 'relais local authority 0A1B2C3D' -i /data/ca.pem"
                ),
            ]
        );
    }

    #[test]
    fn browsers_without_a_store_are_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let missing = at(folder.path()).missing(&ours());
        assert_eq!(
            missing.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            ["Chromium, Chrome", "Firefox"]
        );
        assert!(missing[0].1[1].starts_with("certutil -d sql:/"), "{missing:?}");
    }

    #[test]
    fn of_files_only_those_of_relais_are_held() {
        let folder = tempfile::tempdir().unwrap();
        let anchors = folder.path().join("etc/pki/trust/anchors");
        fs::create_dir_all(&anchors).unwrap();
        fs::write(anchors.join("corporate.crt"), pem("AAAA")).unwrap();
        fs::write(anchors.join("relais-local-authority.crt"), pem("BBBB")).unwrap();
        fs::write(anchors.join("relais-local-authority-0A1B2C3D.crt"), pem("AA\nAA")).unwrap();
        let held = at(folder.path()).stores()[0].held(&mut |_| unreachable!()).unwrap();
        let is_ours: Vec<bool> = held.iter().map(|held| ours().is(held)).collect();
        assert_eq!(is_ours, [true, false]);
        assert!(held[1].name.ends_with("/relais-local-authority.crt"));
    }

    #[test]
    fn of_a_database_only_those_of_relais_are_held() {
        let mut run = |line: &Line| {
            Ok(match line.to_string().split_once("-L").unwrap().1 {
                "" => "\nCertificate Nickname          Trust Attributes\n\n\
                       corporate                     C,,  \n\
                       relais local authority 0A1B2C3D   C,,  \n\
                       relais local authority FF   C,,  \n"
                    .to_owned(),
                " -n 'relais local authority 0A1B2C3D' -a" => pem("AAAA") + &pem("BBBB"),
                " -n 'relais local authority FF' -a" => pem("BBBB") + &pem("AAAA"),
                other => unreachable!("{other}"),
            })
        };
        let held = held_in_nss("sql:/db", &mut run).unwrap();
        let held: Vec<_> = held.iter().map(|held| (held.name.as_str(), ours().is(held))).collect();
        let names = ["relais local authority 0A1B2C3D", "relais local authority FF"];
        assert_eq!(held, [(names[0], true), (names[1], false)]);
    }
}
