//! A request over HTTP/2, by hyper.

use std::sync::Arc;

use http::{
    Request as HttpRequest, Uri, Version,
    header::{CONNECTION, CONTENT_LENGTH, HOST},
};
use hyper::client::conn::http2::Builder;
use hyper_util::rt::{TokioExecutor, TokioIo};
use relais_net::{CountedStream, Stream};
use tokio::time::{Instant, timeout};

use super::{
    AskError, Head, Limits, Request, Sent,
    body::{AnswerBody, Driven},
    exchange::Answered,
    manner::uploading_max,
};
use crate::{Inbound, upstream::Upload};

/// How much of the answer may come before somebody takes it.
const WINDOW: u32 = 1 << 20;

/// Sends `request`, and waits for the head of its answer.
pub(super) async fn ask(
    stream: Stream,
    request: &Request,
    limits: Limits,
) -> Result<Answered, AskError> {
    let (asked, sent) = asked(request)?;
    let begin = Instant::now();
    // The types that upstreams are asked with: another would be all of h2 again.
    let stream = TokioIo::new(CountedStream::new(stream, Arc::default()));
    let asking = async {
        let (mut sender, conn) = Builder::new(TokioExecutor::new())
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_header_list_size(limits.head.head_bytes_max)
            .handshake(stream)
            .await
            .map_err(AskError::of_http2)?;
        let driven = Driven(tokio::spawn(async move { _ = conn.await }));
        let answer = sender.send_request(asked).await.map_err(AskError::of_http2)?;
        Ok::<_, AskError>((answer, sender, driven))
    };
    let answered = timeout(uploading_max(request) + limits.silence_max, asking).await;
    let (answer, sender, driven) = answered.map_err(|_| AskError::Late(limits.silence_max))??;
    let first_byte = begin.elapsed();
    let (parts, body) = answer.into_parts();
    let fields = parts.headers.iter();
    let fields = fields.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()));
    let head = Head {
        version: Version::HTTP_2,
        status: parts.status.as_u16(),
        reason: Vec::new(),
        fields: fields.collect(),
    };
    let body = AnswerBody::of_http2(body, (sender, driven), limits.silence_max);
    Ok(Answered { sent, interims: Vec::new(), head, body, first_byte })
}

/// The request as HTTP/2 has it, its host in its target, and how that looks.
fn asked(request: &Request) -> Result<(HttpRequest<Upload>, Sent), AskError> {
    let host = request.host();
    let scheme = if request.url.is_secure() { "https" } else { "http" };
    let uri = Uri::builder()
        .scheme(scheme)
        .authority(host.as_bytes())
        .path_and_query(request.url.target())
        .build()
        .map_err(AskError::Unspeakable)?;
    let (upload, _) = Upload::of(Inbound::Full(request.body.clone()));
    let mut asked = HttpRequest::new(upload);
    *asked.method_mut() = request.method.clone();
    *asked.uri_mut() = uri;
    *asked.version_mut() = Version::HTTP_2;
    let line = format!("{} {} HTTP/2", request.method, request.url.target());
    let mut fields = vec![
        (":scheme".to_owned(), scheme.as_bytes().to_vec()),
        (":authority".to_owned(), host.as_bytes().to_vec()),
    ];
    for (name, value) in &request.fields {
        if !matches!(*name, HOST | CONNECTION | CONTENT_LENGTH) {
            asked.headers_mut().append(name, value.clone());
            fields.push((name.as_str().to_owned(), value.as_bytes().to_vec()));
        }
    }
    if request.has_body() {
        let length = request.body.len();
        asked.headers_mut().insert(CONTENT_LENGTH, length.into());
        fields.push((CONTENT_LENGTH.as_str().to_owned(), length.to_string().into_bytes()));
    }
    Ok((asked, Sent { line, fields }))
}
