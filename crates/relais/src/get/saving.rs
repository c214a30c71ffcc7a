//! `--output` and `--resume`: the body to a file, which gets its name once it is whole.
//!
//! Until then it is called `FILE.part`, and what it is known by stands in `FILE.part.json`.

use std::{io, path::Path, time::Instant};

use relais_http::client::{AnswerBody, BodyError, Exchange, Resumed, validator};
use relais_wire::range::parse_content_range;

use super::{
    asked::Asked,
    asking::{Followed, follow},
    heads::Heads,
    place::{Out, Place},
    progress::Progress,
    waterfall::Waterfall,
};
use crate::{
    calling::broken,
    clock,
    complaint::{Complaint, Wrong},
    interrupt::{Interrupt, Interrupted},
    measure::exact_bytes,
    output::tell,
    stop::Stop,
};

/// Writes the body of what is asked for to `file`.
pub(super) async fn save(
    asked: &Asked,
    file: &Path,
    heads: Heads,
    mut interrupt: Interrupt,
) -> Result<(), Stop> {
    // Before anything is asked: what cannot be kept is not worth asking for.
    let place = Place::of(file)?;
    let part = if asked.resumes { place.part_of(&asked.request) } else { None };
    let mut request = asked.request.clone();
    if let Some(part) = &part {
        part.ask_on(&mut request);
        heads.note(format_args!("* goes on behind {}", exact_bytes(part.bytes)));
    } else if asked.resumes {
        heads.note("* nothing to go on with: all of it is asked for");
    }
    let followed = interrupt.or(follow(asked, request, Some(heads))).await??;
    followed.show_head(heads)?;
    let mut saving = Saving { asked, place: &place, heads, interrupt };
    let Some(part) = part else { return saving.store(followed, 0).await };
    let head = &followed.exchange.head;
    match part.resumed(head) {
        Resumed::GoesOn => saving.store(followed, part.bytes).await,
        Resumed::Anew => {
            heads.note("* it has changed, or parts are not given: all of it comes anew");
            saving.store(followed, 0).await
        }
        Resumed::Whole => {
            heads.note("* it was whole");
            place.finish().map_err(Stop::from)
        }
        Resumed::AskAgain => {
            heads.note("* what comes does not fit: all of it is asked for");
            let again = follow(asked, asked.request.clone(), Some(heads));
            let followed = saving.interrupt.or(again).await??;
            followed.show_head(heads)?;
            saving.store(followed, 0).await
        }
        Resumed::Refused => Err(not_saved(head.status)),
    }
}

fn not_saved(status: u16) -> Stop {
    tell(format_args!("nothing is written with status {status}"));
    Stop::No
}

/// What is asked for, and where it goes.
struct Saving<'a> {
    asked: &'a Asked,
    place: &'a Place,
    heads: Heads,
    interrupt: Interrupt,
}

/// How a body ended.
enum Ended {
    Whole,
    Broken(BodyError),
    /// More came than was to come.
    TooLong,
    /// Somebody did not want to wait.
    Interrupted(Interrupted),
    /// It cannot be written, to a full disk for example.
    Unwritten(io::Error),
}

impl Saving<'_> {
    /// Writes the body behind the first `there` bytes, and gives the file its name.
    async fn store(&mut self, followed: Followed, there: u64) -> Result<(), Stop> {
        let Self { asked, place, heads, interrupt } = self;
        let Followed { request, exchange, .. } = followed;
        let Exchange { head, mut body, timings, .. } = exchange;
        if !(200..=299).contains(&head.status) {
            return Err(not_saved(head.status));
        }
        // A part that nobody asked for is not all of it.
        let is_range_said = asked.request.fields.contains_key(http::header::RANGE);
        if head.status == 206 && there == 0 && !is_range_said {
            return Err(not_saved(206));
        }
        // Of what came by a range of theirs nobody knows how far it is from the beginning.
        let validator = validator(&head, clock::now()).filter(|_| head.status == 200);
        let validator = validator.map(|it| String::from_utf8_lossy(it).into_owned());
        let mut out = place.out(there, interrupt).await?;
        if there == 0 {
            place.note(&asked.request, validator.as_deref(), body.left())?;
        }
        let extent = head.field("content-range").and_then(parse_content_range);
        let extent = extent.filter(|_| there > 0);
        let end = extent.as_ref().map(|extent| extent.part.last.saturating_add(1));
        let total = extent.and_then(|extent| extent.size);
        let total = total.or_else(|| body.left().map(|left| there.saturating_add(left)));
        let mut coming =
            Coming { came: there, end, progress: Progress::new(there, total, heads.telling) };
        let begin = Instant::now();
        let ended = match coming.write(&mut body, &mut out, interrupt).await {
            Ok(ended) => ended,
            Err(interrupted) => Ended::Interrupted(interrupted),
        };
        coming.progress.clear();
        heads.note(Waterfall::new(timings, asked.body_took(begin.elapsed())).drawn());
        let came = coming.came;
        let is_known = validator.is_some() || there > 0;
        let kept = |came| if is_known { place.cut_to(came) } else { Ok(place.dropped(came)) };
        let why = match ended {
            Ended::Whole if total.is_some_and(|total| came < total) => {
                tell(kept(came)?);
                refused("a part came, and not to the end")
            }
            Ended::Whole => {
                place.finish()?;
                let summary = coming.progress.summary();
                heads.note(format_args!("* {}: {summary}", place.said().display()));
                return asked.judge(head.status);
            }
            Ended::TooLong => {
                tell(kept(there)?);
                refused("more came than the part that its `Content-Range` says")
            }
            Ended::Broken(error) => {
                tell(kept(came)?);
                broken(&request.url.endpoint(), "reading from", &error)
            }
            Ended::Interrupted(interrupted) => {
                tell(kept(came)?);
                interrupted.into()
            }
            Ended::Unwritten(error) => {
                tell(kept(came)?);
                let writing = format!("writing to {:?}", out.path.display());
                anyhow::Error::new(error).context(writing).into()
            }
        };
        Err(why)
    }
}

fn refused(what: &str) -> Stop {
    let wrong = Wrong { what: what.to_owned(), expected: None, hint: None };
    Stop::Refused(vec![Complaint::of_nothing_said(wrong)])
}

/// A body on its way to a file.
struct Coming {
    /// How much is there.
    came: u64,
    /// How much may be, if that is said: of a part more would be of something else.
    end: Option<u64>,
    progress: Progress,
}

impl Coming {
    async fn write(
        &mut self,
        body: &mut AnswerBody,
        out: &mut Out<'_>,
        interrupt: &mut Interrupt,
    ) -> Result<Ended, Interrupted> {
        loop {
            let piece = match interrupt.or(body.next()).await? {
                Ok(Some(piece)) => piece,
                Ok(None) => return Ok(Ended::Whole),
                Err(error) => return Ok(Ended::Broken(error)),
            };
            let len = piece.len();
            let came = self.came + len as u64;
            if self.end.is_some_and(|end| came > end) {
                return Ok(Ended::TooLong);
            }
            if let Err(error) = out.write(piece, interrupt).await? {
                return Ok(Ended::Unwritten(error));
            }
            self.came = came;
            self.progress.more(len);
        }
    }
}
