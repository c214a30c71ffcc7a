//! `tls = { cert, key, client_ca }`: whom a listener proves to be, and who may enter.

mod asking;
mod flags;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use relais_net::tls::{
    Acceptor, Authority, AuthorityError, CertificateDer, Certified, Facts, Offer, OfferError,
    ParseSubjectNameError, PemError, Protocols, Resumption, SubjectName, Warning, read_certified,
    read_chain,
};
use serde::{Deserialize, Serialize, Serializer};
use tracing::warn;

use crate::{
    base::Base,
    clock,
    complaint::{Complaint, KeyPath, Problem, Trouble, Wrong},
    data::{self, Data},
};

pub(crate) use asking::Asks;
pub(crate) use flags::{Flags, flag_of};

/// The table, word for word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "a table, e.g. `{ cert = \"cert.pem\", key = \"key.pem\" }`"
)]
pub struct Table {
    /// A PEM file: the certificate, then those between it and the root.
    pub cert: Option<PathBuf>,
    /// A PEM file: the certificate's key.
    pub key: Option<PathBuf>,
    /// A PEM file: who must have signed a caller's certificate.
    pub client_ca: Option<PathBuf>,
}

/// What a site needs of TLS, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tls {
    /// The key of the configuration that says so.
    #[serde(skip)]
    pub key_path: KeyPath,
    /// How it proves who it is.
    pub papers: Papers,
    /// Who must have signed a caller's certificate.
    pub client_ca: Option<PathBuf>,
    /// Whether callers are asked for a certificate, whoever signed it.
    #[serde(skip)]
    pub asks: Asks,
    /// What is spoken under TLS.
    #[serde(skip)]
    pub protocols: Protocols,
}

/// How a site proves who it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Papers {
    /// By a certificate and its key, both PEM.
    Files {
        /// The chain.
        cert: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// By a certificate for these names from the local authority.
    LocalAuthority {
        /// Names and addresses.
        #[serde(serialize_with = "spelled")]
        names: Vec<SubjectName>,
    },
}

impl Tls {
    /// Resolves the `table` of the site at `site`; one without papers of its own takes those of
    /// the local authority for its `names`.
    pub(crate) fn plan(
        Table { cert, key, client_ca }: Table,
        names: &[String],
        base: &Base,
        site: &KeyPath,
    ) -> Result<Self, Problem> {
        let at = site.key("tls");
        let papers = if let Some(files) = Papers::of_files(cert, key, base, &at)? {
            files
        } else {
            let names = names.iter().map(|name| name.parse()).collect::<Result<_, _>>();
            let names = names.map_err(|error: ParseSubjectNameError| {
                let wrong = Wrong::from_error(&error);
                site.key("hosts").wrong(wrong.hint("give it a certificate: `tls`"))
            })?;
            Papers::LocalAuthority { names }
        };
        let client_ca = client_ca.map(|file| base.join(&file));
        let asks = Asks::Nothing;
        Ok(Self { key_path: at, papers, client_ca, asks, protocols: Protocols::Http })
    }

    /// A site in the clear has no use for papers, and whoever wrote them expects them to be used.
    ///
    /// `schemes` are those under which they would be.
    pub(crate) fn unused(table: &Table, site: &KeyPath, schemes: &str) -> Result<(), Problem> {
        let Table { cert, key, client_ca } = table;
        let named = [("cert", cert), ("key", key), ("client_ca", client_ca)];
        let named = named.into_iter().find_map(|(name, file)| Some((name, file.as_ref()?)));
        let Some((name, file)) = named else { return Ok(()) };
        // The key that names the file is known to whoever prints this, as a key or as a flag.
        let what = format!("nothing is done with {:?}", file.display());
        let wrong = Wrong::expected(what, format!("an endpoint with {schemes} beside it"));
        Err(site.key("tls").key(name).wrong(wrong))
    }

