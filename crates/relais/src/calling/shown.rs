//! What was agreed on with a server, told to who asks for more.

use std::time::{Duration, SystemTime};

use relais_net::{
    Timings,
    tls::{CertificateDer, ClientSession, Facts, Handshake, Protocol},
};
use relais_wire::date;
use serde_json::{Value, json};

use crate::{
    clock,
    measure::{column_time, counted},
    output::tell,
};

/// A server that was reached.
#[derive(Clone, Debug)]
pub(crate) struct Met {
    /// Who answered.
    pub(crate) peer: String,
    /// What TLS agreed on, where there is TLS.
    pub(crate) session: Option<ClientSession>,
    /// The certificates it showed, its own first.
    pub(crate) chain: Vec<CertificateDer<'static>>,
    /// How long it took.
    pub(crate) timings: Timings,
}

/// Tells of it on standard error, a line each.
pub(crate) fn tell_met(met: &Met) {
    let Timings { resolve, connect, handshake } = met.timings;
    let mut parts = vec![format!("connected in {}", column_time(connect))];
    if resolve > Duration::from_micros(50) {
        parts.insert(0, format!("name found in {}", column_time(resolve)));
    }
    if met.session.is_some() {
        parts.push(format!("handshake in {}", column_time(handshake)));
    }
    tell(format_args!("* {}: {}", met.peer, parts.join(", ")));
    if let Some(session) = &met.session {
        tell(format_args!("* {}", of_session(session)));
    }
    for (index, der) in met.chain.iter().enumerate() {
        match Facts::of(der) {
            Ok(facts) => of_certificate(index, &facts).iter().for_each(tell),
            Err(error) => tell(format_args!("* certificate {}: {error}", index + 1)),
        }
    }
}

fn of_session(session: &ClientSession) -> String {
    let ClientSession { protocol, version, cipher, handshake } = session;
    let protocol = protocol_name(*protocol).map(|name| format!(", {name}")).unwrap_or_default();
    let resumed = if *handshake == Handshake::Resumed { ", resumed" } else { "" };
    format!("{version}, {cipher}{protocol}{resumed}")
}

fn protocol_name(protocol: Protocol) -> Option<&'static str> {
    match protocol {
        Protocol::Http2 => Some("h2"),
        Protocol::Http1 => Some("http/1.1"),
        Protocol::Unsaid => None,
    }
}

/// Every text of a certificate is escaped there.
fn of_certificate(index: usize, facts: &Facts) -> Vec<String> {
    let Facts { subject, issuer, names, not_after, fingerprint, .. } = facts;
    let mut lines = vec![format!("* certificate {}: {subject}, signed by {issuer}", index + 1)];
    if index == 0 && !names.is_empty() {
        lines.push(format!("*   for {}", names.join(", ")));
    }
    let until = date::print_http_date(*not_after);
    lines.push(format!("*   until {} ({})", until.as_str(), left(*not_after, clock::now())));
    lines.push(format!("*   sha-256 {fingerprint}"));
    lines
}

fn left(end: SystemTime, now: SystemTime) -> String {
    const DAY_SECS: u64 = 24 * 60 * 60;
    match end.duration_since(now) {
        Ok(left) => format!("{} left", counted(left.as_secs() / DAY_SECS, "day")),
        Err(past) => format!("{} ago", counted(past.duration().as_secs() / DAY_SECS, "day")),
    }
}

/// The same as JSON.
pub(crate) fn met_json(met: &Met) -> Value {
    let tls = met.session.as_ref().map(|session| {
        json!({
            "version": session.version.to_string(),
            "cipher": session.cipher,
            "protocol": protocol_name(session.protocol),
            "resumed": session.handshake == Handshake::Resumed,
            "chain": met.chain.iter().map(certificate_json).collect::<Vec<_>>(),
        })
    });
    json!({ "peer": met.peer, "tls": tls })
}

/// What a certificate says, as JSON; `null` if it is none.
fn certificate_json(der: &CertificateDer<'_>) -> Value {
    let Ok(facts) = Facts::of(der) else { return Value::Null };
    json!({
        "subject": facts.subject,
        "issuer": facts.issuer,
        "names": facts.names,
        "not_before": date::print_http_date(facts.not_before).as_str(),
        "not_after": date::print_http_date(facts.not_after).as_str(),
        "sha256": facts.fingerprint.to_string(),
    })
}
