//! Asking a proxy of SOCKS 5 for a connection ([RFC 1928], and [RFC 1929] for who asks).
//!
//! It is given the name as it is asked for: who looks it up is the proxy, as it is by `CONNECT`.
//!
//! [RFC 1928]: https://www.rfc-editor.org/rfc/rfc1928
//! [RFC 1929]: https://www.rfc-editor.org/rfc/rfc1929

use std::{net::IpAddr, time::Duration};

use relais_net::{Host, HostPort};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    time::timeout,
};

use super::{AskError, Url, User};

const VERSION: u8 = 5;
/// Ways to say who asks: not at all, by name and password, none of those that were offered.
const NOBODY: u8 = 0;
const BY_PASSWORD: u8 = 2;
const NONE: u8 = 0xff;
/// Of what says who asks.
const USER_VERSION: u8 = 1;

/// Has the proxy at the other end of `stream` connect it to the server of `url`, as this user, if one is
/// named. It has so long for its first word. Nothing beyond its answer is read.
///
/// # Errors
///
/// [`AskError::NoSocks`], [`AskError::NotSocks`], [`AskError::SilentSocks`], [`AskError::NotReached`], [`AskError::ProxyAsksWho`],
/// [`AskError::ProxyUser`], or that it broke.
pub(super) async fn ask<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    url: &Url,
    (user, greeting_max): (Option<&User>, Duration),
) -> Result<(), AskError> {
    introduce(stream, user, greeting_max).await?;
    say(stream, &request(url)?).await?;
    let [version, reply, _, kind] = hear(stream).await?;
    if version != VERSION {
        return Err(AskError::NoSocks);
    }
    if reply != 0 {
        return Err(AskError::NotReached(meaning(reply)));
    }
    // Where it calls from is nothing to us, but stands before what the server says.
    let length = match kind {
        1 => 4,
        4 => 16,
        3 => hear::<1>(stream).await.map(|[length]| usize::from(length))?,
        _ => return Err(AskError::NoSocks),
    };
    let mut place = vec![0; length + 2];
    stream.read_exact(&mut place).await.map(drop).map_err(AskError::Broken)
}

/// Has the proxy know who asks, if it wants to and that is said.
async fn introduce<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    user: Option<&User>,
    greeting_max: Duration,
) -> Result<(), AskError> {
    match user {
        None => say(stream, &[VERSION, 1, NOBODY]).await?,
        Some(_) => say(stream, &[VERSION, 2, NOBODY, BY_PASSWORD]).await?,
    }
    let greeted = timeout(greeting_max, greeting(stream)).await;
    let chosen = greeted.map_err(|_| AskError::SilentSocks(greeting_max))??;
    match (chosen, user) {
        (NOBODY, _) => return Ok(()),
        (BY_PASSWORD, Some(user)) => say(stream, &introduction(user)?).await?,
        (NONE, Some(_)) => return Err(AskError::ProxyUser),
        (NONE, None) => return Err(AskError::ProxyAsksWho),
        _ => return Err(AskError::NoSocks),
    }
    let [_, status] = hear(stream).await?;
    if status == 0 { Ok(()) } else { Err(AskError::ProxyUser) }
}

/// Hears the first word of a proxy: `5, way`. Gives how it wants to know who asks.
async fn greeting(stream: &mut (impl AsyncRead + Unpin)) -> Result<u8, AskError> {
    let [version] = hear(stream).await?;
    if version == VERSION {
        return hear(stream).await.map(|[chosen]| chosen);
    }
    let mut began = vec![version];
    let mut rest = [0; BEGAN_BYTES_MAX];
    // As much as came with it.
    if let Ok(Ok(length)) = timeout(BEGAN_WITHIN, stream.read(&mut rest)).await {
        began.extend_from_slice(&rest[..length]);
    }
    Err(AskError::NotSocks(began))
}

/// How much is told of what is no SOCKS, and how long it is waited for.
const BEGAN_BYTES_MAX: usize = 31;
const BEGAN_WITHIN: Duration = Duration::from_millis(50);

/// Who asks: `1, length, name, length, password`.
fn introduction(user: &User) -> Result<Vec<u8>, AskError> {
    let mut said = vec![USER_VERSION];
    for text in [&user.name, &user.password] {
        // It has no room for longer ones, as was said before (`Proxy::asked_by`).
        said.push(u8::try_from(text.len()).map_err(|_| AskError::ProxyUser)?);
        said.extend_from_slice(text.as_bytes());
    }
    Ok(said)
}

/// To whom: `5, connect, 0, kind, host, port`.
fn request(url: &Url) -> Result<Vec<u8>, AskError> {
    let HostPort { host, port } = url.host_port();
    let mut said = vec![VERSION, 1, 0];
    match host {
        Host::Ip(IpAddr::V4(ip)) => {
            said.push(1);
            said.extend_from_slice(&ip.octets());
        }
        Host::Ip(IpAddr::V6(ip)) => {
            said.push(4);
            said.extend_from_slice(&ip.octets());
        }
        Host::Name(name) => {
            let length = u8::try_from(name.len());
            said.extend([3, length.map_err(|_| AskError::NotReached("too long a name"))?]);
            said.extend_from_slice(name.as_bytes());
        }
        Host::Any => return Err(AskError::NotReached("no host is named")),
    }
    said.extend_from_slice(&port.to_be_bytes());
    Ok(said)
}

