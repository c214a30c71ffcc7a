//! What `[hub.NAME]` means.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use relais_net::{Endpoint, Scheme};
use serde::Serialize;

use super::{
    Table,
    table::{Form, Lang, Registration},
};
use crate::{
    base::Base,
    complaint::{KeyPath, Problem, Wrong},
    spelling::{BareEndpoint, Size, strange_origin},
    tls::Asks,
    tree::Node,
};

/// A hub, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Messaging {
    /// The file of its log.
    pub store: PathBuf,
    /// Who may have an account.
    pub registration: Registration,
    /// Whether passwords are taken in the clear from other machines.
    pub clear_passwords: bool,
    /// Whether who calls over `tls://` may show a certificate, and log in by it.
    pub client_certificates: bool,
    /// How it speaks to people who do not say.
    pub lang: Lang,
    /// What its datagrams are like.
    pub udp: Form,
    /// How long a message may be.
    pub(crate) message_max: Size,
    /// How many messages an account may say at once.
    pub burst: u32,
    /// How many a second after that; 0, as many as it likes.
    pub messages_a_second: u32,
    /// Pages of which other sites may come in over HTTP.
    pub origins: Vec<String>,
}

/// Where all that is said is kept, if nobody says.
const STORE: &str = "hub.db";

const MESSAGE_MAX: Size = Size(16 << 10);

/// Longer ones would not fit a frame.
const MESSAGE_MAX_MAX: Size = Size(32 << 10);

const BURST: u32 = 10;
const MESSAGES_A_SECOND: u32 = 2;

impl Messaging {
    /// Resolves `table`, which stands at `key`.
    pub(crate) fn plan(table: &Table, base: &Base, key: &KeyPath) -> Result<Self, Vec<Problem>> {
        let Table {
            listen,
            store,
            registration,
            clear_passwords,
            client_certificates,
            lang,
            udp,
            message_max,
            burst,
            messages_a_second,
            origins,
            tls: _,
        } = table;
        if listen.iter().all(|BareEndpoint(on)| on.scheme == Scheme::Udp) {
            let expected = "tcp, tls, unix, http or https, too";
            let wrong = Wrong::expected("nobody could log in by datagrams alone", expected);
            return Err(vec![key.key("listen").wrong(wrong)]);
        }
        let is_asked = |BareEndpoint(on): &BareEndpoint| on.scheme == Scheme::Tls;
        if *client_certificates && !listen.iter().any(is_asked) {
            let what = "`client_certificates` means nothing here";
            let wrong = Wrong::expected(what, "an endpoint of tls://");
            return Err(vec![key.key("client_certificates").wrong(wrong)]);
        }
        let strange = strange_origins((listen, origins), key);
        if !strange.is_empty() {
            return Err(strange);
        }
        let message_max = message_max.unwrap_or(MESSAGE_MAX);
        if message_max < Size(1) || message_max > MESSAGE_MAX_MAX {
            let what = format!("no messages of {message_max}");
            let expected = format!("1 B to {MESSAGE_MAX_MAX}");
            return Err(vec![key.key("message_max").wrong(Wrong::expected(what, expected))]);
        }
        let burst = burst.unwrap_or(BURST);
        if burst == 0 {
            let wrong = Wrong::expected("nobody could say anything: 0", "1 or more");
            return Err(vec![key.key("burst").wrong(wrong)]);
        }
        Ok(Self {
            store: base.join(store.as_deref().unwrap_or(Path::new(STORE))),
            registration: *registration,
            clear_passwords: *clear_passwords,
            client_certificates: *client_certificates,
            lang: *lang,
            udp: *udp,
            message_max,
            burst,
            messages_a_second: messages_a_second.unwrap_or(MESSAGES_A_SECOND),
            origins: origins.clone(),
        })
    }

    /// Whether it is spoken over `scheme`.
    pub(crate) fn judge(on: &Endpoint) -> Result<(), Wrong> {
        match on.scheme {
            Scheme::Tcp
            | Scheme::Tls
            | Scheme::Udp
            | Scheme::Unix
            | Scheme::Http
            | Scheme::Https => Ok(()),
            scheme => {
                let what = format!("no hub over {scheme}: {:?}", on.to_string());
                Err(Wrong::expected(what, "tcp, tls, udp, unix, http or https"))
            }
        }
    }

