//! The child process: limits itself, then evaluates line after line until its input ends.

use std::io::{BufRead, Read as _, Write};

use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};

use super::{EXPRESSION_BYTES_MAX, READY, evaluate::evaluate};

/// What the process may have. Most of it is nothing; a file that is open stays so.
const LIMITS: [(Resource, u64); 8] = [
    (Resource::As, 1 << 30),
    (Resource::Data, 256 << 20),
    (Resource::Core, 0),
    // In seconds: a thousand expressions, each of which is stopped after a fifth of one.
    (Resource::Cpu, 300),
    (Resource::Fsize, 0),
    (Resource::Nofile, 3),
    (Resource::Nproc, 0),
    (Resource::Memlock, 0),
];

/// Says that it is ready, then evaluates the lines of `input` one after the other, each answered by a
/// line, until there are no more.
///
/// Takes from the process for good what a calculator does not need: it must be a process of its own.
///
/// # Errors
///
/// What the system says, of the limits, too: without them nothing is evaluated.
pub fn child(mut input: impl BufRead, mut output: impl Write) -> std::io::Result<()> {
    for (resource, most) in LIMITS {
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    // Without a parent it has nobody to calculate for, and nobody who stops it.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    writeln!(output, "{READY}")?;
    output.flush()?;
    let mut line = String::new();
    while take_line(&mut input, &mut line)? {
        let answer = evaluate(line.trim_end_matches('\n'));
        output.write_all(format!("{answer}\n").as_bytes())?;
        output.flush()?;
    }
    Ok(())
}

/// Whether there was one. The parent sends none that is longer than an expression.
fn take_line(input: &mut impl BufRead, line: &mut String) -> std::io::Result<bool> {
    line.clear();
    let bytes_max = u64::try_from(EXPRESSION_BYTES_MAX + 1).expect("a small number");
    Ok(input.by_ref().take(bytes_max).read_line(line)? > 0)
}
