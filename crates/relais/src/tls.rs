//! `tls = { cert, key, client_ca }`: whom a listener proves to be, and who may enter.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{
    complaint::{KeyPath, Problem, Wrong},
    config::Base,
};

/// The table, word for word.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
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
        names: Vec<String>,
    },
}

impl Tls {
    /// Resolves `table`; a site without papers of its own takes those of the local authority for
    /// its `names`.
    pub(crate) fn plan(
        Table { cert, key, client_ca }: Table,
        names: Vec<String>,
        base: &Base,
        at: &KeyPath,
    ) -> Result<Self, Problem> {
        let papers = match (cert, key) {
            (Some(cert), Some(key)) => {
                Papers::Files { cert: base.join(&cert), key: base.join(&key) }
            }
            (None, None) => Papers::LocalAuthority { names },
            (Some(cert), None) => {
                let what = format!("a certificate without its key: {cert:?}");
                return Err(at.key("cert").wrong(Wrong::expected(what, "`key` beside `cert`")));
            }
            (None, Some(key)) => {
                let what = format!("a key without its certificate: {key:?}");
                return Err(at.key("key").wrong(Wrong::expected(what, "`cert` beside `key`")));
            }
        };
        let client_ca = client_ca.map(|file| base.join(&file));
        Ok(Self { key_path: at.clone(), papers, client_ca })
    }
}

impl std::fmt::Display for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.papers {
            Papers::Files { cert, key } => {
                write!(f, "certificate {}, key {}", cert.display(), key.display())?;
            }
            Papers::LocalAuthority { names } => {
                write!(f, "certificate of the local authority for {}", names.join(", "))?;
            }
        }
        match &self.client_ca {
            Some(file) => write!(f, "; callers need one signed by {}", file.display()),
            None => Ok(()),
        }
    }
}
