//! The row about the memory of a cache while what it is asked for changes: many small objects, and
//! ever fewer and longer ones after them, then small ones again.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use crate::{
    client, launch, machine,
    origin::{Origin, head},
    row::{Better, Column, Row, interleave},
    running::{Door, Kit, Running},
    stats::float,
    subject::{Program, Subject, Task},
    target::{Against, Bound, Target},
};

pub(crate) const TITLE: &str = "Cache, memory, while sizes change";

/// Has `asked` times the memory of a cache asked for in each size.
pub(crate) fn measure(kit: &Kit<'_>, rounds: usize, asked: f64) -> Row {
    // It takes long, and memory does not vary as time does.
    let rounds = rounds.min(ROUNDS_MAX);
    let (series, skipped) = interleave(rounds, &SUBJECTS, |subject| swell(subject, kit, asked));
    Row {
        title: TITLE,
        how: format!(
            "{CLIENTS} clients ask for random ones of more objects than fit in {} MiB, {asked} times \
             as many bytes as that: of 1 KiB each, then 10 KiB, 100 KiB, 1 MiB, and 1 KiB again. RSS is \
             looked at every {} ms, summed over its processes; its most is divided by 1.15 times that \
             memory and 32 MiB.",
            MEMORY >> 20,
            LOOK_EVERY.as_millis()
        ),
        columns: vec![MOST, OVER],
        ours: RELAIS,
        series,
        skipped,
        targets: &TARGETS,
    }
}

fn swell(subject: Subject, kit: &Kit<'_>, asked: f64) -> Result<Vec<f64>> {
    let origin = Origin::elsewhere(serve()?);
    let kit = Kit { site: kit.site, relais: kit.relais, origin: &origin, head: None };
    let server = Running::start(subject, &kit).context("cannot start")?;
    let port = server.port(Door::Http);
    let mut most = 0.0_f64;
    for (phase, size) in SIZES.into_iter().enumerate() {
        let objects = MEMORY / size;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a few millions"
        )]
        let requests = (float(objects) * asked) as u64;
        let load =
            Arc::new(Load { phase, size, objects: objects * 2, left: AtomicU64::new(requests) });
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let load = Arc::clone(&load);
                thread::spawn(move || load.ask(port, number))
            })
            .collect();
        while clients.iter().any(|client| !client.is_finished()) {
            most = most.max(server.memory()?.rss / 1024.0);
            launch::pause(LOOK_EVERY);
        }
        for client in clients {
            client.join().expect("a client that does not panic")?;
        }
    }
    Ok(vec![most, most / (float(MEMORY >> 20) * 1.15 + 32.0)])
}

/// What clients ask for together.
struct Load {
    phase: usize,
    size: u64,
    /// How many there are to ask for.
    objects: u64,
    /// How many requests are left.
    left: AtomicU64,
}

impl Load {
    fn ask(&self, port: u16, number: u64) -> Result<()> {
        let mut stream = BufReader::new(client::connect(port)?);
        let mut body = vec![0; usize::try_from(self.size)?];
        let mut random = number + 1;
        let take = |left: u64| left.checked_sub(1);
        while self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
            // Knuth's numbers, of which the upper bits are random enough.
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let (phase, size, object) = (self.phase, self.size, (random >> 33) % self.objects);
            let request =
                format!("GET /{phase}/{size}/{object} HTTP/1.1\r\nHost: localhost\r\n\r\n");
            stream.get_mut().write_all(request.as_bytes())?;
            let head = read_head(&mut stream)?.context("closed before an answer")?;
            ensure!(head.starts_with("HTTP/1.1 200"), "an answer is no 200: {head:?}");
            stream.read_exact(&mut body).context("an answer broke off")?;
        }
        Ok(())
    }
}

/// A head, with its empty line; `None` at the end.
fn read_head(stream: &mut impl BufRead) -> Result<Option<String>> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head)? == 0 {
            return Ok(None);
        }
    }
    Ok(Some(head))
}

/// Starts an origin that answers `/PHASE/SIZE/OBJECT`; gives its port.
fn serve() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    // Ends with this program; if it fails, so does the row.
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || answer(stream));
        }
    });
    Ok(port)
}

/// Answers all that is asked on `stream`.
fn answer(stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    let date = machine::date();
    while let Some(asked) = read_head(&mut stream)? {
        let size = asked.split('/').nth(2).context("a size")?.parse()?;
        let answer = [head(size, &date).into_bytes(), vec![b'x'; size]].concat();
        stream.get_mut().write_all(&answer)?;
    }
    Ok(())
}

/// What all are given: relais by default.
const MEMORY: u64 = 256 << 20;
const SIZES: [u64; 5] = [1 << 10, 10 << 10, 100 << 10, 1 << 20, 1 << 10];
const CLIENTS: u64 = 32;
const LOOK_EVERY: Duration = Duration::from_millis(20);
const ROUNDS_MAX: usize = 2;

const RELAIS: Subject = Program::Relais.at(Task::Cache);
const SUBJECTS: [Subject; 2] = [RELAIS, Program::Varnish.at(Task::Cache)];

const MOST: Column = Column { name: "most RSS MiB", better: Better::Lower, digits: 1 };
const OVER: Column = Column { name: "of what it may be", better: Better::Lower, digits: 3 };
const TARGETS: [Target; 1] =
    [Target { column: OVER, of: RELAIS, against: Against::Nothing, bound: Bound::AtMost(1.0) }];
