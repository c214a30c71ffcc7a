//! The servers that throughput rows share: each started once, when first asked for.

use anyhow::Result;

use crate::{
    running::{Door, Kit, Running},
    site::Served,
    subject::Subject,
};

/// Servers that run, and those that could not be started.
#[derive(Debug)]
pub(crate) struct Fleet<'a> {
    kit: Kit<'a>,
    servers: Vec<(Subject, Result<Running, String>)>,
}

impl<'a> Fleet<'a> {
    pub(crate) fn new(kit: Kit<'a>) -> Self {
        Self { kit, servers: Vec::new() }
    }

    pub(crate) fn kit(&self) -> &Kit<'a> {
        &self.kit
    }

    /// The server of `subject`, running, or why there is none.
    pub(crate) fn server(&mut self, subject: Subject) -> Result<&Running, String> {
        if !self.servers.iter().any(|(started, _)| *started == subject) {
            let started = self.start(subject).map_err(|error| format!("cannot start: {error:#}"));
            self.servers.push((subject, started));
        }
        let found = self.servers.iter().find(|(started, _)| *started == subject);
        let (_, server) = found.expect("just put there");
        server.as_ref().map_err(Clone::clone)
    }

    fn start(&mut self, subject: Subject) -> Result<Running> {
        if subject == Subject::Floor {
            self.kit.head = self.relais_head();
        }
        let server = Running::start(subject, &self.kit)?;
        // The floor sends one file whatever is asked for; rows ask it for no other.
        let files = if subject == Subject::Floor { &[Served::Small][..] } else { &Served::ALL };
        for &file in files {
            server.check(Door::Http, file, self.kit.site)?;
            if subject.speaks_tls() {
                server.check(Door::Https, file, self.kit.site)?;
            }
        }
        Ok(server)
    }

    /// The floor sends relais's head, so that both move the same bytes.
    fn relais_head(&mut self) -> Option<Vec<u8>> {
        let site = self.kit.site;
        let relais = self.server(Subject::Relais).ok()?;
        relais.check(Door::Http, Served::Small, site).ok()
    }
}
