"""`relais proxy` between two sides of different speed, and before servers that go away."""

import contextlib
import itertools
import os
import re
import signal
import socket
import struct
import sys
import threading
import time

from callers import Callers
from listening import Listening
from strict import Strict
from stage import Raw, equal, eventually, free_port, holds, test

MEGABYTE = bytes(range(256)) * 4096
GIGABYTE = 1 << 30


class Scripted(Listening):
    """A server whose each connection is run by a function. Ended with the `with`."""

    def __init__(self, script):
        self.script = script
        self.over = []

    def serve(self, stream):
        with contextlib.suppress(OSError, EOFError), stream:
            self.script(stream)
        self.over.append(time.monotonic())


def head_of(stream):
    """Reads up to the end of a head; what came behind it, too."""
    came = b""
    while b"\r\n\r\n" not in came:
        part = stream.recv(65536)
        if not part:
            raise EOFError
        came += part
    head, _, rest = came.partition(b"\r\n\r\n")
    return head.decode("latin-1"), rest


def resident(program):
    """How much memory it has, and the most it had, in KiB."""
    status = open(f"/proc/{program.pid}/status").read()
    return tuple(int(re.search(rf"^{name}:\s+(\d+) kB", status, re.M)[1]) for name in ("VmRSS", "VmHWM"))


