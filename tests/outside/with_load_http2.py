"""`relais load --http2` against nginx, relais, and a server that refuses, resets and goes away; counts as h2load has them."""

import contextlib
import json
import re
import signal
import struct
import time

from certificates import papers
from frames import ACK, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS, frame
from listening import Listening
from stage import RELAIS, equal, eventually, free_port, holds, need, test


def load(stage, *arguments, status=0):
    """Runs a load over HTTP/2 to its end; what it found."""
    words = [RELAIS, "load", "--http2", *map(str, arguments), "--json"]
    return json.loads(stage.run(words, status=status))


def nginx(stage, locations="", requests=1_000_000):
    """Starts nginx with HTTP/2 in the clear and under TLS, and without it; its program and their URLs."""
    need("nginx")
    _, cert, _ = papers(stage)
    clear, secure, plain = free_port(), free_port(), free_port()
    folders = "".join(f"{it}_temp_path {stage.folder}/{it}; " for it in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config = stage.write("nginx.conf", f"""
        daemon off; master_process off; pid {stage.folder}/nginx.pid;
        events {{ worker_connections 2000; }}
        http {{ {folders} log_format plain "$request $status"; access_log {stage.folder}/nginx.log plain;
            keepalive_requests {requests}; root {stage.folder}/site;
            ssl_certificate {cert}; ssl_certificate_key {stage.folder}/key.pem;
            server {{ listen 127.0.0.1:{clear} http2; listen 127.0.0.1:{secure} ssl http2; {locations} }}
            server {{ listen 127.0.0.1:{plain} ssl; }} }}""")
    server = stage.start(["nginx", "-c", config, "-p", stage.folder, "-e", "stderr"], "nginx")
    server.await_port(clear)
    return server, f"http://127.0.0.1:{clear}", f"https://localhost:{secure}", f"https://localhost:{plain}"


def h2load(stage, *words):
    """What h2load counts: answers, those of 2xx, and bytes that came."""
    need("h2load")
    said = stage.run(["h2load", *map(str, words)]).decode()
    number = lambda pattern: int(re.search(pattern, said).group(1))
    return number(r"(\d+) succeeded"), number(r"(\d+) 2xx"), number(r"traffic: \S+ \((\d+)\) total")


def logged(stage):
    return stage.path("nginx.log").read_text().splitlines()


@test
def nginx_is_asked_over_http_2_as_often_as_h2load_asks(stage):
    stage.random_file("site/page.bin", 5000)
    _, clear, secure, _ = nginx(stage)
    cert = stage.path("cert.pem")
    for url in (clear, secure):
        words = [f"{url}/page.bin?a=b", "-n", 3000, "-c", 5, "-m", 20, "-t", 2]
        said = load(stage, *words, *(["--ca", cert] if url == secure else []))
        equal((said["answers"], said["statuses"], said["errors"]), (3000, {"2xx": 3000}, {}), url)
        equal((said["connects"], said["streams"], said["unanswered"]), (5, 20, 0), url)
        answers, good, received = h2load(stage, *words)
        equal((answers, good), (said["answers"], said["statuses"]["2xx"]), url)
        assert abs(said["received_bytes"] - received) < received / 50, (said["received_bytes"], received)
        equal(sum(step["answers"] for step in said["timeline"]["steps"]), 3000)
    eventually("12,000 lines", lambda: len(logged(stage)) >= 12_000)
    equal(set(logged(stage)), {"GET /page.bin?a=b HTTP/2.0 200"})
    equal(len(logged(stage)), 12_000)


@test
def every_kind_of_answer_over_http_2_ends_where_it_should(stage):
    stage.write("site/page.txt", "x" * 20_000)
    _, url, _, _ = nginx(stage, locations="""
        location /none { return 204; }
        location /gone { return 404 "gone"; }
        location /broken { return 503; }
        location /gzip { alias %s/site/; gzip on; gzip_types text/plain; }
        location /posted { client_max_body_size 1m; return 200 "$request_method $content_length"; }
    """ % stage.folder)

    def check(path, statuses, *arguments):
        said = load(stage, url + path, "-n", 200, "-c", 2, "-m", 5, *arguments)
        equal((said["statuses"], said["errors"], said["connects"]), ({statuses: 200}, {}, 2), path)
        return said

    check("/none", "2xx")
    check("/gone", "4xx")
    check("/broken", "5xx")
    assert check("/page.txt", "2xx", "-X", "HEAD")["received_bytes"] < 200 * 1000, "a HEAD has no body"
    check("/gzip/page.txt", "2xx", "-H", "Accept-Encoding: gzip")
    sent = check("/posted", "2xx", "--body", "a" * 9000)["sent_bytes"]
    assert 200 * 9000 < sent < 200 * 9500, sent
    check("/page.txt", "2xx", "--warmup", "100ms")


@test
def streams_that_wait_for_others_are_told_of(stage):
    stage.write("site/index.html", "hello")
    _, url, _, _ = nginx(stage, locations="http2_max_concurrent_streams 3;")
    said = load(stage, url, "-n", 500, "-c", 2, "-m", 20)
    equal((said["answers"], said["errors"], said["connects"]), (500, {}, 2))
    note = "the target lets 3 streams be open at once on a connection: of 20 the others waited, and that is in the latencies, too"
    assert note in said["notes"], said["notes"]
    equal([note for note in load(stage, url, "-n", 50, "-c", 2, "-m", 3)["notes"] if "streams" in note], [])


@test
def relais_serve_is_asked_over_http_2(stage):
    stage.write("site/index.html", "hello")
    stage.random_file("site/big.bin", 3_000_000)
    relais = stage.relais("serve", "site", "-l", "http://127.0.0.1:0", "-l", "https://localhost:0", urls=2)
    clear, url = relais.http, relais.https
    # It speaks HTTP/2 under TLS alone.
    refused = stage.finish([RELAIS, "load", "--http2", clear, "-n", "5"])
    equal(refused.returncode, 1, "exit code")
    holds(refused.stderr.decode(), "what came is no HTTP/2: expected a server that speaks it")
    said = load(stage, url, "-n", 2000, "-c", 7, "-m", 11)
    equal((said["answers"], said["statuses"], said["errors"], said["connects"]), (2000, {"2xx": 2000}, {}, 7), url)
    equal(h2load(stage, url, "-n", 2000, "-c", 7, "-m", 11)[:2], (2000, 2000), url)
    said = load(stage, f"{url}/big.bin", "-n", 20, "-c", 2, "-m", 3)
    equal((said["answers"], said["errors"]), (20, {}), url)
    assert said["received_bytes"] > 60_000_000, said["received_bytes"]
    shown = stage.run([RELAIS, "load", "--http2", url, "-n", "50", "-c", "2", "-m", "3", "--html", "load.html"])
    for page in (shown.decode(), stage.path("load.html").read_text()):
        holds(page, "2 connections with 3 streams each on 2 threads, 50 requests")


@test
def with_a_rate_over_http_2_who_stands_still_is_asked_no_less(stage):
    stage.write("site/index.html", "hello")
    server, url, _, _ = nginx(stage)
    words = [RELAIS, "load", "--http2", url, "-r", "1000", "-d", "3s", "-c", "2", "-m", "2", "--json"]
    running = stage.start(words, "load")
    eventually("requests", lambda: len(logged(stage)) > 500)
    server.signal(signal.SIGSTOP)
    time.sleep(0.6)
    server.signal(signal.SIGCONT)
    equal(running.end(), 0, "exit code")
    said = json.loads(running.said()[: running.said().rindex("}") + 1])
    equal((said["answers"] + said["unsent"], said["errors"]), (3000, {}))
    # Some 600 were due meanwhile, and four sent.
    due, sent = said["latency_us"], said["since_sent_us"]
    assert due["p90"] > 100_000 and due["most"] > 500_000, due
    assert sent["p90"] < 100_000 < sent["most"], sent


@test
def who_goes_away_in_order_over_http_2_is_called_again(stage):
    stage.write("site/index.html", "hello")
    _, url, _, _ = nginx(stage, requests=100)
    said = load(stage, url, "-n", 1000, "-c", 1)
    equal((said["answers"], said["errors"]), (1000, {}))
    assert said["connects"] >= 10, said["connects"]
    # What was under way behind the last that nginx takes was never begun with.
    said = load(stage, url, "-n", 1000, "-c", 1, "-m", 10)
    errors = said["errors"]
    assert set(errors) <= {"goaway"}, errors
    equal(said["answers"] + sum(error["count"] for error in errors.values()), 1000)


class Refusing(Listening):
    """Of four requests it refuses one, resets one, answers one, and goes away at the last."""

    def serve(self, stream):
        with stream, contextlib.suppress(OSError), stream.makefile("rb") as reads:
            assert reads.read(len(PREFACE)) == PREFACE
            stream.sendall(frame(SETTINGS, 0, 0))
            while len(head := reads.read(9)) == 9:
                kind, flags, at = head[3], head[4], struct.unpack(">I", head[5:])[0]
                content = reads.read(int.from_bytes(head[:3], "big"))
                if kind in (SETTINGS, PING) and not flags & ACK:
                    stream.sendall(frame(kind, ACK, 0, content if kind == PING else b""))
                if kind == HEADERS:
                    stream.sendall(self.answer(at))

    def answer(self, at):
        code = lambda number: struct.pack(">I", number)
        return {
            1: frame(RST_STREAM, 0, at, code(7)),
            3: frame(RST_STREAM, 0, at, code(2)),
            5: frame(HEADERS, END_HEADERS | END_STREAM, at, b"\x89"),
            7: frame(GOAWAY, 0, 0, code(5) + code(11) + b"\x1b[2Jcalm"),
        }[at]


@test
def what_goes_wrong_over_http_2_is_counted_by_kinds(stage):
    with Refusing() as server:
        said = load(stage, server.url, "-n", 40, "-c", 1)
        counts = {kind: error["count"] for kind, error in said["errors"].items()}
        equal(counts, {"stream_refused": 10, "stream_reset": 10, "goaway": 10})
        equal((said["answers"], said["statuses"], said["connects"]), (10, {"2xx": 10}, 10))
        holds(said["errors"]["goaway"]["sample"], "the server goes away, before an answer: ENHANCE_YOUR_CALM")
        shown = stage.run([RELAIS, "load", "--http2", server.url, "-n", "40", "-c", "1"]).decode()
        holds(shown, "\n  GOAWAY                10  the server goes away")
        holds(shown, "\n  stream refused        10  the server has not begun with it: REFUSED_STREAM\n")


@test
def who_speaks_no_http_2_is_told_of(stage):
    stage.write("site/index.html", "hello")
    _, _, _, plain = nginx(stage)
    refused = stage.finish([RELAIS, "load", "--http2", plain, "-n", "5", "--insecure"])
    equal(refused.returncode, 1, "exit code")
    holds(refused.stderr.decode(), "no request was answered: HTTP/2 is not agreed on: expected h2 by ALPN")

    class Old(Listening):
        def serve(self, stream):
            with stream:
                stream.recv(1024)
                stream.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                while stream.recv(1024):
                    pass

    with Old() as server:
        refused = stage.finish([RELAIS, "load", "--http2", server.url, "-n", "5"])
        equal(refused.returncode, 1, "exit code")
        holds(refused.stderr.decode(), "what came is no HTTP/2: expected a server that speaks it")


@test
def flags_of_http_2_say_what_they_expect(stage):
    def check(words, what):
        done = stage.finish([RELAIS, "load", *words])
        equal(done.returncode, 2, "exit code")
        holds(done.stderr.decode(), what)

    check(["tcp://127.0.0.1:9", "--http2"], "no HTTP/2 over tcp\n --> command line: --http2\n  = expected a TARGET of `http://…` or `https://…`")
    check(["9", "-m", "5"], "5 streams over HTTP/1.1, which has none\n --> command line: --streams\n  = expected `--http2`")
    check(["9", "--http2", "-m", "0"], "expected a number from 1 to 1000, of requests under way on each connection")
    check(["9", "--http2", "-m", "bonjour"], "expected a number from 1 to 1000")
    check(["9", "--http2", "-m", "1000", "-c", "2000"], "1,000 streams on each of 2,000 connections\n --> command line: --streams\n  = expected 1,000,000 streams in all")
    check(["9", "--http2", "-H", "Connection: close"], "no such fields")
