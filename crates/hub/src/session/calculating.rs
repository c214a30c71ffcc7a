//! What a client wants worked out: one expression after the other, while all else goes on.

use std::{
    collections::VecDeque,
    fmt,
    future::pending,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use relais_net::Worked;

use super::Session;
use crate::{
    outbox::Spoken,
    protocol::{Answer, Code, Refusal, Told},
    shared::{Asker, NoValue},
};

/// The longest expression.
const EXPR_BYTES_MAX: usize = 256;

/// When who finds too many before it asks again.
const BUSY_MS: u64 = 1000;

type Value<'h> = Pin<Box<dyn Future<Output = Result<String, NoValue>> + Send + 'h>>;

/// What is being worked out for a client, and waits for that. Dropped, nothing of it is.
pub(super) struct Sums<'h> {
    /// What the client calls the one.
    re: Option<u64>,
    /// What it comes to. Nobody locks it: it makes a session be shared, which is asked of those who wait
    /// for it.
    value: Mutex<Value<'h>>,
    /// As many as a client may ask at once.
    others: VecDeque<(Option<u64>, String)>,
}

/// Without what is said.
impl fmt::Debug for Sums<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.others.len();
        f.debug_struct("Sums").field("waiting", &waiting).finish_non_exhaustive()
    }
}

impl<'h> Session<'h> {
    /// Has `expr` worked out, in its turn.
    pub(super) fn calculate(
        &mut self,
        re: Option<u64>,
        expr: String,
    ) -> Result<Option<Answer>, Refusal> {
        if expr.len() > EXPR_BYTES_MAX {
            let why = format!("{} bytes: expected at most {EXPR_BYTES_MAX}", expr.len());
            return Err(Refusal::of(Code::TooLong).field("expr").why(why));
        }
        if self.hub.calculator.is_none() {
            return Err(Refusal::of(Code::UnknownCommand).why("nothing calculates here"));
        }
        self.asked += 1;
        if let Some(sums) = &mut self.sums {
            sums.others.push_back((re, expr));
        } else {
            let value = Mutex::new(self.value(expr));
            self.sums = Some(Box::new(Sums { re, value, others: VecDeque::new() }));
        }
        Ok(None)
    }

    fn value(&mut self, expr: String) -> Value<'h> {
        let worked = Arc::<Worked>::clone(self.worked.get_or_insert_default());
        let (hub, client) = (self.hub, self.way.peer.client());
        let asker = if self.who.is_some() { Asker::Somebody } else { Asker::Nobody };
        match &hub.calculator {
            Some(calculator) => calculator.calculate(asker(client), worked, expr),
            None => Box::pin(pending()),
        }
    }

    /// Tells the client what the one came to that was [worked out](poll), and goes on with the next.
    pub(super) fn tell_value(&mut self, value: Result<String, NoValue>) {
        let Some(mut sums) = self.sums.take() else { return };
        let re = sums.re;
        if let Some((next, expr)) = sums.others.pop_front() {
            (sums.re, sums.value) = (next, Mutex::new(self.value(expr)));
            self.sums = Some(sums);
        }
        let answer = value.map(Answer::Value).map_err(|why| match why {
            NoValue::TooLong => Refusal::of(Code::CalcTimeout).field("expr"),
            NoValue::Busy => Refusal::of(Code::RateLimited).retry_ms(BUSY_MS),
            NoValue::Wrong(why) => Refusal::of(Code::CalcError).why(why),
        });
        // Counted when it was asked.
        self.taken.push_back(Spoken::new(Told::Answer { re, answer }));
    }
}

