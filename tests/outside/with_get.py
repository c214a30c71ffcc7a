"""`relais get`, against nginx, and servers that do what no server should."""

import fcntl
import gzip
import json
import os
import random
import re
import signal
import socket
import ssl
import struct
import subprocess
import termios
import threading
import time

from certificates import papers
from listening import Listening
from misbehaving import KINDS, Misbehaving
from origin import Origin
from stage import RELAIS, equal, eventually, free_port, holds, need, test
from terminals import Tmux, on_a_terminal


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


@test
def nginx_is_asked_over_http_1_and_2_in_the_clear_and_under_tls(stage):
    clear, secure, cert = nginx(stage)
    printed, said = get(stage, f"{clear}/")
    equal(printed, b"hello from nginx\n")
    holds(said, "HTTP/1.1 200 OK\nServer: nginx")
    for part in ["connect", "first byte", "body", "total", "█"]:
        holds(said, part)
    at = f"https://localhost:{secure}/"
    printed, said = get(stage, "-v", "--ca", cert, at)
    equal(printed, b"hello from nginx\n")
    holds(said, "\nHTTP/2 200 (OK)\n")
    holds(said, "* TLS 1.3, TLS_AES_256_GCM_SHA384, h2\n* certificate 1: CN=localhost")
    holds(said, f"> GET / HTTP/2\n> :scheme: https\n> :authority: localhost:{secure}\n")
    holds(said, "\ntls ")
    _, said = get(stage, "--http1", "--ca", cert, at)
    holds(said, "HTTP/1.1 200 OK")
    _, said = get(stage, at, status=1)
    holds(said, "is not believed: its ")
    holds(get(stage, "--insecure", at)[1], "INSECURE")
    printed, said = get(stage, "--check", f"{clear}/teapot", status=3)
    holds(said, "HTTP/1.1 418\n")
    get(stage, f"{clear}/teapot")
    _, said = get(stage, f"http://127.0.0.1:{secure}/")
    holds(said, "400 Bad Request")
    _, said = get(stage, f"https://127.0.0.1:{clear}/", status=1)
    holds(said, "no TLS is spoken at")
    holds(said, f"in the clear it is http://127.0.0.1:{clear}")


@test
def a_head_alone_is_data(stage):
    clear, secure, cert = nginx(stage)
    printed, said = get(stage, "--head", f"{clear}/big.bin")
    holds(printed.decode(), "HTTP/1.1 200 OK\n")
    holds(printed.decode(), "Content-Length: 5000000\n")
    holds(said, "first byte")
    holds(get(stage, "--head", "--ca", cert, f"https://localhost:{secure}/")[0].decode(), "HTTP/2 200 (OK)\n")


@test
def all_of_it_can_be_had_as_json(stage):
    clear, secure, cert = nginx(stage)
    printed, said = get(stage, "--json", "--ca", cert, "-u", "anna:secret", f"https://localhost:{secure}/a.json")
    equal(said, "")
    told = json.loads(printed)
    equal(told["answer"]["status"], 200)
    equal(told["answer"]["version"], "HTTP/2")
    equal(json.loads(told["body"]), {"b": 1, "a": [True]})
    equal(told["connection"]["tls"]["chain"][0]["subject"], "CN=localhost")
    equal(dict(told["request"]["fields"])["authorization"], "***")
    equal(set(told["timings_ms"]) - {"name"}, {"connect", "tls", "first_byte", "body", "total"})
    told = json.loads(get(stage, "--json", "--follow=1", f"{clear}/old")[0])
    equal([step["status"] for step in told["redirects"]], [301])
    equal(told["body"], "hello from nginx\n")
    told = json.loads(get(stage, "--json", f"{clear}/big.bin")[0])
    equal((told["body"], told["body_bytes"], told["body_is_cut"]), (None, 5_000_000, True))


@test
def a_long_text_that_is_packed_stands_in_json_as_far_as_others_do(stage):
    text = b"line\n" * 400_000
    packed = gzip.compress(text)
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Encoding: gzip\r\n"

    def act(stream, asked):
        body = b"" if asked.startswith("HEAD") else packed
        stream.sendall(f"{head}Content-Length: {len(packed)}\r\n\r\n".encode() + body)

    with Answering(act) as server:
        told = json.loads(get(stage, "--json", server.url)[0])
        equal((told["body"].encode(), told["body_is_cut"], told["body_note"]), (text[: 1 << 20], True, None))
        # Of a head nothing is unpacked.
        told = json.loads(get(stage, "--json", "-X", "HEAD", server.url)[0])
        equal((told["body_bytes"], told["body_is_cut"], told["body_note"]), (0, False, None))


