//! Both directions of a relayed connection, from its first byte to its end.

use std::{
    borrow::Cow,
    future::poll_fn,
    io::{self, ErrorKind},
    task::{Context, Poll},
    time::Duration,
};

use relais_net::{Alarm, Stream};
use relais_tap::{By, Direction, Flow};

use super::way::{Cut, Way};

/// How long a relayed connection may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lasts {
    /// How long nothing may pass, in whole seconds.
    pub idle_max: Duration,
    /// How long it may be open in all, in whole seconds.
    pub total_max: Option<Duration>,
}

/// Both ends of a relayed connection.
#[derive(Debug)]
pub(super) struct Ends {
    pub(super) client: Stream,
    pub(super) server: Stream,
}

/// What came before the two ends were joined, and is to go first.
#[derive(Debug, Default)]
pub(super) struct Early {
    pub(super) to_server: Vec<u8>,
    pub(super) to_client: Vec<u8>,
}

/// How it ended, and what had passed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Passed {
    pub(super) by: By,
    pub(super) why: Cow<'static, str>,
    pub(super) to_server: u64,
    pub(super) to_client: u64,
}

/// Passes what comes from either end to the other, until both have ended, one broke, or a limit is
/// reached. An end is passed on as an end, of that direction alone; a reset as a reset.
pub(super) async fn pass(ends: Ends, early: Early, lasts: Lasts, flow: &Flow) -> Passed {
    let mut passing = Passing::new(ends, early, lasts);
    let (by, why) = poll_fn(|cx| passing.poll(cx, flow)).await;
    let (to_server, to_client) = (passing.up.passed(), passing.down.passed());
    Passed { by, why, to_server, to_client }
}

/// What is to become of the ends once all is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    Neither,
    Client,
    Server,
}

#[derive(Debug)]
struct Passing {
    /// `None` once it is over.
    ends: Option<Ends>,
    up: Way,
    down: Way,
    lasts: Lasts,
    idle: Alarm,
    total: Alarm,
    /// Who took no more, while something may still come from it.
    broken: Broken,
    /// Who ended its direction first.
    first: Option<By>,
}

