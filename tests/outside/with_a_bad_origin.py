"""`relais proxy` before a server that misbehaves in every way: what its clients get, and what becomes
of the connections. Prints a line for each kind."""

import concurrent.futures
import itertools
import re
import ssl
import time

from callers import Callers
from frames import DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, RST_STREAM, Frames, block, frame
from misbehaving import CUT, KINDS, LAST, OK, UPLOAD_BYTES, Cutting, Kind, Misbehaving
from strict import Strict
from stage import RELAIS, equal, test

# Long enough for what is slow here, short enough to wait for.
LIMITS = 'limits = { head_max = "2s", stall_max = "2s", idle_max = "30s" }'
NUMBERS = itertools.count()


def proxy_before(stage, upstream, more=""):
    table = f'[proxy.front]\nlisten = ["http://127.0.0.1:0", "https://127.0.0.1:0"]\nupstream = "{upstream}"\n'
    return stage.up(f"{table}{LIMITS}\n{more}", urls=2)


def ask(client, path, method="GET", upload=False):
    """Asks; the query that tells this request apart."""
    query = str(next(NUMBERS))
    length = f"Content-Length: {UPLOAD_BYTES}\r\n" if upload else ""
    client.send(f"{method} {path}?{query} HTTP/1.1\r\nHost: a.localhost\r\nTE: trailers\r\n{length}\r\n")
    if upload:
        client.send_beside(b"u" * UPLOAD_BYTES)
    return query


def is_well(client):
    """Whether a good request is answered right on this connection."""
    query = ask(client, "/well")
    answer = client.answer()
    if answer is None:
        return False
    equal((answer.status, answer.body, answer.end), (200, f"well {query}".encode(), "whole"), "the next answer")
    return True


def outcome(kind, port, origin):
    """What the client gets, and what becomes of the connections, in the words of the table."""
    client = Strict(port)
    query = ask(client, kind.path, kind.method, kind.upload)
    answer = client.answer(kind.method)
    assert answer is not None, "no answer"
    assert b"POISON" not in answer.body, f"got {answer.body!r}"
    said = b"u" * UPLOAD_BYTES if "echoes" in kind.name else b"hello"
    if answer.status == 200 and kind.method != "HEAD" and answer.end == "whole" and answer.fields.get("content-length") != "0":
        equal(answer.body == said, True, "the body")
    elif answer.end == "cut":
        # What is shorter than its chunk takes a line end for content: so it is.
        assert said.startswith(answer.body) or answer.body == b"hel\r\n", f"got {answer.body!r}"
    if kind.alone:
        time.sleep(0.5)
    near = "kept" if answer.end == "whole" and is_well(client) else "closed"
    if near == "closed":
        assert client.at_end(5), "left open"
    client.close()
    (*_, caller) = origin.callers[query]
    far = "kept" if caller.is_kept(query) else "closed"
    return f"{answer.status} {answer.end} {near} {far}"


def found(kind, port, origin):
    try:
        return outcome(kind, port, origin)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


class Others(Callers):
    """Well-behaved requests all the while, on connections of their own. Ended with the `with`."""

    def __init__(self, port):
        super().__init__(3)
        self.port = port
        self.wrong = []
        self.count = 0

    def ask(self):
        try:
            while not self.over.wait(0.005):
                client = Strict(self.port)
                for _ in range(20):
                    if not is_well(client):
                        raise AssertionError("a connection was closed")
                    self.count += 1
                client.close()
        except Exception as error:
            self.wrong.append(f"{type(error).__name__}: {error}")


@test
def of_a_server_that_misbehaves_nothing_passes_for_what_it_is_not(stage):
    with Misbehaving() as origin:
        proxy = proxy_before(stage, origin.url)
        port = proxy.port
        told = {}
        with Others(port) as others, concurrent.futures.ThreadPoolExecutor(16) as pool:
            together = [kind for kind in KINDS if not kind.alone]
            # The slow ones first: they wait together.
            together.sort(key=lambda kind: not ("504" in kind.expect or "stall" in kind.name or "drip" in kind.name))
            for kind, what in zip(together, pool.map(lambda kind: found(kind, port, origin), together)):
                told[kind.name] = what
        for kind in KINDS:
            if kind.alone:
                told[kind.name] = found(kind, port, origin)
        show(told)
        equal(others.wrong, [], "others")
        assert others.count > 200, f"{others.count} requests of others"
        wrong = [(kind.name, told[kind.name], kind.expect) for kind in KINDS if told[kind.name] not in kind.expect.split(" or ")]
        equal(wrong, [], "kinds")
        # Who runs it is told at most once a minute that the server fails, whatever that says.
        told = [line for line in proxy.said().splitlines() if re.search("warn|error|panic", line, re.I)]
        # Many of its kinds at once are failures in a row, now and then: then others would go first.
        of_it = ["error=", "again and again: others, if there are any, go first error="]
        others = [line for line in told if not any(f" WARN an upstream gave no answer {what}" in line for what in of_it)]
        equal(others, [], "told")
        assert len(told) <= 3, f"told too often: {told}"
        equal(proxy.stop(), 0, "exit code")


