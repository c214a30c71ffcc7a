//! The servers that throughput rows share: each started when first asked for, and kept as long as
//! the next row has it, too.

use anyhow::{Result, ensure};

use crate::{
    client,
    running::{Door, Kit, Running},
    site::Served,
    subject::{Program, Subject, Task},
    words::LISTED,
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

    /// Ends every server but those of `subjects`, so that none disturbs a row that it is not in.
    pub(crate) fn keep_only(&mut self, subjects: &[Subject]) {
        self.servers.retain(|(subject, _)| subjects.contains(subject));
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
        if subject.program == Program::Floor {
            self.kit.head = self.relais_head();
        }
        let server = Running::start(subject, &self.kit)?;
        for &file in subject.files() {
            server.check(Door::Http, file, self.kit.site)?;
            if subject.speaks_tls() {
                server.check(Door::Https, file, self.kit.site)?;
            }
        }
        if matches!(subject.task, Task::Block | Task::SniffAndBlock) {
            self.ensure_blocking(&server)?;
        }
        Ok(server)
    }

    /// The floor sends relais's head, so that both move the same bytes.
    fn relais_head(&mut self) -> Option<Vec<u8>> {
        let site = self.kit.site;
        let relais = self.server(Program::Relais.at(Task::Serve)).ok()?;
        relais.check(Door::Http, Served::Small, site).ok()
    }

    fn ensure_blocking(&self, server: &Running) -> Result<()> {
        let before = self.kit.origin.asked();
        let status = client::status(server.port(Door::Http), &format!("/{LISTED}"))?;
        ensure!(status == FORBIDDEN, "a listed word is answered with {status}");
        ensure!(self.kit.origin.asked() == before, "the origin was asked for a listed word");
        Ok(())
    }
}

const FORBIDDEN: u16 = 403;
