//! What is asked for, and printed of what is told.

use std::{
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde_json::Value;

use super::{
    asking::Asking,
    new_file::not_made,
    shown::{self, Column},
    sure::confirm,
};
use crate::{
    complaint::{Complaint, Wrong},
    control::{Hidden, OfHub, WhatWasSaid},
    hub::{Days, InviteTask, Password, RoomTask, Task, Terms, TokenTask, UserTask, new_password},
    measure::{counted, said_bytes},
    output::{Reader, print_on, say, tell},
    password,
    stop::Stop,
};

impl Asking<'_> {
    pub(super) fn obey(&self, task: Task) -> Result<(), Stop> {
        match task {
            Task::User(task) => self.of_users(task),
            Task::Room(task) => self.of_rooms(task),
            Task::Invite(terms) => self.invite(terms),
            Task::Invitation(InviteTask::List { json }) => {
                self.list(OfHub::Invitations {}, shown::INVITATIONS, json)
            }
            Task::Invitation(InviteTask::Revoke { name }) => {
                self.done(OfHub::RevokeInvitation { name })
            }
            Task::Token { user, device, json } => {
                self.once(OfHub::Token { user, device }, ("token", "session"), json)
            }
            Task::Tokens(TokenTask::List { name, json }) => {
                self.list(OfHub::Tokens { user: name }, shown::DEVICES, json)
            }
            Task::Tokens(TokenTask::Revoke { session, user }) => {
                self.done(OfHub::RevokeToken { session, user })
            }
            Task::Backup { to } => self.back_up(&to),
            Task::Stats { form, watch } => self.count((form, watch)),
        }
    }

    fn of_users(&self, task: UserTask) -> Result<(), Stop> {
        match task {
            UserTask::List { json } => self.list(OfHub::Users {}, shown::USERS, json),
            UserTask::Show { name, json } => self.show_user(name, json),
            UserTask::Add { name, password } => {
                let password = read(&password, &name)?;
                self.done(OfHub::AddUser { user: name, password })
            }
            UserTask::Password { name, password } => {
                let password = read(&password, &name)?;
                self.done(OfHub::Password { user: name, password })
            }
            UserTask::Delete { name, messages, sure } => {
                let how = if messages { ", and all that it said" } else { "" };
                confirm(&sure, &format!("Delete account {name:?}{how}?"))?;
                let said = if messages { WhatWasSaid::Goes } else { WhatWasSaid::Stays };
                self.done(OfHub::DeleteUser { user: name, said })
            }
            UserTask::Export { name, to } => self.export(name, to.as_deref()),
            UserTask::Admin { name, off } => self.done(OfHub::Administer { user: name, on: !off }),
        }
    }

    fn of_rooms(&self, task: RoomTask) -> Result<(), Stop> {
        match task {
            RoomTask::List { json } => self.list(OfHub::Rooms {}, shown::ROOMS, json),
            RoomTask::Show { room, json } => {
                let room = with_sign(&room);
                self.ask(OfHub::Room { room }, |found| {
                    say(if json { found.to_string() } else { shown::card(&found, shown::ROOMS) });
                    Ok(())
                })
                .map(drop)
            }
            RoomTask::Members { room, json } => {
                self.list(OfHub::Members { room: with_sign(&room) }, shown::MEMBERS, json)
            }
            RoomTask::Delete { room, sure } => {
                let room = with_sign(&room);
                confirm(&sure, &format!("Delete room {room:?}, and all that was said in it?"))?;
                self.done(OfHub::DeleteRoom { room })
            }
            RoomTask::Retain { room, days: Days(days) } => {
                self.done(OfHub::Retain { room: with_sign(&room), days })
            }
            RoomTask::Owner { room, name } => {
                self.done(OfHub::Own { room: with_sign(&room), user: name })
            }
        }
    }

    /// Has something be done, and says so.
    fn done(&self, of: OfHub) -> Result<(), Stop> {
        let text = self.ask(of, |_| Ok(()))?;
        say(crate::columns::clean(&text));
        Ok(())
    }

    /// Lists what is found: lines of JSON as they come, or a table at the end.
    fn list(&self, of: OfHub, columns: &[Column], json: bool) -> Result<(), Stop> {
        let mut rows = Vec::new();
        let mut reader = Reader::Reads;
        let asked = self.ask(of, |found| {
            if !json {
                rows.push(found);
                return Ok(());
            }
            reader = print_on(format!("{found}\n").as_bytes()).context("printing")?;
            if reader == Reader::Reads { Ok(()) } else { Err(Stop::No) }
        });
        match asked {
            Err(_) if reader == Reader::HasEnough => return Ok(()),
            asked => drop(asked?),
        }
        if !json {
            print_on(shown::table(&rows, columns).as_bytes()).context("printing")?;
        }
        Ok(())
    }

    fn show_user(&self, user: String, json: bool) -> Result<(), Stop> {
        self.ask(OfHub::User { user }, |found| {
            if json {
                say(found);
                return Ok(());
            }
            say(shown::card(&found, shown::USERS));
            if let Some(devices) = found["sessions"].as_array().filter(|all| !all.is_empty()) {
                say(format_args!("\n{}", shown::table(devices, shown::DEVICES).trim_end()));
            }
            Ok(())
        })
        .map(drop)
    }

    fn invite(&self, terms: Terms) -> Result<(), Stop> {
        let Terms { uses, expires, room, json } = terms;
        let seconds = expires.map(|expires| expires.0.as_secs());
        if seconds == Some(0) {
            let wrong = Wrong::expected("an invitation that is good for no time", "1s or more");
            return Err(Stop::of_flag("--expires", wrong));
        }
        let room = room.map(|room| with_sign(&room));
        let of = OfHub::Invite { uses: uses.get(), seconds, room };
        self.once(of, ("invitation", "name"), json)
    }

    /// Prints what is told this once.
    fn once(&self, of: OfHub, (secret, name): (&str, &str), json: bool) -> Result<(), Stop> {
        self.ask(of, |found| {
            if json {
                say(found);
                return Ok(());
            }
            say(found[secret].as_str().unwrap_or_default());
            let name = found[name].as_str().unwrap_or_default();
            tell(format_args!("shown this once; it is called {name}"));
            Ok(())
        })
        .map(drop)
    }

    fn export(&self, user: String, file: Option<&Path>) -> Result<(), Stop> {
        let Some(path) = file else {
            return self.list(OfHub::Export { user }, &[], true);
        };
        // Taken only once there is something to write: who is misspelled leaves no file.
        let mut out: Option<BufWriter<File>> = None;
        let mut lines = 0_u64;
        let asked = self.ask(OfHub::Export { user }, |found| {
            let out = match &mut out {
                Some(out) => out,
                None => out.insert(BufWriter::new(create(path)?)),
            };
            lines += 1;
            writeln!(out, "{found}").with_context(|| format!("writing {:?}", path.display()))?;
            Ok(())
        });
        let ended = out.map_or(Ok(()), |out| finish(out, path));
        asked?;
        ended?;
        tell(format_args!("{} written to {}", counted(lines, "line"), path.display()));
        Ok(())
    }

    fn back_up(&self, file: &Path) -> Result<(), Stop> {
        // The hub has a folder of its own.
        let file = std::path::absolute(file).context("finding the current folder")?;
        self.ask(OfHub::Backup { file }, |found: Value| {
            let bytes = |name: &str| said_bytes(found[name].as_u64().unwrap_or_default());
            if found["backup"].is_null() {
                tell(format_args!("{} written so far", bytes("copied")));
            } else {
                let path = crate::columns::clean(found["backup"].as_str().unwrap_or_default());
                say(format_args!("{path}: {}", bytes("bytes")));
            }
            Ok(())
        })
        .map(drop)
    }
}

