//! `relais cert show`: what a certificate says, and whether to believe it.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use relais_net::{
    Endpoint, Scheme,
    tls::{CertificateDer, Facts, Probe, Roots, Seen, Verdict, read_chain},
};
use relais_wire::date;
use serde_json::{Value, json};

use crate::{
    clock,
    complaint::{Complaint, Wrong},
    data::Data,
    measure::counted,
    output::say,
    stop::Stop,
    tls::open_authority,
};

/// How long connecting and shaking hands may take, each.
const PATIENCE: Duration = Duration::from_secs(10);

/// Shows the certificates of `what`, a file or an endpoint.
pub(crate) fn show(what: &str, json: bool, data: &Data) -> Result<(), Stop> {
    let path = Path::new(what);
    if !what.contains("://") && path.exists() {
        let chain = read_chain(path)?;
        print(&chain, None, json)?;
        return Ok(());
    }
    let wrong = |wrong| Stop::Wrong(vec![Complaint::of_flag("FILE|ENDPOINT", wrong)]);
    if names_a_file(what) {
        return Err(wrong(Wrong::from_message(&format!("no such file: {what:?}"))));
    }
    let endpoint = Endpoint::parse_in(what, Scheme::Https).map_err(|error| {
        wrong(Wrong::from_error(&error).hint("there is no file of that name either"))
    })?;
    let seen = look(&endpoint, data)?;
    print(&seen.chain, Some(&seen), json)?;
    match seen.verdict {
        Verdict::BySystem | Verdict::ByAuthority | Verdict::ByGiven => Ok(()),
        Verdict::Unverified { .. } => Err(Stop::No),
    }
}

/// Whether `what` is spelled as files are and endpoints are not: nobody is to be asked for it.
fn names_a_file(what: &str) -> bool {
    let extension = Path::new(what).extension().map(std::ffi::OsStr::to_ascii_lowercase);
    let is_known = extension.is_some_and(|e| FILES.iter().any(|known| e == *known));
    !what.contains("://") && (is_known || what.contains('/'))
}

/// What the names of certificates and keys end in.
const FILES: [&str; 5] = ["pem", "crt", "cer", "der", "key"];

fn look(endpoint: &Endpoint, data: &Data) -> anyhow::Result<Seen> {
    let mut roots = Roots::system();
    // Not made for it: who only looks has nothing to be trusted.
    if let Ok(folder) = data.authority()
        && folder.is_dir()
    {
        roots = roots.with_authority(open_authority(&folder)?.certificate());
    }
    let probe = Probe { server_name: None, roots, connect_max: PATIENCE, handshake_max: PATIENCE };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("starting a runtime")?;
    Ok(runtime.block_on(probe.look(endpoint, clock::now()))?)
}

fn print(
    chain: &[CertificateDer<'static>],
    seen: Option<&Seen>,
    as_json: bool,
) -> anyhow::Result<()> {
    let facts = chain.iter().map(|der| Facts::of(der)).collect::<Result<Vec<_>, _>>()?;
    if as_json {
        let chain: Vec<Value> = facts.iter().map(facts_json).collect();
        let handshake = seen.map(seen_json);
        say(format_args!("{:#}", json!({ "chain": chain, "handshake": handshake })));
        return Ok(());
    }
    if let Some(Seen { version, cipher, group, protocol, chain: _, verdict }) = seen {
        let group = group.unwrap_or("unknown");
        let protocol = protocol.as_deref().unwrap_or("none");
        say(format_args!("verdict      {verdict}"));
        say(format_args!("handshake    {version}, {cipher}, {group}, protocol {protocol}"));
    }
    for (place, facts) in facts.iter().enumerate() {
        if place > 0 || seen.is_some() {
            say("");
        }
        print_facts(facts);
    }
    Ok(())
}

fn print_facts(facts: &Facts) {
    let Facts { subject, issuer, names, names_omitted, not_before, not_after, .. } = facts;
    say(format_args!("subject      {subject}"));
    say(format_args!("issuer       {issuer}"));
    let mut names = names.join(", ");
    if *names_omitted > 0 {
        names.extend([" and ", &names_omitted.to_string(), " more"]);
    }
    if !names.is_empty() {
        say(format_args!("names        {names}"));
    }
    say(format_args!("good from    {}", time(*not_before)));
    say(format_args!("good until   {}  ({})", time(*not_after), left(*not_after, clock::now())));
    let bits = facts.key_bits.map(|bits| format!(", {bits} bits")).unwrap_or_default();
    say(format_args!("key          {}{bits}, signed with {}", facts.key, facts.signature));
    say(format_args!("serial       {}", facts.serial));
    say(format_args!("sha-256      {}", facts.fingerprint));
    if facts.is_ca {
        say("authority    it may sign other certificates");
    }
}

fn time(at: SystemTime) -> String {
    date::print_http_date(at).as_str().to_owned()
}

/// How long it is to `end`.
fn left(end: SystemTime, now: SystemTime) -> String {
    const DAY_SECS: u64 = 24 * 60 * 60;
    match end.duration_since(now) {
        Ok(left) => format!("{} left", counted(left.as_secs() / DAY_SECS, "day")),
        Err(past) => format!("{} ago", counted(past.duration().as_secs() / DAY_SECS, "day")),
    }
}

fn facts_json(facts: &Facts) -> Value {
    json!({
        "subject": facts.subject,
        "issuer": facts.issuer,
        "names": facts.names,
        "names_omitted": facts.names_omitted,
        "not_before": time(facts.not_before),
        "not_after": time(facts.not_after),
        "key": facts.key,
        "key_bits": facts.key_bits,
        "signature": facts.signature,
        "serial": facts.serial,
        "sha256": facts.fingerprint.to_string(),
        "is_ca": facts.is_ca,
    })
}

fn seen_json(seen: &Seen) -> Value {
    json!({
        "version": seen.version.to_string(),
        "cipher": seen.cipher,
        "group": seen.group,
        "protocol": seen.protocol,
        "verdict": seen.verdict.to_string(),
        "verified": !matches!(seen.verdict, Verdict::Unverified { .. }),
    })
}