    /// Whether callers at `on` are asked for a certificate. Browsers are not: they ask whoever sits there.
    pub(crate) fn asks(&self, on: &Endpoint) -> Asks {
        if self.client_certificates && on.scheme == Scheme::Tls {
            Asks::ForAny
        } else {
            Asks::Nothing
        }
    }

    /// What becomes of a caller, step by step.
    pub(crate) fn steps(&self) -> Vec<Node> {
        vec![Node::last(self.to_string())]
    }
}

/// The origins that no browser ever sends, and all of them where no browser comes in.
fn strange_origins((listen, origins): (&[BareEndpoint], &[String]), key: &KeyPath) -> Vec<Problem> {
    let is_http =
        |BareEndpoint(on): &BareEndpoint| matches!(on.scheme, Scheme::Http | Scheme::Https);
    if !origins.is_empty() && !listen.iter().any(is_http) {
        let expected = "an endpoint of http:// or https://";
        let wrong = Wrong::expected("`origins` means nothing here", expected);
        return vec![key.key("origins").wrong(wrong)];
    }
    let strange = origins.iter().filter_map(|origin| strange_origin(origin));
    strange.map(|wrong| key.key("origins").wrong(wrong)).collect()
}

impl fmt::Display for Messaging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kept in {:?}", self.store.display())
    }
}

#[cfg(test)]
mod tests {
    use relais_net::tls::Protocols;

    use super::*;
    use crate::{config::Said, plan::Plan};

    fn plan(keys: &str) -> Result<Plan, Vec<Problem>> {
        let said = Said::parse("/etc/relais.toml".into(), format!("[hub.main]\n{keys}\n"));
        Plan::new(&said.unwrap().config)
    }

    #[track_caller]
    fn check(keys: &str, expect: &str) {
        let problems = plan(keys).unwrap_err();
        let whats: Vec<_> = problems.into_iter().map(|problem| problem.wrong.what).collect();
        assert_eq!(whats.join("; "), expect, "{keys}");
    }

    #[test]
    fn what_cannot_be_is_told() {
        check("listen = 'udp://127.0.0.1:1'", "nobody could log in by datagrams alone");
        check("listen = 'ws://127.0.0.1:1'", "no hub over ws: \"ws://127.0.0.1:1\"");
        check("listen = '1'\norigins = ['*']", "`origins` means nothing here");
        let asking = "listen = ['1', 'https://:2']\nclient_certificates = true";
        check(asking, "`client_certificates` means nothing here");
        let strange =
            "listen = 'http://127.0.0.1:1'\norigins = ['a.example', '*', 'https://b:443']";
        let expect = "no origin of a page: \"a.example\"; no origin of a page: \"https://b:443\"";
        check(strange, expect);
    }

    #[test]
    fn over_https_browsers_choose_how_they_ask_and_over_tls_there_is_nothing_to_choose() {
        let listen = "listen = ['1', 'http://127.0.0.1:2', 'https://:3', 'tls://:4']";
        let plan = plan(&format!("{listen}\norigins = ['https://a.example']")).unwrap();
        let spoken = plan.listeners.iter().map(|on| on.tls.first().map(|tls| tls.protocols));
        let spoken: Vec<_> = spoken.collect();
        assert_eq!(spoken, [None, None, Some(Protocols::Http), Some(Protocols::Plain)]);
    }

    #[test]
    fn callers_are_asked_for_certificates_over_tls_alone() {
        let keys = "listen = ['1', 'https://:3', 'tls://:4']\nclient_certificates = true";
        let plan = plan(keys).unwrap();
        let asks: Vec<_> =
            plan.listeners.iter().map(|on| on.tls.first().map(|tls| tls.asks)).collect();
        assert_eq!(asks, [None, Some(Asks::Nothing), Some(Asks::ForAny)]);
        let told = plan.to_string();
        assert_eq!(told.matches("; callers may show one, whoever signed it").count(), 1, "{told}");
    }
}
