"""Requests that two servers could read in two ways, through `relais proxy`: what comes out behind it is
one request in its own form, or none."""

import concurrent.futures
import dataclasses

from frames import Frames
from recorder import Recorder
from strict import Strict
from stage import equal, test

HOST = "Host: a.example\r\n"
# Behind what is refused or cut: whoever reads that in another way finds a request here.
BEHIND = "GET /smuggled HTTP/1.1\r\nHost: a.example\r\n\r\n"
# In a body.
INNER = "GET /smuggled HTTP/1.1\r\nX: "


@dataclasses.dataclass
class Vector:
    """`sent` as it is, with `TAG` for what tells this one apart."""

    name: str
    sent: str
    # The statuses of the answers; the connection is closed behind one from 400 on.
    answers: list
    # What comes out: a target, or a target and a body. Of what is refused within its body, the start may.
    passed: list = dataclasses.field(default_factory=list)
    starts: bool = False


def refused(name, sent, status=400):
    return Vector(name, sent + BEHIND, [status])


def passes(name, sent, *passed, count=None):
    passed = passed or ("/TAG",)
    return Vector(name, sent, [200] * (count or len(passed)), list(passed))


def breaks(name, chunks, statuses=(400,)):
    """A body that is refused: the request may be under way, and never becomes whole."""
    return Vector(f"a body with {name}", post("Transfer-Encoding: chunked\r\n", chunks + BEHIND), [list(statuses)], starts=True)


def get(fields="", target="/TAG", host=HOST, version="HTTP/1.1"):
    return f"GET {target} {version}\r\n{host}{fields}\r\n"


def post(fields, body="", version="HTTP/1.1"):
    return f"POST /TAG {version}\r\n{HOST}{fields}\r\n{body}"


def length(value, body="hello"):
    return post(f"Content-Length:{value}\r\n", body)


def coding(value, body="0\r\n\r\n"):
    return post(f"Transfer-Encoding:{value}\r\n", body)


