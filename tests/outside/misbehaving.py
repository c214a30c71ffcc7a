"""A server that does what no server should: one kind of it for each path."""

import contextlib
import dataclasses
import socket
import struct
import threading
import time
import typing

from frames import ACK, HEADERS, PREFACE, SETTINGS, frame
from listening import Listening

OK = "HTTP/1.1 200 OK\r\n"
CHUNKED = OK + "Transfer-Encoding: chunked\r\n\r\n"
FIVE = OK + "Content-Length: 5\r\n"
HELLO = FIVE + "\r\nhello"
POISON = OK + "Content-Length: 6\r\n\r\nPOISON"

# More than any socket has room for, so that who asks is still sending when it is answered.
UPLOAD_BYTES = 12_000_000


@dataclasses.dataclass
class Kind:
    """What it does: says `text`, or what that does; and then `then`."""

    name: str
    text: str | typing.Callable
    then: str
    # Status and end of what the client gets, what becomes of its connection and of the server's; perhaps
    # with another after `or`.
    expect: str
    method: str = "GET"
    upload: bool = False
    # On a connection that waits for its next request: nobody else may ask meanwhile.
    alone: bool = False

    @property
    def path(self):
        return "/" + self.name.replace(" ", "-")


def drip(pause):
    def say(caller, text):
        for letter in text:
            caller.say(letter)
            time.sleep(pause)

    return say


def slowly(text, pause=0.01):
    return lambda caller: drip(pause)(caller, text)


