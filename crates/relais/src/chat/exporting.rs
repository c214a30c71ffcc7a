//! `/export`: all that an account did, asked for page by page and written to a new file, a line of JSON each.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use relais_hub::{
    Lang,
    model::Seq,
    protocol::{Answer, Ask, Event, Refusal},
    words,
};
use serde_json::json;

use super::phrases::{
    IS_A_FOLDER, NO_HOME, NO_SUCH_FOLDER, NOT_EXPORTED, ONE_IS_EXPORTED, THERE_ALREADY, WRITTEN_TO,
};
use crate::{complaint::plain, new_file::NotMade, tending::event_told, visible::Escaped};

/// A file that is being written. Dropped before it is whole, nothing stays of it.
#[derive(Debug)]
pub(super) struct Exporting {
    path: PathBuf,
    /// `None` once it is whole.
    out: Option<BufWriter<File>>,
    lines: u64,
}

/// What comes of a page.
#[derive(Debug)]
pub(super) enum Saved {
    /// The next is to be asked for.
    More(Exporting, Ask),
    /// All is written, which is told so.
    Whole(String),
    /// It came to nothing, for this reason.
    Not(String),
}

impl Exporting {
    /// Makes the file at `path`, for its owner alone, where no other is `under_way`. Gives what is asked first.
    ///
    /// # Errors
    ///
    /// What is to be told in `lang`, if one is, or if there is such a file or none can be made.
    pub(super) fn begin(
        path: &str,
        under_way: Option<&Self>,
        lang: Lang,
    ) -> Result<(Self, Ask), String> {
        if let Some(Self { path, .. }) = under_way {
            return Err(format!("{} {}", ONE_IS_EXPORTED.of(lang), shown(path)));
        }
        let path = PathBuf::from(path);
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let file = opened.map_err(|error| not_made(&path, &error, lang))?;
        let out = Some(BufWriter::new(file));
        Ok((Self { path, out, lines: 0 }, Ask::Export { after: None }))
    }

    /// Writes down what was answered to what was asked last.
    pub(super) fn take(mut self, answer: Result<Answer, Refusal>, lang: Lang) -> Saved {
        let (events, upto, more) = match answer {
            Ok(Answer::Exported { events, upto, more }) => (events, upto, more),
            Ok(_) => return Saved::Not(self.end("", lang)),
            Err(refusal) => return Saved::Not(self.end(&words::sentence(&refusal, lang), lang)),
        };
        match self.write(&events, (upto, more)) {
            Ok(Some(ask)) => Saved::More(self, ask),
            Ok(None) => {
                let (lines, path) = (self.lines, shown(&self.path));
                Saved::Whole(format!("{lines} {} {path}", WRITTEN_TO.of(lang)))
            }
            Err(error) => Saved::Not(self.end(&plain(&error.to_string()), lang)),
        }
    }

    /// It comes to nothing, for the reason `why`. Gives what is to be told.
    pub(super) fn end(self, why: &str, lang: Lang) -> String {
        not_exported(&self.path, why, lang)
    }

    /// Writes a page. Gives what is to be asked next, if there is more.
    fn write(&mut self, events: &[Event], (upto, more): (Seq, bool)) -> io::Result<Option<Ask>> {
        let Some(out) = &mut self.out else { return Ok(None) };
        for event in events {
            writeln!(out, "{}", event_told(event))?;
        }
        self.lines += events.len() as u64;
        if more {
            return Ok(Some(Ask::Export { after: Some(upto) }));
        }
        // As behind the export of who runs the hub: without it something is missing.
        writeln!(out, "{}", json!({ "is": "end", "lines": self.lines }))?;
        out.flush()?;
        out.get_ref().sync_all()?;
        self.out = None;
        Ok(None)
    }
}

impl Drop for Exporting {
    fn drop(&mut self) {
        if self.out.is_some() {
            // Half of it would pass for all.
            _ = fs::remove_file(&self.path);
        }
    }
}

fn shown(path: &Path) -> String {
    Escaped(path.display().to_string().as_bytes()).to_string()
}

fn not_made(path: &Path, error: &io::Error, lang: Lang) -> String {
    let is_at_home = path.iter().any(|step| step == "~");
    match NotMade::of(path, error) {
        NotMade::Folder => not_exported(path, IS_A_FOLDER.of(lang), lang),
        NotMade::There => not_exported(path, THERE_ALREADY.of(lang), lang),
        NotMade::NoFolder if is_at_home => not_exported(path, NO_HOME.of(lang), lang),
        NotMade::NoFolder => not_exported(path, NO_SUCH_FOLDER.of(lang), lang),
        NotMade::Otherwise(why) => not_exported(path, &why, lang),
    }
}

fn not_exported(path: &Path, why: &str, lang: Lang) -> String {
    format!("{} {}{}{why}", NOT_EXPORTED.of(lang), shown(path), lang.colon())
}

#[cfg(test)]
mod tests {
    use relais_hub::{
        model::{Kind, Millis},
        protocol::{Code, Place, Where},
    };

    use super::*;

    fn said(body: &str) -> Event {
        let (room, seq) = (Place::Room("#lab".into()), Seq(7));
        let at = Where { room, seq, prev: Seq(3), at: Millis(0), from: "ana".into(), cid: None };
        let (kind, body) = (Kind::Text, Some(body.to_owned()));
        Event::Message { at, kind, body, reply: None, mention: false, notify: None, edited: false }
    }

    fn page(body: &str, upto: u64, more: bool) -> Answer {
        Answer::Exported { events: vec![said(body)], upto: Seq(upto), more }
    }

    fn begin(path: &Path) -> Result<(Exporting, Ask), String> {
        Exporting::begin(path.to_str().unwrap(), None, Lang::En)
    }

    #[test]
    fn all_pages_are_written_and_the_end_behind_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.jsonl");
        let (export, ask) = begin(&path).unwrap();
        assert_eq!(ask, Ask::Export { after: None });
        let Saved::More(export, ask) = export.take(Ok(page("one", 9, true)), Lang::En) else {
            panic!("there is more")
        };
        assert_eq!(ask, Ask::Export { after: Some(Seq(9)) });
        let Saved::Whole(told) = export.take(Ok(page("two", 12, false)), Lang::En) else {
            panic!("it is not whole")
        };
        assert!(told.starts_with("2 lines written to /"), "{told}");
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].contains("\"body\":\"one\"") && lines[1].contains("\"two\""), "{text}");
        assert!(!text.contains("prev"), "{text}");
        assert_eq!(lines[2..], ["{\"is\":\"end\",\"lines\":2}"]);
        // What is there stays.
        let why = begin(&path).unwrap_err();
        assert!(why.contains("there is something of that name"), "{why}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn of_what_is_not_whole_nothing_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.jsonl");
        let (export, _) = begin(&path).unwrap();
        let again = Exporting::begin("other", Some(&export), Lang::En).unwrap_err();
        assert!(again.contains("mine.jsonl"), "{again}");
        let refusal = Refusal::of(Code::NotLoggedIn);
        assert!(matches!(export.take(Err(refusal), Lang::En), Saved::Not(_)));
        assert!(!path.exists());
        drop(begin(&path).unwrap());
        assert!(!path.exists());
        let why = begin(&folder.path().join("no/mine.jsonl")).unwrap_err();
        assert!(why.contains("no such folder"), "{why}");
        let why = begin(folder.path()).unwrap_err();
        assert!(why.contains("this is a folder"), "{why}");
        let why = begin(Path::new("~/mine.jsonl")).unwrap_err();
        assert!(why.contains("write the home's path in full"), "{why}");
    }
}
