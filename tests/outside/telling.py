"""A server that says what it is told to, byte for byte, and notes what it was asked."""

import contextlib
import dataclasses
import socket
import struct
import threading

from listening import Listening


@dataclasses.dataclass
class Asked:
    method: str
    target: str
    # As they came, in their order.
    fields: list
    body: bytes = b""

    @property
    def path(self):
        return self.target.partition("?")[0]

    def value(self, name):
        """All values of the fields called so, one behind the other."""
        return ", ".join(value for found, value in self.fields if found.lower() == name)


class Telling(Listening):
    """Says what `answer` gives for a request: bytes, or those and what becomes of the connection then."""

    def __init__(self, answer):
        self.answer = answer
        self.asked = []
        self.lock = threading.Lock()

    def count(self, target):
        return sum(asked.target == target for asked in self.asked)

    def serve(self, stream):
        with contextlib.suppress(OSError), stream, stream.makefile("rb") as came:
            while (asked := read(came)) is not None:
                with self.lock:
                    self.asked.append(asked)
                said = self.answer(asked)
                said, then = said if isinstance(said, tuple) else (said, "keep")
                stream.sendall(said)
                if then == "reset":
                    # Not before what was said has been read: a reset takes it back.
                    threading.Event().wait(0.1)
                    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if then != "keep":
                    # A file holds the socket open.
                    came.close()
                    return


def read(came):
    line = came.readline().decode("latin-1")
    if not line:
        return None
    method, target, _ = line.split(" ", 2)
    fields = []
    while (line := came.readline().decode("latin-1").rstrip("\r\n")):
        name, _, value = line.partition(":")
        fields.append((name, value.strip()))
    asked = Asked(method, target, fields)
    if length := asked.value("content-length"):
        asked.body = came.read(int(length))
    elif asked.value("transfer-encoding"):
        while size := int(came.readline(), 16):
            asked.body += came.read(size + 2)[:-2]
        came.readline()
    return asked


FRESH = "Cache-Control: max-age=60\r\n"


def says(body, fields=FRESH, status="200 OK"):
    """A whole answer."""
    body = body.encode("latin-1") if isinstance(body, str) else body
    head = f"HTTP/1.1 {status}\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
    return head.encode("latin-1") + body
