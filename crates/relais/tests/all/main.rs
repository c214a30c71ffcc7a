//! The program from outside: what it prints, how it runs, and what must hold of its code.

mod arrows;
mod broken;
mod complaints;
mod program;
mod reloading;
mod running;
mod tidy;
