"""Interim answers (1xx) from a server that says what it is told to, through `relais proxy`, to curl and to
a client that believes nothing."""

import contextlib
import json
import socket
import threading

from stage import Raw, equal, eventually, fields, test
from strict import Strict

HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: x-hop\r\nX-Hop: 1\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nCache-Control: max-age=600\r\n\r\nok"


class Hinting:
    """Says HINT when it is asked, and the rest when it may. Ended with the `with`."""

    def __init__(self, hints=1, rest=OK):
        self.said = HINT * hints
        self.rest = rest
        self.may_answer = threading.Event()
        self.asked = []

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.listen, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.may_answer.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def listen(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.serve, args=(self.listener.accept()[0],), daemon=True).start()

    def serve(self, stream):
        with stream, contextlib.suppress(OSError):
            while head := self.head(stream):
                self.asked.append(head)
                stream.sendall(self.said)
                self.may_answer.wait(20)
                stream.sendall(self.rest)
                if self.rest != OK:
                    return

    def head(self, stream):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            part = stream.recv(1)
            if not part:
                return None
            head += part
        length = fields(head.decode()).get("content-length", "0")
        left = int(length)
        while left:
            left -= len(stream.recv(left))
        return head


def is_hint(head):
    lines = head.strip().split("\r\n")
    equal(lines, ["HTTP/1.1 103 Early Hints", "link: </a.css>; rel=preload", "via: 1.1 front"])


REQUESTS = [
    "GET /TAG HTTP/1.1\r\nHost: a.localhost\r\n\r\n",
    "POST /TAG HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: 5\r\n\r\nhello",
    "GET /TAG HTTP/1.1\r\nHost: a.localhost\r\nX-Long: " + "x" * 9000 + "\r\n\r\n",
]


@test
def hints_come_before_the_server_has_its_answer(stage):
    for words in [], ["--cache"], ["--sniff", "front.jsonl"]:
        for request in REQUESTS:
            with Hinting() as server:
                proxy = stage.relais("proxy", "http://127.0.0.1:0", server.url, "--name", "front", *words)
                client = Raw(proxy.port).send(request)
                is_hint(client.head())
                server.may_answer.set()
                equal(client.head().startswith("HTTP/1.1 200 OK\r\n"), True)
                client.close()
                equal(proxy.stop(), 0, "exit code")
    lines = [json.loads(line) for line in stage.path("front.jsonl").read_text().splitlines()]
    equal([line["status"] for line in lines], [200] * len(REQUESTS), "what the sniffer saw")


@test
def curl_shows_hints_over_http_1_1_and_is_none_the_wiser_elsewhere(stage):
    with Hinting() as server:
        server.may_answer.set()
        both = ["http://127.0.0.1:0", server.url, "--listen", "https://127.0.0.1:0"]
        proxy = stage.relais("proxy", *both, "--name", "front", urls=2)
        for url, way, is_told in [
            (proxy.http, ["--http1.1"], True), (proxy.https, ["--http1.1", "-k"], True),
            (proxy.http, ["--http1.1", "-d", "hello"], True),
            (proxy.http, ["--http1.0"], False), (proxy.https, ["--http2", "-k"], False),
        ]:
            told = stage.curl("-i", url, *way).decode()
            equal(told.endswith("\r\n\r\nok"), True, told)
            equal("HTTP/1.1 103 Early Hints\r\nlink: </a.css>" in told, is_told, told)
            equal(told.count(" 103"), int(is_told), told)
        equal(proxy.stop(), 0, "exit code")


@test
def a_cache_stores_no_hints_and_gives_them_to_who_asked(stage):
    with Hinting() as server:
        proxy = stage.relais("proxy", "http://127.0.0.1:0", server.url, "--name", "front", "--cache")
        clients = [Strict(proxy.port) for _ in range(5)]
        for client in clients:
            client.send(REQUESTS[0])
        eventually("one asked", lambda: len(server.asked) == 1)
        server.may_answer.set()
        answers = [client.answer() for client in clients]
        equal([(answer.status, answer.body, answer.end) for answer in answers], [(200, b"ok", "whole")] * 5)
        equal(sorted(len(answer.interim) for answer in answers), [0, 0, 0, 0, 1])
        equal(all("link" not in answer.fields for answer in answers), True)
        later = Strict(proxy.port).send(REQUESTS[0]).answer()
        equal((later.body, later.interim, len(server.asked)), (b"ok", [], 1))
        equal(proxy.stop(), 0, "exit code")


@test
def requests_sent_together_get_their_hints_and_answers_in_turn(stage):
    with Hinting(hints=3) as server:
        server.may_answer.set()
        proxy = stage.relais("proxy", "http://127.0.0.1:0", server.url, "--name", "front")
        client = Strict(proxy.port).send("".join(REQUESTS) * 10)
        for _ in range(30):
            answer = client.answer()
            equal((answer.status, answer.body, answer.end, len(answer.interim)), (200, b"ok", "whole", 3))
        client.close()
        equal(proxy.stop(), 0, "exit code")


@test
def a_server_that_dies_behind_a_hint_is_told_of_and_so_is_one_that_says_too_many(stage):
    for hints, rest, expect in [(1, b"", 1), (17, OK, 16), (1, b"HTTP/1.1 103 X\r\nA: b\r\n c\r\n\r\n", 1)]:
        with Hinting(hints, rest) as server:
            server.may_answer.set()
            proxy = stage.relais("proxy", "http://127.0.0.1:0", server.url, "--name", "front")
            for request in REQUESTS:
                client = Strict(proxy.port).send(request)
                answer = client.answer()
                equal((answer.status, answer.end, len(answer.interim)), (502, "whole", expect))
                client.close()
            equal(proxy.stop(), 0, "exit code")
