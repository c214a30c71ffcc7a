//! Habits of those who come from other proxies: each of the two ends behind a flag.

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::{
    complaint::{Complaint, Wrong},
    spelling::HttpEndpoint,
};

/// The flags that name a listener elsewhere: those of Caddy, mitmproxy, and of many.
const LISTENERS: [(&str, Option<char>); 4] =
    [("from", None), ("listen-port", None), ("port", Some('p')), ("bind", Some('b'))];

/// The flags that name an upstream elsewhere.
const UPSTREAMS: [(&str, Option<char>); 5] =
    [("upstream", None), ("to", None), ("target", None), ("backend", None), ("mode", Some('m'))];

/// The command as those type it, too.
pub(super) fn with_habits(proxy: Command) -> Command {
    let flags = LISTENERS.into_iter().chain(UPSTREAMS);
    let ids: Vec<&str> = flags.clone().map(|(flag, _)| flag).collect();
    let proxy = flags.fold(proxy, |proxy, (flag, short)| {
        let arg = Arg::new(flag).long(flag).hide(true).action(ArgAction::Append);
        proxy.arg(match short {
            Some(short) => arg.short(short),
            None => arg,
        })
    });
    let (first, asked) = (ids.clone(), [&ids[..], &["forward", "listen"]].concat());
    proxy
        .mut_arg("first", |arg| arg.required(false).required_unless_present_any(first))
        .mut_arg("asked", |arg| arg.required_unless_present_any(asked))
}

/// What is told to who names the ends of a proxy as elsewhere.
pub(super) fn of_proxy(proxy: &ArgMatches) -> Option<Complaint> {
    let said = |flag: &str| -> Vec<String> {
        proxy.get_many::<String>(flag).into_iter().flatten().cloned().collect()
    };
    let places = |argument: &str| -> Vec<String> {
        let places = proxy.get_many::<HttpEndpoint>(argument).into_iter().flatten();
        places.map(|HttpEndpoint(on)| on.to_string()).collect()
    };
    let flags = LISTENERS.iter().chain(&UPSTREAMS).map(|(flag, _)| *flag);
    let found = flags.clone().find_map(|flag| Some((flag, said(flag).into_iter().next()?)));
    let (mut listeners, mut upstreams) = (places("listen"), places("asked"));
    let is_forward = proxy.get_flag("forward");
    if found.is_none() && (listeners.is_empty() || !upstreams.is_empty() || is_forward) {
        return None;
    }
    for (flag, _) in LISTENERS {
        listeners.extend(said(flag));
    }
    for (flag, _) in UPSTREAMS {
        upstreams.extend(said(flag).iter().map(|text| upstream(text)));
    }
    // Who named a listener by a flag meant an upstream by the first that stands alone.
    let alone = places("first");
    let place = if listeners.is_empty() { &mut listeners } else { &mut upstreams };
    place.splice(..0, alone);
    let what = match &found {
        Some((flag, value)) => format!("no flag `--{flag}`: {value:?}"),
        None => "no UPSTREAM".to_owned(),
    };
    let flag = found.map_or("UPSTREAM".to_owned(), |(flag, _)| format!("--{flag}"));
    let wrong = Wrong { what, expected: None, hint: None };
    Some(Complaint::of_flag(flag, wrong.hint(hint(&listeners, &upstreams))))
}

/// An upstream as it is written here: `reverse:` is mitmproxy's, `:8081` is of this machine.
fn upstream(text: &str) -> String {
    let text = text.strip_prefix("reverse:").unwrap_or(text);
    match text.strip_prefix(':') {
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => port.to_owned(),
        _ => text.to_owned(),
    }
}

/// The command that was likely meant.
fn hint(listeners: &[String], upstreams: &[String]) -> String {
    let (first, others) = match listeners {
        [first, others @ ..] => (first.as_str(), others),
        [] => ("9000", &[][..]),
    };
    let upstreams = match upstreams {
        [] => "8081".to_owned(),
        [only] if only == "regular" => "--forward".to_owned(),
        all => all.join(" "),
    };
    let others = others.iter().flat_map(|other| [" --listen ", other]).collect::<String>();
    format!("first where to listen, then who is asked: `relais proxy {first} {upstreams}{others}`")
}
