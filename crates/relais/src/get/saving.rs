//! `--output` and `--resume`: the body to a file, which gets its name once it is whole.
//!
//! Until then it is called `FILE.part`, and what it is known by stands in `FILE.part.json`.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::Context as _;
use relais_http::client::{Exchange, Part, Request, Resumed, validator};
use relais_wire::range::parse_content_range;
use serde::{Deserialize, Serialize};

use super::{
    asked::Asked,
    asking::{Followed, follow},
    heads::Heads,
    progress::Progress,
    waterfall::Waterfall,
};
use crate::{
    calling::broken,
    clock,
    complaint::{Complaint, Wrong},
    output::tell,
    stop::Stop,
};

/// Where a download goes.
#[derive(Debug)]
struct Place {
    /// What it is called once it is whole.
    file: PathBuf,
    /// What it is called until then; the same where it is no file, but e.g. a device.
    part: PathBuf,
    /// What it is known by.
    note: PathBuf,
}

/// What stands beside a part.
#[derive(Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Note {
    url: String,
    validator: String,
}

/// Writes the body of what is asked for to `file`.
pub(super) async fn save(asked: &Asked, file: &Path, heads: Heads) -> Result<(), Stop> {
    let place = Place::of(file)?;
    let part = if asked.resumes { place.part_of(&asked.request) } else { None };
    let mut request = asked.request.clone();
    if let Some(part) = &part {
        part.ask_on(&mut request);
        tell(format_args!("* goes on behind {} bytes", part.bytes));
    } else if asked.resumes {
        tell("* nothing to go on with: all of it is asked for");
    }
    let followed = follow(asked, request, Some(heads)).await?;
    let head = &followed.exchange.head;
    heads.answer(head);
    let Some(part) = part else { return store(asked, &place, followed, 0).await };
    match part.resumed(head) {
        Resumed::GoesOn => store(asked, &place, followed, part.bytes).await,
        Resumed::Anew => {
            tell("* it has changed, or parts are not given: all of it comes anew");
            store(asked, &place, followed, 0).await
        }
        Resumed::Whole => {
            tell("* it was whole");
            place.finish().map_err(Stop::from)
        }
        Resumed::AskAgain => {
            tell("* what comes does not fit: all of it is asked for");
            let followed = follow(asked, asked.request.clone(), Some(heads)).await?;
            heads.answer(&followed.exchange.head);
            store(asked, &place, followed, 0).await
        }
        Resumed::Refused => Err(not_saved(head.status)),
    }
}

fn not_saved(status: u16) -> Stop {
    tell(format_args!("nothing is written with status {status}"));
    Stop::No
}

/// Writes the body behind the first `there` bytes, and gives the file its name.
async fn store(asked: &Asked, place: &Place, followed: Followed, there: u64) -> Result<(), Stop> {
    let Followed { request, exchange, steps: _ } = followed;
    let Exchange { head, mut body, timings, .. } = exchange;
    if !(200..=299).contains(&head.status) {
        return Err(not_saved(head.status));
    }
    // A part that nobody asked for is not all of it.
    if head.status == 206 && there == 0 && !asked.request.fields.contains_key(http::header::RANGE) {
        return Err(not_saved(206));
    }
    let validator =
        validator(&head, clock::now()).map(|it| String::from_utf8_lossy(it).into_owned());
    let mut out = place.open(there)?;
    if there == 0 {
        place.note(&asked.request, validator.as_deref())?;
    }
    let extent = head.field("content-range").and_then(parse_content_range);
    let total = extent.and_then(|extent| extent.size).filter(|_| there > 0);
    let total = total.or_else(|| body.left().map(|left| there.saturating_add(left)));
    let (mut progress, begin, mut came) = (Progress::new(there, total), Instant::now(), there);
    let ended = loop {
        match body.next().await {
            Ok(None) => break Ok(()),
            Ok(Some(piece)) => {
                let written = out.write_all(&piece);
                written.with_context(|| format!("writing to {:?}", place.part.display()))?;
                came += piece.len() as u64;
                progress.more(piece.len());
            }
            Err(error) => break Err(error),
        }
    };
    progress.clear();
    Waterfall::new(timings, begin.elapsed()).tell();
    if let Err(error) = ended {
        let known = validator.is_some() || there > 0;
        tell(if known { place.kept(came) } else { place.dropped(came) });
        return Err(broken(&request.url.endpoint(), "reading from", &error));
    }
    if total.is_some_and(|total| came < total) {
        tell(place.kept(came));
        let wrong = Wrong {
            what: "a part came, and not to the end".to_owned(),
            expected: None,
            hint: None,
        };
        return Err(Stop::Refused(vec![Complaint::of_nothing_said(wrong)]));
    }
    drop(out);
    place.finish()?;
    tell(format_args!("* {}: {}", place.file.display(), progress.summary()));
    asked.judge(head.status)
}

