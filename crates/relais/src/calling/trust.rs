//! Whom to believe under TLS, and whom to prove to be.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use clap::{Args, ValueHint};
use relais_net::{
    DialLimits, Dialer, Scheme,
    tls::{Connector, Demand, Fingerprint, Roots, Trust, read_certified, read_chain},
};
use tracing::warn;

use crate::{
    clock,
    complaint::{Complaint, Wrong},
    data::Data,
    output::tell,
    stop::Stop,
};

/// Whom to believe, and whom to prove to be.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "TLS")]
pub(crate) struct TlsFlags {
    /// Believe the server with this certificate, whoever signed it: its SHA-256, as `relais cert
    /// show` prints it
    #[arg(long, value_name = "SHA256", conflicts_with_all = ["ca", "insecure"])]
    pub(crate) pin: Option<Fingerprint>,
    /// Believe whom the authorities in FILE vouch for, and nobody else [default: those of this machine
    /// and the local authority]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) ca: Option<PathBuf>,
    /// INSECURE: believe whoever answers, who can read and change all that is sent
    #[arg(long, conflicts_with = "ca")]
    pub(crate) insecure: bool,
    /// The certificate to show to a server that asks for one; with --key
    #[arg(long, value_name = "FILE", requires = "key", value_hint = ValueHint::FilePath)]
    pub(crate) cert: Option<PathBuf>,
    /// Its key
    #[arg(long, value_name = "FILE", requires = "cert", value_hint = ValueHint::FilePath)]
    pub(crate) key: Option<PathBuf>,
    /// The name to ask for, and to expect in the certificate [default: the host]
    #[arg(long, value_name = "NAME")]
    pub(crate) server_name: Option<String>,
}

/// What is spoken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// TLS, or what may turn out to be.
    Tls,
    /// Something that everybody on the way can read.
    Clear,
}

impl Channel {
    /// That of endpoints of `scheme`.
    pub(crate) fn of(scheme: Scheme) -> Self {
        if scheme.is_secure() { Self::Tls } else { Self::Clear }
    }
}

impl TlsFlags {
    /// Whether all that was given is of use over `channel`. `expected` is with what it would be.
    ///
    /// # Errors
    ///
    /// The flag that is of none, and what is wrong with it.
    pub(crate) fn fit(
        &self,
        channel: Channel,
        expected: &'static str,
    ) -> Result<(), (&'static str, Wrong)> {
        match self.given() {
            Some(flag) if channel == Channel::Clear => {
                let what = format!("nothing is done with `{flag}`");
                Err((flag, Wrong::expected(what, expected)))
            }
            _ => Ok(()),
        }
    }

    /// What is demanded of servers over `channel`. May read the files that are named, and the usual
    /// authorities.
    pub(crate) fn demand_over(&self, channel: Channel, data: &Data) -> Result<Demand, Stop> {
        match channel {
            Channel::Tls => self.demand(data),
            Channel::Clear => {
                Ok(Demand { trust: Trust::Roots(Roots::none()), server_name: None, own: None })
            }
        }
    }

    /// The first that was given, if one was.
    fn given(&self) -> Option<&'static str> {
        let Self { pin, ca, insecure, cert, key, server_name } = self;
        let given = [
            (pin.is_some(), "--pin"),
            (ca.is_some(), "--ca"),
            (*insecure, "--insecure"),
            (cert.is_some(), "--cert"),
            (key.is_some(), "--key"),
            (server_name.is_some(), "--server-name"),
        ];
        given.into_iter().find_map(|(is_given, flag)| is_given.then_some(flag))
    }

    fn demand(&self, data: &Data) -> Result<Demand, Stop> {
        let trust = match (self.pin, &self.ca, self.insecure) {
            (Some(pin), ..) => Trust::Pinned(pin),
            (None, Some(file), _) => {
                let chain = read_chain(file).map_err(|error| wrong("--ca", &error))?;
                let roots = Roots::none().with_given(&chain);
                Trust::Roots(roots.map_err(|error| wrong("--ca", &error))?)
            }
            (None, None, true) => {
                tell("INSECURE: whoever answers is believed, and can read and change all of it");
                Trust::InsecureAnyone
            }
            (None, None, false) => Trust::Roots(usual(data)),
        };
        let own = self.cert.as_ref().zip(self.key.as_ref()).map(|(cert, key)| {
            // Whose fault it is: the chain is read first for that.
            read_chain(cert).map_err(|error| wrong("--cert", &error))?;
            let read = read_certified(cert, key, clock::now());
            let (certified, warnings) = read.map_err(|error| wrong("--key", &error))?;
            for warning in &warnings {
                warn!("{warning}");
            }
            Ok::<_, Stop>(certified)
        });
        let own = own.transpose()?;
        Ok(Demand { trust, server_name: self.server_name.clone(), own })
    }
}

/// Those that this machine trusts, and the local authority, if there is one.
fn usual(data: &Data) -> Roots {
    let roots = Roots::system();
    let Ok(file) = data.authority_certificate() else { return roots };
    if !file.exists() {
        return roots;
    }
    match read_chain(&file).as_deref() {
        Ok([certificate, ..]) => roots.with_authority(certificate),
        Ok([]) => roots,
        Err(error) => {
            let error: &dyn std::error::Error = error;
            warn!(error, "the local authority's certificate cannot be read");
            roots
        }
    }
}

/// What calls servers of which `demand` holds, each stage within `stage_max`.
pub(crate) fn calls(
    demand: &Demand,
    stage_max: Duration,
    source: Option<IpAddr>,
) -> Result<Dialer, Stop> {
    let connector = Connector::new(demand).map_err(|error| wrong("--server-name", &error))?;
    let limits = DialLimits {
        connect_max: stage_max,
        handshake_max: stage_max,
        source,
        keepalive: Some(Duration::from_mins(1)),
    };
    Ok(Dialer::new(limits, connector))
}

fn wrong(flag: &str, error: &dyn std::error::Error) -> Stop {
    Stop::Wrong(vec![Complaint::of_flag(flag, Wrong::from_error(error))])
}