    /// Reads the files it names; `None` for the local authority's, which are not in files yet.
    pub(crate) fn read(&self) -> Result<Option<(Certified, Vec<Warning>)>, Problem> {
        let Papers::Files { cert, key } = &self.papers else { return Ok(None) };
        let read = read_certified(cert, key, clock::now()).map_err(|error| {
            let is_keys = match &error {
                PemError::Useless { .. } | PemError::NoKey { .. } | PemError::Encrypted { .. } => {
                    true
                }
                PemError::NoCertificate { .. } | PemError::NotACertificate { .. } => false,
                PemError::Unreadable { path, .. }
                | PemError::TooLarge { path }
                | PemError::Broken { path, .. } => path == key && path != cert,
            };
            let which = if is_keys { "key" } else { "cert" };
            let path = if is_keys { key } else { cert };
            self.key_path.key(which).wrong(Wrong::from_error(&error).at_home(path))
        })?;
        Ok(Some(read))
    }

    /// Reads whose signature callers need.
    pub(crate) fn read_authorities(&self) -> Result<Option<Vec<CertificateDer<'static>>>, Problem> {
        let Some(file) = &self.client_ca else { return Ok(None) };
        let wrong = |error| {
            let wrong = Wrong::from_error(&error).at_home(file);
            let is_there = file.exists() || wrong.hint.is_some();
            let wrong = if is_there { wrong } else { wrong.hint(AN_AUTHORITY) };
            self.key_path.key("client_ca").wrong(wrong)
        };
        read_chain(file).map(Some).map_err(wrong)
    }
}

/// What makes the file that `client_ca` names.
const AN_AUTHORITY: &str = "it is the certificate of who signs those of callers: `openssl req -x509` makes one, as in \
     examples/https-with-client-certificates";

impl Papers {
    /// Resolves `cert` and `key` of the table at `at`; `None` if there is neither.
    pub(crate) fn of_files(
        cert: Option<PathBuf>,
        key: Option<PathBuf>,
        base: &Base,
        at: &KeyPath,
    ) -> Result<Option<Self>, Problem> {
        match (cert, key) {
            (Some(cert), Some(key)) => {
                Ok(Some(Self::Files { cert: base.join(&cert), key: base.join(&key) }))
            }
            (None, None) => Ok(None),
            (Some(cert), None) => {
                let what = format!("a certificate without its key: {:?}", cert.display());
                Err(at.key("cert").wrong(Wrong::expected(what, "`key` beside `cert`")))
            }
            (None, Some(key)) => {
                let what = format!("a key without its certificate: {:?}", key.display());
                Err(at.key("key").wrong(Wrong::expected(what, "`cert` beside `key`")))
            }
        }
    }
}

/// What a listener offers.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    pub(crate) acceptor: Arc<Acceptor>,
    /// When some of it is to be renewed by the local authority, if it is of that.
    pub(crate) renew_at: Option<SystemTime>,
}

/// What all listeners with TLS share, and what outlives a reload.
#[derive(Debug)]
pub(crate) struct Keeper {
    data: Data,
    resumption: Resumption,
    authority: OnceLock<Opened>,
}

#[derive(Debug)]
struct Opened {
    authority: Authority,
    age: Age,
}

/// Since when there is a local authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// It was made for what runs now, so nobody trusts it yet.
    New,
    /// It was there before.
    Known,
}

impl Keeper {
    /// A keeper whose authority, should one be needed, is in `data`.
    pub(crate) fn new(data: Data) -> io::Result<Self> {
        Ok(Self { data, resumption: Resumption::new()?, authority: OnceLock::new() })
    }

    /// Where the certificate of the local authority is, if one was needed, and since when.
    pub(crate) fn authority(&self) -> Option<(PathBuf, Age)> {
        self.authority.get().map(|opened| (opened.authority.certificate_path(), opened.age))
    }

    /// Folders with secrets, which no site is to answer with: they may be below its root.
    pub(crate) fn private(&self) -> Vec<PathBuf> {
        let folders = [self.data.authority(), self.data.sockets(), self.data.chat()];
        folders.into_iter().flatten().collect()
    }

