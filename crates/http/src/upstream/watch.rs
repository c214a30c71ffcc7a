//! Asks upstreams now and then whether they are well.

use std::{
    error::Error,
    sync::{Arc, Weak},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header::USER_AGENT};
use relais_net::{Checked, Client, Side};
use tokio::{
    task::JoinSet,
    time::{error::Elapsed, timeout},
};

use super::{
    Failed, Group, Upstream,
    attempt::{Missed, Said, attempt},
    queue::Waited,
};
use crate::Inbound;

/// How often it is asked, and how it has to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What is asked for; a path.
    pub path: http::uri::PathAndQuery,
    /// How often.
    pub every: Duration,
    /// How long the answer may take, whose status has to be 2xx or 3xx.
    pub answer_max: Duration,
}

/// Asks each upstream of `group` as `check` says, until the group is gone. Who does not answer well is
/// passed over until it does; either is told once.
pub async fn watch(group: Weak<Group>, check: Check) {
    let count = group.upgrade().map_or(0, |there| there.upstreams().len());
    // Each by itself: one that gives no answer for long does not hold up who asks others.
    let each = (0..count).map(|place| watch_one(group.clone(), place, check.clone()));
    let mut watching = each.collect::<JoinSet<()>>();
    while watching.join_next().await.is_some() {}
}

async fn watch_one(group: Weak<Group>, place: usize, check: Check) {
    while let Some(upstream) = group.upgrade().map(|there| Arc::clone(&there.upstreams()[place])) {
        look(upstream, &check).await;
        tokio::time::sleep(check.every).await;
    }
}

async fn look(upstream: Arc<Upstream>, check: &Check) {
    let found = timeout(check.answer_max, ask(&upstream, check)).await;
    let checked = match &found {
        // Nothing was learned of it.
        Ok(Err(Failed::NoAnswer { error, .. })) if error.side() == Side::Relais => return,
        Ok(Ok(status)) if status.is_success() || status.is_redirection() => Checked::Well,
        _ => Checked::Ill,
    };
    if let Some(news) = upstream.health().checked(checked) {
        tell(upstream.name(), news, found);
    }
}

/// Tells of a check what is news.
fn tell(name: &str, news: Checked, found: Result<Result<StatusCode, Failed>, Elapsed>) {
    match found {
        _ if news == Checked::Well => tracing::info!("{name} is well again"),
        Ok(Ok(status)) => tracing::warn!("{name} is not well, and passed over: it says {status}"),
        Err(_) => tracing::warn!("{name} is not well, and passed over: no answer in time"),
        // Which names it.
        Ok(Err(Failed::NoAnswer { error, .. })) => {
            let error: &dyn Error = &error;
            tracing::warn!(error, "an upstream is not well, and passed over");
        }
        Ok(Err(Failed::Client(fault))) => {
            let error: &dyn Error = &fault;
            tracing::warn!(error, "{name} is not well, and passed over");
        }
    }
}

/// The status of what it answers.
async fn ask(upstream: &Arc<Upstream>, check: &Check) -> Result<StatusCode, Failed> {
    let (mut head, ()) = Request::new(()).into_parts();
    head.uri = check.path.clone().into();
    head.headers.insert(USER_AGENT, HeaderValue::from_static("relais"));
    let client = Client::Local;
    let said =
        Said { request: &head, trail: b"", interims: None, client, waited: Waited::default() };
    let asked = attempt(upstream, &said, Inbound::Full(Bytes::new())).await;
    asked.map(|reply| reply.response.status()).map_err(|Missed { why, .. }| why)
}

#[cfg(test)]
mod tests {
    use relais_net::Gate;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;
    use crate::upstream::{Balance, Limits, Options, Speaks, dialer_for_tests};

    #[tokio::test]
    async fn who_could_not_be_called_from_here_is_as_well_as_before() {
        let calls = Gate::new(1, 1);
        let _taken = calls.enter(Client::Local, 1).unwrap();
        let Ok(dialer) = Arc::try_unwrap(dialer_for_tests()) else { panic!("of nobody else") };
        let upstream = Arc::new(Upstream::new(Options {
            endpoint: "http://127.0.0.1:9".parse().unwrap(),
            host: None,
            dialer: Arc::new(dialer.with_places(calls)),
            speaks: Speaks::Http1,
            limits: Limits::default(),
        }));
        let path = "/health".parse().unwrap();
        let (every, answer_max) = (Duration::ZERO, Duration::from_secs(5));
        look(Arc::clone(&upstream), &Check { path, every, answer_max }).await;
        assert!(upstream.is_well());
    }

    /// Answers one connection after another with these statuses.
    async fn serve(listener: TcpListener, statuses: &[u16]) {
        for status in statuses {
            let (mut stream, _) = listener.accept().await.unwrap();
            _ = stream.read(&mut [0; 1024]).await.unwrap();
            let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_check_tells_who_is_well() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let options = Options {
            endpoint,
            host: None,
            dialer: dialer_for_tests(),
            speaks: Speaks::Http1,
            limits: Limits::default(),
        };
        let upstream = Arc::new(Upstream::new(options));
        let group = Arc::new(Group::new(vec![Arc::clone(&upstream)], Balance::Least).unwrap());
        let check = Check {
            path: "/health".parse().unwrap(),
            every: Duration::ZERO,
            answer_max: Duration::from_secs(5),
        };
        let statuses = [200, 500, 302];
        tokio::spawn(async move { serve(listener, &statuses).await });
        let mut states = Vec::new();
        for _ in 0..=statuses.len() {
            look(Arc::clone(&upstream), &check).await;
            states.push(upstream.is_well());
        }
        assert_eq!(states, [true, false, true, false]);
        drop(upstream);
        let watching = tokio::spawn(watch(Arc::downgrade(&group), check));
        drop(group);
        watching.await.unwrap();
    }
}
