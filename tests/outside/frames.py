"""HTTP/2 frame by frame, so that a client can say what no library would (RFC 9113, RFC 7541)."""

import contextlib
import socket
import ssl
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4

# Statuses that stand in HPACK's static table; what is not there is 0 here.
STATUSES = {0x88: 200, 0x89: 204, 0x8A: 206, 0x8B: 304, 0x8C: 400, 0x8D: 404, 0x8E: 500}


def integer(number, bits=7):
    most = (1 << bits) - 1
    if number < most:
        return bytes([number])
    said, number = [most], number - most
    while number >= 128:
        said.append(number % 128 + 128)
        number //= 128
    return bytes([*said, number])


def block(fields):
    """Fields as literals that nobody indexes, in the letters that they have."""
    said = b""
    for name, value in fields:
        name, value = name.encode("latin-1"), value.encode("latin-1")
        said += b"\0" + integer(len(name)) + name + integer(len(value)) + value
    return said


def frame(kind, flags, stream, content=b""):
    return struct.pack(">I", len(content))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + content


class Frames:
    """A connection over TLS, with its first stream."""

    def __init__(self, port, seconds=15):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        stream = socket.create_connection(("127.0.0.1", port), seconds)
        self.socket = context.wrap_socket(stream, server_hostname="localhost")
        assert self.socket.selected_alpn_protocol() == "h2"
        self.came = b""
        self.send(PREFACE + frame(SETTINGS, 0, 0) + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 30)))

    def send(self, content):
        with contextlib.suppress(OSError):
            self.socket.sendall(content)

    def ask(self, fields, body=None, trailers=None):
        """Sends a request on the first stream. The head's block may be bytes."""
        head = fields if isinstance(fields, bytes) else block(fields)
        last = END_STREAM if body is None and trailers is None else 0
        self.send(frame(HEADERS, END_HEADERS | last, 1, head))
        if body is not None:
            self.send(frame(DATA, 0 if trailers is not None else END_STREAM, 1, body))
        if trailers is not None:
            self.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, block(trailers)))

    def next(self):
        """The next frame; `None` at the end."""
        while len(self.came) < 9 or len(self.came) < 9 + int.from_bytes(self.came[:3], "big"):
            try:
                part = self.socket.recv(65536)
            except (ssl.SSLError, ConnectionError):
                part = b""
            if not part:
                return None
            self.came += part
        length = int.from_bytes(self.came[:3], "big")
        found = self.came[3], self.came[4], int.from_bytes(self.came[5:9], "big"), self.came[9 : 9 + length]
        self.came = self.came[9 + length :]
        return found

    def answer(self):
        """Status, body, and the end of the first stream: "whole", "reset", or "gone" with the connection."""
        status, body = None, b""
        while (found := self.next()) is not None:
            kind, flags, stream, content = found
            if kind == SETTINGS and not flags & ACK:
                self.send(frame(SETTINGS, ACK, 0))
            if stream == 1 and kind == HEADERS and status is None:
                status = STATUSES.get(content[0], 0)
            if stream == 1 and kind == DATA:
                body += content
                if content:
                    self.send(frame(WINDOW_UPDATE, 0, 1, struct.pack(">I", len(content))))
            if stream == 1 and kind == RST_STREAM:
                return status, body, "reset"
            if stream == 1 and kind in (HEADERS, DATA) and flags & END_STREAM:
                return status, body, "whole"
            if kind == GOAWAY and int.from_bytes(content[4:8], "big") != 0:
                return status, body, "gone"
        return status, body, "gone"

    def close(self):
        self.socket.close()