    /// What a listener offers whose sites have these papers. Makes the local authority if one is
    /// needed and there is none.
    pub(crate) fn offer(&self, papers: &[Tls], now: SystemTime) -> Result<Offered, Trouble> {
        let (mut certified, mut renew_at) = (Vec::new(), None::<SystemTime>);
        for tls in papers {
            certified.push(match &tls.papers {
                Papers::Files { .. } => tls.read()?.expect("files were asked for").0,
                Papers::LocalAuthority { names } => {
                    let leaf = self.leaf(names, now)?;
                    renew_at = renew_at.into_iter().chain(renewal_of(&leaf)).min();
                    leaf
                }
            });
        }
        let first = papers.first().expect("a listener with TLS has papers");
        let offer = Offer {
            certified,
            // One name for all: which site is asked is known too late.
            protocols: papers
                .iter()
                .map(|tls| tls.protocols)
                .find(|of| *of != Protocols::Http)
                .unwrap_or(Protocols::Http),
            caller_papers: first.caller_papers()?,
            resumption: self.resumption.clone(),
        };
        let wrong = |error: OfferError| first.key_path.wrong(Wrong::from_error(&error));
        let acceptor = Acceptor::new(&offer).map_err(wrong)?;
        Ok(Offered { acceptor: Arc::new(acceptor), renew_at })
    }

    fn leaf(&self, names: &[SubjectName], now: SystemTime) -> Result<Certified, Trouble> {
        let folder = self.data.authority().map_err(|error| {
            let wrong = Wrong::from_error(&error);
            let what = format!("{} for the local authority of `https://`", wrong.what);
            Trouble::Beside(Box::new(Complaint::of_flag("--data", Wrong { what, ..wrong })))
        })?;
        self.leaf_in(&folder, names, now).map_err(|error| {
            let wrong = Wrong::from_error(&error).hint(
                "`--data DIR` or `RELAIS_DATA` names another data folder; `tls` and `--cert` \
                 do without the local authority",
            );
            Trouble::Beside(Box::new(Complaint::of_file(folder, wrong)))
        })
    }

    fn leaf_in(
        &self,
        folder: &Path,
        names: &[SubjectName],
        now: SystemTime,
    ) -> Result<Certified, AuthorityError> {
        if self.authority.get().is_none() {
            let was_there = folder.join(data::CERTIFICATE).exists();
            let age = if was_there { Age::Known } else { Age::New };
            _ = self.authority.set(Opened { authority: open_authority(folder)?, age });
        }
        let Opened { authority, .. } = self.authority.get().expect("it was just set");
        authority.leaf_for(names, now)
    }
}

/// When a certificate of the local authority is to be renewed.
fn renewal_of(leaf: &Certified) -> Option<SystemTime> {
    let facts = Facts::of(leaf.chain().first()?).ok()?;
    facts.not_after.checked_sub(RENEWED_BEFORE)
}

/// How long before its end a certificate of the local authority is renewed while we run. Less than
/// the 30 days for which one is good at the start, so there is a new one when we ask.
const RENEWED_BEFORE: Duration = Duration::from_hours(20 * 24);

/// Opens the local authority, or makes it, and warns of what is odd about it.
pub(crate) fn open_authority(folder: &Path) -> Result<Authority, AuthorityError> {
    let authority = Authority::open_or_create(folder, &label(), clock::now())?;
    for warning in &authority.warnings {
        warn!("{warning}");
    }
    Ok(authority)
}

/// Whose authority it is.
fn label() -> String {
    let user = std::env::var("USER").unwrap_or_else(|_| "somebody".to_owned());
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("{user}@{host}")
}

impl std::fmt::Display for Papers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Files { cert, key } => {
                write!(f, "certificate {}, key {}", cert.display(), key.display())
            }
            Self::LocalAuthority { names } => {
                let names: Vec<_> = names.iter().map(ToString::to_string).collect();
                write!(f, "certificate of the local authority for {}", names.join(", "))
            }
        }
    }
}

fn spelled<S: Serializer>(names: &[SubjectName], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(names.iter().map(ToString::to_string))
}
