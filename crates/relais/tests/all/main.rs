//! The program from outside: what it prints, how it runs, and what must hold of its code.

#![expect(clippy::unwrap_used, reason = "what is not there fails the test that wants it")]

mod broken;
mod calculating;
mod certificates;
mod complaints;
mod flows;
mod kept;
mod modules;
mod passwords;
mod printing;
mod program;
mod proxying;
mod relaying;
mod reloading;
mod running;
mod tidy;
