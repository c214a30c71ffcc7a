//! `relais chat`: a client of a hub, for people who type lines and for scripts.

mod again;
mod caller;
mod ends;
mod entrance;
mod exporting;
mod flags;
mod invitations;
mod kept;
mod let_in;
mod naming;
mod otherwise;
mod person;
mod phrases;
mod place;
mod said;
mod screen;
mod script;
mod ways;

use std::io::{self, IsTerminal as _};

use anyhow::Context as _;
use clap::ColorChoice;
use relais_hub::{Lang, client::Talk};
use relais_net::{Dialer, Endpoint, Place, Scheme, tls::Protocols};
use tokio::runtime::Runtime;

pub(crate) use flags::Flags;

use caller::Caller;
use entrance::Coming;
use kept::Kept;
use let_in::Door;
use screen::{LoggedOut, Wishes};
use script::{Absent, Asker};
use ways::Udp;

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
pub(crate) fn obey(
    flags: &Flags,
    data: &Data,
    (color, telling): (ColorChoice, Telling),
) -> Result<(), Stop> {
    let endpoints: Vec<_> = flags.endpoints.iter().map(|endpoint| endpoint.0.clone()).collect();
    fits(&endpoints, &flags.tls)
        .and_then(|()| fits_udp(&endpoints, flags))
        .map_err(|(flag, wrong)| Stop::of_flag(flag, wrong))?;
    let shown = shown(flags);
    if shown != Shown::Screen && endpoints.len() > 1 {
        let wrong = Wrong::expected("several hubs without a screen", "one");
        return Err(Stop::of_flag("ENDPOINT", wrong));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("starting a runtime")?;
    let parties: Result<Vec<_>, _> =
        endpoints.into_iter().map(|endpoint| party(flags, data, (endpoint, &runtime))).collect();
    let (mut parties, lang) = (parties?, lang());
    if shown == Shown::Screen {
        let wishes = Wishes { theme: flags.theme, color, alerts: flags.alerts, lang };
        return runtime.block_on(screen::talk(parties, wishes))?.map_or(Ok(()), |out| {
            let LoggedOut { user, why } = out;
            Err(again::begin(&user, why))
        });
    }
    let Some((_, caller, door)) = parties.pop() else { return Ok(()) };
    runtime.block_on(in_lines(flags, (caller, door), (lang, telling)))
}

/// Talks without a screen.
async fn in_lines(
    flags: &Flags,
    (caller, door): (Caller, Door),
    (lang, telling): (Lang, Telling),
) -> Result<(), Stop> {
    let absent = if flags.create { Absent::Made } else { Absent::Told };
    let asker = Asker { door: &door, lang, absent };
    match (&flags.send, &flags.tail) {
        (Some(words), _) => script::send(caller, asker, (words, telling)).await,
        (None, Some(room)) => script::tail(caller, asker, (room, flags.json)).await,
        (None, None) => person::talk(caller, (door, lang), telling).await,
    }
}

/// How a talk is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Screen,
    Lines,
}

fn shown(flags: &Flags) -> Shown {
    let is_asked = flags.send.is_none() && flags.tail.is_none() && !flags.plain;
    let is_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let is_able = std::env::var("TERM").is_ok_and(|term| !term.is_empty() && term != "dumb");
    if is_asked && is_terminal && is_able { Shown::Screen } else { Shown::Lines }
}

/// Who is talked to at `endpoint`, by what it is called, and as whom. May ask for a password, where somebody
/// listens.
fn party(
    flags: &Flags,
    data: &Data,
    (endpoint, runtime): (Endpoint, &Runtime),
) -> Result<(String, Caller, Door), Stop> {
    let demand = flags.tls.demand_over(Channel::of(endpoint.scheme), data)?;
    let dialer = calls(&demand, flags.timeout.0, None)?;
    let udp = by_datagrams(flags, &endpoint, calls(&demand, flags.timeout.0, None)?);
    let kept = Kept::of(&data.chat()?, &endpoint);
    if entrance::is_asked_for(flags, &kept) {
        let reached = runtime.block_on(dialer.dial(&endpoint, Protocols::Plain));
        reached.map_err(|error| caller::unreached(&error))?;
    }
    let Coming { entrance, user, otherwise } = entrance::of(flags, (&kept, &endpoint))?;
    let talk = Talk::new(entrance, DEVICE, random);
    let name = match &endpoint.place {
        Place::Net(host_port) => host_port.to_string(),
        Place::Path(path) => path.display().to_string(),
    };
    Ok((name, Caller::new(talk, dialer, endpoint).by(udp), Door { kept, user, otherwise }))
}