impl Passing {
    fn new(ends: Ends, early: Early, lasts: Lasts) -> Self {
        let (mut idle, mut total) = (Alarm::default(), Alarm::default());
        idle.set(lasts.idle_max);
        if let Some(total_max) = lasts.total_max {
            total.set(total_max);
        }
        Self {
            ends: Some(ends),
            up: Way::new(Direction::ToServer, early.to_server),
            down: Way::new(Direction::ToClient, early.to_client),
            lasts,
            idle,
            total,
            broken: Broken::Neither,
            first: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, flow: &Flow) -> Poll<(By, Cow<'static, str>)> {
        let before = (self.up.passed(), self.down.passed());
        if let Some(end) = self.poll_ways(cx, flow) {
            return Poll::Ready(end);
        }
        if before != (self.up.passed(), self.down.passed()) {
            self.idle.set(self.lasts.idle_max);
        }
        if self.idle.poll(cx).is_ready() {
            let why = format!("idle for {:?}", self.lasts.idle_max);
            return Poll::Ready((By::Relais, why.into()));
        }
        if self.total.poll(cx).is_ready() {
            let why = format!("open for {:?}", self.lasts.total_max.unwrap_or_default());
            return Poll::Ready((By::Relais, why.into()));
        }
        Poll::Pending
    }

    /// Passes what can be passed; gives how it ended, if it did.
    fn poll_ways(&mut self, cx: &mut Context<'_>, flow: &Flow) -> Option<(By, Cow<'static, str>)> {
        let Ends { client, server } = self.ends.as_mut()?;
        let up = self.up.poll(cx, (&mut *client, &mut *server), flow);
        if self.up.is_over() {
            self.first.get_or_insert(By::Client);
        }
        let down = self.down.poll(cx, (server, client), flow);
        if self.down.is_over() {
            self.first.get_or_insert(By::Server);
        }
        for (cut, source, sink) in [(up, By::Client, By::Server), (down, By::Server, By::Client)] {
            match cut {
                Poll::Ready(Err(Cut::Source(error))) => return Some(self.cut(source, &error)),
                Poll::Ready(Err(Cut::Sink)) => self.is_deaf(sink),
                Poll::Ready(Ok(())) | Poll::Pending => (),
            }
        }
        (self.up.is_over() && self.down.is_over()).then(|| self.over())
    }

    /// One side takes no more. What it said before may still be on its way, and is passed on.
    fn is_deaf(&mut self, by: By) {
        (match by {
            By::Client => &mut self.down,
            By::Server | By::Relais => &mut self.up,
        })
        .give_up();
        self.broken = if by == By::Client { Broken::Client } else { Broken::Server };
    }

    /// One side broke off: the other is told so at once.
    fn cut(&mut self, by: By, error: &io::Error) -> (By, Cow<'static, str>) {
        let Some(Ends { client, server }) = self.ends.take() else { return (by, "reset".into()) };
        match by {
            By::Client => server.reset(),
            By::Server | By::Relais => client.reset(),
        }
        (by, why_cut(error))
    }

    /// Both directions have ended.
    fn over(&mut self) -> (By, Cow<'static, str>) {
        let Some(Ends { client, server }) = self.ends.take() else {
            return (By::Relais, "closed".into());
        };
        let by = match self.broken {
            Broken::Neither => return (self.first.unwrap_or(By::Relais), "closed".into()),
            Broken::Client => {
                server.reset();
                By::Client
            }
            Broken::Server => {
                client.reset();
                By::Server
            }
        };
        (by, "reset".into())
    }
}

impl Drop for Passing {
    /// Who is cut off by a limit, or at the end of our own, is not to take what came for all.
    fn drop(&mut self) {
        if let Some(Ends { client, server }) = self.ends.take() {
            client.reset();
            server.reset();
        }
    }
}

/// What is said of a side that broke off.
fn why_cut(error: &io::Error) -> Cow<'static, str> {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            "reset".into()
        }
        ErrorKind::TimedOut => "gone without a word".into(),
        // TLS: without its own end, nobody knows whether all has come (RFC 8446, section 6.1).
        ErrorKind::UnexpectedEof => "cut off".into(),
        _ => error.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use relais_tap::{Ends as Names, Tap};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, duplex},
        net::{TcpListener, TcpStream, UnixStream},
        task::JoinHandle,
        time::{Instant, sleep},
    };

    use super::*;

    const LASTS: Lasts = Lasts { idle_max: Duration::from_mins(1), total_max: None };

    fn flow() -> Flow {
        let names = || Names { client: String::new(), server: String::new() };
        Tap::new(1).open(names, SystemTime::UNIX_EPOCH)
    }

    async fn tcp() -> (Stream, Stream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Stream::Tcp(ours), Stream::Tcp(listener.accept().await.unwrap().0))
    }

    fn unix() -> (Stream, Stream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Stream::Unix(ours), Stream::Unix(theirs))
    }

    fn memory() -> (Stream, Stream) {
        let (ours, theirs) = duplex(1000);
        (Stream::Memory(ours), Stream::Memory(theirs))
    }

    /// A relay between two pairs, and their outer ends.
    fn relay(
        (client, near): (Stream, Stream),
        (far, server): (Stream, Stream),
        lasts: Lasts,
    ) -> (Stream, Stream, JoinHandle<Passed>) {
        let ends = Ends { client: near, server: far };
        let passing =
            tokio::spawn(async move { pass(ends, Early::default(), lasts, &flow()).await });
        (client, server, passing)
    }

    async fn each_kind() -> [(Stream, Stream, JoinHandle<Passed>); 4] {
        [
            relay(tcp().await, tcp().await, LASTS),
            relay(tcp().await, unix(), LASTS),
            relay(unix(), memory(), LASTS),
            relay(memory(), tcp().await, LASTS),
        ]
    }

    #[tokio::test]
    async fn an_end_is_passed_on_and_the_other_direction_goes_on() {
        for (mut client, mut server, passing) in each_kind().await {
            client.write_all(b"question").await.unwrap();
            client.shutdown().await.unwrap();
            let mut heard = String::new();
            server.read_to_string(&mut heard).await.unwrap();
            assert_eq!(heard, "question");
            server.write_all(b"answer").await.unwrap();
            drop(server);
            heard.clear();
            client.read_to_string(&mut heard).await.unwrap();
            assert_eq!(heard, "answer");
            let expect =
                Passed { by: By::Client, why: "closed".into(), to_server: 8, to_client: 6 };
            assert_eq!(passing.await.unwrap(), expect);
        }
    }

    /// Says much, hears as much meanwhile, and that it is the same.
    async fn talk(stream: Stream) {
        let (mut read, mut write) = tokio::io::split(stream);
        let byte = |n: u32| n.wrapping_mul(2_654_435_761).to_be_bytes()[0];
        let bytes: Vec<u8> = (0..5_000_011).map(byte).collect();
        let mut heard = Vec::new();
        let saying = async {
            write.write_all(&bytes).await.unwrap();
            write.shutdown().await.unwrap();
        };
        tokio::join!(saying, async { read.read_to_end(&mut heard).await.unwrap() });
        assert!(heard == bytes);
    }

    #[tokio::test]
    async fn much_passes_both_ways_at_once() {
        for (client, server, passing) in each_kind().await {
            tokio::join!(talk(client), talk(server));
            let passed = passing.await.unwrap();
            assert_eq!((passed.to_server, passed.to_client), (5_000_011, 5_000_011));
        }
    }

    #[tokio::test]
    async fn who_takes_nothing_holds_up_who_sends() {
        let (mut client, mut server, passing) = relay(tcp().await, tcp().await, LASTS);
        // Until nothing moves any more: sockets and a pipe are full.
        let mut sent = 0_u64;
        let block = vec![7; 1 << 16];
        while let Ok(wrote) =
            tokio::time::timeout(Duration::from_millis(200), client.write(&block)).await
        {
            sent += wrote.unwrap() as u64;
        }
        assert!(sent < 64 << 20, "{sent}");
        client.shutdown().await.unwrap();
        let mut heard = Vec::new();
        server.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard.len() as u64, sent);
        drop((client, server));
        assert_eq!(passing.await.unwrap().to_server, sent);
    }

    #[tokio::test]
    async fn a_reset_is_passed_on_as_one() {
        let (client, mut server, passing) = relay(tcp().await, tcp().await, LASTS);
        client.reset();
        let error = server.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        let passed = passing.await.unwrap();
        assert_eq!((passed.by, &*passed.why), (By::Client, "reset"));

        let (mut client, server, passing) = relay(tcp().await, tcp().await, LASTS);
        server.reset();
        let error = client.read(&mut [0]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        let passed = passing.await.unwrap();
        assert_eq!((passed.by, &*passed.why), (By::Server, "reset"));
    }

    #[tokio::test]
    async fn what_was_said_before_a_side_went_deaf_still_comes() {
        let (mut client, mut server, passing) = relay(tcp().await, tcp().await, LASTS);
        client.write_all(&[1; 100]).await.unwrap();
        server.read_exact(&mut [0; 50]).await.unwrap();
        server.write_all(b"too much").await.unwrap();
        // With bytes unread, which makes it a reset.
        drop(server);
        let mut heard = [0; 8];
        client.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"too much");
        while client.write_all(&[1; 100]).await.is_ok() {
            tokio::task::yield_now().await;
        }
        assert_eq!(passing.await.unwrap().by, By::Server);
    }

    #[tokio::test(start_paused = true)]
    async fn where_nothing_passes_for_long_both_are_cut_off() {
        let lasts = Lasts { idle_max: Duration::from_secs(5), total_max: None };
        let (mut client, mut server, passing) = relay(memory(), memory(), lasts);
        for _ in 0..4 {
            sleep(Duration::from_secs(4)).await;
            client.write_all(b"a").await.unwrap();
            server.read_exact(&mut [0]).await.unwrap();
        }
        let passed = passing.await.unwrap();
        assert_eq!((passed.by, &*passed.why), (By::Relais, "idle for 5s"));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_open_for_longer_than_in_all() {
        let total_max = Some(Duration::from_secs(9));
        let lasts = Lasts { idle_max: Duration::from_secs(5), total_max };
        let (mut client, mut server, passing) = relay(memory(), memory(), lasts);
        let start = Instant::now();
        while client.write_all(b"a").await.is_ok() && server.read_exact(&mut [0]).await.is_ok() {
            sleep(Duration::from_secs(1)).await;
        }
        assert!((9..=12).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
        let passed = passing.await.unwrap();
        assert_eq!((passed.by, &*passed.why), (By::Relais, "open for 9s"));
    }

    #[tokio::test]
    async fn what_came_early_goes_first() {
        let ((mut client, near), (far, mut server)) = (tcp().await, tcp().await);
        let ends = Ends { client: near, server: far };
        let early = Early { to_server: b"hel".to_vec(), to_client: b"gr".to_vec() };
        let passing = tokio::spawn(async move { pass(ends, early, LASTS, &flow()).await });
        client.write_all(b"lo").await.unwrap();
        client.shutdown().await.unwrap();
        server.write_all(b"eetings").await.unwrap();
        server.shutdown().await.unwrap();
        let mut heard = String::new();
        server.read_to_string(&mut heard).await.unwrap();
        client.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "hellogreetings");
        let passed = passing.await.unwrap();
        assert_eq!((passed.to_server, passed.to_client), (5, 9));
    }
}
