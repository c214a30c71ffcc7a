"""A server that tells what it was asked: Python's own, on a thread of the tests."""

import base64
import hashlib
import http.server
import json

from serving import Serving


class Asked(http.server.BaseHTTPRequestHandler):
    """Answers every request with what came, as JSON."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.headers.get("Upgrade", "").lower() == "websocket":
            return self.echo_frames()
        body = self.body()
        answer = json.dumps({
            "method": self.command,
            "target": self.path,
            "fields": [[name.lower(), value] for name, value in self.headers.items()],
            "bytes": len(body),
            "sha256": hashlib.sha256(body).hexdigest(),
        }).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("X-Hop", "for one hop")
        self.send_header("Connection", "x-hop")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = do_GET

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def echo_frames(self):
        """RFC 6455 as far as a test needs it: the handshake, then every byte comes back."""
        key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()
        while part := self.connection.recv(65536):
            self.connection.sendall(part)
        self.close_connection = True

    def log_message(self, *_):
        pass


class Origin(Serving):
    """The server."""

    handler = Asked
