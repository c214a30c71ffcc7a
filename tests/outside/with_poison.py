"""`relais proxy --cache` between servers whose answers are not what they say and clients who would have
others get what is answered to them."""

import itertools
import os
import pathlib
import re
import threading
import time

from frames import DATA, END_HEADERS, END_STREAM, HEADERS, block, frame
from misbehaving import Cutting
from stage import Raw, equal, holds, test
from strict import Strict
from telling import FRESH, Telling, says

OK = "HTTP/1.1 200 OK\r\n" + FRESH
EVIL = "evil.example"


def proxy_before(stage, server, cache="true", more=""):
    return stage.up(f'[proxy.front]\nlisten = "http://127.0.0.1:0"\nupstream = "{server.url}"\ncache = {cache}\n{more}')


def ask(port, target, fields="", method="GET", body="", host="a.example", version="1.1"):
    """What a client gets that has a connection of its own."""
    client = Strict(port)
    client.send(f"{method} {target} HTTP/{version}\r\nHost: {host}\r\n{fields}\r\n{body}")
    answer = client.answer(method)
    client.close()
    return answer


def is_hit(answer):
    return "; hit" in answer.fields.get("cache-status", "")


def together(count, ask):
    found = [None] * count

    def one(number):
        found[number] = ask()

    threads = [threading.Thread(target=one, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return found


# What is said, what becomes of the connection, and what the client gets: the same for all who ask.
# Nothing that is cut is kept; what is whole may be.
LENGTHS = {
    "a length that is too long": (OK + "Content-Length: 10\r\n\r\nhello", "close", "hello", "cut"),
    "the same, reset": (OK + "Content-Length: 10\r\n\r\nhello", "reset", "hello", "cut"),
    "a length of which nothing comes": (OK + "Content-Length: 5\r\n\r\n", "close", "", "cut"),
    "no last chunk": (OK + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "close", "hello", "cut"),
    "no end of the last chunk": (OK + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", "close", "hello", "cut"),
    "half a chunk": (OK + "Transfer-Encoding: chunked\r\n\r\na\r\nhello", "reset", "hello", "cut"),
    "half a trailer": (OK + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y", "close", "hello", "cut"),
    "no length, reset": (OK + "\r\nhello", "reset", "hello", "cut"),
    "no length": (OK + "\r\nhello", "close", "hello", "whole"),
    "a length that is too short": (OK + "Content-Length: 5\r\n\r\nhello" + OK + "Content-Length: 6\r\n\r\nPOISON", "keep", "hello", "whole"),
    "an unregistered coding": (OK + "Transfer-Encoding: binary\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "close", "5\r\nhello\r\n0\r\n\r\n", "whole"),
    "an unregistered coding, reset": (OK + "Transfer-Encoding: binary\r\n\r\nhello", "reset", "hello", "cut"),
    "another answer behind an unregistered coding": (OK + "Transfer-Encoding: binary\r\n\r\nhello" + OK + "Content-Length: 6\r\n\r\nPOISON", "close", None, "whole"),
}


@test(seconds=90)
def what_a_server_cuts_or_misstates_is_kept_only_if_it_is_whole(stage):
    def answer(asked):
        if asked.path == "/after":
            return says("after " + asked.target)
        text, then, *_ = LENGTHS[names[asked.path]]
        return text.encode("latin-1"), then

    names = {f"/{number}": name for number, name in enumerate(LENGTHS)}
    with Telling(answer) as server:
        port = proxy_before(stage, server).port
        for path, name in names.items():
            _, _, body, end = LENGTHS[name]
            for found in [ask(port, path), ask(port, path), *together(4, lambda: ask(port, path))]:
                equal((found.status, found.end), (200, end), name)
                if body is not None:
                    equal(found.body, body.encode("latin-1"), name)
                if end == "cut":
                    assert not is_hit(found), f"{name}: kept"
            if end == "whole":
                equal(server.count(path), 1, name)
            # Whoever is next has what is his.
            after = f"/after?{path[1:]}"
            equal(ask(port, after).body, f"after {after}".encode(), name)


# The same where the body may not be, or where there are two lengths: nobody gets anything of it.
REFUSED = [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, binary\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: binary, chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: binary\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: binary\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: binary\r\nTransfer-Encoding: binary\r\n\r\nPOISON",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: binary\r\nContent-Length: 6\r\n\r\nPOISON",
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: binary\r\n\r\nPOISON",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nPOISON",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: trailers\r\n\r\nPOISON",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: \x0bbinary\r\n\r\nPOISON",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: bi nary\r\n\r\nPOISON",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding : binary\r\n\r\nPOISON",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n binary\r\n\r\nPOISON",
    "HTTP/1.0 200 OK\r\nTransfer-Encoding: binary\r\n\r\nPOISON",
    "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: binary\r\n\r\nPOISON",
    "HTTP/1.1 204 No Content\r\nTransfer-Encoding: binary\r\n\r\nPOISON",
    "HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: binary\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nPOISON",
    "HTTP/1.1 200 OK\r\nContent-Length: 6\r\ncontent-length: 6\r\n\r\nPOISON",
    "HTTP/1.1 200 OK\r\nContent-Length: 6, 6\r\n\r\nPOISON",
]


@test
def two_ways_to_read_a_body_are_none(stage):
    def answer(asked):
        if asked.path == "/after":
            return says("after " + asked.target)
        return REFUSED[int(asked.path[1:])].encode("latin-1")

    with Telling(answer) as server:
        port = proxy_before(stage, server).port
        for number, text in enumerate(REFUSED):
            for method in ["GET", "GET", "HEAD"]:
                found = ask(port, f"/{number}", method=method)
                equal((found.status, found.end), (502, "whole"), text)
                assert b"POISON" not in found.body and not is_hit(found), text
                after = f"/after?{number}"
                equal(ask(port, after).body, f"after {after}".encode(), text)


@test
def an_unregistered_coding_leaves_no_connection_to_be_used_again(stage):
    """What follows it is its body, or nobody's: on the same connection nothing more is asked."""

    def answer(asked):
        if asked.path == "/after":
            return says("after " + asked.target)
        status = {"/304": "304 Not Modified"}.get(asked.path, "200 OK")
        # As if for a request that comes behind.
        return f"HTTP/1.1 {status}\r\nTransfer-Encoding: binary\r\n\r\n".encode() + says("POISON")

    with Telling(answer) as server:
        port = proxy_before(stage, server, cache="false").port
        for path, method in [("/head", "HEAD"), ("/304", "GET")]:
            for _ in range(5):
                found = ask(port, path, method=method)
                equal((found.status, found.body, found.end), (304 if path == "/304" else 200, b"", "whole"), path)
                for number in range(3):
                    equal(ask(port, f"/after?{number}").body, f"after /after?{number}".encode(), path)


def of_2(fields, body):
    return lambda stream, _: (
        frame(HEADERS, END_HEADERS, stream, block([(":status", "200"), ("cache-control", "max-age=60"), *fields]))
        + frame(DATA, END_STREAM, stream, body),
        b"",
        True,
    )


@test
def over_HTTP_2_a_length_that_lies_is_kept_by_nobody(stage):
    for fields, body in [([("content-length", "10")], b"hello"), ([("content-length", "3")], b"hello"), ([("content-length", "3"), ("content-length", "5")], b"hello")]:
        with Cutting(of_2(fields, body)) as server:
            proxy = proxy_before(stage, server, more='upstream_http = "2"')
            for _ in range(2):
                found = ask(proxy.port, "/")
                assert found.status == 502 or found.end == "cut", f"{fields}: {found}"
                assert not is_hit(found), f"{fields}: kept"
            equal(server.asked, 2, str(fields))
            equal(proxy.stop(), 0, "exit code")


TRAILERS = (
    "Cache-Control: max-age=600\r\nSet-Cookie: a=b\r\nVary: *\r\nAge: 7\r\nExpires: 0\r\nDate: x\r\nETag: \"evil\"\r\n"
    "Last-Modified: x\r\nLocation: //evil.example\r\nContent-Type: text/evil\r\nContent-Encoding: gzip\r\nSurrogate-Key: evil\r\n"
    "CDN-Cache-Control: max-age=600\r\nNo-Vary-Search: params\r\nCache-Groups: \"evil\"\r\nContent-Range: bytes 0-1/2\r\n"
    "Access-Control-Allow-Origin: *\r\nX-Forwarded-Host: evil\r\nX-End: y\r\n"
)
NAMED = "Trailer: " + ", ".join(line.split(":")[0] for line in TRAILERS.splitlines()) + "\r\n"
CHUNKS = "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"


@test
def trailers_say_nothing_of_what_is_kept(stage):
    heads = {"/kept": FRESH, "/no-store": "Cache-Control: no-store\r\n", "/plain": "", "/private": "Cache-Control: private\r\n"}

    def answer(asked):
        return f"HTTP/1.1 200 OK\r\n{heads[asked.path]}{NAMED}{CHUNKS}{TRAILERS}\r\n".encode()

    with Telling(answer) as server:
        port = proxy_before(stage, server).port
        for path in heads:
            found = ask(port, path, "TE: trailers\r\n")
            equal((found.body, found.end, found.trailers), (b"hello", "whole", {"etag": '"evil"', "x-end": "y"}), path)
            again = ask(port, path, "TE: trailers\r\n")
            equal((again.body, again.end), (b"hello", "whole"), path)
            equal(is_hit(again), path in ("/kept", "/plain"), path)
            if is_hit(again):
                equal(again.trailers, {}, path)
                seconds = int(re.search(r"ttl=(\d+)", again.fields["cache-status"])[1])
                assert seconds <= 60, f"{path}: {seconds} s"
            for answer_of in [found, again]:
                named = set(answer_of.fields) & {"set-cookie", "vary", "etag", "location", "content-type", "expires", "last-modified", "content-range"}
                equal(named, set(), path)


@test
def trailers_that_frame_are_refused(stage):
    def answer(asked):
        return f"{OK}{CHUNKS}{asked.path[1:]}: 3\r\n\r\n".encode()

    with Telling(answer) as server:
        port = proxy_before(stage, server).port
        for name in ["Content-Length", "content-length", "Transfer-Encoding", "hOST"]:
            for _ in range(2):
                found = ask(port, f"/{name}", "TE: trailers\r\n")
                equal((found.end, is_hit(found)), ("cut", False), name)


@test
def who_joins_gets_the_body_and_no_trailers(stage):
    go_on = threading.Event()

    def answer(asked):
        go_on.wait(10)
        return f"{OK}Trailer: X-End\r\n{CHUNKS}X-End: y\r\n\r\n".encode()

    with Telling(answer) as server:
        port = proxy_before(stage, server).port
        threading.Timer(1, go_on.set).start()
        for found in together(6, lambda: ask(port, "/", "TE: trailers\r\n")):
            equal((found.body, found.end), (b"hello", "whole"))
            assert found.trailers in ({}, {"x-end": "y"}), found
        equal(server.count("/"), 1)


# Fields of an answer, and whether another client gets it from the cache; `None` if nobody gets it at all.
SPELLINGS = [
    ("CACHE-CONTROL:max-age=60\r\n", True),
    ("cache-control:\tMAX-AGE=60 \t\r\n", True),
    ("Cache-Control: max-age=60\r\ncAcHe-CoNtRoL: private\r\n", False),
    ("cache-control: private\r\nCACHE-CONTROL: public, max-age=60\r\n", False),
    ("Cache-Control: max-age=60,PRIVATE\r\n", False),
    ("Cache-Control: max-age=60 ,\tNo-Store\t\r\n", False),
    ("Cache-Control: max-age=60, ,,no-store,\r\n", False),
    ("Cache-Control: max-age=60, no-store=x\r\n", False),
    ('Cache-Control: max-age=60, x="\r\nCache-Control: no-store\r\n', False),
    ('Cache-Control: x="a, max-age=60, \\", ", no-store\r\n', False),
    ("Cache-Control: max-age=60\r\nVARY: *\r\n", False),
    ("Cache-Control: max-age=60\r\nVary: x-a\r\nvary: , * ,\r\n", False),
    ("Cache-Control: max-age=60\r\nSET-COOKIE: a=b\r\n", False),
    ("Cache-Control: max-age=60\r\nsEt-cOoKiE:a=b\r\n", False),
    ("Cache-Control : max-age=60\r\n", None),
    ("Cache-Control\t: max-age=60\r\n", None),
    (" Cache-Control: max-age=60\r\n", None),
    ("Cache-Control: max-age=60\r\n no-store\r\n", None),
    ("Cache-Control: max-age=60\nSet-Cookie: a=b\r\n", None),
    ("Cache-Control: max-age=60\rSet-Cookie: a=b\r\n", None),
    ("Cache-Control: max-age=60\r\nX\0: y\r\n", None),
    ("Cache-Control: max-age=60\r\n: y\r\n", None),
]


@test
def fields_that_differ_in_case_or_spaces_are_the_same(stage):
    with Telling(lambda asked: says("body", SPELLINGS[int(asked.path[1:])][0])) as server:
        port = proxy_before(stage, server).port
        for number, (fields, kept) in enumerate(SPELLINGS):
            found, again = ask(port, f"/{number}"), ask(port, f"/{number}")
            statuses = (502, 502) if kept is None else (200, 200)
            equal((found.status, again.status), statuses, fields)
            equal(is_hit(again), bool(kept), fields)


@test
def what_varies_by_a_field_finds_it_however_it_is_spelled(stage):
    with Telling(lambda asked: says(asked.value("x-a"), FRESH + "VARY:X-a\r\nvary: X-B\r\n")) as server:
        port = proxy_before(stage, server).port
        for fields in ["X-A: 1\r\n", "x-a:1\r\n", "X-a: \t1\t \r\n"]:
            equal(ask(port, "/", fields).body, b"1", fields)
        equal(len(server.asked), 1)
        for fields, body in [("X-A: 2\r\n", b"2"), ("X-A: 1\r\nX-A: 2\r\n", b"1, 2"), ("X-A: \r\n", b""), ("", b""), ("X-A: 1\r\nx-b: 1\r\n", b"1")]:
            equal(ask(port, "/", fields).body, body, fields)
        equal(len(server.asked), 6)
