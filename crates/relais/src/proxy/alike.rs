//! Whether what a proxy has stored would be answered the same now.

use std::fmt;

use super::{Proxy, cache::Cache, forward::Forward, means::To, upstreams::Upstreams};

/// Whether what was stored of `before` may be answered by `now`: no answer would be another one, and
/// the cache is as large. Whoever adds a key says here whether that depends on it.
pub(super) fn answers_alike(before: &Proxy, now: &Proxy) -> bool {
    let Proxy {
        to,
        cache,
        request,
        response,
        // What is stored has been asked for, and whoever is before the cache judges each request.
        sniff: _,
        block: _,
        // What is passed on so is in the key.
        underscores: _,
        limits: _,
        // Told upstream and to clients; no answer is made of it.
        name: _,
    } = before;
    let keeps_alike = match (cache, &now.cache) {
        (Some(before), Some(now)) => before.keeps_alike(now),
        (None, None) => true,
        _ => false,
    };
    asks_alike(to, &now.to) && keeps_alike && (request, response) == (&now.request, &now.response)
}

/// What the answers of `proxy` depend on that no key of a cache says: with another of it, what is on
/// disk is not found.
pub(super) fn whose(proxy: &Proxy) -> String {
    let Proxy {
        to,
        cache,
        request,
        response,
        sniff: _,
        block: _,
        underscores: _,
        limits: _,
        name: _,
    } = proxy;
    let asked = match to {
        To::Upstreams(upstreams) => format!("{:?}", asked_of(upstreams)),
        To::Forward(forward) => format!("{:?}", reached_by(forward)),
    };
    let cache = cache.as_ref().map(Cache::judges_by);
    format!("{:?}", (asked, cache, request, response))
}

fn asks_alike(before: &To, now: &To) -> bool {
    match (before, now) {
        (To::Upstreams(before), To::Upstreams(now)) => asked_of(before) == asked_of(now),
        (To::Forward(before), To::Forward(now)) => reached_by(before) == reached_by(now),
        (To::Upstreams(_), To::Forward(_)) | (To::Forward(_), To::Upstreams(_)) => false,
    }
}

/// What answers depend on of who is asked.
fn asked_of(upstreams: &Upstreams) -> impl PartialEq + fmt::Debug {
    let Upstreams {
        upstream,
        routes,
        // Who is believed to be an upstream decides whose answers are stored.
        upstream_tls,
        // What an upstream is told of a client's word, answers may be made of.
        trust,
        // Which of several is asked, how, and which is passed over: they answer the same.
        upstream_http: _,
        balance: _,
        health: _,
    } = upstreams;
    (upstream, routes, upstream_tls, trust)
}

fn reached_by(forward: &Forward) -> impl PartialEq + fmt::Debug {
    let Forward {
        // What nobody may reach any more is not answered from memory either.
        ports,
        private,
        // Judged before the cache is asked.
        clients: _,
    } = forward;
    (ports, private)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::Base, complaint::KeyPath};

    const TABLE: &str = "listen = \"9000\"\nupstream = \"9001\"\ncache = {}\n";
    const FORWARD: &str = "listen = \"9000\"\nforward = true\ncache = {}\n";

    #[test]
    fn what_changes_no_answer_leaves_what_is_stored() {
        check("", true);
        check("health = { path = \"/well\" }", true);
        check("balance = \"round\"", true);
        check("upstream_http = \"2\"", true);
        check("name = \"front\"", true);
        check("limits = { head_max = \"9s\" }", true);
        check("sniff = { log = \"sniff.log\" }", true);
        check("block = { list = \"list\" }", true);
    }

    #[test]
    fn what_may_change_one_does_not() {
        check("upstream_host = \"a.example\"", false);
        check("routes = [{ path = \"/a\", upstream = \"9002\" }]", false);
        check("trust = \"10.0.0.0/8\"", false);
        check("request = { set = { a = \"b\" } }", false);
        check("response = { remove = \"a\" }", false);
        let cache = |memory| proxy(&TABLE.replace("{}", &format!("{{ memory = \"{memory}\" }}")));
        assert!(!answers_alike(&cache("8MiB"), &cache("9MiB")));
        let ruled = |ttl| {
            let rules = format!("{{ rules = [{{ path = \"/\", ttl = \"{ttl}\" }}] }}");
            proxy(&TABLE.replace("{}", &rules))
        };
        assert!(answers_alike(&ruled("1s"), &ruled("1s")));
        assert!(!answers_alike(&ruled("1s"), &ruled("2s")));
        let purge = "{ memory = \"8MiB\", purge = { token_file = \"t\", from = \"127.0.0.1\" } }";
        assert!(answers_alike(&cache("8MiB"), &proxy(&TABLE.replace("{}", purge))));
    }

    #[test]
    fn what_may_be_reached_no_more_is_answered_no_more() {
        let forward = |how: &str| proxy(&FORWARD.replace("true", how));
        assert!(answers_alike(&forward("true"), &forward("{ clients = \"10.0.0.1\" }")));
        assert!(!answers_alike(&forward("{ private = true }"), &forward("true")));
        assert!(!answers_alike(&forward("{ ports = [443, 8443] }"), &forward("true")));
        assert!(!answers_alike(&forward("true"), &proxy(TABLE)));
    }

    #[track_caller]
    fn check(line: &str, expect: bool) {
        let (before, now) = (proxy(TABLE), proxy(&format!("{TABLE}{line}\n")));
        assert_eq!(answers_alike(&before, &now), expect, "for {line}");
        assert_eq!(answers_alike(&now, &before), expect, "for {line}, taken away");
    }

    fn proxy(text: &str) -> Proxy {
        let base = Base("/".into());
        Proxy::plan(&toml::from_str(text).unwrap(), &base, &KeyPath::of(["proxy", "a"])).unwrap()
    }
}
