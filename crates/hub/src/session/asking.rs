//! What a client asks, and who answers it: its own connection, or the desk.

use std::ops::ControlFlow;

use relais_tap::By;

use super::{Asks, Dialect, End, Goodbye, Line, Session, secrets::Given};
use crate::{
    desk::Order,
    json,
    protocol::{Answer, Ask, Code, Refusal, Request},
    words::{self, Phrase},
};

impl Session<'_> {
    /// Hears a line, in the client's own way to speak.
    pub(super) async fn hear(&mut self, line: Line) -> ControlFlow<End> {
        if let Dialect::Words(typing) = &mut self.dialect {
            // What is told from here on is no answer to what was typed before.
            typing.typed = None;
        }
        let Line::Whole(line) = line else {
            let most = self.hub.limits.frame_bytes_max;
            let why = format!("expected at most {most} bytes");
            return self.misread(None, Refusal::of(Code::FrameTooBig).why(why));
        };
        if self.who.is_none() && is_of_http(&line) {
            return Box::pin(self.turn_away()).await;
        }
        match &self.dialect {
            Dialect::Words(_) => Box::pin(self.hear_words(&line)).await,
            Dialect::Json { .. } | Dialect::Unknown => {
                match json::read(&line, self.hub.limits.frame_bytes_max) {
                    Ok(request) => self.ask(request).await,
                    Err((re, refusal)) => self.misread(re, refusal),
                }
            }
        }
    }

    /// A page of any site can have a browser send a request here, with lines in its body that would be taken
    /// for typed: nothing of it is heard.
    async fn turn_away(&mut self) -> ControlFlow<End> {
        // Who is gone has nothing to read.
        _ = self.send(NO_HTTP).await;
        ControlFlow::Break((By::Relais, "spoke HTTP".into()))
    }

    async fn hear_words(&mut self, line: &[u8]) -> ControlFlow<End> {
        self.mark_read();
        let Dialect::Words(typing) = &mut self.dialect else { return ControlFlow::Continue(()) };
        let line = String::from_utf8_lossy(line);
        let read = match typing.secret.take() {
            Some(awaited) => match awaited.take(&line) {
                Given::Ask(ask) => words::Line::Ask(ask),
                Given::Weak(why, again) => return self.ask_again(why, again).await,
            },
            None => words::read_at(&line, &typing.here),
        };
        match read {
            words::Line::Ask(ask) => {
                typing.ask(&line, &ask);
                self.ask(Request { id: None, ask }).await
            }
            words::Line::End => {
                self.ask(Request { id: None, ask: Ask::Bye { reason: None } }).await
            }
            words::Line::Nothing => ControlFlow::Continue(()),
            words::Line::Wrong(misuse) => self.refuse(&misuse).await,
            words::Line::Secret(wanted) => self.ask_for(wanted).await,
            words::Line::Lang(lang) => {
                typing.lang = lang;
                self.say_phrase(Phrase::Language).await
            }
            words::Line::NameStays => self.say_phrase(Phrase::NameStays).await,
            words::Line::Export(_) => self.say_phrase(Phrase::NoDisk).await,
        }
    }

    /// Does what a client asks, or has it done.
    async fn ask(&mut self, Request { id: re, ask }: Request) -> ControlFlow<End> {
        if let Some(goes_on) = self.pay_for(re, &ask) {
            return goes_on;
        }
        let answer = match ask {
            Ask::Hello { proto, lang, .. } => self.say_hello(proto, lang.as_deref()),
            Ask::Ping { t } => Ok(Some(Answer::Pong { t })),
            Ask::Help => {
                self.help(re);
                return ControlFlow::Continue(());
            }
            Ask::Bye { .. } => {
                (self.has_ended, self.goodbye) = (true, Some(Goodbye { re }));
                Ok(None)
            }
            Ask::Calc { expr } => self.calculate(re, expr),
            Ask::Register { user, password, invitation, device } => {
                Box::pin(self.register(re, (&user, password), invitation, device)).await
            }
            Ask::Login { proof, device, resume } => {
                Box::pin(self.come_in(re, proof, (device, resume))).await
            }
            Ask::Password { old, new } => Box::pin(self.change_password(re, old, new)).await,
            Ask::Unregister { password, said } => {
                Box::pin(self.unregister(re, password, said)).await
            }
            Ask::Logout { all } => self.log_out(re, all),
            Ask::Revoke { session } if self.is_by(&session) => self.log_out(re, false),
            Ask::Hook { room, name } => self.make_hook(re, room, name),
            Ask::Certify { name } => self.certify(re, name),
            Ask::Udp { events } => self.open_datagrams(events),
            ask => self.order(re, ask),
        };
        // Else the desk answers.
        if let Some(answer) = answer.transpose() {
            self.answer(re, answer);
        }
        ControlFlow::Continue(())
    }

    fn say_hello(
        &mut self,
        proto: Option<u64>,
        lang: Option<&str>,
    ) -> Result<Option<Answer>, Refusal> {
        if proto.is_some_and(|proto| proto != 1) {
            let why = "this hub speaks version 1";
            return Err(Refusal::of(Code::UnsupportedProto).field("proto").why(why));
        }
        if let (Dialect::Json { lang: own }, Some(lang)) = (&mut self.dialect, lang) {
            *own = words::Lang::read(lang).unwrap_or(*own);
        }
        let hub = self.hub;
        Ok(Some(Answer::Hello {
            server: hub.server.clone(),
            register: hub.registration.name(),
            frame: hub.limits.frame_bytes_max,
            body: hub.limits.body_bytes_max,
            time: hub.now(),
            tls: self.way.is_private,
            external: self.way.certificate.is_some(),
        }))
    }

    /// Has the desk answer.
    pub(super) fn order(&mut self, re: Option<u64>, ask: Ask) -> Result<Option<Answer>, Refusal> {
        let Some(who) = &self.who else { return Err(Refusal::of(Code::NotLoggedIn)) };
        self.asked += 1;
        if ask.wants_much() {
            self.asks = Asks::Much;
        }
        let order = Order::Ask { client: self.client, account: who.account, re, ask };
        self.hub.order(order)?;
        Ok(None)
    }
}

/// Whether a line begins a request of HTTP, as `POST / HTTP/1.1` does.
fn is_of_http(line: &[u8]) -> bool {
    let mut words = line.trim_ascii_end().split(|byte| *byte == b' ');
    let method = words.next().unwrap_or_default();
    let is_method = !method.is_empty() && method.iter().all(u8::is_ascii_uppercase);
    is_method && words.next_back().is_some_and(|last| last.starts_with(b"HTTP/"))
}

const NO_HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n\
    This is a hub, which is spoken to in lines: nc, telnet, relais chat. For browsers it has an http:// door.\n";