def giant(framing):
    """Says a gigabyte as fast as it is taken, and counts."""
    said = []

    def say(stream):
        head_of(stream)
        if framing == "length":
            stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % GIGABYTE)
        else:
            stream.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(GIGABYTE // len(MEGABYTE)):
            stream.sendall(MEGABYTE if framing == "length" else b"100000\r\n" + MEGABYTE + b"\r\n")
            said.append(len(MEGABYTE))
        if framing != "length":
            stream.sendall(b"0\r\n\r\n")
        stream.recv(1)

    return say, said


@test
def a_gigabyte_passes_in_a_little_memory(stage):
    for framing in ["length", "chunks"]:
        say, said = giant(framing)
        with Scripted(say) as server:
            proxy = stage.relais("proxy", "http://127.0.0.1:0", server.url)
            before, _ = resident(proxy)
            raw = Raw(proxy.port, 30).send("GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
            # Nobody reads: what is on the way fills the sockets, and no more is taken.
            raw.head()
            counts = [0]
            eventually("the server is held up", lambda: counts.append(len(said)) or (time.sleep(0.3) or len(said) == counts[-1] > 0))
            waiting, _ = resident(proxy)
            stuck = sum(said) >> 20
            room, left = bytearray(1 << 20), GIGABYTE
            while left > 0 and (count := raw.socket.recv_into(room)):
                left -= count
            most = resident(proxy)[1]
            print(f"a gigabyte by {framing}: {before} KiB before, {waiting} while nobody read ({stuck} MB under way), {most} at most")
            assert left <= 0, f"{left} bytes missing"
            assert most - before < 8192, f"{most - before} KiB more"
            assert stuck < 64, f"{stuck} MB were taken off the server"
            raw.close()


@test
def an_upload_waits_for_a_server_that_is_slow(stage):
    taken, go_on = [], threading.Event()

    def take(stream):
        _, rest = head_of(stream)
        count, room = len(rest), bytearray(1 << 20)
        go_on.wait(30)
        while count < GIGABYTE:
            count += stream.recv_into(room)
        taken.append(count)
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        stream.recv(1)

    with Scripted(take) as server:
        proxy = stage.relais("proxy", "http://127.0.0.1:0", server.url)
        before, _ = resident(proxy)
        raw = Raw(proxy.port, 60).send(f"PUT / HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: {GIGABYTE}\r\n\r\n")
        said = []

        def say():
            for _ in range(GIGABYTE // len(MEGABYTE)):
                raw.socket.sendall(MEGABYTE)
                said.append(len(MEGABYTE))

        threading.Thread(target=say, daemon=True).start()
        counts = [0]
        eventually("the client is held up", lambda: counts.append(len(said)) or (time.sleep(0.3) or len(said) == counts[-1] > 0))
        stuck = sum(said) >> 20
        go_on.set()
        holds(raw.head(), "HTTP/1.1 200 ")
        most = resident(proxy)[1]
        print(f"a gigabyte up: {before} KiB before, {most} at most ({stuck} MB under way while the server slept)")
        equal(taken, [GIGABYTE], "taken")
        assert most - before < 8192, f"{most - before} KiB more"
        assert stuck < 64, f"{stuck} MB were taken off the client"


@test
def who_leaves_within_a_download_ends_it_for_the_server(stage):
    say, _ = giant("length")
    with Scripted(say) as server:
        proxy = stage.relais("proxy", "http://127.0.0.1:0", server.url, "--listen", "https://127.0.0.1:0", urls=2)
        raw = Raw(proxy.port).send("GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
        raw.head()
        raw.socket.recv(100_000)
        began = time.monotonic()
        raw.close()
        eventually("the server's connection ended", lambda: server.over, 5)
        assert time.monotonic() - began < 3, "late"
        stage.run(["curl", "-sk", "--http2", "--max-time", "1", "--limit-rate", "10M", "-o", "/dev/null", f"{proxy.https}/"], status=28)
        eventually("the same over HTTP/2", lambda: len(server.over) == 2, 5)


@test
def slow_readers_get_what_was_stored_though_it_is_given_up_meanwhile(stage):
    # More than is kept, so that what is on its way to a slow reader loses its place to others.
    names = [f"{number:02d}.bin" for number in range(24)]
    bodies = {name: name.encode() * 200_000 for name in names}
    site = stage.path("site")
    site.mkdir()
    for name, body in bodies.items():
        (site / name).write_bytes(body)
        # What changed just now is fresh for no time.
        os.utime(site / name, (0, 0))
    server = stage.relais("serve", site, "--listen", "http://127.0.0.1:0")
    proxy = stage.relais("proxy", "http://127.0.0.1:0", server.http, "--cache", "--cache-memory", "6MiB")
    wrong, hits = [], []

    def read(first):
        for name in (names[first:] + names[:first]) * 2:
            for _ in range(2):
                strict = Strict(proxy.port)
                strict.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
                strict.send(f"GET /{name} HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
                time.sleep(0.01)
                answer = strict.answer()
                strict.close()
                hits.append("; hit" in answer.fields["cache-status"])
                if (answer.body, answer.end) != (bodies[name], "whole"):
                    wrong.append(name)

    readers = [threading.Thread(target=read, args=(3 * number,)) for number in range(8)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(60)
    print(f"{sum(hits)} of {len(hits)} answers were stored ones")
    equal(wrong, [])
    assert sum(hits) > len(hits) // 10, "few of them were stored"


@test
def who_is_reset_while_it_waits_is_not_waited_for(stage):
    asked = threading.Event()

    def say(stream):
        head_of(stream)
        asked.set()
        # Until the other side ends the connection, for there is no answer.
        stream.recv(1)

    for at_end, ends in [("reset", True), ("half-closed", False)]:
        asked.clear()
        with Scripted(say) as server:
            proxy = stage.relais("proxy", "http://127.0.0.1:0", server.url)
            raw = Raw(proxy.port).send("GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
            assert asked.wait(5), "the server was not asked"
            if ends:
                raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                raw.close()
                eventually(f"the server's connection ended after a client was {at_end}", lambda: server.over, 5)
            else:
                raw.socket.shutdown(socket.SHUT_WR)
                time.sleep(2.5)
                equal(len(server.over), 0, "connections to the server that ended while a client waited")
                raw.close()


CONTINUE = "POST / HTTP/1.1\r\nHost: a.localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"


def wary(answers):
    """Reads a head, says the first of `answers`, reads five bytes, says the next, and so on."""

    def say(stream):
        while True:
            head, rest = head_of(stream)
            holds(head.lower(), "expect: 100-continue")
            for answer in answers:
                stream.sendall(answer.encode())
                if answer is not answers[-1]:
                    while len(rest) < 5:
                        rest += stream.recv(5 - len(rest)) or b"....."
                    equal(rest, b"hello")

    return say


@test
def who_asks_before_it_sends_a_body_gets_the_servers_word(stage):
    well = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    cases = [
        # The server's word on whether, then its answer; what the client hears before its body.
        ("it wants it", ["HTTP/1.1 100 Continue\r\n\r\n", well], "100", 0),
        ("it does not know the question", ["", well], "100", 0.5),
        ("it does not want it", ["HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"], "417", 0),
        ("it has seen enough", ["HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"], "413", 0),
        ("it needs no body", [well], "200", 0),
    ]
    for name, answers, status, least in cases:
        with Scripted(wary(answers)) as server:
            proxy = stage.relais("proxy", "http://127.0.0.1:0", server.url)
            raw, began = Raw(proxy.port).send(CONTINUE), time.monotonic()
            holds(raw.head(), f"HTTP/1.1 {status} ", name)
            took = time.monotonic() - began
            assert least <= took < least + 4, f"{name}: took {took:.1f} s"
            if status == "100":
                raw.send("hello")
                holds(raw.head(), "HTTP/1.1 200 ", name)
            raw.close()
            equal(proxy.stop(), 0, "exit code")


@test
def who_does_not_wait_for_a_word_is_passed_on_all_the_same(stage):
    with Scripted(wary(["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])) as server:
        proxy = stage.relais("proxy", "http://127.0.0.1:0", server.url)
        client = Strict(proxy.port)
        for _ in range(3):
            client.send(CONTINUE + "hello")
            equal(client.answer().status, 200)


@test
def answers_come_in_the_order_of_their_requests(stage):
    def say(stream):
        for number in itertools.count():
            head, _ = head_of(stream)
            target = head.split()[1]
            # Each other one takes its time.
            time.sleep(0.02 * (number % 2))
            body = "" if head.startswith("HEAD") else target
            stream.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(target)}\r\n\r\n{body}".encode())

    with Scripted(say) as server:
        proxy = stage.relais("proxy", "http://127.0.0.1:0", server.url)
        asked = [("HEAD" if number % 5 == 3 else "GET", f"/{number}") for number in range(60)]
        client = Strict(proxy.port)
        client.send("".join(f"{method} {path} HTTP/1.1\r\nHost: a.localhost\r\n\r\n" for method, path in asked))
        got = [client.answer(method) for method, _ in asked]
        equal([answer.body.decode() for answer in got], ["" if method == "HEAD" else path for method, path in asked])
        equal([answer.fields["content-length"] for answer in got], [str(len(path)) for _, path in asked])


# A server that keeps its connections, behind a socket that it is given: it may be replaced by another
# without anybody being refused.
GIVEN = """\
import socket, sys, threading

def serve(stream):
    with stream:
        while head := stream.recv(65536):
            for _ in range(head.count(b"\\r\\n\\r\\n")):
                stream.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\n\\r\\nwell")

listener = socket.socket(fileno=int(sys.argv[1]))
while True:
    stream, _ = listener.accept()
    threading.Thread(target=serve, args=(stream,), daemon=True).start()
"""


class Load(Callers):
    """Callers that ask all the while. Ended with the `with`."""

    def __init__(self, port, method="GET", count=8):
        super().__init__(count)
        self.port, self.method, self.answers = port, method, []

    def ask(self):
        while not self.over.is_set():
            client = Strict(self.port)
            for _ in range(50):
                client.send(f"{self.method} / HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
                answer = client.answer(self.method)
                self.answers.append(answer and (answer.status, answer.end))
                if answer is None:
                    break
            client.close()

    def others(self):
        """What was not well."""
        return [answer for answer in self.answers if answer != (200, "whole")]


@test
def a_server_that_is_replaced_under_load_costs_no_request(stage):
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        listener.set_inheritable(True)
        number = listener.fileno()

        def another():
            return stage.start([sys.executable, "-c", GIVEN, number], "server", pass_fds=[number])

        server = another()
        proxy = stage.relais("proxy", "http://127.0.0.1:0", f"http://127.0.0.1:{listener.getsockname()[1]}")
        with Load(proxy.port) as load:
            for _ in range(10):
                time.sleep(0.2)
                # Killed: it says no good-bye on any of its connections.
                last, server = server, another()
                time.sleep(0.1)
                last.signal(signal.SIGKILL)
                last.end()
        print(f"{len(load.answers)} requests while the server was replaced 10 times: {len(load.others())} failed")
        equal(load.others()[:20], [], "failed")
        equal(proxy.stop(), 0, "exit code")


@test
def of_two_servers_one_may_die_at_any_time(stage):
    stage.write("site/index.html", "well")
    ports = [free_port(), free_port()]

    def start(port):
        server = stage.relais("serve", "site", "-l", f"http://127.0.0.1:{port}")
        server.await_port(port)
        return server

    for words in [[], ["--health", "/"]]:
        servers = [start(port) for port in ports]
        proxy = stage.relais("proxy", "http://127.0.0.1:0", *[f"http://127.0.0.1:{port}" for port in ports], *words)
        with Load(proxy.port) as load:
            for turn in range(6):
                time.sleep(0.3)
                servers[turn % 2].kill()
                time.sleep(0.3)
                servers[turn % 2] = start(ports[turn % 2])
        print(f"{len(load.answers)} requests while one of two servers died, 6 times{' (with checks)' * bool(words)}: {len(load.others())} failed")
        equal(load.others()[:20], [], "failed")
        for program in [proxy, *servers]:
            equal(program.stop(), 0, "exit code")
