//! `/export` at the screen: one at a time, whichever hub it is of.

use relais_hub::{
    Lang,
    protocol::{Answer, Ask, Refusal},
    words,
};
use tokio::sync::mpsc::UnboundedSender;

use super::{model::Model, phrases::NOT_ASKED};
use crate::chat::exporting::{Exporting, Saved};

/// What is being written, and of which hub.
#[derive(Debug, Default)]
pub(super) struct Exports {
    under_way: Option<(usize, Exporting)>,
}

/// A hub, and what takes to it what it is asked.
type Asked<'a> = (usize, &'a UnboundedSender<Ask>);

impl Exports {
    /// Begins to write to `path` what a hub gives.
    ///
    /// # Errors
    ///
    /// What is to be told in `lang`, if it comes to nothing.
    fn begin(&mut self, (hub, asks): Asked<'_>, path: &str, lang: Lang) -> Result<(), String> {
        let under_way = self.under_way.as_ref().map(|(_, export)| export);
        let (export, ask) = Exporting::begin(path, under_way, lang)?;
        self.ask((hub, asks), (export, ask), lang)
    }

    /// Goes on to write what a hub gave. Gives what is to be told once all is written.
    ///
    /// # Errors
    ///
    /// What is to be told in `lang`, if it came to nothing.
    fn take(
        &mut self,
        (hub, asks): Asked<'_>,
        answer: Result<Answer, Refusal>,
        lang: Lang,
    ) -> Result<Option<String>, String> {
        let Some(export) = self.of(hub) else { return Ok(None) };
        match export.take(answer, lang) {
            Saved::More(export, ask) => self.ask((hub, asks), (export, ask), lang).map(|()| None),
            Saved::Whole(told) => Ok(Some(told)),
            Saved::Not(why) => Err(why),
        }
    }

    /// Nothing comes of a hub any more, for this reason. Gives what is to be told in `lang` of what was being
    /// written of it.
    fn end(&mut self, hub: usize, why: &Refusal, lang: Lang) -> Option<String> {
        self.of(hub).map(|export| export.end(&words::sentence(why, lang), lang))
    }

    /// Asks for a page. Of a hub that is asked nothing any more, nothing stays.
    fn ask(
        &mut self,
        (hub, asks): Asked<'_>,
        (export, ask): (Exporting, Ask),
        lang: Lang,
    ) -> Result<(), String> {
        if asks.send(ask).is_err() {
            return Err(export.end(NOT_ASKED.of(lang), lang));
        }
        self.under_way = Some((hub, export));
        Ok(())
    }

    /// Does as [`begin`](Self::begin), and has `model` tell what is to be told.
    pub(super) fn start(&mut self, asked: Asked<'_>, path: &str, model: &mut Model) {
        self.begin(asked, path, model.lang).unwrap_or_else(|why| model.wrong(why));
    }

    /// Does as [`take`](Self::take), and has `model` tell what is to be told.
    pub(super) fn go_on(
        &mut self,
        asked: Asked<'_>,
        answer: Result<Answer, Refusal>,
        model: &mut Model,
    ) {
        match self.take(asked, answer, model.lang) {
            Ok(Some(told)) => model.tell_briefly(told),
            Ok(None) => {}
            Err(why) => model.wrong(why),
        }
    }

    /// Does as [`end`](Self::end), and has `model` tell what is to be told.
    pub(super) fn stop(&mut self, hub: usize, why: &Refusal, model: &mut Model) {
        if let Some(told) = self.end(hub, why, model.lang) {
            model.wrong(told);
        }
    }

    /// Takes out what is being written of `hub`.
    fn of(&mut self, hub: usize) -> Option<Exporting> {
        self.under_way.take_if(|(of, _)| *of == hub).map(|(_, export)| export)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use relais_hub::{model::Seq, protocol::Code};
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    fn page(more: bool) -> Answer {
        Answer::Exported { events: Vec::new(), upto: Seq(9), more }
    }

    fn begin(exports: &mut Exports, asked: Asked<'_>, path: &Path) -> Result<(), String> {
        exports.begin(asked, path.to_str().unwrap(), Lang::En)
    }

    #[test]
    fn what_a_hub_gives_is_asked_for_until_all_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.jsonl");
        let (asks, mut asked) = unbounded_channel();
        let mut exports = Exports::default();
        begin(&mut exports, (0, &asks), &path).unwrap();
        assert_eq!(exports.take((0, &asks), Ok(page(true)), Lang::En), Ok(None));
        // Another hub was not asked.
        assert_eq!(exports.take((1, &asks), Ok(page(false)), Lang::En), Ok(None));
        let told = exports.take((0, &asks), Ok(page(false)), Lang::En).unwrap().unwrap();
        assert!(told.starts_with("0 lines written to /"), "{told}");
        assert_eq!(asked.try_recv(), Ok(Ask::Export { after: None }));
        assert_eq!(asked.try_recv(), Ok(Ask::Export { after: Some(Seq(9)) }));
        assert!(asked.try_recv().is_err());
    }

    #[test]
    fn an_export_of_a_hub_that_is_over_leaves_nothing_and_stands_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.jsonl");
        let (over, (asks, _asked)) = (unbounded_channel().0, unbounded_channel());
        let mut exports = Exports::default();
        let why = begin(&mut exports, (0, &over), &path).unwrap_err();
        assert!(why.contains("mine.jsonl: this hub is asked nothing any more"), "{why}");
        assert!(!path.exists());
        begin(&mut exports, (1, &asks), &path).unwrap();
        let why = exports.take((1, &over), Ok(page(true)), Lang::En).unwrap_err();
        assert!(why.starts_with("not written to /"), "{why}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        begin(&mut exports, (1, &asks), &path).unwrap();
    }

    #[test]
    fn a_hub_that_refuses_who_exports_ends_what_is_written_of_it_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.jsonl");
        let (asks, _asked) = unbounded_channel();
        let mut exports = Exports::default();
        let refusal = Refusal::of(Code::SessionRevoked);
        begin(&mut exports, (1, &asks), &path).unwrap();
        assert_eq!(exports.end(0, &refusal, Lang::En), None);
        assert!(path.exists());
        let told = exports.end(1, &refusal, Lang::En).unwrap();
        assert!(told.contains("mine.jsonl: "), "{told}");
        assert!(!path.exists());
        begin(&mut exports, (0, &asks), &path).unwrap();
    }
}