impl Place {
    /// The place of `file`. A link is followed; what is there and no file is written to as it is.
    fn of(file: &Path) -> Result<Self, Stop> {
        let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
        let is_special = match fs::metadata(&file) {
            Ok(meta) if meta.is_dir() => {
                let wrong = Wrong::expected(format!("{:?} is a folder", file.display()), "a file");
                return Err(Stop::Wrong(vec![Complaint::of_flag("--output", wrong)]));
            }
            Ok(meta) => !meta.is_file(),
            Err(_) => false,
        };
        let with = |end: &str| {
            let mut name = file.clone().into_os_string();
            name.push(end);
            PathBuf::from(name)
        };
        let part = if is_special { file.clone() } else { with(".part") };
        Ok(Self { note: with(".part.json"), part, file })
    }

    fn is_special(&self) -> bool {
        self.part == self.file
    }

    /// What is there of what is asked for, if it is known by something.
    fn part_of(&self, request: &Request) -> Option<Part> {
        if self.is_special() {
            return None;
        }
        let note: Note = serde_json::from_slice(&fs::read(&self.note).ok()?).ok()?;
        let bytes = fs::metadata(&self.part).ok()?.len();
        let is_of_it = note.url == request.url.to_string() && bytes > 0;
        is_of_it.then(|| Part { bytes, validator: note.validator.into_bytes() })
    }

    fn open(&self, there: u64) -> anyhow::Result<File> {
        let mut options = OpenOptions::new();
        let is_new = there == 0 && !self.is_special();
        options.write(true).create(!self.is_special()).truncate(is_new).append(there > 0);
        let opened = options.open(&self.part);
        opened.with_context(|| format!("opening {:?}", self.part.display()))
    }

    /// Writes down what it is known by, if it is.
    fn note(&self, request: &Request, validator: Option<&str>) -> anyhow::Result<()> {
        if self.is_special() {
            return Ok(());
        }
        let Some(validator) = validator else { return remove(&self.note) };
        let note = Note { url: request.url.to_string(), validator: validator.to_owned() };
        let text = serde_json::to_vec(&note).context("writing down what it is known by")?;
        fs::write(&self.note, text).with_context(|| format!("writing {:?}", self.note.display()))
    }

    /// Gives it its name.
    fn finish(&self) -> anyhow::Result<()> {
        if self.is_special() {
            return Ok(());
        }
        fs::rename(&self.part, &self.file)
            .with_context(|| format!("renaming {:?}", self.part.display()))?;
        remove(&self.note)
    }

    /// Says that what came can be gone on with.
    fn kept(&self, came: u64) -> String {
        if self.is_special() {
            return format!("{came} bytes came");
        }
        format!("{} has {came} bytes: `--resume` goes on", self.part.display())
    }

    /// Removes what came: without something that it is known by nothing can be put behind it.
    fn dropped(&self, came: u64) -> String {
        if self.is_special() {
            return format!("{came} bytes came");
        }
        _ = fs::remove_file(&self.part);
        format!("{came} bytes came, and nothing that they are known by: they are not kept")
    }
}

fn remove(file: &Path) -> anyhow::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {:?}", file.display()))
        }
        _ => Ok(()),
    }
}