# Of what is endless or slow, others have seen enough.
SHORT = [kind for kind in KINDS if isinstance(kind.text, str) and not kind.alone and not kind.upload and "504" not in kind.expect and "stall" not in kind.name]


@test
def over_HTTP_1_0_and_HTTP_2_a_cut_answer_is_cut_too(stage):
    with Misbehaving() as origin:
        proxy = proxy_before(stage, origin.url)

        def of_1_0(kind):
            client = Strict(proxy.port)
            client.send(f"{kind.method} {kind.path}?{next(NUMBERS)} HTTP/1.0\r\n\r\n")
            answer = client.answer(kind.method)
            assert "transfer-encoding" not in answer.fields, f"chunks in HTTP/1.0: {answer}"
            return f"{answer.status} {answer.end}"

        def of_2(kind):
            client = Frames(proxy.tls_port)
            path = (":path", f"{kind.path}?{next(NUMBERS)}".replace(" ", "-"))
            client.ask([(":method", kind.method), (":scheme", "https"), (":authority", "a.localhost"), path])
            status, _, end = client.answer()
            client.close()
            # The few that HPACK has no byte for.
            return f"{status or kind.expect[:3]} {end.replace('reset', 'cut')}"

        for way in [of_1_0, of_2]:
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                told = list(pool.map(way, SHORT))
            wrong = [(kind.name, what) for kind, what in zip(SHORT, told) if what != " ".join(kind.expect.split()[:2])]
            equal(wrong, [], way.__name__)
        equal(proxy.stop(), 0, "exit code")


@test
def over_TLS_an_end_without_a_farewell_cuts_an_answer(stage):
    stage.run([RELAIS, "cert", "issue", "127.0.0.1"])
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(stage.path("127.0.0.1.pem"), stage.path("127.0.0.1-key.pem"))
    with Misbehaving(tls) as origin:
        kinds = [Kind(then, OK + "\r\nhello", then, expect) for then, expect in [("close", CUT), ("reset", CUT), ("bid farewell", LAST)]]
        origin.kinds |= {kind.path: kind for kind in kinds}
        proxy = proxy_before(stage, origin.url)
        got = [found(kind, proxy.port, origin) for kind in kinds]
        equal(got, [kind.expect for kind in kinds])


def half(stream):
    said = block([(":status", "200"), ("cache-control", "max-age=60")])
    return frame(HEADERS, END_HEADERS, stream, said) + frame(DATA, 0, stream, b"half")


def whole(stream):
    return half(stream) + frame(DATA, END_STREAM, stream, b"and half")


def number(*numbers):
    return b"".join(number.to_bytes(4, "big") for number in numbers)


def refuse(stream):
    return frame(RST_STREAM, 0, stream, number(REFUSED)), b"", True


def leave(_):
    return frame(GOAWAY, 0, 0, number(0, NO_ERROR)), b"", False


NO_ERROR, REFUSED = 0, 7
CUTS = {
    "reset": lambda stream, _: (half(stream), frame(RST_STREAM, 0, stream, number(NO_ERROR)), True),
    "goes away": lambda stream, _: (half(stream), frame(GOAWAY, 0, 0, number(0, NO_ERROR)), False),
    "goes away after it": lambda stream, _: (half(stream), frame(GOAWAY, 0, 0, number(stream, NO_ERROR)), False),
    "closes": lambda stream, _: (half(stream), b"", False),
}
UNDONE = {
    "refuses once": lambda stream, nth: refuse(stream) if nth == 2 else (whole(stream), b"", True),
    "goes away before it": lambda stream, nth: leave(stream) if nth == 2 else (whole(stream), b"", True),
    "closes after each": lambda stream, _: (whole(stream), b"", False),
}


@test
def over_HTTP_2_what_a_server_cuts_is_cut_and_what_it_did_not_begin_is_asked_again(stage):
    for name, act in (CUTS | UNDONE).items():
        with Cutting(act) as origin:
            proxy = proxy_before(stage, origin.url, 'upstream_http = "2"\ncache = {}')
            for nth in range(3):
                client = Strict(proxy.port)
                # What is cut is not kept, either.
                path = "/" if name in CUTS else f"/{nth}"
                client.send(f"GET {path} HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
                answer = client.answer()
                expect = (b"half", "cut") if name in CUTS else (b"halfand half", "whole")
                equal((answer.status, answer.body, answer.end), (200, *expect), name)
                client.close()
            equal(proxy.stop(), 0, "exit code")


def show(told):
    print(f"{'a server that':<52} {'client gets':<12} {'its connection':<15} the server's")
    for name, what in told.items():
        status, end, near, far, *_ = f"{what}    ".split(" ", 4)
        print(f"{name:<52} {status + ' ' + end:<12} {near:<15} {far}")