@test
def what_is_asked_is_what_was_said(stage):
    with Origin() as origin:
        def asked(*words, **options):
            return json.loads(get(stage, *words, f"{origin.url}/a?b=c", **options)[0])

        told = asked("-d", "x=1", "-H", "X-A: 1", "-H", "x-a: 2", "-H", "User-Agent: me")
        equal((told["method"], told["target"], told["bytes"]), ("POST", "/a?b=c", 3))
        fields = told["fields"]
        equal([value for name, value in fields if name == "x-a"], ["1", "2"])
        equal([value for name, value in fields if name == "user-agent"], ["me"])
        holds(str(fields), "application/x-www-form-urlencoded")
        equal(asked("--data", "x=1")["bytes"], 3)
        equal(asked("-X", "DELETE")["method"], "DELETE")
        stage.random_file("data", 3_000_000)
        told = asked("-X", "PUT", "-d", f"@{stage.path('data')}")
        equal((told["method"], told["bytes"]), ("PUT", 3_000_000))
        equal(asked("-d", "@-", input=b"[1]")["bytes"], 3)
        holds(str(asked("-u", "anna:secret")["fields"]), "Basic YW5uYTpzZWNyZXQ=")
        _, said = get(stage, "-v", "-u", "anna:secret", "-H", "Cookie: secret", origin.url)
        assert "secret" not in said and "YW5u" not in said, said
        holds(said, "> authorization: ***")


@test
def redirections_are_followed_as_far_as_they_may_be(stage):
    with Origin() as other:
        def act(stream, head):
            target = head.split(" ")[1]
            location = {
                "/one": "two?x",
                "/two?x": f"{other.url}/end",
                "/circle": "/circle2",
                "/circle2": "/circle",
                "/mail": "mailto:a@b",
            }.get(target, f"{target}x")
            stream.sendall(f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())

        with Answering(act) as server:
            printed, said = get(stage, "--follow=5", "-u", "a:b", "-d", "x", f"{server.url}/one")
            told = json.loads(printed)
            equal((told["method"], told["target"], told["bytes"]), ("GET", "/end", 0))
            names = [name for name, _ in told["fields"]]
            assert "authorization" not in names and "content-type" not in names, names
            holds(server.asked[1].lower(), "authorization: basic")
            holds(said, f"* goes on with GET {server.url}/two?x")
            _, said = get(stage, f"{server.url}/one")
            holds(said, "`--follow` goes there")
            _, said = get(stage, "--follow=9", f"{server.url}/circle", status=1)
            holds(said, "redirected in a circle")
            _, said = get(stage, "--follow=9", f"{server.url}/on", status=1)
            holds(said, "redirected more than 9 times")
            equal(sum("/onx" in head for head in server.asked), 9)
            _, said = get(stage, "--follow=9", f"{server.url}/mail", status=1)
            holds(said, "it sends to what cannot be asked: unknown scheme \"mailto\"")
            # The same rules, whoever reads.
            printed, said = get(stage, "--json", "--follow=9", f"{server.url}/circle", status=1)
            equal(printed, b"")
            holds(said, "redirected in a circle")