def endless(start, again, most=40_000_000):
    """Says `again` until nobody listens."""

    def say(caller):
        caller.say(start)
        piece = (again * (1 + 65536 // len(again)))[: 65536 // len(again) * len(again)]
        for _ in range(most // len(piece)):
            caller.say(piece)

    return say


def now_and_then(start, again, pause):
    def say(caller):
        caller.say(start)
        for _ in range(100):
            caller.say(again)
            time.sleep(pause)

    return say


def later(text, more, pause=0.2):
    def say(caller):
        caller.say(text)
        time.sleep(pause)
        caller.say(more)

    return say


def echo(caller):
    """Answers while it is still being asked: each piece of the body comes back as a chunk."""
    caller.say(CHUNKED)
    left = caller.length
    while left:
        piece = caller.take(min(left, 65536))
        left -= len(piece)
        caller.say(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    caller.say("0\r\n\r\n")


def fields(count, size=1):
    return "".join(f"X-{number}: {'y' * size}\r\n" for number in range(count))


def chunk(line, data="hello"):
    return f"{CHUNKED}{line}\r\n{data}\r\n0\r\n\r\n"


GONE = "502 whole kept closed"
CUT = "200 cut closed closed"
WHOLE = "200 whole kept kept"
LAST = "200 whole kept closed"

KINDS = [
    # Breaks off.
    Kind("closes before its answer", "", "close", GONE),
    Kind("resets before its answer", "", "reset", GONE),
    Kind("closes within its status line", "HTTP/1.1 20", "close", GONE),
    Kind("resets within its status line", "HTTP/1.1 20", "reset", GONE),
    Kind("closes within its head", OK + "X: y\r\n", "close", GONE),
    Kind("resets within its head", OK + "X: y\r\n", "reset", GONE),
    Kind("closes after a hint", "HTTP/1.1 103 Early Hints\r\n\r\n", "close", GONE),
    Kind("closes within a length", FIVE + "\r\nhel", "close", CUT),
    Kind("resets within a length", FIVE + "\r\nhel", "reset", CUT),
    Kind("closes where a length begins", FIVE + "\r\n", "close", CUT),
    Kind("closes between chunks", CHUNKED + "5\r\nhello\r\n", "close", CUT),
    Kind("resets between chunks", CHUNKED + "5\r\nhello\r\n", "reset", CUT),
    Kind("closes within a chunk", CHUNKED + "5\r\nhel", "close", CUT),
    Kind("closes within a chunk size", CHUNKED + "5\r\nhello\r\n0", "close", CUT),
    Kind("closes before the last line", CHUNKED + "5\r\nhello\r\n0\r\n", "close", CUT),
    Kind("closes within trailers", CHUNKED + "5\r\nhello\r\n0\r\nX: y\r\n", "close", CUT),
    Kind("resets what only its end ends", OK + "\r\nhello", "reset", CUT),
    Kind("closes what only its end ends", OK + "\r\nhello", "close", LAST),
    Kind("closes a kept connection", HELLO, "close", LAST),
    Kind("resets a kept connection", HELLO, "reset", LAST),
    Kind("says close and does not", FIVE + "Connection: close\r\n\r\nhello", "keep", LAST),
    Kind("says keep-alive in HTTP/1.0", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello", "keep", WHOLE),
    Kind("says a length in HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "keep", LAST),
    # Says more than it was asked.
    Kind("says two answers", HELLO + POISON, "keep", LAST),
    Kind("says two answers in chunks", chunk("5") + POISON, "keep", LAST),
    Kind("says a second answer later", later(HELLO, POISON), "keep", LAST, alone=True),
    Kind("says that an idle connection is too late", later(HELLO, "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"), "close", LAST, alone=True),
    Kind("says more than its length", HELLO + "more", "keep", LAST),
    Kind("says one line end too many", HELLO + "\r\n", "keep", LAST),
    Kind("says a body to HEAD", HELLO, "keep", LAST, method="HEAD"),
    Kind("says chunks to HEAD", chunk("5"), "keep", LAST, method="HEAD"),
    Kind("says a length to HEAD", FIVE + "\r\n", "keep", WHOLE, method="HEAD"),
    Kind("says a body with 204", "HTTP/1.1 204 No Content\r\n\r\nhello", "keep", "204 whole kept closed"),
    Kind("says a length with 204", "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello", "keep", GONE),
    Kind("says chunks with 204", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "keep", GONE),
    Kind("says a body with 304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello", "keep", "304 whole kept closed"),
    Kind("says a length with 304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "keep", "304 whole kept kept"),
    Kind("says a body with 103", "HTTP/1.1 103 Hint\r\nContent-Length: 5\r\n\r\nhello" + HELLO, "keep", GONE),
    # No HTTP.
    Kind("says garbage", "".join(chr(n * 37 % 256) for n in range(3000)), "keep", GONE),
    Kind("says what HTTP 0.9 said", "<html>hello</html>\r\n", "close", GONE),
    Kind("says HTTP 2 frames", "\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x04\0\x10\0\0\0\x06\0\0\x40\0", "keep", GONE),
    Kind("says a TLS alert", "\x15\x03\x01\0\x02\x02\x46", "close", GONE),
    Kind("says HTTP/2.0", "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", "keep", GONE),
    Kind("says HTTP/1.2", "HTTP/1.2 200 OK\r\nContent-Length: 5\r\n\r\nhello", "keep", WHOLE),
    Kind("says http in small letters", "http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "keep", GONE),
    Kind("says an empty line before", "\r\n" + HELLO, "keep", GONE),
    # Status lines.
    *[
        Kind(f"says status {code}", f"HTTP/1.1 {code} X\r\nContent-Length: 0\r\n\r\n", "keep", GONE)
        for code in ["000", "099", "600", "999", "20", "2000", "2x0", "+20", " 200", "-20"]
    ],
    Kind("says status 599", "HTTP/1.1 599 X\r\nContent-Length: 0\r\n\r\n", "keep", "599 whole kept kept"),
    Kind("says no reason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "keep", WHOLE),
    Kind("says not even a space", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "keep", WHOLE),
    Kind("says NUL in its reason", "HTTP/1.1 200 O\0K\r\nContent-Length: 0\r\n\r\n", "keep", GONE),
    Kind("says ESC in its reason", "HTTP/1.1 200 O\x1b[2JK\r\nContent-Length: 0\r\n\r\n", "keep", GONE),
    Kind("says CR in its reason", "HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n", "keep", GONE),
    # Fields.
    Kind("folds a line", FIVE + "X: y\r\n z\r\n\r\nhello", "keep", GONE),
    Kind("folds the first line", OK + " Content-Length: 5\r\n\r\nhello", "keep", GONE),
    Kind("says a space before the colon", OK + "Content-Length : 5\r\n\r\nhello", "keep", GONE),
    Kind("says a line without a colon", FIVE + "nonsense\r\n\r\nhello", "keep", GONE),
    Kind("says a field without a name", FIVE + ": x\r\n\r\nhello", "keep", GONE),
    Kind("says NUL in a field", FIVE + "X: a\0b\r\n\r\nhello", "keep", GONE),
    Kind("says NUL in a name", FIVE + "X\0: a\r\n\r\nhello", "keep", GONE),
    Kind("says BEL in a field", FIVE + "X: a\x07b\r\n\r\nhello", "keep", GONE),
    Kind("says DEL in a field", FIVE + "X: a\x7fb\r\n\r\nhello", "keep", GONE),
    Kind("says a bare CR in a field", FIVE + "X: a\rSet-Cookie: b\r\n\r\nhello", "keep", GONE),
    Kind("ends a line with LF", FIVE + "X: y\n\r\nhello", "keep", GONE),
    Kind("ends its head with LF", OK + "Content-Length: 5\r\n\nhello", "keep", GONE),
    Kind("ends all lines with LF", HELLO.replace("\r\n", "\n"), "keep", GONE),
    Kind("says letters beyond ASCII", FIVE + "X: \xe4\xff\r\n\r\nhello", "keep", WHOLE),
    # Lengths.
    *[
        Kind(f"says a length of {length or 'nothing'}", f"{OK}Content-Length: {length}\r\n\r\nhello", "keep", GONE)
        for length in ["5, 5", "5,6", "+5", "-5", "0x5", "5 5", "5.0", "", "18446744073709551621", "9" * 20]
    ],
    Kind("says a length twice", FIVE + "Content-Length: 5\r\n\r\nhello", "keep", GONE),
    Kind("says two lengths", FIVE + "Content-Length: 3\r\n\r\nhello", "keep", GONE),
    Kind("says a length and chunks", FIVE + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "keep", GONE),
    Kind("says chunks and a length", OK + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", "keep", GONE),
    Kind("says chunks twice", OK + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "keep", GONE),
    Kind("says chunks in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "keep", GONE),
    *[
        Kind(f"says a coding of {coding!r}", f"{OK}Transfer-Encoding: {coding}\r\n\r\n0\r\n\r\n", "close", GONE)
        for coding in ["gzip, chunked", "chunked, gzip", "identity", "xchunked", "chunked, chunked", "chunked;q=1", "\x0bchunked", ""]
    ],
    # Chunks.
    *[
        Kind(f"says a chunk of {size!r}", chunk(size), "keep", CUT)
        for size in ["-5", "+5", " 5", "5 ", "0x5", "", "g", "5,", "5\t", "10000000000000005", "0" * 16 + "5", "5;", "5; a", "5;a=", '5;a="b', "5;a=\x01"]
    ],
    Kind("says the largest chunk", CHUNKED + "ffffffffffffffff\r\nhello", "close", CUT),
    Kind("says sixteen digits", chunk("0" * 15 + "5"), "keep", WHOLE),
    Kind("says a chunk extension", chunk('5;a;b=c;d="e;\\"f"'), "keep", WHOLE),
    Kind("says the longest chunk extension", chunk("5;" + "a" * 255), "keep", WHOLE),
    Kind("says too long a chunk extension", chunk("5;" + "a" * 256), "keep", CUT),
    Kind("says a chunk size with LF", CHUNKED + "5\nhello\r\n0\r\n\r\n", "keep", CUT),
    Kind("says a chunk longer than its size", chunk("5", "hellohello"), "keep", CUT),
    Kind("says a chunk shorter than its size", chunk("5", "hel"), "keep", CUT),
    Kind("says trailers", CHUNKED + "5\r\nhello\r\n0\r\nX-End: y\r\n\r\n", "keep", WHOLE),
    Kind("says many trailers", CHUNKED + "5\r\nhello\r\n0\r\n" + fields(300) + "\r\n", "keep", CUT),
    Kind("says large trailers", CHUNKED + "5\r\nhello\r\n0\r\n" + fields(70, 1000) + "\r\n", "keep", CUT),
    Kind("says endless trailers", endless(CHUNKED + "5\r\nhello\r\n0\r\n", "X: y\r\n"), "keep", CUT),
    Kind("says a length in its trailers", CHUNKED + "5\r\nhello\r\n0\r\nContent-Length: 3\r\n\r\n", "keep", CUT),
    Kind("says NUL in its trailers", CHUNKED + "5\r\nhello\r\n0\r\nX: \0\r\n\r\n", "keep", CUT),
    # Much.
    Kind("says an endless status line", endless("HTTP/1.1 200 ", "O"), "keep", GONE),
    Kind("says an endless line", endless(OK + "X: ", "y"), "keep", GONE),
    Kind("says endless fields", endless(OK, "X: y\r\n"), "keep", GONE),
    Kind("says 256 fields", FIVE + fields(255) + "\r\nhello", "keep", WHOLE),
    Kind("says 257 fields", FIVE + fields(256) + "\r\nhello", "keep", GONE),
    Kind("says a large head", FIVE + fields(30, 2000) + "\r\nhello", "keep", WHOLE),
    Kind("says too large a head", FIVE + fields(33, 2000) + "\r\nhello", "keep", GONE),
    Kind("says 16 hints", "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" * 16 + HELLO, "keep", WHOLE),
    Kind("says 17 hints", "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n" * 17 + HELLO, "keep", GONE),
    Kind("says endless hints", endless("", "HTTP/1.1 100 Continue\r\n\r\n"), "keep", GONE),
    Kind("switches protocols unasked", "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", "keep", GONE),
    # Slow.
    Kind("never answers", "", "keep", "504 whole kept closed"),
    Kind("stalls within its head", OK + "X: ", "keep", "504 whole kept closed"),
    Kind("drips its head", slowly(OK + "X: " + "y" * 100, 0.1), "keep", "504 whole kept closed"),
    Kind("hints for ever", now_and_then("", "HTTP/1.1 102 Processing\r\n\r\n", 0.4), "keep", "504 whole kept closed"),
    Kind("stalls within a length", FIVE + "\r\nhel", "keep", CUT),
    Kind("stalls between chunks", CHUNKED + "5\r\nhello\r\n", "keep", CUT),
    Kind("stalls where a body begins", CHUNKED, "keep", CUT),
    Kind("drips its answer", slowly(HELLO), "keep", WHOLE),
    Kind("drips its chunks", slowly(chunk("5;a=b")), "keep", WHOLE),
    # Uploads.
    # All of it may have been sent before the answer is read: then nothing is amiss.
    Kind("answers an upload at once and reads it", HELLO, "drain", "200 whole closed closed or 200 whole kept kept", method="POST", upload=True),
    Kind("answers an upload at once and closes", HELLO, "close", "200 whole closed closed", method="POST", upload=True),
    Kind("answers an upload at once and resets later", HELLO, "reset later", "200 whole closed closed", method="POST", upload=True),
    Kind("answers an upload at once and stands still", HELLO, "still", "200 whole closed closed", method="POST", upload=True),
    Kind("refuses an upload and closes", "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "close", "413 whole closed closed", method="POST", upload=True),
    Kind("closes within an upload", "", "close", "502 whole closed closed", method="POST", upload=True),
    # When its answer goes on, it is not known yet whether all of the upload will be taken.
    Kind("echoes an upload", echo, "keep", "200 whole closed kept", method="POST", upload=True),
]


class Caller:
    """A connection to the server."""

    def __init__(self, stream):
        self.stream = stream
        self.came = b""
        self.length = 0
        # What it was asked, in this order.
        self.asked = []
        self.ended = threading.Event()

    def is_kept(self, query, seconds=1):
        """Whether it may be asked again behind this one: it was, or it still waits for that."""
        while not self.ended.wait(0.02) and seconds > 0 and self.asked[-1] == query:
            seconds -= 0.02
        return self.asked[-1] != query or not self.ended.is_set()

    def say(self, text):
        self.stream.sendall(text.encode("latin-1") if isinstance(text, str) else text)

    def take(self, most):
        if not self.came:
            self.came = self.stream.recv(65536)
            if not self.came:
                raise EOFError
        piece, self.came = self.came[:most], self.came[most:]
        return piece

    def head(self):
        while b"\r\n\r\n" not in self.came:
            more = self.stream.recv(65536)
            if not more:
                raise EOFError
            self.came += more
        head, _, self.came = self.came.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        lengths = [line for line in lines if line.lower().startswith("content-length:")]
        self.length = int(lengths[0].split(":")[1]) if lengths else 0
        return lines[0].split(" ")[1]

    def drain(self):
        while self.length:
            self.length -= len(self.take(self.length))

    def reset(self):
        self.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Misbehaving(Listening):
    """The server, and its port. Ended with the `with` it stands in."""

    def __init__(self, tls=None):
        # What makes a connection one of TLS, or nothing.
        self.tls = tls
        self.scheme = "https" if tls else "http"
        self.kinds = {kind.path: kind for kind in KINDS}
        # Who asked, by the query that told it apart.
        self.callers = {}

    def serve(self, stream):
        with contextlib.suppress(OSError):
            self.attend(Caller(self.tls.wrap_socket(stream, server_side=True) if self.tls else stream))

    def attend(self, caller):
        with contextlib.suppress(OSError, EOFError):
            while self.answer(caller, caller.head()):
                pass
        caller.stream.close()
        caller.ended.set()

    def answer(self, caller, target):
        """Answers one request; whether another may come."""
        path, _, query = target.partition("?")
        self.callers.setdefault(query, []).append(caller)
        caller.asked.append(query)
        kind = self.kinds.get(path)
        if kind is None:
            caller.drain()
            body = f"well {query}"
            caller.say(f"{OK}Content-Length: {len(body)}\r\n\r\n{body}")
            return True
        if not kind.upload:
            caller.drain()
        elif kind.text is not echo:
            # It has begun to come.
            caller.length -= len(caller.take(1000))
        if callable(kind.text):
            kind.text(caller)
        else:
            caller.say(kind.text)
        return self.end(caller, kind.then)

    def end(self, caller, then):
        match then:
            case "bid farewell":
                # TLS tells of an end by itself.
                caller.stream = caller.stream.unwrap()
            case "keep":
                return True
            case "drain":
                caller.drain()
                return True
            case "still":
                time.sleep(0.5)
                caller.drain()
            case "reset":
                # Not before what was said has been read: a reset takes it back.
                time.sleep(0.1)
                caller.reset()
            case "reset later":
                time.sleep(0.5)
                caller.reset()
        return False


class Cutting(Listening):
    """A server of HTTP/2 in the clear that answers each request with frames of our own, and then perhaps closes."""

    def __init__(self, act):
        # Gives the frames for a stream, those that come later, and whether the connection goes on.
        self.act = act
        self.asked = 0

    def serve(self, stream):
        with contextlib.suppress(OSError, EOFError), stream, stream.makefile("rb") as came:
            came.read(len(PREFACE))
            stream.sendall(frame(SETTINGS, 0, 0))
            goes_on = True
            while goes_on and len(front := came.read(9)) == 9:
                came.read(int.from_bytes(front[:3], "big"))
                if front[3] == SETTINGS and not front[4] & ACK:
                    stream.sendall(frame(SETTINGS, ACK, 0))
                if front[3] == HEADERS:
                    self.asked += 1
                    frames, later, goes_on = self.act(int.from_bytes(front[5:], "big"), self.asked)
                    stream.sendall(frames)
                    time.sleep(0.05)
                    stream.sendall(later)
