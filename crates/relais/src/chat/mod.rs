//! `relais chat`: a client of a hub, for people who type lines and for scripts.

mod caller;
mod entrance;
mod flags;
mod kept;
mod let_in;
mod person;
mod place;
mod script;
mod ways;

use anyhow::Context as _;
use relais_hub::{Lang, client::Talk};
use relais_net::{Dialer, Endpoint, Scheme};

pub(crate) use flags::Flags;

use caller::Caller;
use kept::Kept;
use ways::Udp;

use crate::{
    calling::{self, calls},
    complaint::Wrong,
    data::Data,
    hub::random,
    output::Telling,
    stop::Stop,
};

/// What devices are called that log in from here.
const DEVICE: &str = "relais chat";

/// Does what the flags ask for.
pub(crate) fn obey(flags: &Flags, data: &Data, telling: Telling) -> Result<(), Stop> {
    let endpoint = &flags.endpoint.0;
    fits(endpoint, &flags.tls)
        .and_then(|()| fits_udp(flags))
        .map_err(|(flag, wrong)| Stop::of_flag(flag, wrong))?;
    let demand = if endpoint.scheme.is_secure() {
        flags.tls.demand(data)?
    } else {
        calling::TlsFlags::no_demand()
    };
    let dialer = calls(&demand, flags.timeout.0, None)?;
    let udp = by_datagrams(flags, calls(&demand, flags.timeout.0, None)?);
    let kept = Kept::of(&data.chat()?, endpoint);
    let (entrance, user) = entrance::of(flags, &kept)?;
    let talk = Talk::new(entrance, DEVICE, random);
    let caller = Caller::new(talk, dialer, endpoint.clone()).by(udp);
    let door = let_in::Door { kept, user, lang: lang() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("starting a runtime")?.block_on(async {
        match (&flags.send, &flags.tail) {
            (Some(words), _) => script::send(caller, &door, (words, telling)).await,
            (None, Some(room)) => script::tail(caller, &door, (room, flags.json)).await,
            (None, None) => person::talk(caller, door, telling).await,
        }
    })
}

/// Where datagrams go, if they are wanted.
fn by_datagrams(flags: &Flags, dialer: Dialer) -> Option<Udp> {
    let udp = Udp::new(dialer, &flags.endpoint.0, flags.udp_at.as_ref());
    udp.filter(|_| flags.udp)
}

/// Whether there may be a hub at `endpoint`, and what is said of TLS is of use.
fn fits(endpoint: &Endpoint, tls: &calling::TlsFlags) -> Result<(), (&'static str, Wrong)> {
    let scheme = endpoint.scheme;
    if !matches!(scheme, Scheme::Tcp | Scheme::Tls | Scheme::Unix) {
        let what = format!("no hub is talked to over {scheme}");
        return Err(("ENDPOINT", Wrong::expected(what, "tcp, tls or unix")));
    }
    match tls.given() {
        Some(flag) if !scheme.is_secure() => {
            let what = format!("nothing is done with `{flag}`");
            Err((flag, Wrong::expected(what, "an endpoint of tls://")))
        }
        _ => Ok(()),
    }
}

/// Whether it can be told where datagrams go.
fn fits_udp(flags: &Flags) -> Result<(), (&'static str, Wrong)> {
    match &flags.udp_at {
        Some(at) if at.scheme != Scheme::Udp => {
            let what = format!("no datagrams go to {:?}", at.to_string());
            Err(("--udp-at", Wrong::expected(what, "udp://host:port")))
        }
        None if flags.udp && flags.endpoint.0.host_port().is_none() => {
            let what = "it is not known where datagrams go";
            Err(("--udp", Wrong::expected(what, "`--udp-at udp://host:port`, too")))
        }
        _ => Ok(()),
    }
}

/// The language of who types, as the environment has it.
fn lang() -> Lang {
    let said = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let tag = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(said);
    tag.and_then(|tag| Lang::read(&tag)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        flags: Flags,
    }

    #[track_caller]
    fn check(words: &str, expect: Option<&str>) {
        let words = ["chat"].into_iter().chain(words.split_whitespace());
        let Flags { endpoint, tls, .. } = Line::try_parse_from(words).unwrap().flags;
        let found = fits(&endpoint.0, &tls).err().map(|(_, wrong)| wrong.what);
        assert_eq!(found.as_deref(), expect);
    }

    #[test]
    fn where_datagrams_go_is_known_or_told() {
        let wrong = |words: &str| {
            let words = ["chat"].into_iter().chain(words.split_whitespace());
            let flags = Line::try_parse_from(words).unwrap().flags;
            fits_udp(&flags).err().map(|(flag, _)| flag)
        };
        assert_eq!(wrong("6680 --udp"), None);
        assert_eq!(wrong("unix:///run/hub --udp"), Some("--udp"));
        assert_eq!(wrong("unix:///run/hub --udp --udp-at udp://127.0.0.1:1"), None);
        assert_eq!(wrong("6680 --udp --udp-at tcp://127.0.0.1:1"), Some("--udp-at"));
        assert!(Line::try_parse_from(["chat", "--udp-at", "udp://127.0.0.1:1"]).is_err());
    }

    #[test]
    fn a_hub_is_talked_to_over_streams_and_flags_of_tls_are_for_tls() {
        check("", None);
        check("tls://hub.example:6697 --insecure", None);
        check("unix:///run/hub", None);
        check("udp://127.0.0.1:1", Some("no hub is talked to over udp"));
        check("6680 --insecure", Some("nothing is done with `--insecure`"));
    }

    #[test]
    fn what_is_sent_is_a_room_and_words() {
        let parse = |words: &[&str]| Line::try_parse_from([&["chat"], words].concat());
        let flags = parse(&["6680", "--send", "lab", "hello", "there"]).unwrap().flags;
        assert_eq!(flags.send.unwrap(), ["lab", "hello", "there"]);
        for wrong in [
            &["--send", "lab"][..],
            &["--json"],
            &["--register"],
            &["--send", "a", "b", "--tail", "c"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