fn create(path: &Path) -> Result<File, Stop> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    opened.map_err(|error| Stop::of_flag("FILE", not_made(path, &error)))
}

fn finish(out: BufWriter<File>, path: &Path) -> Result<(), Stop> {
    let doing = || format!("writing {:?}", PathBuf::from(path).display());
    let file = out.into_inner().map_err(io::IntoInnerError::into_error).with_context(doing)?;
    file.sync_all().with_context(doing)?;
    Ok(())
}

/// Asks for a password of `user` twice, or reads it as the flag says.
fn read(flags: &Password, user: &str) -> Result<Hidden, Stop> {
    use std::io::IsTerminal as _;

    if flags.password_stdin {
        return Ok(Hidden(password::from_input()?));
    }
    if !io::stdin().is_terminal() {
        let what = "no terminal to ask for a password at";
        let wrong = Wrong::expected(what, "`--password-stdin`, and the password as one line");
        return Err(Stop::Wrong(vec![Complaint::of_nothing_said(wrong)]));
    }
    Ok(Hidden(new_password(user, user)?.0.clone()))
}

/// A room's name with its `#`, which a shell may have taken for a remark.
fn with_sign(room: &str) -> String {
    if room.starts_with('#') { room.to_owned() } else { format!("#{room}") }
}
