//! Which of a name's addresses is called, and when the next one ([RFC 8305]).
//!
//! [RFC 8305]: https://www.rfc-editor.org/rfc/rfc8305

use std::{
    net::{IpAddr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::timeout;

/// How long a call goes unanswered before the next address is called, too ([RFC 8305 §5]).
///
/// [RFC 8305 §5]: https://www.rfc-editor.org/rfc/rfc8305#section-5
const HEAD_START: Duration = Duration::from_millis(250);

/// How many of a name's addresses are called.
pub(super) const CALLS_MAX: usize = 8;

/// The order in which addresses are called: the resolver's, but IPv6 and IPv4 take turns, so that a
/// family that leads nowhere holds up nobody ([RFC 8305 §4]).
///
/// [RFC 8305 §4]: https://www.rfc-editor.org/rfc/rfc8305#section-4
pub(super) fn in_turns(ips: &[IpAddr], port: u16) -> Vec<SocketAddr> {
    let of_first = |ip: &&IpAddr| ips[0].is_ipv4() == ip.is_ipv4();
    let mut first = ips.iter().filter(of_first);
    let mut second = ips.iter().filter(|ip| !of_first(ip));
    let mut turns = Vec::new();
    while let (before, Some(ip)) = (turns.len(), first.next()) {
        turns.push(*ip);
        turns.extend(second.next());
        debug_assert!(before < turns.len());
    }
    turns.extend(second);
    turns.truncate(CALLS_MAX);
    turns.into_iter().map(|ip| SocketAddr::new(ip, port)).collect()
}

/// A call under way, and to whom.
struct Call<F> {
    address: SocketAddr,
    answer: Pin<Box<F>>,
}

/// Calls the addresses one after another until one answers: the next one when a call fails, or has
/// had its head start. Who answers first wins, and the others are hung up.
///
/// Cancel safe if `call` is.
///
/// # Errors
///
/// Why each failed, in the order in which they did.
pub(super) async fn race<T, E, F>(
    addresses: &[SocketAddr],
    call: impl Fn(SocketAddr) -> F,
) -> Result<(SocketAddr, T), Vec<(SocketAddr, E)>>
where
    F: Future<Output = Result<T, E>>,
{
    if let [address] = *addresses {
        let answer = call(address).await;
        return answer.map(|won| (address, won)).map_err(|error| vec![(address, error)]);
    }
    let (mut left, mut calls, mut failed) = (addresses.iter().copied(), Vec::new(), Vec::new());
    loop {
        if let Some(address) = left.next() {
            calls.push(Call { address, answer: Box::pin(call(address)) });
        } else if calls.is_empty() {
            return Err(failed);
        }
        let answered = std::future::poll_fn(|cx| poll_any(&mut calls, cx));
        let answered = if left.len() > 0 {
            timeout(HEAD_START, answered).await.ok()
        } else {
            Some(answered.await)
        };
        match answered {
            Some((address, Ok(won))) => return Ok((address, won)),
            Some((address, Err(error))) => failed.push((address, error)),
            None => {}
        }
    }
}

/// Takes the first call that is answered out of `calls`, which are some.
fn poll_any<F: Future>(
    calls: &mut Vec<Call<F>>,
    cx: &mut Context<'_>,
) -> Poll<(SocketAddr, F::Output)> {
    for at in 0..calls.len() {
        if let Poll::Ready(answer) = calls[at].answer.as_mut().poll(cx) {
            return Poll::Ready((calls.remove(at).address, answer));
        }
    }
    Poll::Pending
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tokio::time::{Instant, sleep};

    use super::*;

    #[test]
    fn families_take_turns() {
        check_turns("2001:db8::1 2001:db8::2 192.0.2.1", "2001:db8::1 192.0.2.1 2001:db8::2");
        check_turns("192.0.2.1 192.0.2.2 ::1 ::2 ::3", "192.0.2.1 ::1 192.0.2.2 ::2 ::3");
        check_turns("192.0.2.1 ::1", "192.0.2.1 ::1");
        check_turns("::1", "::1");
        check_turns("", "");
        check_turns(
            "::1 ::2 ::3 ::4 ::5 ::6 ::7 ::8 ::9 192.0.2.1",
            "::1 192.0.2.1 ::2 ::3 ::4 ::5 ::6 ::7",
        );
    }

    #[track_caller]
    fn check_turns(ips: &str, expect: &str) {
        let read = |text: &str| -> Vec<IpAddr> {
            text.split_whitespace().map(|ip| ip.parse().unwrap()).collect()
        };
        let turns: Vec<_> = in_turns(&read(ips), 1).iter().map(SocketAddr::ip).collect();
        assert_eq!(turns, read(expect));
    }

    /// What becomes of calls to ports 0, 1, …, each answered after some milliseconds: who wins and
    /// when, and who was called when.
    async fn raced(answers: &[(u64, Result<(), ()>)]) -> String {
        let addresses: Vec<_> = (0..)
            .take(answers.len())
            .map(|port| SocketAddr::from(([127, 0, 0, 1], port)))
            .collect();
        let (start, called) = (Instant::now(), RefCell::new(Vec::new()));
        let raced = race(&addresses, |address| {
            called.borrow_mut().push(format!("{}@{}", address.port(), start.elapsed().as_millis()));
            let (after, answer) = answers[usize::from(address.port())];
            async move {
                sleep(Duration::from_millis(after)).await;
                answer
            }
        });
        let end = match raced.await {
            Ok((address, ())) => format!("{} won", address.port()),
            Err(failed) => {
                format!("{:?} failed", failed.iter().map(|(at, ())| at.port()).collect::<Vec<_>>())
            }
        };
        format!("{}: {end} @{}", called.into_inner().join(" "), start.elapsed().as_millis())
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_is_called_when_one_fails_or_takes_long() {
        let check = async |answers: &[(u64, Result<(), ()>)], expect: &str| {
            assert_eq!(raced(answers).await, expect);
        };
        let never = 1_000_000;
        check(&[(10, Ok(()))], "0@0: 0 won @10").await;
        check(&[(10, Err(()))], "0@0: [0] failed @10").await;
        check(&[(300, Ok(()))], "0@0: 0 won @300").await;
        check(&[(10, Ok(())), (0, Ok(()))], "0@0: 0 won @10").await;
        check(&[(10, Err(())), (5, Ok(()))], "0@0 1@10: 1 won @15").await;
        check(&[(never, Ok(())), (5, Ok(()))], "0@0 1@250: 1 won @255").await;
        check(&[(400, Ok(())), (200, Ok(()))], "0@0 1@250: 0 won @400").await;
        check(&[(never, Ok(())), (9, Err(())), (9, Ok(()))], "0@0 1@250 2@259: 2 won @268").await;
        check(&[(300, Err(())), (never, Ok(())), (9, Ok(()))], "0@0 1@250 2@300: 2 won @309").await;
        check(&[(300, Err(())), (20, Err(()))], "0@0 1@250: [1, 0] failed @300").await;
        check(&[(1, Err(())), (1, Err(())), (1, Err(()))], "0@0 1@1 2@2: [0, 1, 2] failed @3")
            .await;
        check(&[], ": [] failed @0").await;
    }

    #[tokio::test]
    async fn who_loses_is_hung_up() {
        let addresses = [1, 2].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let (held, _) = tokio::sync::broadcast::channel::<()>(1);
        let raced = race(&addresses, |address| {
            let line = held.subscribe();
            async move {
                let _line = line;
                (address.port() == 2).then_some(()).ok_or(())
            }
        });
        assert_eq!(raced.await.unwrap().0.port(), 2);
        assert_eq!(held.receiver_count(), 0);
    }
}
