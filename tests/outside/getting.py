"""`relais get`, and servers to ask."""

import time

from certificates import papers
from listening import Listening
from stage import RELAIS, equal, free_port, need


def get(stage, *words, status=0, seconds=30, **options):
    """What it prints, and what it says beside that."""
    done = stage.finish([RELAIS, "get", *map(str, words)], seconds, **options)
    said = done.stderr.decode(errors="replace")
    if status is not None:
        equal(done.returncode, status, f"get {words} said {said!r}, printed {done.stdout[-300:]!r}")
    return done.stdout, said


class Answering(Listening):
    """Gives `act(stream, head)` each request's head, on a connection of its own."""

    def __init__(self, act):
        self.act, self.asked = act, []

    def serve(self, stream):
        with stream:
            head = b""
            while b"\r\n\r\n" not in head:
                more = stream.recv(65536)
                if not more:
                    return
                head += more
            self.asked.append(head.decode("latin-1"))
            try:
                self.act(stream, head.decode("latin-1"))
            except OSError:
                pass


def says(text):
    text = text.encode("latin-1") if isinstance(text, str) else text
    return lambda stream, head: stream.sendall(text)


def dripping(pieces, kind, seconds=0.3):
    """Sends `pieces` of a body with so much time between them."""

    def act(stream, head):
        stream.sendall(f"HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Type: {kind}\r\nContent-Length: {sum(map(len, pieces))}\r\n\r\n".encode())
        for piece in pieces:
            stream.sendall(piece)
            time.sleep(seconds)

    return act


def nginx(stage):
    """nginx in the clear, and under TLS with HTTP/2; its ports and its certificate."""
    need("nginx")
    key, cert, _ = papers(stage)
    clear, secure = free_port(), free_port()
    stage.write("www/index.html", "hello from nginx\n")
    stage.write("www/a.json", '{"b":1,"a":[true]}')
    stage.random_file("www/big.bin", 5_000_000)
    stage.write("nginx.conf", f"""
        daemon off; master_process off; pid {stage.path("nginx.pid")}; error_log stderr;
        events {{ }}
        http {{
            access_log off;
            types {{ text/html html; application/json json; }}
            client_body_temp_path {stage.path("body")}; proxy_temp_path {stage.path("proxied")};
            fastcgi_temp_path {stage.path("f")}; uwsgi_temp_path {stage.path("u")}; scgi_temp_path {stage.path("s")};
            server {{
                listen 127.0.0.1:{clear};
                listen 127.0.0.1:{secure} ssl http2;
                ssl_protocols TLSv1.2 TLSv1.3;
                ssl_certificate {cert}; ssl_certificate_key {key};
                root {stage.path("www")};
                location /old {{ return 301 /index.html; }}
                location /teapot {{ return 418; }}
            }}
        }}
    """)  # fmt: skip
    stage.start(["nginx", "-c", stage.path("nginx.conf"), "-p", stage.folder], "nginx").await_port(secure)
    return clear, secure, cert
