"""A server that keeps each byte it is sent, and reads requests as narrowly as can be: what is not in
the form that a proxy builds anew is told as wrong."""

import contextlib
import dataclasses
import re

from listening import Listening

# Names in small letters, one space, visible letters: nothing that came in another form was passed on.
FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9a-z-]+): ([\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?")
LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (/[\x21-\x22\x24-\x7e]*|\*) HTTP/1\.1")


@dataclasses.dataclass
class Request:
    method: str
    target: str
    # Names and values, in their order.
    fields: list
    body: bytes = b""
    trailers: list = dataclasses.field(default_factory=list)
    whole: bool = False

    def all(self, name):
        return [value for found, value in self.fields if found == name]


class Misread(Exception):
    pass


class Recorder(Listening):
    """The server, and its port. Ended with the `with` it stands in."""

    def __init__(self, answer=None):
        self.requests = []
        self.wrong = []
        self.answer = answer or (lambda request: "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n" + ("" if request.method == "HEAD" else "ok"))

    def serve(self, stream):
        reader = Reader(stream)
        with contextlib.suppress(OSError, EOFError), reader.stream:
            try:
                while reader.came or reader.more():
                    request = reader.head()
                    self.requests.append(request)
                    reader.body(request)
                    request.whole = True
                    reader.stream.sendall(self.answer(request).encode())
            except Misread as wrong:
                self.wrong.append((str(wrong), reader.kept[-2000:]))

    def those(self, part):
        """The requests whose targets hold `part`."""
        return [request for request in self.requests if part in request.target]


class Reader:
    """One connection."""

    def __init__(self, stream):
        self.stream = stream
        self.came = b""
        self.kept = b""

    def more(self):
        part = self.stream.recv(65536)
        self.came += part
        self.kept += part
        return part

    def line(self):
        while b"\n" not in self.came:
            if not self.more():
                raise EOFError
        line, _, self.came = self.came.partition(b"\n")
        if not line.endswith(b"\r"):
            raise Misread("a bare LF")
        return line[:-1]

    def bytes(self, count):
        while len(self.came) < count:
            if not self.more():
                raise EOFError
        piece, self.came = self.came[:count], self.came[count:]
        return piece

    def lines(self):
        fields = []
        while line := self.line():
            found = FIELD.fullmatch(line)
            if not found:
                raise Misread(f"a field of {line!r}")
            fields.append((found[1].decode(), (found[2] or b"").decode("latin-1")))
        return fields

    def head(self):
        line = self.line()
        found = LINE.fullmatch(line)
        if not found:
            raise Misread(f"a request line of {line!r}")
        return Request(found[1].decode(), found[2].decode("latin-1"), self.lines())

    def body(self, request):
        lengths, codings = request.all("content-length"), request.all("transfer-encoding")
        if len(lengths) + len(codings) > 1 or len(request.all("host")) != 1:
            raise Misread(f"fields of {request.fields}")
        if lengths:
            if not re.fullmatch(r"0|[1-9][0-9]{0,18}", lengths[0]):
                raise Misread(f"a length of {lengths}")
            request.body = self.bytes(int(lengths[0]))
        if codings:
            if codings != ["chunked"]:
                raise Misread(f"a coding of {codings}")
            while size := self.size():
                request.body += self.bytes(size)
                self.end()
            request.trailers = self.lines()

    def size(self):
        line = self.line()
        if not re.fullmatch(rb"0|[1-9a-f][0-9a-f]{0,15}", line):
            raise Misread(f"a chunk size of {line!r}")
        return int(line, 16)

    def end(self):
        if self.bytes(2) != b"\r\n":
            raise Misread("no end of a chunk")