LENGTHS = [
    *[
        refused(f"a length of {value!r}", length(value))
        for value in [
            " +5", " -5", " 0x5", " 5,5", " 5, 5", " 5,6", " 5;", " 5 5", " 5.0", " 5e0", "", " ", " \x0b5", " 5\x0b", " \xa05",
            " five", " 18446744073709551621", " 00000000000000000005", " 5\0", "\x0c5", ' "5"', " 5,", " ,5",
        ]
    ],
    *[passes(f"a length of {value!r}", length(value), ("/TAG", b"hello")) for value in ["5", " 5", "\t5\t", "   5   ", " 0005"]],
    refused("a length twice", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")),
    refused("two lengths", post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello")),
    refused("two lengths in other letters", post("Content-Length: 5\r\ncONTENT-lENGTH: 0\r\n", "hello")),
    refused("a length before a space and a colon", post("Content-Length : 5\r\n", "hello")),
    refused("a length before a tab and a colon", post("Content-Length\t: 5\r\n", "hello")),
    refused("a length on a folded line", post("Content-Length:\r\n 5\r\n", "hello")),
    refused("a length that goes on on a folded line", post("Content-Length: 5\r\n 0\r\n", "hello")),
    refused("a length behind a bare LF", post("X: y\nContent-Length: 5\r\n", "hello")),
    refused("a length behind a bare CR", post("X: y\rContent-Length: 5\r\n", "hello")),
    refused("a length behind NUL", post("X: y\0Content-Length: 5\r\n", "hello")),
    passes("a length in a name with an underscore", post("Content_Length: 5\r\n")),
    passes("a body that is a request", post(f"Content-Length: {len(BEHIND)}\r\n", BEHIND), ("/TAG", BEHIND.encode())),
    passes("a body of GET that is a request", get(f"Content-Length: {len(BEHIND)}\r\n") + BEHIND, ("/TAG", BEHIND.encode())),
    passes("no body, and a request", post("Content-Length: 0\r\n", get(target="/TAG/second")), "/TAG", "/TAG/second"),
    passes("a body that Connection names", post("Connection: content-length\r\nContent-Length: 5\r\n", "hello"), ("/TAG", b"hello")),
]
CODINGS = [
    *[
        refused(f"a coding of {value!r}", coding(value), status)
        for value, status in [
            (" xchunked", 501), (" chunked, identity", 501), (" identity, chunked", 501), (" identity", 501), (" gzip, chunked", 501),
            (" chunked, gzip", 501), (" chunked, chunked", 501), (" chunked,", 501), (" ,chunked", 501), (' "chunked"', 501),
            (" chunked;q=1", 501), (" chunked foo", 501), ("", 501), (" cow", 501), (" chunke", 501), (" chunked\xa0", 501),
            (" \x0bchunked", 400), (" chunked\x0b", 400), (" \x0cchunked", 400), (" chun\0ked", 400), (" chunked\0", 400), ("\x00 chunked", 400),
            (" \x7fchunked", 400),
        ]
    ],
    *[passes(f"a coding of {value!r}", coding(value)) for value in ["chunked", " chunked", "\tchunked", " chunked \t", " CHUNKED", " cHuNkEd"]],
    refused("a length and a coding", post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
    refused("a coding and a length", post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")),
    refused("a coding and no length to speak of", post("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", "0\r\n\r\n")),
    refused("a length and a coding nobody knows", post("Content-Length: 5\r\nTransfer-Encoding: x\r\n", "hello"), 501),
    refused("a length and a coding that Connection names", post("Connection: content-length\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
    passes("a coding that Connection names", post("Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"), ("/TAG", b"hello")),
    refused("a coding twice", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
    refused("two codings", post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "0\r\n\r\n")),
    refused("two codings, the other way", post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 501),
    refused("a coding before a space and a colon", post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n")),
    refused("a coding before a tab and a colon", post("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n")),
    refused("a coding before VT and a colon", post("Transfer-Encoding\x0b: chunked\r\n", "0\r\n\r\n")),
    refused("a coding behind a space", post(" Transfer-Encoding: chunked\r\n", "0\r\n\r\n")),
    refused("a coding behind a space, second", post("X: y\r\n Transfer-Encoding: chunked\r\n", "0\r\n\r\n")),
    refused("a coding with a space within", post("Transfer Encoding: chunked\r\n", "0\r\n\r\n")),
    refused("a coding on a folded line", post("Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n"), 501),
    refused("a coding on a line folded with a tab", post("Transfer-Encoding:\r\n\tchunked\r\n", "0\r\n\r\n"), 501),
    refused("a coding behind a bare LF", post("Content-Length: 5\r\nX: y\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
    refused("a coding behind a bare CR", post("Content-Length: 5\r\nX: y\rTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
    refused("a coding behind a colon", post("Content-Length: 5\r\n:Transfer-Encoding: chunked\r\n", "0\r\n\r\n")),
    refused("a coding in HTTP/1.0", post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n", version="HTTP/1.0")),
    passes("a coding in a name with an underscore", post("Transfer_Encoding: chunked\r\n")),
    passes("a coding as content", post("Content-Encoding: chunked\r\n")),
    refused("a head that ends with LF", f"POST /TAG HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\n0\r\n\r\n"),
    refused("a head that ends with CR", f"POST /TAG HTTP/1.1\r\n{HOST}Transfer-Encoding: chunked\r\n\r0\r\n\r\n"),
]
CHUNKS = [
    *[
        breaks(f"a chunk of {size!r}", f"{size}\r\nhello\r\n0\r\n\r\n")
        for size in [
            "-5", "+5", " 5", "5 ", "5\t", "0x5", "x5", "5h", "", "5,", "5.0", "\x0b5", "10000000000000005", "00000000000000005", "5;", "5; a",
            "5;a=", "5;a =b", "5;a= b", '5;a="b', "5;a=\x01", "5;\0", "5;a\rb", "5\0", "5;;a", "5;a,b", "5;=", "5;" + "a" * 256, "5;" + "a=b;" * 100,
        ]
    ],
    breaks("LF behind a size", "5\nhello\r\n0\r\n\r\n"),
    breaks("CR alone behind a size", "5\rhello\r\n0\r\n\r\n"),
    breaks("LF in an extension", "5;a\nhello\r\n0\r\n\r\n"),
    breaks("LF behind data", "5\r\nhello\n0\r\n\r\n"),
    breaks("nothing behind data", "5\r\nhello0\r\n\r\n"),
    breaks("more than its size", "5\r\nhellohello\r\n0\r\n\r\n"),
    breaks("less than its size", "6\r\nhello\r\n0\r\n\r\n"),
    breaks("an empty line before", "\r\n5\r\nhello\r\n0\r\n\r\n"),
    breaks("LF behind the last size", "0\n\n"),
    breaks("LF at its end", "0\r\n\n"),
    breaks("a length in its trailers", "0\r\nContent-Length: 5\r\n\r\n"),
    breaks("a coding in its trailers", "0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    breaks("NUL in its trailers", "0\r\nX: \0\r\n\r\n"),
    breaks("a folded trailer", "0\r\nX: y\r\n z\r\n\r\n"),
    breaks("a space before a trailer's colon", "0\r\nX : y\r\n\r\n"),
    breaks("a trailer without a colon", "0\r\nGET /smuggled HTTP/1.1\r\n\r\n"),
    breaks("LF behind a trailer", "0\r\nX: y\n\r\n"),
    breaks("200 trailers", "0\r\n" + "X: y\r\n" * 200 + "\r\n", (431,)),
    breaks("a trailer of 40 KiB", f"0\r\nX: {'y' * 40_000}\r\n\r\n", (431,)),
    breaks("17 KiB of trailers", "0\r\n" + f"X: {'y' * 1000}\r\n" * 17 + "\r\n", (431,)),
    breaks("17 KiB of extensions", f"1;{'y' * 200}\r\na\r\n" * 90 + "0\r\n\r\n"),
    passes("leading zeros", coding(" chunked", "0000000000000005\r\nhello\r\n000\r\n\r\n"), ("/TAG", b"hello")),
    passes("extensions", coding(" chunked", '5;a;b=c;d="\\"e"\r\nhello\r\n0;f\r\n\r\n'), ("/TAG", b"hello")),
    passes("the longest extension", coding(" chunked", f"5;{'a' * 255}\r\nhello\r\n0\r\n\r\n"), ("/TAG", b"hello")),
    passes("a quoted extension that is a request", coding(" chunked", '5;a="GET /smuggled HTTP/1.1"\r\nhello\r\n0\r\n\r\n'), ("/TAG", b"hello")),
    passes("chunks that are requests", coding(" chunked", f"{len(BEHIND):X}\r\n{BEHIND}\r\n0\r\n\r\n"), ("/TAG", BEHIND.encode())),
    passes("a chunk that ends like all", coding(" chunked", "7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n"), ("/TAG", b"\r\n0\r\n\r\n")),
    passes("trailers", coding(" chunked", "5\r\nhello\r\n0\r\nX-End: y\r\n\r\n"), ("/TAG", b"hello")),
    passes("another request behind", coding(" chunked") + get(target="/TAG/second"), "/TAG", "/TAG/second"),
]
LINES = [
    refused("two spaces", f"GET  /TAG HTTP/1.1\r\n{HOST}\r\n"),
    refused("a space at the end", f"GET /TAG HTTP/1.1 \r\n{HOST}\r\n"),
    refused("a space before", f" GET /TAG HTTP/1.1\r\n{HOST}\r\n"),
    refused("a tab", f"GET\t/TAG HTTP/1.1\r\n{HOST}\r\n"),
    refused("a tab before the version", f"GET /TAG\tHTTP/1.1\r\n{HOST}\r\n"),
    refused("LF behind the line", f"GET /TAG HTTP/1.1\n{HOST}\r\n"),
    refused("CR within the line", f"GET /TAG\r HTTP/1.1\r\n{HOST}\r\n"),
    refused("two empty lines before", f"\r\n\r\nGET /TAG HTTP/1.1\r\n{HOST}\r\n"),
    refused("LF before", f"\nGET /TAG HTTP/1.1\r\n{HOST}\r\n"),
    passes("an empty line before", "\r\n" + get()),
    refused("no version", f"GET /TAG\r\n{HOST}\r\n"),
    refused("no target", f"GET HTTP/1.1\r\n{HOST}\r\n"),
    refused("four words", f"GET /TAG /smuggled HTTP/1.1\r\n{HOST}\r\n"),
    refused("a line in a line", f"GET /TAG HTTP/1.1\r\n{HOST}GET /smuggled HTTP/1.1\r\n\r\n"),
    *[refused(f"version {version}", get(version=version), status) for version, status in [
        ("HTTP/1.2", 505), ("HTTP/2.0", 505), ("HTTP/0.9", 505), ("HTTP/1.10", 400), ("HTTP/01.1", 400), ("http/1.1", 400), ("HTTP/1", 400), ("HTTP/1.1x", 400), ("HTTPS/1.1", 400),
    ]],
    refused("HTTP/2 in the clear", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    refused("NUL in a method", f"G\0T /TAG HTTP/1.1\r\n{HOST}\r\n"),
    refused("a colon in a method", f"G:T /TAG HTTP/1.1\r\n{HOST}\r\n"),
    passes("a method in small letters", f"get /TAG HTTP/1.1\r\n{HOST}\r\n"),
]
TARGETS = [
    *[
        refused(f"a target of {target!r}", get(target=target))
        for target in [
            "/TAG#here", "/TAG#", "#/TAG", "/TAG\0", "/TAG\x01", "/TAG\x7f", "/TAG\x1b[2J", "/TAG?\0", "/TAG\x0b", "TAG", "?TAG", "http://", "http:///TAG", "http:/TAG",
            "http://b.example/TAG", "http://a.example:81/TAG", "https://a.example/TAG", "ftp://a.example/TAG", "http://u:p@a.example/TAG",
            "http://a.example\\@b/TAG", "http://a.example#@b/TAG", "*", "a.example:80", "../TAG", "http://a b/TAG", "http://a.example:x/TAG", "http://a.example:99999/TAG", "http://[::1/TAG",
        ]
    ],
    *[
        passes(f"a target of {target!r}", get(target=target), passed)
        for target, passed in [
            ("/TAG/%00%0d%0a", "/TAG/%00%0d%0a"), ("//TAG", "//TAG"), ("/TAG/../..", "/TAG/../.."), ("/TAG/%2e%2e/", "/TAG/%2e%2e/"), ("/TAG?a?b=/&c", "/TAG?a?b=/&c"), ("/TAG?", "/TAG?"),
            ("http://a.example/TAG", "/TAG"), ("HTTP://A.example/TAG", "/TAG"), ("http://a.example:80/TAG", "/TAG"), ("http://a.example?TAG", "/?TAG"), ("http://a.example/?TAG", "/?TAG"), ("/TAG;a=b", "/TAG;a=b"),
            ("/http://b.example/TAG", "/http://b.example/TAG"), ("/TAG/*", "/TAG/*"),
        ]
    ],
    refused("a target beyond ASCII", get(target="/TAG\xe4")),
    passes("OPTIONS of all", f"OPTIONS * HTTP/1.1\r\n{HOST}X: TAG\r\n\r\n", "*"),
    passes("OPTIONS of a host's start", f"OPTIONS http://a.example/?TAG HTTP/1.1\r\n{HOST}\r\n", "/?TAG"),
    Vector("CONNECT", f"CONNECT a.example:443 HTTP/1.1\r\n{HOST.replace('.example', '.example:443')}\r\n{BEHIND}", [501]),
    refused("CONNECT with a path", f"CONNECT /TAG HTTP/1.1\r\n{HOST}\r\n"),
    Vector("TRACE", f"TRACE /TAG HTTP/1.1\r\n{HOST}\r\n", [405]),
]
HOSTS = [
    refused("no host", get(host="")),
    refused("two hosts", get(host="Host: a\r\nHost: b\r\n")),
    refused("a host twice", get(host="Host: a\r\nHost: a\r\n")),
    refused("a host before a space and a colon", get(host="Host : a\r\n")),
    refused("a folded host", get(host="Host: a\r\n b\r\n")),
    *[
        refused(f"a host of {host!r}", get(host=f"Host: {host}\r\n"))
        for host in ["a b", "a/b", "a@b", "a:b", "a:99999", "a:80:80", "[::1", "::1", "a#b", "a?b", "a\\b", "a\0", "a\x01", 'a"b', "http://a", "<a>", "a\xe4"]
    ],
    *[passes(f"a host of {host!r}", get(host=f"hOST: {host}\r\n")) for host in ["a", "A.Example.", "a:80", "127.0.0.1:1", "[::1]:80", "a_b", "a,b", "a;b", "xn--a"]],
    passes("no host in HTTP/1.0", get(host="", version="HTTP/1.0")),
    refused("a host that is not the target's", get(target="http://b.example/TAG")),
    passes("a host for others", get("X-Forwarded-Host: b\r\nForwarded: host=b\r\nX-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\n")),
    passes("a host that Connection names", get("Connection: host, via, x-forwarded-for, forwarded\r\n")),
]
FIELDS = [
    refused("NUL in a field", get("X: a\0b\r\n")),
    *[refused(f"{byte!r} in a field", get(f"X: a{byte}b\r\n")) for byte in "\x01\x08\x0b\x0c\x1b\x7f\r"],
    *[refused(f"{byte!r} in a name", get(f"X{byte}Y: a\r\n")) for byte in ' ()/,;<=>?@[\\]{}"\t\0\x7f\xe4'],
    refused("no name", get(": x\r\n")),
    refused("no colon", get("nonsense\r\n")),
    refused("a folded line", get("X: a\r\n b\r\n")),
    refused("a line folded with a tab", get("X: a\r\n\tb\r\n")),
    refused("an empty folded line", get("X: a\r\n \r\n")),
    refused("a folded first line", f"GET /TAG HTTP/1.1\r\n X: y\r\n{HOST}\r\n"),
    passes("letters beyond ASCII", get("X: \xe4\xff\r\n")),
    passes("a colon in a value", get("X: :a: b\r\n")),
    passes("an empty value", get("X:\r\nY: \t \r\n")),
    refused("101 fields", get("X: y\r\n" * 100), 431),
    refused("a field of 40 KiB", get(f"X: {'y' * 40_000}\r\n"), 431),
    refused("a head of 100 KiB", get(f"X: {'y' * 1000}\r\n" * 95), 431),
    refused("a target of 40 KiB", get(target="/TAG" + "y" * 40_000), 414),
    refused("an unknown expectation", get("Expect: a\r\n"), 417),
    refused("two expectations", get("Expect: 100-continue, a\r\n"), 417),
    passes("fields for one hop", get("Connection: close, x-a\r\nX-A: 1\r\nKeep-Alive: 1\r\nProxy-Connection: keep-alive\r\nTE: gzip\r\nProxy-Authorization: a\r\n")),
    passes("an upgrade that is not made", get("Connection: upgrade\r\nUpgrade: websocket\r\n") + get(target="/TAG/second"), "/TAG", "/TAG/second"),
    passes("an upgrade to HTTP/2", get("Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n")),
    passes("an upgrade to HTTP/2 beside another", get("Connection: upgrade\r\nUpgrade: websocket, h2c\r\n")),
    passes("an upgrade to TLS", get("Connection: upgrade\r\nUpgrade: TLS/1.0, HTTP/1.1\r\n")),
    passes("an upgrade with a body", post(f"Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: {len(BEHIND)}\r\n", BEHIND), ("/TAG", BEHIND.encode())),
]
PIPES = [
    passes("100 requests at once", "".join(get(target=f"/TAG/{n}") for n in range(100)), *[f"/TAG/{n}" for n in range(100)]),
    passes(
        "bodies at once", "".join(post(f"X: {n}\r\nContent-Length: 5\r\n", "hello") + coding(" chunked", "5\r\nhello\r\n0\r\n\r\n") for n in range(10)),
        *[("/TAG", b"hello")] * 20,
    ),
    Vector("a bad one behind good ones", get() + get(target="/TAG/second") + get("X : y\r\n", target="/smuggled") + BEHIND, [200, 200, 400], ["/TAG", "/TAG/second"]),
    Vector("one behind the last", get("Connection: close\r\n") + BEHIND, [200], ["/TAG"]),
    Vector("one behind the last of HTTP/1.0", get(version="HTTP/1.0") + BEHIND, [200], ["/TAG"]),
]
VECTORS = LENGTHS + CODINGS + CHUNKS + LINES + TARGETS + HOSTS + FIELDS + PIPES


def fill(text, tag):
    return text.replace("TAG", tag)


def faults_of(vector, tag, port, origin):
    """What is wrong with what became of it."""
    client = Strict(port)
    client.send(fill(vector.sent, tag))
    got = []
    for expect in vector.answers:
        answer = client.answer("GET")
        got.append(answer and answer.status)
        alike = got[-1] in expect if isinstance(expect, list) else got[-1] == expect
        if not alike or answer.end != "whole":
            return f"answers {got}, expected {vector.answers}"
    client.socket.shutdown(1)
    if not client.at_end(5):
        return "left open"
    if vector.starts:
        return next((f"became whole: {request}" for request in origin.those(tag) if request.whole), None)
    passed = [request for request in origin.requests if tag in request.target or tag in request.all("x")]
    found = [(request.target, request.body) for request in passed]
    expect = [(one, b"") if isinstance(one, str) else one for one in vector.passed]
    expect = [(fill(target, tag), body) for target, body in expect]
    return None if found == expect else f"passed on {found}, expected {expect}"


def tried(vector, tag, port, origin, faults=None):
    try:
        return (faults or faults_of)(vector, tag, port, origin)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def verdicts(vectors, try_one):
    """What is wrong, by name."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        tags = [f"v{number}v" for number in range(len(vectors))]
        found = list(pool.map(try_one, vectors, tags))
    return [(vector.name, wrong) for vector, wrong in zip(vectors, found) if wrong]


# What only this hop is to know, or what nobody may say for us.
NOT_PASSED_ON = {"keep-alive", "proxy-connection", "proxy-authorization", "upgrade", "http2-settings"}


def judge_form(origin):
    """What came out is in the form that is built here, and nothing else came out."""
    equal(origin.wrong, [], "what came out")
    equal(origin.those("smuggled"), [], "smuggled")
    for request in origin.requests:
        names = [name for name, _ in request.fields]
        equal(names[0], "host", "the first field")
        equal(names.count("via"), 1, "via")
        equal(request.all("x-forwarded-for"), ["127.0.0.1"], "who asked")
        hops = NOT_PASSED_ON & set(names)
        if request.all("upgrade") == ["websocket"]:
            hops.discard("upgrade")
        equal(hops, set(), f"for one hop, in {request.fields}")
        assert {name for name, _ in request.trailers} <= {"x-end"}, f"trailers: {request.trailers}"


@test
def no_second_request_comes_out_of_a_proxy(stage):
    with Recorder() as origin:
        proxy = stage.relais("proxy", "http://127.0.0.1:0", origin.url)
        wrong = verdicts(VECTORS, lambda vector, tag: tried(vector, tag, proxy.port, origin))
        print(f"{len(VECTORS)} requests in HTTP/1.1: {len(wrong)} wrong")
        equal(wrong, [], "requests")
        judge_form(origin)
        equal(proxy.stop(), 0, "exit code")


def h2(name, fields=(), pseudo=None, body=None, trailers=None, passed=()):
    """A request over HTTP/2: `pseudo` in place of the usual ones of these names."""
    usual = {":method": "POST" if body else "GET", ":scheme": "https", ":authority": "a.example", ":path": "/TAG"}
    usual |= pseudo or {}
    head = [(name, value) for name, value in usual.items() if value is not None]
    return Vector(name, (head + list(fields), body, trailers), [], list(passed))


def injected(before=""):
    return f"{before}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{BEHIND}"


ONE = [("/TAG", b"")]
FIVE = [("/TAG", b"hello")]
H2_VECTORS = [
    h2("a request", passed=ONE),
    h2("a body", body=b"hello", passed=FIVE),
    h2("a body with its length", [("content-length", "5")], body=b"hello", passed=FIVE),
    h2("a body that is a request", body=BEHIND.encode(), passed=[("/TAG", BEHIND.encode())]),
    h2("trailers", body=b"hello", trailers=[("x-end", "y")], passed=FIVE),
    h2("cookies in pieces", [("cookie", "a=b"), ("cookie", "c=d")], passed=ONE),
    h2("TE of trailers", [("te", "trailers")], passed=ONE),
    h2("an underscore in a name", [("content_length", "5"), ("transfer_encoding", "chunked")], passed=ONE),
    # Lengths.
    h2("a length over its body", [("content-length", "6")], body=b"hello"),
    h2("a length under its body", [("content-length", "4")], body=b"hello"),
    # Nobody waits for a body of which there is none: it may be passed on before more comes.
    dataclasses.replace(h2("no length to speak of, and a body", [("content-length", "0")], body=BEHIND.encode()), starts=True),
    h2("a length and no body", [("content-length", "5")]),
    *[h2(f"a length of {length!r}", [("content-length", length)], body=b"hello") for length in ["+5", "5,5", "5 ", " 5", "0x5", "", "5\0", "18446744073709551621", "-5"]],
    h2("a length twice", [("content-length", "5")] * 2, body=b"hello"),
    h2("two lengths", [("content-length", "5"), ("content-length", "0")], body=b"hello"),
    # What HTTP/2 has no use for.
    h2("a coding", [("transfer-encoding", "chunked")], body=b"0\r\n\r\n" + BEHIND.encode()),
    h2("a coding and a length", [("transfer-encoding", "chunked"), ("content-length", "5")], body=b"hello"),
    h2("a coding of nothing", [("transfer-encoding", "identity")], body=b"hello"),
    h2("Connection", [("connection", "close")]),
    h2("Connection that names a length", [("connection", "content-length"), ("content-length", "5")], body=b"hello"),
    h2("Keep-Alive", [("keep-alive", "timeout=5")]),
    h2("Proxy-Connection", [("proxy-connection", "keep-alive")]),
    h2("Upgrade", [("upgrade", "websocket")]),
    h2("TE of gzip", [("te", "gzip")]),
    # Line ends.
    h2("a line end in a value", [("x", injected("y"))]),
    h2("LF in a value", [("x", f"y\n{BEHIND}")]),
    h2("CR in a value", [("x", "y\rTransfer-Encoding: chunked")]),
    h2("NUL in a value", [("x", "y\0z")]),
    h2("a line end in a cookie", [("cookie", injected("a=b"))]),
    h2("a line end in a name", [("x: y\r\ntransfer-encoding", "chunked")]),
    h2("LF in a name", [("x\ny", "z")]),
    h2("a colon in a name", [("transfer-encoding:", "chunked")]),
    h2("a colon first in a name", [(":x", "y")]),
    h2("a space in a name", [("transfer-encoding ", "chunked")]),
    h2("a space first in a name", [(" x", "y")]),
    h2("a large letter in a name", [("Transfer-Encoding", "chunked")]),
    h2("no name", [("", "x")]),
    h2("NUL in a name", [("x\0", "y")]),
    h2("letters beyond ASCII in a name", [("x\xe4", "y")]),
    h2("a space around a value", [("x", " y ")]),
    h2("a tab before a value", [("x", "\ty")]),
    # Targets.
    *[
        h2(f"a path of {path!r}", pseudo={":path": path})
        for path in [
            "/TAG HTTP/1.1\r\nHost: a.example\r\n\r\nGET /smuggled", "/TAG\r\nX: y", "/TAG\nX: y", "/TAG\0", "/TAG y", "/TAG\t", "/TAG\x7f", "TAG", "", "*", "?TAG",
            "http://b.example/TAG", "/TAG\xe4\xff",
            *(path.encode().decode("latin-1") for path in ["/TAG\xe4", "/TAG\xa0b", "/TAG\x85", "/TAG?\x85", "/TAG?\u2028"]),
        ]
    ],
    # What is behind a # is cut off before anybody sees it.
    h2("a fragment", pseudo={":path": "/TAG#here"}, passed=ONE),
    h2("no path", pseudo={":path": None}),
    h2("two paths", [(":path", "/smuggled")]),
    h2("a path behind a field", [("x", "y"), (":path", "/TAG")], pseudo={":path": None}),
    h2("a path of slashes", pseudo={":path": "//TAG"}, passed=[("//TAG", b"")]),
    h2("OPTIONS of all", [("x", "TAG")], pseudo={":path": "*", ":method": "OPTIONS"}, passed=[("*", b"")]),
    # Methods.
    *[
        h2(f"a method of {method!r}", pseudo={":method": method})
        for method in ["GET /smuggled HTTP/1.1\r\nHost: a.example\r\nX: y\r\n\r\nGET", "GET /smuggled HTTP/1.1", "G\nT", "", "G T", "G\0T", "G:T", "CONNECT", "TRACE"]
    ],
    h2("no method", pseudo={":method": None}),
    h2("two methods", [(":method", "GET")]),
    # Hosts.
    *[
        h2(f"a host of {host!r}", pseudo={":authority": host})
        for host in ["a.example\r\nX: y", "a.example\nX: y", "a b", "a/b", "u@a.example", "a:b", "a#b", "a?b", "a\0", "a,b c", "a\\b", "[::1", "\xe4"]
    ],
    h2("no host", pseudo={":authority": None}),
    h2("two hosts", [(":authority", "b.example")]),
    h2("a host field", [("host", "a.example")], pseudo={":authority": None}, passed=ONE),
    h2("the same host twice", [("host", "a.example")], passed=ONE),
    h2("another host", [("host", "b.example")]),
    h2("two host fields", [("host", "a.example")] * 2),
    h2("a line end in a host field", [("host", injected("a.example"))], pseudo={":authority": None}),
    # Schemes.
    *[h2(f"a scheme of {scheme!r}", pseudo={":scheme": scheme}) for scheme in ["http", "ftp", "https://b.example/smuggled?", "https\r\nX: y", "", "h ttps"]],
    h2("no scheme", pseudo={":scheme": None}),
    h2("a status", [(":status", "200")]),
    h2("a protocol", [(":protocol", "websocket")], pseudo={":method": "CONNECT"}),
    # Trailers.
    # Pass without them.
    *[
        h2(f"{name} in trailers", body=b"hello", trailers=[(name, value), ("x-end", "y")], passed=FIVE)
        for name, value in [("content-length", "0"), ("host", "b.example"), (":path", "/smuggled"), ("x-forwarded-for", "1.2.3.4"), ("via", "a"), ("cookie", "a=b")]
    ],
    h2("a coding in trailers", body=b"hello", trailers=[("transfer-encoding", "chunked")]),
    h2("Connection in trailers", body=b"hello", trailers=[("connection", "close")]),
    h2("a line end in trailers", body=b"hello", trailers=[("x", injected("y"))]),
    h2("a large letter in trailers", body=b"hello", trailers=[("X", "y")]),
    # Much.
    h2("200 fields", [("x", "y")] * 200),
    h2("a field of 100 KiB", [("x", "y" * 100_000)]),
]


def faults_of_h2(vector, tag, port, origin):
    fields, body, trailers = vector.sent
    client = Frames(port)
    client.ask([(fill(name, tag), fill(value, tag)) for name, value in fields], body, trailers)
    status, _, end = client.answer()
    client.close()
    found = [(request.target, request.body) for request in origin.requests if request.whole and (tag in request.target or tag in request.all("x"))]
    expect = [(fill(target, tag), content) for target, content in vector.passed]
    if vector.starts and found == [(f"/{tag}", b"")]:
        return None
    if found != expect:
        return f"passed on {found}, expected {expect}, answered {status} {end}"
    return None if expect == [] or (status, end) == (200, "whole") else f"answered {status} {end}"


@test
def no_second_request_comes_out_of_what_came_over_HTTP_2(stage):
    with Recorder() as origin:
        proxy = stage.relais("proxy", "https://127.0.0.1:0", origin.url)
        port = proxy.tls_port
        wrong = verdicts(H2_VECTORS, lambda vector, tag: tried(vector, tag, port, origin, faults_of_h2))
        print(f"{len(H2_VECTORS)} requests in HTTP/2: {len(wrong)} wrong")
        equal(wrong, [], "requests")
        judge_form(origin)
        equal(proxy.stop(), 0, "exit code")
