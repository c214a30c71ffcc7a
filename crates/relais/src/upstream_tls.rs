//! `upstream_tls = { ca, insecure, cert, key }`: whose word is taken for who an upstream is, and
//! whom we prove to be to it.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use clap::{Args, ValueHint};
use relais_net::tls::{Certified, Connector, Demand, Protocols, Roots, Trust, read_chain};
use serde::{Deserialize, Serialize, Serializer};
use tracing::warn;

use crate::{
    base::Base,
    complaint::{KeyPath, Problem, Wrong},
    tls::{Asks, Papers, Tls},
};

/// The table, word for word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `{ ca = \"ca.pem\" }`")]
pub(crate) struct Table {
    /// A PEM file: the authorities that may vouch for upstreams.
    ca: Option<PathBuf>,
    /// Whether anyone may be an upstream.
    #[serde(default)]
    insecure: bool,
    /// How that was said.
    #[serde(skip)]
    said: Said,
    /// A PEM file: the certificate that is shown to upstreams.
    cert: Option<PathBuf>,
    /// A PEM file: its key.
    key: Option<PathBuf>,
}

/// Where somebody said that anyone may be an upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Said {
    /// In a file.
    #[default]
    ByKey,
    /// On a command line.
    ByFlag,
}

/// The flags that say the same.
#[derive(Clone, Debug, Args)]
#[group(skip)]
#[command(next_help_heading = "Upstreams over TLS")]
pub(crate) struct Flags {
    /// Believe upstreams whom one of these vouches for, PEM, and nobody else [default: the system's
    /// authorities and the local one]
    #[arg(long, value_name = "FILE", conflicts_with = "insecure", value_hint = ValueHint::FilePath)]
    ca: Option<PathBuf>,
    /// Believe whoever answers: all that is passed on can be read and changed on its way
    #[arg(long)]
    insecure: bool,
    /// The certificate that is shown to upstreams who ask for one, PEM
    #[arg(long, value_name = "FILE", requires = "upstream_key", value_hint = ValueHint::FilePath)]
    upstream_cert: Option<PathBuf>,
    /// Its key, PEM
    #[arg(long, value_name = "FILE", requires = "upstream_cert", value_hint = ValueHint::FilePath)]
    upstream_key: Option<PathBuf>,
}

/// Whom upstreams have to be, and whom we are to them, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UpstreamTls {
    #[serde(skip)]
    key_path: KeyPath,
    #[serde(skip)]
    said: Said,
    /// Whose word is taken.
    pub believed: Believed,
    /// The certificate that is shown to upstreams who ask for one.
    #[serde(serialize_with = "papers")]
    pub own: Option<Tls>,
}

/// Whose word is taken for who an upstream is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Believed {
    /// That of the authorities that this machine trusts, and of the local one.
    Usual,
    /// That of the authorities in this PEM file alone.
    Ca(PathBuf),
    /// Anyone's.
    Insecure,
}

/// What was read for it.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// `None` for the usual authorities, of which one may not be there yet.
    trust: Option<Trust>,
    own: Option<Certified>,
}

impl Flags {
    /// The table that says the same.
    pub(crate) fn table(self) -> Table {
        let Self { ca, insecure, upstream_cert: cert, upstream_key: key } = self;
        let said = if insecure { Said::ByFlag } else { Said::ByKey };
        Table { ca, insecure, said, cert, key }
    }
}

impl Table {
    /// Resolves itself, which stands at `key`.
    pub(crate) fn plan(&self, base: &Base, key: &KeyPath) -> Result<UpstreamTls, Problem> {
        let Self { ca, insecure, said, cert, key: secret } = self;
        let own = Papers::of_files(cert.clone(), secret.clone(), base, key)?;
        let own = own.map(|papers| Tls {
            key_path: key.clone(),
            papers,
            client_ca: None,
            asks: Asks::Nothing,
            protocols: Protocols::Http,
        });
        let believed = match (ca, insecure) {
            (None, false) => Believed::Usual,
            (None, true) => Believed::Insecure,
            (Some(ca), false) => Believed::Ca(base.join(ca)),
            (Some(ca), true) => {
                let what = format!("nothing is done with {:?}", ca.display());
                return Err(key.key("ca").wrong(Wrong::expected(what, "no `insecure` beside it")));
            }
        };
        Ok(UpstreamTls { key_path: key.clone(), said: *said, believed, own })
    }