/// Where datagrams to the hub at `endpoint` go, if they are wanted.
fn by_datagrams(flags: &Flags, endpoint: &Endpoint, dialer: Dialer) -> Option<Udp> {
    let udp = Udp::new(dialer, endpoint, flags.udp_at.as_ref());
    udp.filter(|_| flags.udp)
}

/// Whether there may be hubs at `endpoints`, and what is said of TLS is of use.
fn fits(endpoints: &[Endpoint], tls: &TlsFlags) -> Result<(), (&'static str, Wrong)> {
    for Endpoint { scheme, .. } in endpoints {
        if !matches!(scheme, Scheme::Tcp | Scheme::Tls | Scheme::Unix) {
            let what = format!("no hub is talked to over {scheme}");
            return Err(("ENDPOINT", Wrong::expected(what, "tcp, tls or unix")));
        }
    }
    let secure = endpoints.iter().find(|endpoint| endpoint.scheme.is_secure());
    let channel = secure.map_or(Channel::Clear, |endpoint| Channel::of(endpoint.scheme));
    tls.fit(channel, "an endpoint of tls://")
}

/// Whether it can be told where datagrams go.
fn fits_udp(endpoints: &[Endpoint], flags: &Flags) -> Result<(), (&'static str, Wrong)> {
    match &flags.udp_at {
        Some(at) if at.scheme != Scheme::Udp => {
            let what = format!("no datagrams go to {:?}", at.to_string());
            Err(("--udp-at", Wrong::expected(what, "udp://host:port")))
        }
        Some(_) if endpoints.len() > 1 => {
            let what = "datagrams of several hubs do not go to one place";
            Err(("--udp-at", Wrong::expected(what, "one hub")))
        }
        None if flags.udp && endpoints.iter().any(|on| on.host_port().is_none()) => {
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
        let Flags { endpoints, tls, .. } = Line::try_parse_from(words).unwrap().flags;
        let endpoints: Vec<_> = endpoints.into_iter().map(|endpoint| endpoint.0).collect();
        let found = fits(&endpoints, &tls).err().map(|(_, wrong)| wrong.what);
        assert_eq!(found.as_deref(), expect);
    }

    #[test]
    fn where_datagrams_go_is_known_or_told() {
        let wrong = |words: &str| {
            let words = ["chat"].into_iter().chain(words.split_whitespace());
            let flags = Line::try_parse_from(words).unwrap().flags;
            let endpoints: Vec<_> = flags.endpoints.iter().map(|on| on.0.clone()).collect();
            fits_udp(&endpoints, &flags).err().map(|(flag, _)| flag)
        };
        assert_eq!(wrong("6680 --udp"), None);
        assert_eq!(wrong("unix:///run/hub --udp"), Some("--udp"));
        assert_eq!(wrong("unix:///run/hub --udp --udp-at udp://127.0.0.1:1"), None);
        assert_eq!(wrong("6680 --udp --udp-at tcp://127.0.0.1:1"), Some("--udp-at"));
        assert_eq!(wrong("6680 tls://hub.example:6697 --udp"), None);
        assert_eq!(wrong("6680 unix:///run/hub --udp"), Some("--udp"));
        assert_eq!(wrong("6680 6681 --udp --udp-at udp://127.0.0.1:1"), Some("--udp-at"));
        assert!(Line::try_parse_from(["chat", "--udp-at", "udp://127.0.0.1:1"]).is_err());
    }

    #[test]
    fn a_hub_is_talked_to_over_streams_and_flags_of_tls_are_for_tls() {
        check("", None);
        check("tls://hub.example:6697 --insecure", None);
        check("unix:///run/hub", None);
        check("udp://127.0.0.1:1", Some("no hub is talked to over udp"));
        check("6680 tls://hub.example:6697 --insecure", None);
        check("6680 udp://127.0.0.1:1", Some("no hub is talked to over udp"));
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
            &["--create"],
            &["--send", "a", "b", "--tail", "c"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