@test
def what_breaks_off_behind_a_redirection_is_told_of_who_broke_it_off(stage):
    with Answering(says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")) as second:
        moved = f"HTTP/1.1 302 Found\r\nLocation: {second.url}/\r\nContent-Length: 0\r\n\r\n"
        with Answering(says(moved)) as first:
            _, said = get(stage, "--follow=1", first.url, status=1)
    fault = said[said.index("error:"):]
    holds(fault, second.url)
    assert first.url not in fault, fault


@test
def a_body_goes_out_while_its_answer_comes_in(stage):
    """A server that answers first, and sends back what comes: both wait for ever if one side is cut."""
    size = 20_000_000

    def echo(stream, head):
        stream.sendall(f"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n".encode())
        piece = head.split("\r\n\r\n", 1)[1].encode("latin-1")
        left = size - len(piece)
        stream.sendall(piece)
        while left and (piece := stream.recv(65536)):
            left -= len(piece)
            stream.sendall(piece)

    stage.random_file("data", size)
    with Answering(echo) as server:
        get(stage, "-o", stage.path("back"), "-d", f"@{stage.path('data')}", server.url)
    equal(stage.path("back").read_bytes(), stage.path("data").read_bytes())


class Cutting(Listening):
    """Has one file, and breaks off after half of what is asked for, as often as it is told to."""

    def __init__(self, content, cuts=1, tag='"a"'):
        self.content, self.cuts, self.tag, self.asked = content, cuts, tag, []

    def serve(self, stream):
        with stream:
            head = b""
            while b"\r\n\r\n" not in head:
                head += stream.recv(65536)
            head = head.decode("latin-1")
            self.asked.append(head)
            asked = re.search(r"range: bytes=(\d+)-(\d*)", head)
            is_same = f"if-range: {self.tag}\r" in head or "if-range" not in head
            first, size = (int(asked[1]) if asked and is_same else 0), len(self.content)
            end = int(asked[2]) + 1 if asked and is_same and asked[2] else size
            if first >= size:
                answer = f"416 Range Not Satisfiable\r\nContent-Range: bytes */{size}\r\nContent-Length: 0"
                return stream.sendall(f"HTTP/1.1 {answer}\r\n\r\n".encode())
            body = self.content[first:end]
            status = f"206 Partial Content\r\nContent-Range: bytes {first}-{end - 1}/{size}" if first else "200 OK"
            tag = f"ETag: {self.tag}\r\n" if self.tag else ""
            stream.sendall(f"HTTP/1.1 {status}\r\n{tag}Content-Length: {len(body)}\r\n\r\n".encode())
            if self.cuts:
                self.cuts -= 1
                body = body[: len(body) // 2]
            stream.sendall(body)


@test
def a_download_that_broke_off_goes_on(stage):
    content = os.urandom(1_000_000)
    file, part = stage.path("file"), stage.path("file.part")
    with Cutting(content, cuts=2) as server:
        _, said = get(stage, "-o", file, server.url, status=1)
        holds(said, "file.part has 500000 bytes: `--resume` goes on")
        holds(said, "the answer broke off")
        assert not file.exists()
        get(stage, "-o", file, "--resume", server.url, status=1)
        equal(part.stat().st_size, 750_000)
        get(stage, "-o", file, "--resume", server.url)
        equal(file.read_bytes(), content)
        holds(server.asked[-1], "range: bytes=750000-\r\nif-range: \"a\"\r\n")
        equal(sorted(path.name for path in stage.folder.glob("file*")), ["file"])
    # A part that was made before sizes were noted.
    with Cutting(content) as server:
        get(stage, "-o", file, server.url, status=1)
        note = json.loads(stage.path("file.part.json").read_text())
        equal(note.pop("size"), len(content))
        stage.write("file.part.json", json.dumps(note))
        get(stage, "-o", file, "--resume", server.url)
        equal(file.read_bytes(), content)
        holds(server.asked[-1], "range: bytes=500000-")
    # It has changed meanwhile: all of it anew.
    with Cutting(content) as server:
        get(stage, "-o", file, server.url, status=1)
        server.tag, server.content = '"b"', content[::-1]
        _, said = get(stage, "-o", file, "--resume", server.url)
        holds(said, "all of it comes anew")
        equal(file.read_bytes(), content[::-1])
    # It was whole, and only its name was missing.
    with Cutting(content) as server:
        get(stage, "-o", file, server.url, status=1)
        part.write_bytes(content)
        get(stage, "-o", file, "--resume", server.url)
        equal(file.read_bytes(), content)
        holds(server.asked[-1], "range: bytes=1000000-")
        # It is called as it was called, though it is there already; a link leads where it led.
        stage.path("link").symlink_to(file)
        for name in ["file", "./file", "link"]:
            _, said = get(stage, "-o", name, "--resume", server.url)
            holds(said, f"\n* {name}: 976.5 KiB in ")
        equal(stage.path("link").is_symlink(), True)
    # Of what nothing is known nothing is kept.
    with Cutting(content, tag="") as server:
        _, said = get(stage, "-o", file, server.url, status=1)
        holds(said, "they are not kept")
        assert not part.exists()
        equal(file.read_bytes(), content)
        get(stage, "-o", file, "--resume", server.url)


@test
def what_has_as_many_bytes_as_came_is_not_taken_for_whole(stage):
    first, second, file = os.urandom(100_000), os.urandom(40_000), stage.path("file")

    def change(tag):
        answers = iter([
            b'200 OK\r\nETag: "v1"\r\nContent-Length: 100000\r\n\r\n' + first[:40_000],
            # It does not look at `If-Range`, which it may do.
            b"416 No\r\n" + tag + b"Content-Range: bytes */40000\r\nContent-Length: 0\r\n\r\n",
            b'200 OK\r\nETag: "v2"\r\nContent-Length: 40000\r\n\r\n' + second,
        ])  # fmt: skip
        return lambda stream, head: stream.sendall(b"HTTP/1.1 " + next(answers))

    for tag in [b'ETag: "v2"\r\n', b'ETag: "v1"\r\n', b""]:
        with Answering(change(tag)) as server:
            get(stage, "-o", file, server.url, status=1)
            equal(stage.path("file.part").stat().st_size, 40_000)
            _, said = get(stage, "-o", file, "--resume", server.url)
            holds(said, "what comes does not fit: all of it is asked for")
            assert file.read_bytes() == second, tag
            file.unlink()


@test
def nothing_is_put_behind_a_range_that_was_asked_for(stage):
    content, file = os.urandom(100_000), stage.path("file")
    words = ["-o", file, "-H", "Range: bytes=1000-1999"]
    with Cutting(content) as server:
        _, said = get(stage, *words, server.url, status=1)
        holds(said, "500 bytes came, and nothing that they are known by: they are not kept")
        get(stage, "-o", file, "--resume", server.url)
        assert file.read_bytes() == content
        get(stage, *words, server.url)
        equal(file.read_bytes(), content[1000:2000])
        _, said = get(stage, *words, "--resume", server.url, status=2)
        holds(said, "expected one of both")


class Curious(Listening):
    """Speaks TLS, asks who calls, and sends elsewhere if it is to."""

    def __init__(self, key, cert, location=""):
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(cert, key)
        self.tls.load_verify_locations(cert)
        self.tls.verify_mode = ssl.CERT_OPTIONAL
        self.location, self.shown = location, []

    def serve(self, stream):
        with self.tls.wrap_socket(stream, server_side=True) as stream:
            stream.recv(65536)
            self.shown.append(stream.getpeercert(True) is not None)
            status = f"302 Found\r\nLocation: {self.location}" if self.location else "200 OK"
            stream.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())


@test
def a_certificate_is_shown_to_the_host_that_was_named_alone(stage):
    key, cert, _ = papers(stage)
    words = ["--follow", "--http1", "--insecure", "--cert", cert, "--key", key]
    with Curious(key, cert) as end:
        for host, expect in [("127.0.0.1", False), ("localhost", True)]:
            with Curious(key, cert, f"https://{host}:{end.port}/") as begin:
                get(stage, *words, f"https://localhost:{begin.port}/")
                equal((begin.shown, end.shown.pop()), ([True], expect))


@test
def whom_a_server_says_to_call_is_no_wrong_argument(stage):
    with Answering(says("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:0/\r\nContent-Length: 0\r\n\r\n")) as server:
        get(stage, "--follow", server.url, status=1)


@test
def what_cannot_be_written_is_kept_as_far_as_it_came(stage):
    content, file, part = os.urandom(200_000), stage.path("file"), stage.path("file.part")
    for tag, expect in [('"a"', " bytes: `--resume` goes on"), ("", "they are not kept")]:
        with Cutting(content, cuts=0, tag=tag) as server:
            limited = f"trap '' XFSZ; ulimit -f 100; exec {RELAIS} get -o {file} {server.url}"
            done = stage.finish(["bash", "-c", limited])
            said = done.stderr.decode()
            equal((done.returncode, part.exists()), (1, tag != ""), said)
            holds(said, expect)
            holds(said, "error: writing to ")
            get(stage, "-o", file, "--resume", server.url)
            assert file.read_bytes() == content
            file.unlink()


@test
def who_is_interrupted_before_an_answer_leaves_nothing_behind(stage):
    with Answering(lambda stream, head: time.sleep(20)) as server:
        asking = stage.start([RELAIS, "get", "-o", "file", server.url], "get")
        eventually("it waits", lambda: stage.path("file.part").exists())
        asking.signal(signal.SIGINT)
        equal(asking.end(), 1)
        holds(asking.said(), "error: interrupted")
        equal(list(stage.folder.glob("file*")), [])


@test
def nobody_may_read_more_of_a_file_than_before(stage):
    content, file, part = os.urandom(1000), stage.write("file", "secret"), stage.path("file.part")
    for mode in [0o600, 0o640, 0o444]:
        file.chmod(mode)
        with Cutting(content) as server:
            get(stage, "-o", file, server.url, status=1)
            equal(part.stat().st_mode & 0o777, mode | 0o600)
            get(stage, "-o", file, "--resume", server.url)
        equal((file.stat().st_mode & 0o777, file.read_bytes()), (mode, content))


@test
def only_what_is_asked_for_is_written(stage):
    clear, _, _ = nginx(stage)
    _, said = get(stage, "-o", "nothing", f"{clear}/nowhere", status=3)
    holds(said, "nothing is written with status 404")
    assert not stage.path("nothing").exists()
    get(stage, "-o", "/dev/null", f"{clear}/big.bin")
    equal(os.path.exists("/dev/null.part"), False)
    get(stage, "-o", "big", f"{clear}/big.bin")
    equal(stage.path("big").read_bytes(), stage.path("www/big.bin").read_bytes())
    get(stage, "-o", stage.folder, f"{clear}/", status=2)


@test
def hostile_servers_are_bounded(stage):
    need("prlimit")
    bomb = gzip.compress(bytes(200_000_000))
    ok = "HTTP/1.1 200 OK\r\n"

    def endless(start, again):
        def act(stream, head):
            stream.sendall(start.encode())
            for _ in range(100_000):
                stream.sendall(again.encode() * 100)
        return act

    packed = f"{ok}Content-Type: text/plain\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    for act, status, expect in [
        (endless(ok, "x: y\r\n"), 1, "the answer is not well-formed"),
        (endless(f"{ok}x: ", "y"), 1, "the answer is not well-formed"),
        (endless("", "HTTP/1.1 100 Continue\r\n\r\n"), 1, "more than 16 interim answers"),
        (says(f"{ok}Content-Length: 10\r\n\r\nabc"), 1, "the answer broke off"),
        (says(f"{ok}Transfer-Encoding: chunked\r\n\r\nzz\r\n"), 1, "the answer's body is not well-formed"),
        (says(f"{ok}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), 1, "the answer is not well-formed"),
        (says("SSH-2.0-OpenSSH\r\n"), 1, "is it a server of HTTP?"),
        (says(""), 1, "the connection was closed without an answer"),
        (lambda stream, head: time.sleep(5), 1, "no answer came within 500ms"),
        (says(packed + bomb), 0, ""),
    ]:
        with Answering(act) as server:
            words = ["get", "--timeout", "500ms", "--json", server.url]
            done = stage.finish(["prlimit", f"--as={600 << 20}", RELAIS, *words], 30)
            said = done.stderr.decode() + done.stdout.decode()[-3000:]
            equal(done.returncode, status, said)
            holds(said, expect)
            if status == 0:
                holds(said, '"body_is_cut": true')


@test(seconds=240)
def no_server_makes_it_crash_or_wait_forever(stage):
    with Misbehaving() as server:
        for kind in KINDS:
            done = stage.finish([RELAIS, "get", "--timeout", "1s", "-X", kind.method, server.url + kind.path], 60)
            assert done.returncode in (0, 1), (kind.name, done.returncode, done.stderr[-500:])
            assert b"panic" not in done.stderr, (kind.name, done.stderr)


@test
def a_terminal_is_shown_what_can_be_read(stage):
    evil = "HTTP/1.1 200 \x1b[31mOK\r\n\r\n"
    pages = {
        "/json": ("application/json", b'{"b":1.50,"a":["\xc3\xa9"]}', '{\r\n  "b": 1.50,\r\n  "a": [\r\n    "é"\r\n  ]\r\n}\r\n'),
        "/evil": ("text/plain", b"\x1b]0;owned\x07\xff", "\\u{1b}]0;owned\\u{7}\\xff\r\n"),
        "/png": ("image/png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xe0", "* a body of 24 B: image/png, 640 × 480 pixels"),
        "/binary": ("application/octet-stream", bytes(3_000_000), "* a body of 2.8 MiB: application/octet-stream"),
        "/huge": ("video/mp4", bytes(70 << 20), "* a body of more than 64.0 MiB: video/mp4"),
        "/long": ("text/plain", b"x" * 3_000_000, "* cut after 1.0 MiB"),
        "/packed": ("text/plain\r\nContent-Encoding: gzip", gzip.compress(b"y" * 3_000_000), "* cut after 1.0 MiB"),
        "/gzip": ("text/plain\r\nContent-Encoding: gzip", gzip.compress(b"packed"), "packed\r\n"),
        "/br": ("text/plain\r\nContent-Encoding: br", b"\x0b\x02\x80abc\x03", "packed by br, which is not undone here"),
    }  # fmt: skip

    def act(stream, head):
        kind, body, _ = pages[head.split(" ")[1]]
        start = f"HTTP/1.1 200 OK\r\nX-Evil: \xc2\x9b2J\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        stream.sendall(start.encode("latin-1") + body)

    with Answering(act) as server:
        for path, (_, _, expect) in pages.items():
            shown, status = on_a_terminal([RELAIS, "get", server.url + path], stage.env())
            equal(status, 0, path)
            holds(shown.decode(), expect, path)
            assert b"\x1b" not in shown and b"\xc2\x9b" not in shown, shown
            holds(shown.decode(), "X-Evil: \\u{9b}2J", path)
    with Answering(says(evil)) as server:
        _, said = get(stage, server.url, status=1)
        assert "\x1b" not in said


@test
def a_terminal_is_shown_how_far_a_download_is(stage):
    def slowly(stream, head):
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n")
        for _ in range(4):
            stream.sendall(bytes(1_000_000))
            time.sleep(0.15)

    with Answering(slowly) as server:
        shown, status = on_a_terminal([RELAIS, "get", "-o", stage.path("file"), server.url], stage.env())
    equal(status, 0)
    assert re.search(r"▕█+ +▏ +[0-9]+ %  [0-9.]+ MiB of 3.8 MiB, [0-9.]+ MiB/s, [0-9.]+ m?s left", shown.decode()), shown
    holds(shown.decode(), "file: 3.8 MiB in ")
    equal(stage.path("file").stat().st_size, 4_000_000)


@test
def a_narrow_terminal_has_no_line_of_progress_that_goes_on_in_the_next(stage):
    def slowly(stream, head):
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4000000000\r\n\r\n")
        for _ in range(3):
            stream.sendall(bytes(1_000_000))
            time.sleep(0.15)

    with Answering(slowly) as server:
        command = ["/bin/sh", "-c", f"stty cols 60; exec {RELAIS} get -o {stage.path('file')} {server.url}"]
        shown, _ = on_a_terminal(command, stage.env())
    lines = [line for line in re.split(r"\r\x1b\[K|\r?\n", shown.decode()) if "of 3.7 GiB" in line]
    assert lines and all(len(line) == 60 for line in lines), shown


@test
def a_proxy_passes_on_and_tunnels(stage):
    clear, secure, cert = nginx(stage)
    words = ["--forward", "--name", "front", "--private", "--connect-port", secure]
    proxy = stage.relais("proxy", "http://127.0.0.1:0", *words)
    at = f"127.0.0.1:{proxy.port}"
    printed, said = get(stage, "-v", "--proxy", at, f"http://127.0.0.1:{clear}/")
    equal(printed, b"hello from nginx\n")
    holds(said, f"> GET http://127.0.0.1:{clear}/ HTTP/1.1")
    printed, said = get(stage, "-v", "--proxy", at, "--ca", cert, f"https://localhost:{secure}/")
    equal(printed, b"hello from nginx\n")
    holds(said, "\ntunnel ")
    holds(said, "HTTP/2 200 (OK)")
    _, said = get(stage, "--proxy", at, "--insecure", "https://localhost:1/", status=1)
    holds(said, "the proxy answers 4")
    _, said = get(stage, "--proxy", f"127.0.0.1:{free_port()}", f"http://127.0.0.1:{clear}/", status=1)
    holds(said, "refused the connection")


@test
def a_reader_that_has_enough_is_no_failure(stage):
    clear, _, _ = nginx(stage)
    command = f"{RELAIS} get {clear}/big.bin 2>/dev/null | head -c 10 | wc -c; echo ${{PIPESTATUS[0]}}"
    equal(stage.run(["bash", "-c", command]).split(), [b"10", b"0"])


@test
def what_cannot_be_written_is_a_failure(stage):
    with Answering(says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")) as server:
        for words in [[], ["--json"], ["--head"], ["-o", "-"]]:
            with open("/dev/full", "wb") as full:
                done = subprocess.run([RELAIS, "get", *words, server.url], stdout=full, stderr=subprocess.PIPE, env=stage.env())
            equal(done.returncode, 1, words)
            holds(done.stderr.decode(), "error: writing to standard output: no space left", words)


def dripping(pieces, kind, seconds=0.3):
    """Sends `pieces` of a body with so much time between them."""

    def act(stream, head):
        stream.sendall(f"HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Type: {kind}\r\nContent-Length: {sum(map(len, pieces))}\r\n\r\n".encode())
        for piece in pieces:
            stream.sendall(piece)
            time.sleep(seconds)

    return act


@test
def a_part_is_written_by_one_at_a_time(stage):
    file, part = stage.path("file"), stage.path("file.part")
    with Answering(dripping([b"a" * 10] * 8, "text/plain")) as slow, Answering(says("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb")) as other:
        first = stage.start([RELAIS, "get", "-o", file, slow.url], "first")
        eventually("a part", part.exists)
        _, said = get(stage, "-o", file, other.url, status=2)
        holds(said, "is being written by another relais")
        equal(other.asked, [])
        equal(first.process.wait(20), 0)
        equal(file.read_bytes(), b"a" * 80)


@test
def a_part_is_no_link_and_no_file_of_somebody_else(stage):
    victim, part = stage.path("victim"), stage.path("file.part")
    victim.write_text("mine")
    with Answering(says("HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 1\r\n\r\nb")) as server:
        part.symlink_to(victim)
        _, said = get(stage, "-o", stage.path("file"), server.url, status=2)
        holds(said, "file.part\" is a link")
        part.unlink()
        os.mkfifo(part)
        get(stage, "-o", stage.path("file"), server.url, status=2)
        part.unlink()
        _, said = get(stage, "-o", stage.path("nodir/x"), server.url, status=2)
        holds(said, "cannot write")
        # Nobody is asked for what cannot be kept.
        equal(server.asked, [])
        stage.path("file.part.json").symlink_to(victim)
        get(stage, "-o", stage.path("file"), server.url)
    equal(victim.read_text(), "mine")
    equal(stage.path("file").read_text(), "b")
    with Answering(says("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")) as server:
        get(stage, "-o", stage.path("none"), server.url, status=3)
    assert not stage.path("none.part").exists()


@test
def a_part_has_no_more_than_its_range(stage):
    def act(stream, head):
        if "range:" not in head.lower():
            stream.sendall(b"HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 104\r\n\r\n" + b"x" * 50)
            return
        stream.sendall(b"HTTP/1.1 206 P\r\nETag: \"a\"\r\nContent-Range: bytes 50-103/104\r\nTransfer-Encoding: chunked\r\n\r\n")
        stream.sendall(b"50\r\n" + b"y" * 0x50 + b"\r\n0\r\n\r\n")

    with Answering(act) as server:
        get(stage, "-o", stage.path("file"), server.url, status=1)
        _, said = get(stage, "-o", stage.path("file"), "--resume", server.url, status=1)
    holds(said, "more came than")
    equal(stage.path("file.part").read_bytes(), b"x" * 50)
    assert not stage.path("file").exists()


@test
def who_is_interrupted_keeps_what_came(stage):
    with Answering(dripping([b"a" * 10] * 50, "text/plain")) as server:
        asking = stage.start([RELAIS, "get", "-o", stage.path("file"), server.url], "get")
        eventually("bytes", lambda: stage.path("file.part").exists() and stage.path("file.part").stat().st_size > 0)
        asking.signal(signal.SIGINT)
        equal(asking.process.wait(20), 1)
        holds(asking.said(), "`--resume` goes on")


def hears_ctrl_c(program):
    """Whether it does something of its own at SIGINT."""
    with open(f"/proc/{program.pid}/status") as status:
        return int(re.search(r"^SigCgt:\s*(\w+)", status.read(), re.M)[1], 16) & 1 << signal.SIGINT - 1


@test
def who_is_interrupted_says_so_wherever_it_prints(stage):
    with Answering(dripping([b"a" * 10] * 100, "text/plain")) as server:
        asking = stage.start([RELAIS, "get", server.url], "get")
        asking.await_that("some of it", lambda: "aaaaaaaaaa" in asking.said())
        asking.signal(signal.SIGINT)
        equal(asking.end(), 1)
        holds(asking.said(), "aaa\nconnect ")
        holds(asking.said(), "\nerror: interrupted")
        asking = stage.start([RELAIS, "get", "--json", server.url], "get")
        asking.await_that("it hears", lambda: hears_ctrl_c(asking))
        asking.signal(signal.SIGINT)
        equal(asking.end(), 1)
        holds(asking.said(), '"error": "interrupted"')
        holds(asking.said(), "\n}\nerror: interrupted")


@test
def who_waits_for_a_reader_can_be_interrupted(stage):
    def act(stream, head):
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            stream.sendall(b"a" * 1_000_000)

    pipe = stage.path("pipe")
    os.mkfifo(pipe)
    with Answering(act) as server:
        asking = stage.start([RELAIS, "get", "-o", pipe, server.url], "get")
        asking.await_that("an answer", lambda: "200 OK" in asking.said())
        asking.signal(signal.SIGINT)
        equal(asking.end(), 1)
        holds(asking.said(), "error: interrupted")
        for words in [["-o", pipe], ["-o", "/dev/stdout"], []]:
            reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
            room = fcntl.fcntl(reader, fcntl.F_GETPIPE_SZ)
            with open(pipe, "wb") as out:
                asking = subprocess.Popen([RELAIS, "get", *words, server.url], stdout=out, stderr=subprocess.PIPE, env=stage.env())

            def there():
                (count,) = struct.unpack("i", fcntl.ioctl(reader, termios.FIONREAD, bytes(4)))
                return count

            try:
                eventually("a full pipe", lambda: there() > room - 8192)
                asking.send_signal(signal.SIGINT)
                _, said = asking.communicate(timeout=20)
            finally:
                asking.kill()
            equal(asking.returncode, 1, words)
            holds(said.decode(), "error: interrupted", words)
            os.close(reader)


@test
def json_that_is_laid_out_ends_at_ctrl_c(stage):
    pages = {
        "/flat": b"[" + b"1," * 400_000 + b"1]",
        # Sixty times as long by its indents.
        "/deep": b"[" * 60 + b"0," * 200_000 + b"0" + b"]" * 60,
    }

    def act(stream, head):
        body = pages[head.split(" ")[1]]
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with Answering(act) as server:
        shown, status = on_a_terminal([RELAIS, "get", f"{server.url}/deep"], stage.env())
        equal(status, 0)
        assert len(shown) < 1_000_000, len(shown)
        shown, status = on_a_terminal([RELAIS, "get", f"{server.url}/flat"], stage.env())
        equal(status, 0)
        assert len(shown) > 2_000_000, len(shown)
        shown, status = on_a_terminal([RELAIS, "get", f"{server.url}/flat"], stage.env(), b"\x03", after=100_000)
        equal(status, 1)
        holds(shown.decode(), "\r\nerror: interrupted")
        assert len(shown) < 300_000, len(shown)


@test
def what_is_packed_and_no_text_is_counted_to_its_end(stage):
    packed = gzip.compress(random.Random(1).randbytes(3_000_000))
    broken = packed[:20_000] + bytes(2_000_000)
    kind = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Encoding: gzip\r\n"
    for body, size, note in [(packed, "2.8 MiB", None), (broken, "1.9 MiB", "the body is no gzip, or a broken one")]:
        with Answering(says(f"{kind}Content-Length: {len(body)}\r\n\r\n".encode() + body)) as server:
            said = json.loads(get(stage, "--json", server.url)[0])
            equal((said["body_bytes"], said["body_is_cut"], said["body_note"]), (len(body), True, note))
            shown, _ = on_a_terminal([RELAIS, "get", server.url], stage.env())
            holds(shown.decode(), f"* a body of {size}: application/octet-stream")


@test
def what_is_told_of_a_body_that_broke_off_has_lines_of_its_own(stage):
    with Answering(says("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")) as server:
        for words, expect in [("", "abc\nconnect "), ("-q", "abc\nerror: ")]:
            both = stage.run(["sh", "-c", f"{RELAIS} get {words} {server.url} 2>&1"], status=1)
            holds(both.decode(), expect)


@test
def a_picture_of_times_fits_a_narrow_terminal(stage):
    with Answering(says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")) as server:
        for columns, expect in [(80, 66), (40, 40), (30, 23)]:
            command = ["/bin/sh", "-c", f"stty cols {columns}; exec {RELAIS} get {server.url}"]
            shown, _ = on_a_terminal(command, stage.env())
            equal({len(line) for line in shown.decode().split("\r\n") if line.endswith(" ms")}, {expect})


@test
def a_terminal_is_shown_a_stream_as_it_comes(stage):
    kinds = {
        "/events": ("text/event-stream", [b"data: one\n\n", b"data: two\n\n"]),
        "/text": ("text/plain", [b"caf\xc3", b"\xa9\n"]),
        "/unknown": ("application/octet-stream", [b"one ", b"two"]),
        "/json": ("application/json", [b'{"a": ', b"1}"]),
    }

    def act(stream, head):
        kind, pieces = kinds[head.split(" ")[1]]
        # The rest never comes: what is seen is seen before the end.
        stream.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: 1000\r\n\r\n".encode())
        for piece in pieces:
            stream.sendall(piece)
            time.sleep(0.1)
        time.sleep(30)

    with Answering(act) as server:
        asking = "; ".join(f"{RELAIS} get {server.url}{path}; echo end $? of {path}; read x; clear" for path in kinds)
        with Tmux(stage, asking) as screen:
            for path, (_, pieces) in kinds.items():
                for line in b"".join(pieces).decode().split("\n"):
                    screen.sees(line)
                screen.type("C-c")
                screen.sees("error: interrupted")
                screen.sees("total  ")
                screen.sees(f"end 1 of {path}")
                screen.type("Enter")


@test
def text_of_one_byte_a_character_is_shown_as_such(stage):
    head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=ISO-8859-1\r\nContent-Length: 4\r\n\r\n"
    with Answering(says(head + "caf\xe9")) as server:
        shown, _ = on_a_terminal([RELAIS, "get", server.url], stage.env())
        holds(shown.decode(), "café\r\n")
        equal(json.loads(get(stage, "--json", server.url)[0])["body"], "café")
        # As it is, where it is piped.
        printed, _ = get(stage, server.url)
        equal(printed, b"caf\xe9")
        printed, _ = get(stage, "-o", "-", server.url)
        equal((printed, stage.path("-").exists()), (b"caf\xe9", False))
        both = stage.run(["sh", "-c", f"{RELAIS} get {server.url} 2>&1"])
        assert b"caf\xe9\nconnect" in both, both
        both = stage.run(["sh", "-c", f"{RELAIS} get --head {server.url} 2>&1"])
        assert b"\nbody " not in both, both
        for words in [[], ["-o", stage.path("quiet")]]:
            equal(get(stage, "-q", *words, server.url)[1], "")


@test
def a_status_of_no_class_is_shown(stage):
    with Answering(says("HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nhi")) as server:
        printed, said = get(stage, server.url)
        equal(printed, b"hi")
        holds(said, "HTTP/1.1 999 Odd")
        get(stage, "--check", server.url, status=3)


@test
def who_is_interrupted_by_a_fast_stream_ends_at_once(stage):
    need("prlimit")
    def act(stream, head):
        stream.sendall(b"HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 1000000000000\r\n\r\n")
        while True:
            stream.sendall(bytes(1_000_000))

    with Answering(act) as server:
        # Nobody is there to take the bytes off a disk again.
        asking = stage.start(["prlimit", "--fsize=8000000000", RELAIS, "get", "-o", stage.path("file"), server.url], "get")
        part = stage.path("file.part")
        eventually("bytes", lambda: part.exists() and part.stat().st_size > 1_000_000)
        asking.signal(signal.SIGINT)
        equal(asking.process.wait(10), 1)
        holds(asking.said(), "`--resume` goes on")
        part.unlink()


class Socks(Listening):
    """A proxy of SOCKS 5 (RFC 1928), which wants to know who asks (RFC 1929); tells to whom it led."""

    def __init__(self, user):
        self.user, self.led = user, []

    def serve(self, stream):
        with stream, stream.makefile("rb") as heard:
            _, count = heard.read(2)
            assert 2 in heard.read(count), "who asks is not to be said"
            stream.sendall(b"\5\2")
            heard.read(1)
            name, password = (heard.read(heard.read(1)[0]) for _ in range(2))
            stream.sendall(bytes([1, (name, password) != self.user]))
            if (name, password) != self.user:
                return
            *_, kind = heard.read(4)
            host = heard.read(heard.read(1)[0]).decode() if kind == 3 else socket.inet_ntoa(heard.read(4))
            (port,) = struct.unpack(">H", heard.read(2))
            self.led.append((kind, host, port))
            try:
                far = socket.create_connection((host, port), 5)
            except OSError:
                stream.sendall(b"\5\5\0\1\0\0\0\0\0\0")
                return
            stream.sendall(b"\5\0\0\1\x7f\0\0\1\0\x50")
            with far:
                back = threading.Thread(target=pass_on, args=(far, stream))
                back.start()
                pass_on(stream, far)
                back.join()


def pass_on(source, sink):
    try:
        while part := source.recv(65536):
            sink.sendall(part)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@test
def proxies_under_tls_and_of_socks_are_asked_too(stage):
    stage.write("site/text.txt", "some text\n")
    server = stage.relais("serve", "site", "-l", "http://127.0.0.1:0", "-l", "https://127.0.0.1:0", urls=2)
    words = ["--forward", "--private", "--connect-port", server.tls_port, "--connect-port", server.port]
    proxy = stage.relais("proxy", "https://127.0.0.1:0", *words)
    for url, http in [(server.http, "--http1"), (server.https, "--http1"), (server.https, "--http2")]:
        printed, _ = get(stage, http, "--proxy", f"https://localhost:{proxy.tls_port}", f"{url}/text.txt", "-o", "-")
        equal(printed, b"some text\n", f"{url} {http}")
    with Socks((b"me", b"secret")) as socks:
        at = ["--proxy", f"socks5://127.0.0.1:{socks.port}", "--proxy-user", "me:secret"]
        for url in [server.http, server.https, f"http://localhost:{server.port}"]:
            printed, _ = get(stage, *at, f"{url}/text.txt", "-o", "-")
            equal(printed, b"some text\n", url)
        equal(socks.led, [(1, "127.0.0.1", server.port), (1, "127.0.0.1", server.tls_port), (3, "localhost", server.port)])
        _, said = get(stage, *at, f"http://127.0.0.1:{free_port()}", status=1)
        holds(said, "the proxy says: connection refused")
        _, said = get(stage, *at[:3], "me:wrong", server.http, status=1)
        holds(said, "the proxy does not believe who asks")
        # One of HTTP is none of SOCKS.
        _, said = get(stage, "--proxy", f"socks5://127.0.0.1:{server.port}", server.http, status=1)
        holds(said, "SOCKS 5")
        holds(said, "is it a proxy of HTTP? That is `--proxy http://host:port`")
    _, said = get(stage, "--proxy", "ftp://a", server.http, status=2)
    holds(said, "expected http://, https:// or socks5://, and host:port")