/// What the first of `sums` comes to, once it is worked out; never, if nothing is to be.
pub(super) fn poll(
    sums: &mut Option<Box<Sums<'_>>>,
    cx: &mut Context<'_>,
) -> Poll<Result<String, NoValue>> {
    let Some(sums) = sums else { return Poll::Pending };
    sums.value.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut().poll(cx)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use relais_net::{Conn, Peer, Service as _, Shutdown, Stream};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };

    use super::{
        super::tests::{REGISTER, hub_that_calculates, told},
        *,
    };
    use crate::{Calculator, Limits};

    /// Has time for those alone who have logged in.
    #[derive(Debug)]
    struct Choosy;

    impl Calculator for Choosy {
        fn calculate(
            &self,
            asker: Asker,
            _: Arc<Worked>,
            expr: String,
        ) -> Pin<Box<dyn Future<Output = Result<String, NoValue>> + Send + '_>> {
            Box::pin(async move {
                match asker {
                    Asker::Somebody(_) => Ok(format!("= {expr}")),
                    Asker::Nobody(_) => Err(NoValue::Busy),
                }
            })
        }
    }

    #[tokio::test]
    async fn who_has_not_logged_in_is_known_for_that_and_told_when_to_ask_again() {
        let (_folder, hub) = hub_that_calculates(Limits::default(), Some(Arc::new(Choosy)));
        let calc = r#"{"cmd":"CALC","id":9,"expr":"1"}"#;
        let answer = async |said: &str| {
            let told = told(&hub, said).await;
            told.into_iter().find(|line| line.starts_with(r#"{"re":9"#)).unwrap()
        };
        let busy = answer(&format!("{calc}\n")).await;
        assert!(busy.contains(r#""code":"RATE_LIMITED""#), "{busy}");
        assert!(busy.contains(r#""retry_ms":1000"#), "{busy}");
        let told = answer(&format!("{REGISTER}\n{calc}\n")).await;
        assert_eq!(told, r#"{"re":9,"ok":true,"value":"= 1"}"#);
    }

    /// Says how many milliseconds were worked for who asks, and takes seven more.
    #[derive(Debug)]
    struct Counting;

    impl Calculator for Counting {
        fn calculate(
            &self,
            _: Asker,
            worked: Arc<Worked>,
            _: String,
        ) -> Pin<Box<dyn Future<Output = Result<String, NoValue>> + Send + '_>> {
            let before = worked.so_far().as_millis();
            worked.add(Duration::from_millis(7));
            Box::pin(async move { Ok(before.to_string()) })
        }
    }

    #[tokio::test]
    async fn how_long_was_worked_for_a_connection_is_known_of_it_alone() {
        let (_folder, hub) = hub_that_calculates(Limits::default(), Some(Arc::new(Counting)));
        let calc = "{\"cmd\":\"CALC\",\"id\":9,\"expr\":\"1\"}\n".repeat(3);
        for _ in 0..2 {
            let told = told(&hub, &calc).await;
            let values = told.iter().filter_map(|line| line.split_once(r#""value":""#));
            let values: Vec<_> = values.map(|(_, value)| value.trim_end_matches("\"}")).collect();
            assert_eq!(values, ["0", "7", "14"]);
        }
    }

    /// Works for a moment each time, and counts that.
    #[derive(Debug, Default)]
    struct Slow(AtomicUsize);

    impl Calculator for Slow {
        fn calculate(
            &self,
            _: Asker,
            _: Arc<Worked>,
            expr: String,
        ) -> Pin<Box<dyn Future<Output = Result<String, NoValue>> + Send + '_>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Ok(expr)
            })
        }
    }

    /// How much is worked out for who asks for eight values over TCP and says nothing more, and then does
    /// that. Gives what comes of that, too.
    async fn asks_for_eight<T>(then: impl AsyncFnOnce(TcpStream) -> T) -> (usize, T) {
        let slow = Arc::new(Slow::default());
        let calculator = Arc::<Slow>::clone(&slow);
        let (_folder, hub) = hub_that_calculates(Limits::default(), Some(calculator));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, from) = listener.accept().await.unwrap();
        let local = Arc::new("tcp://127.0.0.1:6680".parse().unwrap());
        let (stream, peer) = (Stream::Tcp(stream), Peer::Net(from));
        let conn = Conn { stream, peer, called: None, local, tls: None };
        let (_shutdown, drain) = Shutdown::new();
        let calc = "{\"cmd\":\"CALC\",\"id\":9,\"expr\":\"1\"}\n".repeat(8);
        client.write_all(calc.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        let (_served, came) = tokio::join!(hub.serve(conn, drain), then(client));
        (slow.0.load(Ordering::Relaxed), came)
    }

    #[tokio::test]
    async fn who_says_nothing_more_is_told_all_and_for_who_is_gone_little_is_worked_out() {
        let (worked_out, told) = asks_for_eight(async |mut client| {
            let mut told = String::new();
            client.read_to_string(&mut told).await.unwrap();
            told.lines().filter(|line| line.contains("value")).count()
        })
        .await;
        assert_eq!((worked_out, told), (8, 8));
        // That nobody is there the system says once something was told: of the first. It is known when the
        // second is to be told, where the third was begun.
        let (worked_out, ()) = asks_for_eight(async |client| drop(client)).await;
        assert!(worked_out <= 3, "{worked_out}");
    }
}
