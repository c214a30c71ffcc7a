"""`relais load` against nginx, relais, socat, ncat, and servers that answer wrongly or too late."""

import base64
import contextlib
import hashlib
import html.parser
import json
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import time

from certificates import papers
from listening import Listening
from stage import RELAIS, Skip, equal, eventually, free_port, holds, need, test


def load(stage, *arguments, status=0, **options):
    """Runs a load to its end; what it found."""
    words = [RELAIS, "load", *map(str, arguments), "--json"]
    return json.loads(stage.run(words, status=status, **options))


def nginx(stage, locations, settings="", more=""):
    need("nginx")
    port = free_port()
    folders = "".join(f"{it}_temp_path {stage.folder}/{it}; " for it in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    config = stage.write("nginx.conf", f"""
        daemon off; pid {stage.folder}/nginx.pid; worker_processes 1; worker_rlimit_nofile 20000;
        events {{ worker_connections 15000; }}
        http {{ {folders} log_format plain "$request $status"; access_log {stage.folder}/nginx.log plain;
            server {{ listen 127.0.0.1:{port} backlog=4096; root {stage.folder}/site; {settings} {locations} }} {more} }}""")
    server = stage.start(["nginx", "-c", config, "-p", stage.folder, "-e", "stderr"], "nginx")
    server.await_port(port)
    return f"http://127.0.0.1:{port}"


def logged(stage, count):
    """What nginx noted, once that are so many lines."""
    log = stage.path("nginx.log")
    eventually(f"{count} lines", lambda: len(log.read_text().splitlines()) >= count)
    return log.read_text().splitlines()


@test
def nginx_is_asked_exactly_as_often_as_is_told(stage):
    stage.random_file("site/page.bin", 5000)
    url = nginx(stage, "", settings="keepalive_requests 1000000;")
    said = load(stage, f"{url}/page.bin?a=b", "-n", 3000, "-c", 13, "--threads", 2)
    equal(logged(stage, 3000), ["GET /page.bin?a=b HTTP/1.1 200"] * 3000)
    equal((said["answers"], said["statuses"], said["errors"], said["connects"]), (3000, {"2xx": 3000}, {}, 13))
    assert said["received_bytes"] > 3000 * 5000, said["received_bytes"]
    times = said["latency_us"]
    order = [times[name] for name in ("least", "p50", "p75", "p90", "p99", "p99.9", "most")]
    assert order == sorted(order) and order[0] > 0, order
    equal(sum(bin["count"] for bin in said["histogram"]), 3000)
    equal(sum(step["answers"] for step in said["timeline"]["steps"]), 3000)


@test
def every_kind_of_answer_ends_where_it_should(stage):
    stage.write("site/page.txt", "x" * 20_000)
    url = nginx(stage, settings="if_modified_since before;", locations="""
        location /none { return 204; }
        location /gone { return 404 "gone"; }
        location /moved { return 302 /; }
        location /broken { return 503; }
        location /gzip { alias %s/site/; gzip on; gzip_types text/plain; gzip_http_version 1.0; }
        location /once { keepalive_timeout 0; return 200 "once"; }
        location /posted { client_max_body_size 1m; return 200 "$request_method $content_length"; }
    """ % stage.folder)

    def check(path, statuses, *arguments, connects=4):
        said = load(stage, url + path, "-n", 200, "-c", 4, *arguments)
        equal((said["statuses"], said["errors"]), ({statuses: 200}, {}), path)
        assert said["connects"] >= connects, (path, said["connects"])
        return said

    check("/none", "2xx")
    check("/gone", "4xx")
    check("/moved", "3xx")
    check("/broken", "5xx")
    head = check("/page.txt", "2xx", "--method", "HEAD")
    assert head["received_bytes"] < 200 * 1000, "a HEAD has no body"
    # Of unknown length: nginx compresses as it sends, in chunks.
    check("/gzip/page.txt", "2xx", "-H", "Accept-Encoding: gzip")
    check("/once", "2xx", connects=200)
    # What is in the cache of the client is not sent again.
    check("/page.txt", "3xx", "-H", "If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT")
    check("/posted", "2xx", "--body", "a=1")
    lines = logged(stage, 200 * 9)
    equal(lines.count("POST /posted HTTP/1.1 200"), 200)
    equal(lines.count("HEAD /page.txt HTTP/1.1 200"), 200)


@test
def what_is_answered_before_all_of_it_was_sent_is_no_request_of_its_own(stage):
    url = nginx(stage, 'location / { client_max_body_size 0; return 200 "ok"; }')
    body = stage.write("body", b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n" * 500_000)
    said = load(stage, url, "-n", 20, "-c", 2, "--body", f"@{body}")
    equal((said["answers"], said["statuses"], said["errors"]), (20, {"2xx": 20}, {}))
    assert said["sent_bytes"] < 20 * body.stat().st_size, said["sent_bytes"]
    equal(set(logged(stage, 20)), {"POST / HTTP/1.1 200"})


@test
def relais_is_asked_over_tls_and_believed_by_its_authority(stage):
    stage.write("site/index.html", "hello")
    relais = stage.relais("serve", "site", "-l", "https://localhost:0")
    url = relais.urls[0]
    said = load(stage, url, "-n", 500, "-c", 10)
    equal((said["answers"], said["statuses"], said["errors"]), (500, {"2xx": 500}, {}))
    stranger = {"env": stage.env() | {"RELAIS_DATA": str(stage.path("elsewhere"))}}
    refused = stage.finish([RELAIS, "load", url, "-n", "5"], **stranger)
    equal(refused.returncode, 1, "exit code")
    holds(refused.stderr.decode(), "no request was answered: the certificate of")
    for word in (["--insecure"], ["--ca", stage.authority()]):
        said = load(stage, url, "-n", 50, *word, **stranger)
        equal(said["answers"], 50)


@test
def a_server_that_wants_a_certificate_is_shown_one(stage):
    stage.write("site/index.html", "hello")
    (key, cert, fingerprint), tls = papers(stage), free_port()
    nginx(stage, "", settings=f"""
        listen 127.0.0.1:{tls} ssl; ssl_certificate {cert}; ssl_certificate_key {key};
        ssl_verify_client on; ssl_client_certificate {cert}; keepalive_requests 1000000;""")
    url = f"https://127.0.0.1:{tls}/"
    own = ["--cert", cert, "--key", key]

    def statuses(*words):
        return load(stage, url, "-n", 50, "-c", 5, *words)["statuses"]

    equal(statuses(*own, "--ca", cert, "--server-name", "localhost"), {"2xx": 50})
    equal(statuses(*own, "--pin", fingerprint), {"2xx": 50})
    equal(statuses("--pin", fingerprint), {"4xx": 50})
    done = stage.finish([RELAIS, "load", url, "-n", "5", "--insecure", "--json"])
    equal((done.returncode, json.loads(done.stdout)["statuses"]), (0, {"4xx": 5}))
    holds(done.stderr.decode(), "INSECURE: whoever answers is believed")


@test
def socat_and_ncat_send_back_what_they_get(stage):
    need("socat", "ncat")
    (tcp, tls, udp), path = (free_port(), free_port(), free_port()), stage.path("echo.sock")
    stage.start(["socat", f"TCP-LISTEN:{tcp},bind=127.0.0.1,reuseaddr,fork", "EXEC:cat"], "socat").await_port(tcp)
    stage.start(["ncat", "--ssl", "-l", "-k", "-e", "/bin/cat", "127.0.0.1", tls], "ncat").await_port(tls)
    stage.start(["socat", f"UDP-LISTEN:{udp},bind=127.0.0.1,reuseaddr,fork", "PIPE"], "socat-udp")
    stage.start(["socat", f"UNIX-LISTEN:{path},fork", "EXEC:cat"], "socat-unix")
    eventually("a socket", path.exists)

    def check(target, *arguments, count=200):
        said = load(stage, target, "-n", count, "-c", 3, *arguments)
        equal((said["answers"], said["errors"]), (count, {}), target)
        return said

    check(f"tcp://127.0.0.1:{tcp}")
    check(f"tcp://127.0.0.1:{tcp}", "--size", "3MiB", count=6)
    check(f"tls://127.0.0.1:{tls}", "--insecure", "--message", "bonjour")
    check(f"unix://{path}")
    stage.write("message.bin", bytes(range(256)))
    equal(check(f"unix://{path}", "--message", "@message.bin")["sent_bytes"], 200 * 256)
    # A first datagram may come before socat has a child for its sender.
    said = load(stage, f"udp://127.0.0.1:{udp}", "-n", 100, "-c", 1, "--timeout", "1s")
    assert said["answers"] >= 98, said


@test
def five_hundred_dialogues_get_their_own_answers(stage):
    port = free_port()
    listen = stage.start([RELAIS, "listen", f"tcp://127.0.0.1:{port}", f"udp://127.0.0.1:{port}", "--as", "echo"], "listen")
    listen.await_port(port)
    said = stage.run([RELAIS, "load", "--simulate", "500", f"tcp://127.0.0.1:{port}"]).decode()
    holds(said, "\n500 of 500 correct\n")
    holds(said, "\nanswers              5,000  ")
    said = stage.run([RELAIS, "load", "--simulate", "50", "--size", "500", f"udp://127.0.0.1:{port}"]).decode()
    holds(said, "\n50 of 50 correct\n")
    holds(stage.run([RELAIS, "load", "--simulate", "9", "--rounds", "2", str(port)]).decode(), "\n9 of 9 correct\n")


@test
def relais_listens_to_load_on_every_transport(stage):
    ports = [free_port() for _ in range(5)]
    schemes = ["tcp", "tls", "ws", "wss", "udp"]
    urls = [f"{scheme}://localhost:{port}" for scheme, port in zip(schemes, ports)]
    urls.append(f"unix://{stage.path('echo.sock')}")
    listen = stage.start([RELAIS, "listen", *urls, "--as", "echo"], "listen")
    listen.await_that("all endpoints", lambda: len(re.findall(r"^[a-z]+://", listen.said(), re.M)) >= len(urls))
    for url in urls:
        said = load(stage, url, "-n", 300, "-c", 6, "--size", "200")
        equal((said["answers"], said["errors"], said["connects"]), (300, {}, 6), url)
        holds(stage.run([RELAIS, "load", url, "--simulate", "25"]).decode(), "\n25 of 25 correct\n")


class Mixing(Listening):
    """An echo, that gives what the eighth who calls says to itself in other words."""

    scheme = "tcp"
    count = 0

    def serve(self, stream):
        with stream:
            Mixing.count += 1
            mine = Mixing.count
            while part := stream.recv(65536):
                stream.sendall(part.replace(b"client", b"\x1b[2Jer") if mine == 8 else part)


@test
def an_answer_that_is_anothers_is_found_and_shown_harmless(stage):
    Mixing.count = 0
    with Mixing() as echo:
        done = stage.finish([RELAIS, "load", "--simulate", "500", echo.url])
    said = done.stdout.decode()
    equal(done.returncode, 3, "exit code")
    holds(said, "\n499 of 500 correct\n")
    holds(said, "came back: expected \"client ")
    assert "\x1b" not in said, said
    assert re.search(r"\n  client \d+: wrong answer: \"\\u\{1b\}\[2Jer \d+ message 1 ", said), said


class Pausing(Listening):
    """Answers at once, but for half a second in the middle of it all, in which nobody is answered."""

    def __enter__(self):
        self.begun = None
        return super().__enter__()

    def serve(self, stream):
        with stream:
            while stream.recv(65536):
                self.begun = self.begun or time.monotonic()
                since = time.monotonic() - self.begun
                if 0.5 < since < 1.0:
                    time.sleep(1.0 - since)
                stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")


@test
def a_pause_of_the_server_is_seen_by_all_who_would_have_asked_meanwhile(stage):
    with Pausing() as server:
        said = load(stage, server.url, "-c", 4, "-r", 200, "-d", "2s")
    equal((said["answers"], said["errors"], said["unsent"]), (400, {}, 0))
    due, sent = said["latency_us"], said["since_sent_us"]
    # A quarter of the time nobody was answered; only four requests were under way then.
    assert due["p90"] > 200_000, due
    assert due["p50"] < 100_000, due
    assert sent["p90"] < 100_000 < due["p90"], (sent, due)
    # Each waits as long as was left of the pause: about the same number in each of its parts.
    waited = sum(bin["count"] for bin in said["histogram"] if bin["from_us"] >= 100_000)
    assert 60 <= waited <= 100, f"{waited} waited: expected 80"


@test
def what_a_server_does_not_keep_up_with_is_told(stage):
    class Slow(Listening):
        def serve(self, stream):
            with stream:
                while stream.recv(65536):
                    time.sleep(0.1)
                    stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with Slow() as server:
        done = stage.finish([RELAIS, "load", server.url, "-c", "2", "-r", "100", "-d", "1s", "--json"])
    said = json.loads(done.stdout)
    assert 10 <= said["answers"] <= 26, said["answers"]
    equal(said["answers"] + said["unsent"], 100)
    # 20 answers or so of 40 bytes came in that second; two more came later.
    equal(said["received_bytes_per_s"], said["answers_in_time"] * 40)
    holds(done.stderr.decode(), "due and never sent: the target does not keep up with 100 a second")
    # So it is of what was due until somebody did not want to wait.
    with Slow() as server:
        words = [RELAIS, "load", server.url, "-c", "2", "-r", "100", "-d", "50s", "--json"]
        done = stage.finish(["timeout", "-s", "INT", "2", *words])
    said = json.loads(done.stdout)
    due = said["answers"] + said["unanswered"] + said["unsent"]
    assert said["interrupted"] and 100 <= due <= 200 and said["unsent"] > due / 2, said
    holds(done.stderr.decode(), "due and never sent: the target does not keep up with 100 a second")


@test
def a_connection_that_was_closed_while_it_rested_is_made_again(stage):
    class Impatient(Listening):
        """Says why it closes, or just closes, where nothing comes for a while."""

        why = b""

        def serve(self, stream):
            with stream, contextlib.suppress(OSError):
                stream.settimeout(0.2)
                try:
                    while stream.recv(65536):
                        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                except TimeoutError:
                    stream.sendall(self.why)

    for why in [b"", b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n"]:
        with Impatient() as server:
            server.why = why
            said = load(stage, server.url, "-c", 4, "-r", 4, "-n", 12)
        equal((said["answers"], said["statuses"], said["errors"]), (12, {"2xx": 12}, {}), why)
        assert said["connects"] >= 8, said["connects"]


@test
def errors_are_counted_by_kind(stage):
    class Odd(Listening):
        def serve(self, stream):
            with stream:
                asked = stream.recv(65536)
                if b"/silent" in asked:
                    time.sleep(5)
                elif b"/reset" in asked:
                    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                elif b"/short" in asked:
                    stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok")
                elif b"/odd" in asked:
                    stream.sendall(b"\x1b[31mSSH-2.0\r\n")

    with Odd() as server:
        def check(path, kind):
            done = stage.finish([RELAIS, "load", server.url + path, "-n", "6", "-c", "3", "--timeout", "500ms", "--json"])
            equal(done.returncode, 1, "exit code")
            said = json.loads(done.stdout)
            equal({name: error["count"] for name, error in said["errors"].items()}, {kind: 6}, path)
            assert b"\x1b" not in done.stdout + done.stderr, done

        check("/silent", "timeout")
        check("/reset", "reset")
        check("/short", "closed")
        check("/odd", "malformed")
    refused = stage.finish([RELAIS, "load", f"http://127.0.0.1:{free_port()}"])
    equal(refused.returncode, 1, "exit code")
    holds(refused.stderr.decode(), "error: no request was answered: http://127.0.0.1:")
    holds(refused.stderr.decode(), "refused the connection")
    assert re.search(r"^errors +50\n +refused +50 ", refused.stdout.decode(), re.M), refused.stdout


@test
def a_load_of_refusals_says_so(stage):
    url = nginx(stage, "location /gone { return 404; }")
    done = stage.finish([RELAIS, "load", f"{url}/gone", "-n", "20", "-H", "X: secret", "--html", "load.html", "--color", "always"])
    equal(done.returncode, 0)
    holds(done.stderr.decode(), "note: every answer has a status of 4xx or 5xx")
    holds(done.stdout.decode(), "\x1b[31m  4xx ")
    page = stage.path("load.html").read_text()
    holds(page, "GET with 1 field, timeout 10s; 20")
    holds(page, "4xx: 20")
    holds(page, "<code>--rate</code>")
    assert "secret" not in page and "`" not in page, page
    done = stage.finish([RELAIS, "load", "-q", f"{url}/gone", "-n", "20"])
    equal(done.stderr, b"")
    with open("/dev/full", "wb") as full:
        for words in [[], ["--json"]]:
            done = subprocess.run([RELAIS, "load", f"{url}/gone", "-n", "20", *words], stdout=full, stderr=subprocess.PIPE, env=stage.env())
            equal(done.returncode, 1, words)
            holds(done.stderr.decode(), "error: writing to standard output: no space left")


@test
def ten_thousand_connections_are_asked(stage):
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < 10_200:
        raise Skip("not enough descriptors")
    stage.write("site/index.html", "hello")
    url = nginx(stage, "", settings="keepalive_requests 1000000; keepalive_timeout 300;")
    said = load(stage, url, "-c", 10_000, "-n", 30_000, "--timeout", "40s", seconds=58)
    equal((said["answers"], said["errors"], said["connects"]), (30_000, {}, 10_000))


@test
def a_server_that_begins_no_web_socket_is_not_waited_for(stage):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        words = [f"ws://127.0.0.1:{silent.getsockname()[1]}", "-c", "2", "-d", "1s", "--timeout", "300ms"]
        done = stage.finish([RELAIS, "load", *words], 20)
    equal(done.returncode, 1, "exit code")
    holds(done.stderr.decode(), "not connected in 300ms")


@test
def what_is_missing_here_is_told(stage):
    need("prlimit", "unshare", "ip")
    few = stage.finish(["prlimit", "--nofile=100:100", RELAIS, "load", "9", "-c", "200"])
    equal(few.returncode, 2, "exit code")
    holds(few.stderr.decode(), "200 connections, and 100 descriptors for all")
    # Before anybody is asked, who would be asked for a minute.
    page = stage.finish([RELAIS, "load", "9", "-d", "1m", "--html", "no/such/page.html"], 10)
    equal(page.returncode, 1, "exit code")
    holds(page.stderr.decode(), "no/such/page.html")
    if os.geteuid() != 0:
        raise Skip("needs root, for a network of its own")
    script = f"""
        ip link set lo up && echo 40000 40019 > /proc/sys/net/ipv4/ip_local_port_range
        {RELAIS} listen tcp://127.0.0.1:6666 --as echo > {stage.folder}/listen.log & pid=$!
        until grep -q 6666 {stage.folder}/listen.log; do sleep 0.05; done
        {RELAIS} load tcp://127.0.0.1:6666 -c 50 -n 100; status=$?
        kill $pid; exit $status"""
    done = stage.finish(["unshare", "-n", "sh", "-c", script])
    equal(done.returncode, 0, "exit code")
    holds(done.stdout.decode(), "no source port left here")
    holds(done.stderr.decode(), "note: no source port is left: ")


@test
def who_is_interrupted_tells_what_was_measured(stage):
    stage.write("site/index.html", "hello")
    url = nginx(stage, "")
    running = stage.start([RELAIS, "load", url, "-d", "50s", "--json"], "load")
    # Of what the server has answered, one for each connection may not have been heard yet.
    eventually("requests", lambda: len(stage.path("nginx.log").read_text().splitlines()) > 500)
    running.signal(signal.SIGINT)
    equal(running.end(), 0, "exit code")
    said = json.loads(running.said()[: running.said().rindex("}") + 1])
    assert said["interrupted"] and said["answers"] >= 100 and said["time_s"] < 40, said


class Silent(Listening):
    """Hears, and says nothing."""

    scheme = "tcp"

    def serve(self, stream):
        with stream:
            while stream.recv(65536):
                pass


@test
def who_is_interrupted_before_any_answer_measured_nothing(stage):
    for words, why in [
        (["--simulate", 3], "interrupted before all got their own answers"),
        (["-c", 3], "no request was answered: interrupted"),
    ]:
        with Silent() as server:
            running = stage.start([RELAIS, "load", *map(str, words), server.url], "load")
            time.sleep(1)
            running.signal(signal.SIGINT)
            equal(running.end(), 1, "exit code")
        holds(running.said(), f"error: {why}")


@test
def a_page_stands_alone_and_says_all_as_a_table(stage):
    stage.write("site/index.html", "hello")
    url = nginx(stage, "location /gone { return 404; }")
    stage.run([RELAIS, "load", f"{url}/gone?<b>&\"", "-n", "300", "-r", "2000", "--html", "load.html"])
    page = stage.path("load.html").read_text()

    class Page(html.parser.HTMLParser):
        def __init__(self):
            super().__init__(convert_charrefs=True)
            self.open, self.tags, self.text = [], [], []

        def handle_starttag(self, tag, attributes):
            self.tags.append((tag, dict(attributes)))
            if tag not in ("meta", "path", "rect"):
                self.open.append(tag)

        def handle_startendtag(self, tag, attributes):
            self.tags.append((tag, dict(attributes)))

        def handle_endtag(self, tag):
            equal(self.open.pop(), tag, "tags are closed in turn")

        def handle_data(self, data):
            self.text.append(data)

    read = Page()
    read.feed(page)
    equal(read.open, [], "open tags")
    names = [tag for tag, _ in read.tags]
    assert not {"script", "link", "img", "iframe", "b"} & set(names), names
    for _, attributes in read.tags:
        assert not {"src", "href"} & attributes.keys(), attributes
    drawn = [attributes for tag, attributes in read.tags if tag == "svg" and "role" in attributes]
    assert len(drawn) == 4 and all(attributes["aria-label"] for attributes in drawn), drawn
    # Of each plot, and of what went wrong.
    equal(names.count("table"), len(drawn) + 1)
    holds("".join(read.text), "/gone?<b>&\"")
    holds("".join(read.text), "since due")


class WebSocketEcho(Listening):
    """RFC 6455 in as few words as an echo needs."""

    scheme = "ws"

    def serve(self, stream):
        with stream, stream.makefile("rb") as reads:
            fields = {}
            while line := reads.readline().strip():
                name, _, value = line.decode().partition(": ")
                fields[name.lower()] = value
            proof = hashlib.sha1((fields["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode())
            stream.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           b"Sec-WebSocket-Accept: " + base64.b64encode(proof.digest()) + b"\r\n\r\n")
            while head := reads.read(2):
                length = head[1] & 127
                if length == 126:
                    length = struct.unpack(">H", reads.read(2))[0]
                mask = reads.read(4)
                content = bytes(byte ^ mask[place % 4] for place, byte in enumerate(reads.read(length)))
                if head[0] & 15 == 8:
                    return
                size = bytes([length]) if length < 126 else bytes([126]) + struct.pack(">H", length)
                # Between two messages, something that is none.
                stream.sendall(b"\x89\x02hi" + head[:1] + size + content if head[0] & 15 < 3 else b"")


@test
def a_web_socket_sends_messages_back(stage):
    with WebSocketEcho() as server:
        said = load(stage, f"{server.url}/chat", "-n", 300, "-c", 5, "--size", 300)
        equal((said["answers"], said["errors"]), (300, {}))
        done = stage.run([RELAIS, "load", f"{server.url}/chat", "--simulate", "20"]).decode()
        holds(done, "\n20 of 20 correct\n")
    stage.write("site/index.html", "hello")
    url = nginx(stage, "").replace("http:", "ws:")
    refused = stage.finish([RELAIS, "load", url])
    equal(refused.returncode, 1, "exit code")
    holds(refused.stderr.decode(), "expected 101, which begins a WebSocket")


@test
def what_cannot_be_meant_is_told_before_anybody_is_asked(stage):
    def check(words, what):
        done = stage.finish([RELAIS, "load", *words])
        equal(done.returncode, 2, "exit code")
        holds(done.stderr.decode(), what)

    check(["http://127.0.0.1:9", "--size", "9"], "nothing is done with `--size` over http")
    check(["tcp://127.0.0.1:9", "--method", "GET"], "nothing is done with `--method` over tcp")
    check(["ws://127.0.0.1:9/a b"], "bad path \"/a b\"")
    check(["tcp://127.0.0.1:9/a"], "an endpoint has no path")
    check(["udp://127.0.0.1:9", "--size", "70000"], "a message of 70000 bytes")
    check(["http://127.0.0.1:9", "--simulate", "3"], "no dialogue over http")
    check(["http://127.0.0.1:9", "--insecure"], "nothing is done with `--insecure`")
    check(["http://127.0.0.1:9/a", "--path", "/b"], "path \"/b\" beside \"/a\" in the TARGET")
    check(["9", "-H", "Content-Length: 3"], "the length is that of the body")
    check(["9", "-X", "CONNECT"], "bad method \"CONNECT\"")
