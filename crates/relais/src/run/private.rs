//! Files that are nobody's but who runs relais: the configuration, secrets that it names, and what is
//! written.

use std::path::{Path, PathBuf};

use crate::{
    config::Source,
    plan::Plan,
    private::Private,
    service::{self, Service},
    site::{Job, Site},
    tls::{Papers, Tls},
    upstream_tls::UpstreamTls,
};

/// Those of `plan`, the file that says it, and `others`. Asks the disk what is a link.
pub(super) fn of(
    source: &Source,
    plan: &Plan,
    others: impl IntoIterator<Item = PathBuf>,
) -> Private {
    let said_by = source.file().map(Path::to_owned);
    let of_sites = plan.sites.iter().flat_map(of_site);
    let of_services = plan.services.iter().flat_map(of_service);
    let keys = plan.listeners.iter().flat_map(|listener| &listener.tls).filter_map(key_of);
    Private::of(of_sites.chain(of_services).chain(keys).chain(said_by).chain(others))
}

fn of_site(site: &Site) -> Vec<PathBuf> {
    let users = site.front.auth.as_ref().map(|auth| auth.file.clone());
    let logs = site.logs().into_iter().map(|log| log.file);
    let of_proxy = match &site.job {
        Job::Proxy(proxy) => proxy.private(),
        Job::Serve(_) => Vec::new(),
    };
    users.into_iter().chain(logs).chain(of_proxy).collect()
}

fn of_service(service: &Service) -> Vec<PathBuf> {
    let other = match &service.job {
        service::Job::Hub(messaging) => Some(messaging.store.as_path()),
        service::Job::Relay(relay) => relay.upstream_tls.as_ref().and_then(UpstreamTls::key_file),
        service::Job::Listen(_) => None,
    };
    let logs = service.logs().into_iter().map(|log| log.file);
    logs.chain(other.map(Path::to_owned)).collect()
}

fn key_of(tls: &Tls) -> Option<PathBuf> {
    match &tls.papers {
        Papers::Files { key, .. } => Some(key.clone()),
        Papers::LocalAuthority { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;
    use crate::config::Said;

    #[test]
    fn what_a_plan_names_is_found_below_a_root_by_whatever_links() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().canonicalize().unwrap().join(name);
        fs::create_dir_all(at("site/in")).unwrap();
        for name in ["site/users", "site.key", "site/in/token", "site/made.pem"] {
            fs::write(at(name), "").unwrap();
        }
        symlink("site/users", at("link")).unwrap();
        symlink("site", at("root")).unwrap();
        let text = r#"
            [serve.a]
            listen = "https://127.0.0.1:8443"
            root = "root"
            auth.file = "link"
            access_log = { file = "site/new.log" }
            tls = { cert = "site/cert.pem", key = "site.key" }

            [proxy.b]
            listen = "8080"
            upstream = "https://a.example"
            upstream_tls = { cert = "site/cert.pem", key = "site/made.pem" }
            sniff = { log = "site/sniff.log" }
            cache = { disk = "site/cache", purge = { token_file = "site/in/token", from = "127.0.0.1" } }

            [hub.c]
            listen = "tcp://127.0.0.1:7000"
            store = "site/hub.db"
        "#;
        let said = Said::parse(folder.path().join("relais.toml"), text.to_owned()).unwrap();
        symlink("site/its.toml", at("relais.toml")).unwrap();
        let source = Source::File(at("relais.toml"));
        let plan = Plan::new(&said.config).unwrap();
        let private = of(&source, &plan, [at("site/in/run")]);
        let found = private.below(&at("root"));
        let expect = ["cache", "hub.db", "in/run", "in/token", "its.toml", "made.pem", "new.log"];
        let expect = [&expect[..], &["sniff.log", "users"]].concat();
        let expect: Vec<_> = expect.into_iter().map(|name| at("site").join(name)).collect();
        assert_eq!(found, expect);
        assert_eq!(private.below(&at("site/in")).len(), 2);
        assert!(private.below(&at("elsewhere")).is_empty());
    }
}
