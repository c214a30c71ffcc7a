//! `relais chat`: a client of a hub, for people who type lines and for scripts.

mod caller;
mod entrance;
mod flags;
mod kept;
mod let_in;
mod person;
mod phrases;
mod place;
mod script;

use anyhow::Context as _;
use relais_hub::{Lang, client::Talk};
use relais_net::{Endpoint, Scheme};

pub(crate) use flags::Flags;

use caller::Caller;
use kept::Kept;

use crate::{
    calling::{Channel, TlsFlags, calls},
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
    fits(endpoint, &flags.tls).map_err(|(flag, wrong)| Stop::of_flag(flag, wrong))?;
    let demand = flags.tls.demand_over(Channel::of(endpoint.scheme), data)?;
    let dialer = calls(&demand, flags.timeout.0, None)?;
    let kept = Kept::of(&data.chat()?, endpoint);
    let (entrance, user) = entrance::of(flags, &kept)?;
    let talk = Talk::new(entrance, DEVICE, random);
    let caller = Caller::new(talk, dialer, endpoint.clone());
    let (door, lang) = (let_in::Door { kept, user }, lang());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("starting a runtime")?.block_on(async {
        match (&flags.send, &flags.tail) {
            (Some(words), _) => script::send(caller, (&door, lang), (words, telling)).await,
            (None, Some(room)) => script::tail(caller, (&door, lang), (room, flags.json)).await,
            (None, None) => person::talk(caller, (door, lang), telling).await,
        }
    })
}

/// Whether there may be a hub at `endpoint`, and what is said of TLS is of use.
fn fits(endpoint: &Endpoint, tls: &TlsFlags) -> Result<(), (&'static str, Wrong)> {
    let scheme = endpoint.scheme;
    if !matches!(scheme, Scheme::Tcp | Scheme::Tls | Scheme::Unix) {
        let what = format!("no hub is talked to over {scheme}");
        return Err(("ENDPOINT", Wrong::expected(what, "tcp, tls or unix")));
    }
    tls.fit(Channel::of(scheme), "an endpoint of tls://")
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