fn meaning(reply: u8) -> &'static str {
    match reply {
        2 => "it is not allowed to call there",
        3 => "the network is not reachable",
        4 => "the host is not reachable",
        5 => "connection refused",
        6 => "no answer came in time",
        7 | 8 => "it does not know what was asked for",
        _ => "it failed",
    }
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), said: &[u8]) -> Result<(), AskError> {
    stream.write_all(said).await.map_err(AskError::Broken)?;
    stream.flush().await.map_err(AskError::Broken)
}

async fn hear<const LENGTH: usize>(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<[u8; LENGTH], AskError> {
    let mut heard = [0; LENGTH];
    match stream.read_exact(&mut heard).await {
        Ok(_) => Ok(heard),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(AskError::NoSocks),
        Err(error) => Err(AskError::Broken(error)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::duplex;

    use super::*;

    const GREETING_MAX: Duration = Duration::from_secs(7);

    /// What is said for `url` to who answers with `heard`, and what comes of it.
    async fn talk(url: &str, user: Option<(&str, &str)>, heard: &[u8]) -> (Vec<u8>, String) {
        let user = user
            .map(|(name, password)| User { name: name.to_owned(), password: password.to_owned() });
        let (mut ours, mut theirs) = duplex(1 << 12);
        theirs.write_all(heard).await.unwrap();
        theirs.shutdown().await.unwrap();
        let with = (user.as_ref(), GREETING_MAX);
        let asked = ask(&mut ours, &url.parse().unwrap(), with).await;
        drop(ours);
        let mut said = Vec::new();
        theirs.read_to_end(&mut said).await.unwrap();
        (said, asked.map_or_else(|error| error.to_string(), |()| "open".to_owned()))
    }

    const OPEN: &[u8] = &[5, 0, 5, 0, 0, 1, 127, 0, 0, 1, 4, 5];

    #[tokio::test]
    async fn names_and_addresses_are_asked_for_as_they_are() {
        let (said, came) = talk("http://a.b:80/x", None, OPEN).await;
        assert_eq!((&*said, &*came), (&b"\x05\x01\0\x05\x01\0\x03\x03a.b\0\x50"[..], "open"));
        let (said, _) = talk("https://127.0.0.2", None, OPEN).await;
        assert_eq!(said, b"\x05\x01\0\x05\x01\0\x01\x7f\0\0\x02\x01\xbb");
        let (said, _) = talk("http://[::1]:1", None, OPEN).await;
        let expect = [&[5, 1, 0, 5, 1, 0, 4][..], &[0; 15], &[1, 0, 1]].concat();
        assert_eq!(said, expect);
    }

    #[tokio::test]
    async fn who_asks_is_said_where_it_is_to_be() {
        let heard = [&[5, 2, 1, 0][..], &OPEN[2..]].concat();
        let (said, came) = talk("http://a:1", Some(("me", "pw")), &heard).await;
        assert_eq!(said[..11], *b"\x05\x02\0\x02\x01\x02me\x02pw");
        assert_eq!(came, "open");
        let (said, came) = talk("http://a:1", Some(("me", "pw")), OPEN).await;
        assert_eq!((&said[..5], &*came), (&b"\x05\x02\0\x02\x05"[..], "open"), "it need not know");
        let (_, came) = talk("http://a:1", Some(("me", "pw")), &[5, 2, 1, 1]).await;
        assert_eq!(came, "the proxy does not believe who asks");
        let (_, came) = talk("http://a:1", Some(("me", "pw")), &[5, 0xff]).await;
        assert_eq!(came, "the proxy does not believe who asks");
        let (_, came) = talk("http://a:1", None, &[5, 0xff]).await;
        assert_eq!(came, "the proxy wants to know who asks");
        let (_, came) = talk("http://a:1", None, &[5, 2]).await;
        assert_eq!(came, "the proxy does not speak SOCKS 5 as it was asked to");
    }

    #[tokio::test]
    async fn who_is_not_reached_is_told_why_and_others_are_no_proxies() {
        let (_, came) = talk("http://a:1", None, &[5, 0, 5, 5, 0, 1]).await;
        assert_eq!(came, "the proxy says: connection refused");
        for heard in [&b""[..], &[5], &[5, 0, 4], &[5, 0, 5, 0, 0, 9]] {
            let (_, came) = talk("http://a:1", None, heard).await;
            assert_eq!(came, "the proxy does not speak SOCKS 5 as it was asked to", "{heard:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_begins_otherwise_or_says_nothing_is_no_proxy_of_socks_at_once() {
        let (_, came) =
            talk("http://a:1", None, b"HTTP/1.1 400 Bad Request\r\n\r\nwhat follows").await;
        let expect =
            r#"the proxy speaks no SOCKS 5: it began with "HTTP/1.1 400 Bad Request\r\n\r\nwhat""#;
        assert_eq!(came, expect);
        let (_, came) = talk("http://a:1", None, &[4, 0x5a]).await;
        assert_eq!(came, r#"the proxy speaks no SOCKS 5: it began with "\x04Z""#);
        let (mut ours, _theirs) = duplex(1 << 12);
        let with = (None, GREETING_MAX);
        let silent = ask(&mut ours, &"http://a:1".parse().unwrap(), with).await.unwrap_err();
        assert_eq!(silent.to_string(), "the proxy said no word of SOCKS 5 within 7s");
    }

    proptest! {
        #[test]
        fn nothing_panics(heard in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            let runtime = builder.enable_time().start_paused(true).build().unwrap();
            let _ = runtime.block_on(talk("http://a:1", None, &heard));
        }
    }
}
