"""A client of HTTP/1.1 that believes nothing: it says how each answer ended."""

import contextlib
import dataclasses
import socket
import threading


class Wrong(AssertionError):
    """What came is no answer."""


@dataclasses.dataclass
class Answer:
    status: int
    # The last of a name counts.
    fields: dict
    body: bytes
    # "whole", or "cut".
    end: str
    trailers: dict
    # Heads of 1xx before it.
    interim: list


class Strict:
    """A connection, and what came on it and was not read yet."""

    def __init__(self, port, seconds=20):
        self.socket = socket.create_connection(("127.0.0.1", port), seconds)
        self.came = b""
        self.ended = False
        self.was_reset = False

    def close(self):
        self.socket.close()

    def send(self, text):
        # Who answers early may close early, too.
        with contextlib.suppress(OSError):
            self.socket.sendall(text.encode("latin-1") if isinstance(text, str) else text)
        return self

    def send_beside(self, text):
        """Sends while answers are read."""
        threading.Thread(target=self.send, args=(text,), daemon=True).start()
        return self

    def more(self):
        """Reads on; whether there was more."""
        if self.ended:
            return False
        try:
            part = self.socket.recv(65536)
        except ConnectionResetError:
            part, self.was_reset = b"", True
        self.ended = not part
        self.came += part
        return bool(part)

    def line(self):
        """The next line; `None` if the connection ends before it does."""
        while b"\r\n" not in self.came:
            if not self.more():
                return None
        line, _, self.came = self.came.partition(b"\r\n")
        if b"\n" in line or b"\r" in line or b"\0" in line:
            raise Wrong(f"a line of {line!r}")
        return line.decode("latin-1")

    def lines(self):
        """Fields up to an empty line."""
        found = {}
        while line := self.line():
            name, colon, value = line.partition(":")
            if not colon or not name or name != name.strip():
                raise Wrong(f"a field of {line!r}")
            name = name.lower()
            if name in found and name in ("content-length", "transfer-encoding"):
                raise Wrong(f"{name} twice")
            found[name] = value.strip()
        return found, line is not None

    def answer(self, method="GET"):
        """The next answer; `None` if the connection ends instead."""
        interim = []
        while True:
            first = self.line()
            if first is None:
                if self.came:
                    raise Wrong(f"ended within a status line: {self.came[:100]!r}")
                return None
            version, _, rest = first.partition(" ")
            status, _, _ = rest.partition(" ")
            if version not in ("HTTP/1.1", "HTTP/1.0") or not (len(status) == 3 and status.isdigit()):
                raise Wrong(f"a status line of {first!r}")
            fields, whole = self.lines()
            if not whole:
                raise Wrong("ended within a head")
            if status[0] != "1" or status == "101":
                break
            interim.append(int(status))
        body, end, trailers = self.body(method, int(status), fields)
        return Answer(int(status), fields, body, end, trailers, interim)

    def body(self, method, status, fields):
        length, coding = fields.get("content-length"), fields.get("transfer-encoding")
        if length is not None and coding is not None:
            raise Wrong("a length and chunks")
        if method == "HEAD" or status in (101, 204, 304):
            return b"", "whole", {}
        if coding is not None:
            if coding != "chunked":
                raise Wrong(f"a coding of {coding!r}")
            return self.chunks()
        if length is not None:
            body = self.bytes(int(length))
            return body, "whole" if len(body) == int(length) else "cut", {}
        body = b""
        while self.more():
            body, self.came = body + self.came, b""
        # Only the end of the connection ends it: a reset is none.
        return body, "cut" if self.was_reset else "whole", {}

    def bytes(self, count):
        parts, left = [], count
        while left and (self.came or self.more()):
            parts.append(self.came[:left])
            self.came = self.came[left:]
            left -= len(parts[-1])
        return b"".join(parts)

    def chunks(self):
        parts = []
        while (line := self.line()) is not None:
            size = int(line, 16)
            if size == 0:
                trailers, whole = self.lines()
                return b"".join(parts), "whole" if whole else "cut", trailers
            data = self.bytes(size + 2)
            parts.append(data[:size])
            if len(data) < size + 2:
                break
            if data[size:] != b"\r\n":
                raise Wrong(f"{data[size:]!r} behind a chunk")
        return b"".join(parts), "cut", {}

    def at_end(self, seconds=2):
        """Whether the other side has closed it, and said nothing more."""
        self.socket.settimeout(seconds)
        with contextlib.suppress(TimeoutError):
            while self.more():
                pass
        if self.came:
            raise Wrong(f"said unasked: {self.came[:100]!r}")
        return self.ended
