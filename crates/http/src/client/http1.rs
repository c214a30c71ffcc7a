//! A request over HTTP/1.1, and the head of its answer as it came.

use std::{io, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{
    Method, Version,
    header::{
        AUTHORIZATION, CONNECTION, CONTENT_LENGTH, HOST, PROXY_AUTHORIZATION, TRANSFER_ENCODING,
    },
};
use relais_net::Stream;
use relais_wire::http1::{
    self,
    response::{Asked, BodyDecoder, Framing, Head as Read, HeadReader},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _, WriteHalf, split},
    select,
    time::{Instant, sleep_until, timeout},
};

use super::{
    AskError, Client, Head, Limits, Proxy, Request, Sent,
    body::{AnswerBody, READ_BYTES, Uploading},
    exchange::Answered,
    manner::{Passing, uploading_max},
};

/// How many heads of 1xx are waited through.
pub(super) const INTERIMS_MAX: usize = 16;

/// Whether a proxy reached the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tunnelled {
    Open,
    Refused(u16),
}

/// Sends `request`, and waits for the head of its answer.
pub(super) async fn ask(
    stream: Stream,
    request: &Request,
    (passing, client): (Passing, &Client),
    limits: Limits,
) -> Result<Answered, AskError> {
    let sent = sent(request, passing, client);
    let (mut read, write) = split(stream);
    let asked = if request.method == Method::HEAD { Asked::Head } else { Asked::Usual };
    let mut reading = Reading::new(limits, asked);
    let begin = Instant::now();
    let mut upload = Uploading {
        sending: Box::pin(send(write, print(&sent), request.body.clone())),
        until: begin + uploading_max(request) + limits.silence_max,
    };
    let (mut is_sending, mut until, mut unsent) = (true, upload.until, None);
    let (head, framing) = loop {
        if let Some(head) = reading.head()? {
            break head;
        }
        select! {
            sent = &mut upload.sending, if is_sending => {
                is_sending = false;
                until = Instant::now() + limits.silence_max;
                // It may have answered before, and closed: that is read first.
                unsent = sent.err();
            }
            more = reading.more(&mut read) => match (more, unsent) {
                (Ok(0), None) => return Err(AskError::Closed),
                (Ok(0), Some(error)) | (Err(error), _) => return Err(AskError::Broken(error)),
                (Ok(_), still) => unsent = still,
            },
            () = sleep_until(until) => return Err(AskError::Late(limits.silence_max)),
        }
    };
    // Who answers with an error wants no more of it (RFC 9112 §9.5). `Connection: close` says nothing
    // of that here: we have said it first.
    let upload = Some(upload).filter(|_| is_sending && head.status < 400);
    let first_byte = reading.first_at.map_or(Duration::ZERO, |at| at - begin);
    let Reading { buffer, interims, .. } = reading;
    let decoder = BodyDecoder::new(framing, limits.head);
    let body = AnswerBody::of_http1((read, upload), buffer, decoder, limits.silence_max);
    Ok(Answered { sent, interims, head, body, first_byte })
}

/// Sends a CONNECT, and waits for what the proxy says.
pub(super) async fn tunnel(
    stream: &mut Stream,
    head: &[u8],
    limits: Limits,
) -> Result<Tunnelled, AskError> {
    let mut reading = Reading::new(limits, Asked::Connect);
    let asking = async {
        stream.write_all(head).await.map_err(AskError::Broken)?;
        loop {
            if let Some((head, framing)) = reading.head()? {
                let is_open = framing == Framing::Tunnel;
                return if is_open && !reading.buffer.is_empty() {
                    Err(AskError::Early)
                } else if is_open {
                    Ok(Tunnelled::Open)
                } else {
                    Ok(Tunnelled::Refused(head.status))
                };
            }
            if reading.more(stream).await.map_err(AskError::Broken)? == 0 {
                return Err(AskError::Closed);
            }
        }
    };
    timeout(limits.silence_max, asking).await.map_err(|_| AskError::Late(limits.silence_max))?
}

async fn send(mut write: WriteHalf<Stream>, front: Vec<u8>, body: Bytes) -> io::Result<()> {
    write.write_all(&front).await?;
    write.write_all(&body).await?;
    write.flush().await
}