    /// Who asks in the clear has no use for it, and whoever wrote it expects it to be used.
    pub(crate) fn unused(&self, key: &KeyPath, scheme: &str) -> Result<(), Problem> {
        let Self { ca, insecure, said: _, cert, key: secret } = self;
        let files = [("ca", ca), ("cert", cert), ("key", secret)];
        let named = files.into_iter().find_map(|(name, file)| Some((name, file.as_ref()?)));
        let (name, what) = match named {
            Some((name, file)) => (name, format!("nothing is done with {:?}", file.display())),
            None if *insecure => ("insecure", "nothing is done with `insecure`".to_owned()),
            None => return Ok(()),
        };
        let expected = format!("an upstream with `{scheme}://` beside it");
        Err(key.key(name).wrong(Wrong::expected(what, expected)))
    }
}

impl UpstreamTls {
    /// The file with the key of what is shown to upstreams.
    pub(crate) fn key_file(&self) -> Option<&Path> {
        match &self.own.as_ref()?.papers {
            Papers::Files { key, .. } => Some(key),
            Papers::LocalAuthority { .. } => None,
        }
    }

    /// Reads what it names, and warns of what is odd about it.
    pub(crate) fn read(&self) -> Result<Read, Problem> {
        let Self { key_path, said, believed, own } = self;
        let trust = match believed {
            Believed::Usual => None,
            Believed::Ca(file) => {
                let wrong = |error: &dyn std::error::Error| {
                    key_path.key("ca").wrong(Wrong::from_error(error))
                };
                let chain = read_chain(file).map_err(|error| wrong(&error))?;
                let roots = Roots::none().with_given(&chain).map_err(|error| wrong(&error))?;
                Some(Trust::Roots(roots))
            }
            Believed::Insecure => {
                let said = match said {
                    Said::ByKey => format!("{key_path}.insecure"),
                    Said::ByFlag => "--insecure".to_owned(),
                };
                warn!(
                    "INSECURE: `{said}` believes whoever answers in an upstream's \
                     place, who can read and change all that is passed on"
                );
                Some(Trust::InsecureAnyone)
            }
        };
        let own = own.as_ref().map(Tls::read).transpose()?.flatten();
        let own = own.map(|(certified, warnings)| {
            for warning in warnings {
                warn!("{warning}");
            }
            certified
        });
        Ok(Read { trust, own })
    }
}

impl Read {
    /// What is demanded of upstreams. `usual` gives the authorities of who named none.
    pub(crate) fn demand(self, usual: impl FnOnce() -> Roots) -> Demand {
        let Self { trust, own } = self;
        let trust = trust.unwrap_or_else(|| Trust::Roots(usual()));
        Demand { trust, server_name: None, own }
    }
}

/// Whom this machine believes: its authorities, and the local one, whose certificate is at
/// `authority` once there is one.
pub(crate) fn usual_roots(authority: Option<&Path>) -> Roots {
    let roots = Roots::system();
    let local = authority.filter(|file| file.exists());
    match local.map(read_chain) {
        Some(Ok(chain)) => chain.iter().fold(roots, Roots::with_authority),
        Some(Err(error)) => {
            let why = Wrong::from_error(&error).what;
            warn!("nobody is believed for the local authority's word: {why}");
            roots
        }
        None => roots,
    }
}

/// What shakes hands with upstreams.
pub(crate) fn connector(demand: &Demand) -> Connector {
    Connector::new(demand).expect("no name, so no bad one")
}

impl fmt::Display for Believed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usual => Ok(()),
            Self::Ca(file) => write!(f, ", believed if {} vouches for it", file.display()),
            Self::Insecure => f.write_str(", INSECURE: whoever answers is believed"),
        }
    }
}

#[expect(clippy::ref_option, reason = "serde passes references")]
fn papers<S: Serializer>(own: &Option<Tls>, serializer: S) -> Result<S::Ok, S::Error> {
    own.as_ref().map(|own| &own.papers).serialize(serializer)
}
