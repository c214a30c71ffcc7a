//! Several upstreams that can answer the same, and which of them is asked.

use std::sync::Arc;

use http::request;
use relais_net::{Balance, Candidate, Choice, Client, Side};

use super::{
    CallError, Failed, OnInterim, Reply,
    attempt::{Missed, Said, attempt},
    budget::Budget,
    queue::Waited,
    server::Upstream,
};
use crate::Inbound;

/// How many upstreams are tried for a request.
const TRIES_MAX: usize = 3;

/// Upstreams that can answer the same.
#[derive(Debug)]
pub struct Group {
    /// Never empty.
    upstreams: Vec<Arc<Upstream>>,
    choice: Choice,
    budget: Budget,
}

/// What is asked, and by whom.
#[derive(Debug)]
pub struct Call<'a> {
    /// The request, without its body: fields for one hop are taken off already.
    pub request: &'a request::Parts,
    /// Lines to be sent behind its fields: printed, as nobody looks at them any more.
    pub trail: &'a [u8],
    /// Its body.
    pub body: Inbound,
    /// Who asks, for [`Balance::Source`].
    pub client: Client,
    /// Who is told of interim answers: of each that is tried, as they come.
    pub interims: Option<&'a dyn OnInterim>,
}

impl Group {
    /// These upstreams, of which one is asked each time; `None` if there is none.
    pub fn new(upstreams: Vec<Arc<Upstream>>, balance: Balance) -> Option<Self> {
        let (choice, budget) = (Choice::new(balance), Budget::default());
        (!upstreams.is_empty()).then_some(Self { upstreams, choice, budget })
    }

    /// Those that there are.
    pub fn upstreams(&self) -> &[Arc<Upstream>] {
        &self.upstreams
    }

