"""Bytes that no well-behaved client sends."""

import socket
import time

from stage import Raw, equal, holds, test

# What is sent, and the statuses that it may get. After each the connection has to be closed.
MALFORMED = [
    ("two lengths", "GET / HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", [400]),
    ("the same length twice", "GET / HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", [400]),
    ("a length with a sign", "GET / HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: +1\r\n\r\na", [400]),
    ("a length and a coding", "POST / HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [400]),
    ("a coding that ends in another", "POST / HTTP/1.1\r\nHost: a.localhost\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", [400, 501]),
    ("a coding in HTTP/1.0", "POST / HTTP/1.0\r\nHost: a.localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [400]),
    ("a vertical tab before chunked", "POST / HTTP/1.1\r\nHost: a.localhost\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", [400]),
    ("a space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", [400]),
    ("a folded line", "GET / HTTP/1.1\r\nHost: a.localhost\r\nX: b\r\n c\r\n\r\n", [400]),
    ("a bare LF", "GET / HTTP/1.1\nHost: a\n\n", [400]),
    ("a bare CR", "GET / HTTP/1.1\r\nHost: a.localhost\r\nX: b\rc\r\n\r\n", [400]),
    ("NUL in a value", "GET / HTTP/1.1\r\nHost: a.localhost\r\nX: b\0c\r\n\r\n", [400]),
    ("no host", "GET / HTTP/1.1\r\n\r\n", [400]),
    ("two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", [400]),
    ("a host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", [400]),
    ("a host that is not the target's", "GET http://b/ HTTP/1.1\r\nHost: a.localhost\r\n\r\n", [400]),
    ("a fragment", "GET /#here HTTP/1.1\r\nHost: a.localhost\r\n\r\n", [400]),
    ("a target without a slash", "GET index.html HTTP/1.1\r\nHost: a.localhost\r\n\r\n", [400]),
    ("two spaces in the request line", "GET  / HTTP/1.1\r\nHost: a.localhost\r\n\r\n", [400]),
    ("an unknown version", "GET / HTTP/3.1\r\nHost: a.localhost\r\n\r\n", [400, 505]),
    ("no version", "GET /\r\n\r\n", [400]),
    ("HTTP/2 in the clear", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400, 505]),
    ("TLS in the clear", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "a" * 40 + "\r\n\r\n", [400]),
    ("a line of 20 KiB", f"GET /{'a' * 20_000} HTTP/1.1\r\nHost: a.localhost\r\n\r\n", [414]),
    ("a field of 20 KiB", f"GET / HTTP/1.1\r\nHost: a.localhost\r\nX: {'a' * 20_000}\r\n\r\n", [431]),
    ("200 fields", "GET / HTTP/1.1\r\nHost: a.localhost\r\n" + "X: y\r\n" * 200 + "\r\n", [431]),
    ("a head of 100 KiB", "GET / HTTP/1.1\r\nHost: a.localhost\r\n" + f"X: {'y' * 1000}\r\n" * 100 + "\r\n", [431]),
]
# The head is well and may be answered before the body comes.
MALFORMED_BODIES = [
    ("a bad chunk size", "POST / HTTP/1.1\r\nHost: a.localhost\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", [400, 405]),
    ("a chunk longer than it says", "POST / HTTP/1.1\r\nHost: a.localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n", [400, 405]),
]
# A second request behind the first: if it is answered, the first was read in another way.
BEHIND = "GET /smuggled HTTP/1.1\r\nHost: a.localhost\r\n\r\n"


def served(stage, limits=""):
    stage.write("site/index.html", "hello")
    stage.write("site/smuggled", "smuggled")
    return stage.up(f'[serve.site]\nlisten = "http://127.0.0.1:0"\nroot = "site"\n{limits}')


def misread(port, cases):
    """Those that get another answer than they should, or more than one."""
    wrong = []
    for name, text, statuses in cases:
        for sent in (text, text + BEHIND):
            got = Raw(port).send(sent).rest()
            status = int(got[9:12]) if got.startswith(b"HTTP/1.1 ") else None
            if status not in statuses or got.count(b"HTTP/1.1 ") != 1 or b"smuggled" in got:
                wrong.append((name, statuses, got[:300]))
    return wrong


@test
def what_can_be_read_in_two_ways_is_refused_and_the_connection_closed(stage):
    relais = served(stage)
    equal(misread(relais.port, MALFORMED), [], "answers")
    equal(stage.curl(f"{relais.http}/"), b"hello")


@test
def a_malformed_body_gets_one_answer_and_the_connection_is_closed(stage):
    relais = served(stage)
    equal(misread(relais.port, MALFORMED_BODIES), [], "answers")


@test
def unusual_but_right_requests_are_answered(stage):
    relais = served(stage)
    end = "Connection: close\r\n\r\n"
    cases = [
        ("the absolute form", f"GET http://a.localhost/ HTTP/1.1\r\nHost: a.localhost\r\n{end}", 200),
        ("HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 200),
        ("HTTP/1.0 with a host", "GET / HTTP/1.0\r\nHost: a.localhost\r\n\r\n", 200),
        ("an empty line before", f"\r\nGET / HTTP/1.1\r\nHost: a.localhost\r\n{end}", 200),
        ("a query", f"GET /?a=/../b HTTP/1.1\r\nHost: a.localhost\r\n{end}", 200),
        ("a tab around a value", f"GET / HTTP/1.1\r\nHost:\ta.localhost\t\r\n{end}", 200),
        ("a length of 0", f"GET / HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: 0\r\n{end}", 200),
        ("a body on GET", f"GET / HTTP/1.1\r\nHost: a.localhost\r\nContent-Length: 3\r\n{end}abc", 200),
        ("an unknown method", f"BREW / HTTP/1.1\r\nHost: a.localhost\r\n{end}", (405, 501)),
        ("OPTIONS *", f"OPTIONS * HTTP/1.1\r\nHost: a.localhost\r\n{end}", (200, 204)),
        ("an IPv6 host", f"GET / HTTP/1.1\r\nHost: [::1]:80\r\n{end}", 200),
    ]
    wrong = []
    for name, text, expect in cases:
        got = Raw(relais.port).send(text).rest()
        statuses = expect if isinstance(expect, tuple) else (expect,)
        # An HTTP/1.0 request may be answered in either version.
        if not any(got.startswith((f"HTTP/1.1 {status} ".encode(), f"HTTP/1.0 {status} ".encode())) for status in statuses):
            wrong.append((name, expect, got[:200]))
    equal(wrong, [], "answers")


@test
def requests_in_one_packet_are_answered_in_order(stage):
    relais = served(stage)
    ask = "".join(f"GET /{path} HTTP/1.1\r\nHost: a.localhost\r\n\r\n" for path in ["", "smuggled", "", "none"])
    last = "GET / HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n\r\n"
    got = Raw(relais.port).send(ask + last).rest().decode()
    statuses = [part[:3] for part in got.split("HTTP/1.1 ")[1:]]
    equal(statuses, ["200", "200", "200", "404", "200"])


@test
def a_client_that_closes_its_side_still_gets_its_answer(stage):
    relais = served(stage)
    caller = Raw(relais.port).send("GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
    caller.socket.shutdown(socket.SHUT_WR)
    holds(caller.rest(), b"hello")


@test
def a_head_that_takes_too_long_gets_408(stage):
    relais = served(stage, '[limits]\nhead_max = "1s"\nidle_max = "2s"\n')
    began = time.monotonic()
    got = Raw(relais.port).send("GET / HTTP/1.1\r\nHost: a.localhost\r\nX-Slow: ").rest()
    took = time.monotonic() - began
    holds(got, b"HTTP/1.1 408 ")
    assert 0.5 < took < 5, f"took {took:.1f} s"
    # Byte by byte is no way around it.
    caller, began = Raw(relais.port), time.monotonic()
    caller.send("GET / HTTP/1.1\r\nX: ")
    try:
        while time.monotonic() - began < 8:
            caller.send("y")
            time.sleep(0.1)
    except OSError:
        pass
    assert time.monotonic() - began < 6, "still open"


@test
def an_idle_connection_is_closed_without_a_word(stage):
    relais = served(stage, '[limits]\nidle_max = "1s"\n')
    for first in ("", "GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n"):
        caller = Raw(relais.port)
        if first:
            caller.send(first).head()
        began = time.monotonic()
        holds([b"", b"hello"], caller.rest())
        took = time.monotonic() - began
        assert 0.5 < took < 5, f"took {took:.1f} s"


@test
def who_does_not_take_an_answer_is_let_go(stage):
    stage.random_file("site/big.bin", 60_000_000)
    relais = served(stage, '[limits]\nstall_max = "2s"\n')
    with socket.socket() as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        caller.connect(("127.0.0.1", relais.port))
        caller.sendall(b"GET /big.bin HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
        time.sleep(6)
        caller.settimeout(10)
        count = 0
        try:
            while part := caller.recv(1 << 20):
                count += len(part)
        except ConnectionResetError:
            pass
        assert count < 60_000_000, "it waited for ever"