/// What was read and not used yet.
#[derive(Debug)]
struct Reading {
    buffer: BytesMut,
    reader: HeadReader,
    asked: Asked,
    interims: Vec<Head>,
    first_at: Option<Instant>,
}

impl Reading {
    fn new(limits: Limits, asked: Asked) -> Self {
        let (buffer, reader) = (BytesMut::new(), HeadReader::new(limits.head).of_any_status());
        Self { buffer, reader, asked, interims: Vec::new(), first_at: None }
    }

    /// Reads more. Cancel safe.
    async fn more<R: AsyncRead + Unpin>(&mut self, read: &mut R) -> io::Result<usize> {
        self.buffer.reserve(READ_BYTES);
        let came = read.read_buf(&mut self.buffer).await?;
        self.first_at.get_or_insert_with(Instant::now);
        Ok(came)
    }

    /// The head of the answer, if all of it came. Those of 1xx before it are put aside.
    fn head(&mut self) -> Result<Option<(Head, Framing)>, AskError> {
        while !self.buffer.is_empty() {
            let read = self.reader.read(&self.buffer, self.asked).map_err(AskError::Head)?;
            let Some(read) = read else { return Ok(None) };
            let head = self.taken(&read);
            let bytes = self.buffer.split_to(read.len);
            drop(bytes);
            if !(100..=199).contains(&head.status) {
                return Ok(Some((head, read.framing)));
            }
            if self.interims.len() == INTERIMS_MAX {
                return Err(AskError::Interims(INTERIMS_MAX));
            }
            self.interims.push(head);
        }
        Ok(None)
    }

    fn taken(&self, read: &Read) -> Head {
        let at = |place: std::ops::Range<usize>| self.buffer[place].to_vec();
        let fields = self.reader.fields().iter().map(|span| {
            (String::from_utf8_lossy(&self.buffer[span.name()]).into_owned(), at(span.value()))
        });
        Head {
            version: match read.version {
                http1::Version::Http10 => Version::HTTP_10,
                http1::Version::Http11 => Version::HTTP_11,
            },
            status: read.status,
            reason: at(read.reason.clone()),
            fields: fields.collect(),
        }
    }
}

/// What is sent: the fields of the request, and those that frame it. The connection is for one
/// request.
fn sent(request: &Request, passing: Passing, client: &Client) -> Sent {
    let target = match passing {
        Passing::Straight => request.url.target().to_owned(),
        Passing::OnByProxy => request.url.to_string(),
    };
    let line = format!("{} {target} HTTP/1.1", request.method);
    let mut fields = vec![("host".to_owned(), request.host().as_bytes().to_vec())];
    for (name, value) in &request.fields {
        if !matches!(*name, HOST | CONNECTION | CONTENT_LENGTH | TRANSFER_ENCODING) {
            fields.push((name.as_str().to_owned(), value.as_bytes().to_vec()));
        }
    }
    if request.has_body() {
        let length = request.body.len().to_string();
        fields.push((CONTENT_LENGTH.as_str().to_owned(), length.into_bytes()));
    }
    let authorization = client.proxy.as_ref().and_then(Proxy::authorization);
    if let (Passing::OnByProxy, Some(value)) = (passing, authorization) {
        fields.push((PROXY_AUTHORIZATION.as_str().to_owned(), value.as_bytes().to_vec()));
    }
    fields.push((CONNECTION.as_str().to_owned(), b"close".to_vec()));
    Sent { line, fields }
}

/// No value has a line end: none was made with one.
fn print(sent: &Sent) -> Vec<u8> {
    let mut front = format!("{}\r\n", sent.line).into_bytes();
    for (name, value) in &sent.fields {
        front.extend_from_slice(name.as_bytes());
        front.extend_from_slice(b": ");
        front.extend_from_slice(value);
        front.extend_from_slice(b"\r\n");
    }
    front.extend_from_slice(b"\r\n");
    front
}

impl Sent {
    /// Whether what a field says is between the two sides alone.
    pub fn is_secret(name: &str) -> bool {
        [AUTHORIZATION, PROXY_AUTHORIZATION, http::header::COOKIE]
            .iter()
            .any(|secret| secret.as_str().eq_ignore_ascii_case(name))
    }
}