    /// Asks one of them; another if it cannot be reached, or if its connection turns out to be dead
    /// and asking twice does no harm. Who is alone is asked again in that case. All requests together
    /// are tried again no more often than one of five.
    ///
    /// # Errors
    ///
    /// That the client broke off, or why the last that was tried did not answer.
    pub fn call<'a>(
        &'a self,
        call: Call<'a>,
    ) -> impl Future<Output = Result<Reply, Failed>> + Send + 'a {
        // Taken apart out here: what an `async fn` takes apart it has twice.
        let Call { request, trail, mut body, client, interims } = call;
        let said = Said { request, trail, interims, client, waited: Waited::default() };
        async move {
            let mut tried = Vec::new();
            self.budget.add();
            loop {
                let upstream = self.pick(&tried, client);
                let Missed { why, body: untouched } = match attempt(upstream, &said, body).await {
                    Ok(reply) => return Ok(reply.after(&said.waited)),
                    Err(missed) => missed,
                };
                let Failed::NoAnswer { error, .. } = &why else { return Err(why) };
                if error.side() == Side::Upstream {
                    upstream.failed(error);
                }
                tried.push(upstream.id());
                match untouched {
                    Some(untouched)
                        if tried.len() < self.tries_max(error) && self.budget.take() =>
                    {
                        body = untouched;
                    }
                    _ => return Err(why),
                }
            }
        }
    }

    /// How many tries there are after `error`. Who closes even a new connection may be about to be
    /// replaced at the same place: that is worth another try, if nobody else is there. Who cannot be
    /// reached is not.
    fn tries_max(&self, error: &CallError) -> usize {
        match (&*self.upstreams, error) {
            ([_only], CallError::Broken { .. }) => 2,
            (upstreams, _) => TRIES_MAX.min(upstreams.len()),
        }
    }

    /// Chooses one that was not tried, or is alone; there is one.
    fn pick(&self, tried: &[u64], client: Client) -> &Arc<Upstream> {
        if let [only] = &*self.upstreams {
            return only;
        }
        let upstreams = self.upstreams.iter().enumerate();
        let untried = upstreams.filter(|(_, upstream)| !tried.contains(&upstream.id()));
        let candidates = untried.map(|(place, upstream)| Candidate {
            place,
            in_flight: upstream.in_flight(),
            is_well: upstream.is_well(),
        });
        let place = self.choice.among(candidates, client);
        &self.upstreams[place.expect("fewer tries than upstreams")]
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Request;
    use relais_net::{Access, DialLimits, Dialer, Peer, tls};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::upstream::{Busy, Limits, Options, Speaks, dialer_for_tests};

    async fn is_well_after_calls(dialer: Arc<Dialer>) -> bool {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let endpoint = format!("http://{free}").parse().unwrap();
        let (host, speaks, limits) = (None, Speaks::Http1, Limits::default());
        let upstream = Upstream::new(Options { endpoint, host, dialer, speaks, limits });
        let group = Group::new(vec![Arc::new(upstream)], Balance::Least).unwrap();
        let (head, ()) = Request::get("/").body(()).unwrap().into_parts();
        for _ in 0..3 {
            let (body, client) = (Inbound::Full(Bytes::new()), Peer::Local.client());
            let call = Call { request: &head, trail: b"", body, client, interims: None };
            assert!(matches!(group.call(call).await, Err(Failed::NoAnswer { .. })));
        }
        group.upstreams()[0].is_well()
    }

    /// It takes all who wait for it one after the other, or tells them so, and is no worse for it.
    #[tokio::test(start_paused = true)]
    async fn so_many_ask_an_upstream_at_once() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let limits = Limits { in_flight_max: Some(1), queue_max: 1, ..Limits::default() };
        let (host, speaks, dialer) = (None, Speaks::Http1, dialer_for_tests());
        let upstream = Upstream::new(Options { endpoint, host, dialer, speaks, limits });
        let group = Group::new(vec![Arc::new(upstream)], Balance::Least).unwrap();
        let taken = group.upstreams()[0].enter(&Waited::default()).await.unwrap();
        let (head, ()) = Request::get("/").body(()).unwrap().into_parts();
        let call = async || {
            let (body, client) = (Inbound::Full(Bytes::new()), Peer::Local.client());
            let call = Call { request: &head, trail: b"", body, client, interims: None };
            let called = group.call(call).await;
            match called {
                Err(Failed::NoAnswer { error: CallError::Busy { source, waited, .. }, .. }) => {
                    (source, waited)
                }
                other => panic!("{other:?}"),
            }
        };
        let late = (Busy::Late, Some(Limits::default().queue_wait_max));
        assert_eq!(tokio::join!(call(), call()), (late, (Busy::Full, None)));
        assert!(group.upstreams()[0].is_well());
        drop(taken);
    }

    /// Refuses every handshake as who speaks none of the protocols offered does (RFC 7301 §3.2).
    async fn refuse(listener: tokio::net::TcpListener) {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 1 << 14]).await.unwrap() > 0);
            stream.write_all(&[21, 3, 3, 0, 2, 2, 120]).await.unwrap();
        }
    }

    /// Asks one who speaks HTTP/2 under TLS, and refuses what it is offered: why there is no answer, each
    /// time, and whether it is well then.
    async fn refused_thrice(request: request::Builder) -> (Vec<CallError>, bool) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(refuse(listener));
        let (host, speaks, limits) = (None, Speaks::Http2, Limits::default());
        let dialer = dialer_for_tests();
        let upstream = Upstream::new(Options { endpoint, host, dialer, speaks, limits });
        let group = Group::new(vec![Arc::new(upstream)], Balance::Least).unwrap();
        let (head, ()) = request.body(()).unwrap().into_parts();
        let mut errors = Vec::new();
        for _ in 0..3 {
            let (body, client) = (Inbound::Full(Bytes::new()), Peer::Local.client());
            let call = Call { request: &head, trail: b"", body, client, interims: None };
            match group.call(call).await {
                Err(Failed::NoAnswer { error, .. }) => errors.push(error),
                other => panic!("{other:?}"),
            }
        }
        (errors, group.upstreams()[0].is_well())
    }

    #[tokio::test]
    async fn who_speaks_nothing_that_has_a_change_of_the_protocol_is_well() {
        let is_no_upgrade = |error: &CallError| matches!(error, CallError::NoUpgrade { .. });
        let upgrade = Request::get("/").header(http::header::UPGRADE, "websocket");
        let (errors, is_well) = refused_thrice(upgrade).await;
        assert!(errors.iter().all(is_no_upgrade) && is_well, "{errors:?}");
        let (errors, is_well) = refused_thrice(Request::get("/")).await;
        assert!(!errors.iter().any(is_no_upgrade) && !is_well, "{errors:?}");
    }

    #[tokio::test]
    async fn what_is_not_its_fault_is_not_held_against_an_upstream() {
        assert!(!is_well_after_calls(dialer_for_tests()).await);
        let demand = tls::Demand {
            trust: tls::Trust::Roots(tls::Roots::none()),
            server_name: None,
            own: None,
        };
        let second = std::time::Duration::from_secs(1);
        let limits = DialLimits {
            connect_max: second,
            handshake_max: second,
            source: None,
            keepalive: None,
        };
        let denying = Dialer::new(limits, tls::Connector::new(&demand).unwrap());
        assert!(is_well_after_calls(Arc::new(denying.with_access(|_| Access::Denied))).await);
    }
}
