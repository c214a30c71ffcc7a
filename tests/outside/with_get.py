"""`relais get`, against nginx, and servers that do what no server should."""

import gzip
import json
import random
import socket
import ssl
import struct
import subprocess
import threading
import time

from certificates import papers
from getting import Answering, get, nginx, says
from listening import Listening
from misbehaving import KINDS, Misbehaving
from origin import Origin
from stage import RELAIS, equal, free_port, holds, need, test
from terminals import Tmux, on_a_terminal


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
