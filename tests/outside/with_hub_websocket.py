"""relais hub over HTTP: its page, a WebSocket that carries the same sessions as lines do, and hooks."""

import base64
import contextlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading

from stage import RELAIS, equal, holds, library, need, test
from with_a_hub import Bot, somebody

FAST = ("--burst", 1000, "--messages-a-second", 0)
KEY = "dGhlIHNhbXBsZSBub25jZQ=="


def connect(stage):
    """What opens a WebSocket, of a library that knows nothing of relais."""
    return library(stage, "websockets", "websockets.sync.client").connect


def hub(stage, *arguments, store=None, listen=("tcp://127.0.0.1:0", "http://127.0.0.1:0")):
    """Starts a hub and waits for the ports it tells."""
    store = store or os.path.join(stage.folder, "hub.db")
    program = stage.start([RELAIS, "hub", *listen, *map(str, arguments), "--store", store], "relais")

    def told():
        return dict(re.findall(r"^(tcp|http|https)://\S*?:([1-9][0-9]*)\b", program.said(), re.M))

    program.await_that("its addresses told", lambda: len(told()) == len(listen))
    ports = {scheme: int(port) for scheme, port in told().items()}
    program.tcp, program.web, program.store = ports.get("tcp"), ports.get("http"), store
    program.secure = ports.get("https")
    return program


class Web(Bot):
    """A client over a WebSocket."""

    def __init__(self, stage, url, **how):
        how = {"compression": None, "max_size": None, "open_timeout": 20, "close_timeout": 5} | how
        self.socket = connect(stage)(url, **how)
        self.number, self.events = 0, []

    def send(self, **frame):
        self.socket.send(json.dumps(frame))

    def next(self):
        said = self.socket.recv(20)
        assert isinstance(said, str) and "\n" not in said, said
        return json.loads(said)

    def close(self):
        self.socket.close()

    def goodbye(self):
        """With which code and word the hub hangs up, whatever it told before."""
        from websockets.exceptions import ConnectionClosed

        with contextlib.suppress(ConnectionClosed):
            while True:
                self.socket.recv(20)
        return self.socket.protocol.close_rcvd.code, self.socket.protocol.close_rcvd.reason


def guest(stage, program, name, *rooms, **how):
    web = Web(stage, f"ws://127.0.0.1:{program.web}/ws", **how)
    web.done("REGISTER", user=name, password="secret-pass")
    for room in rooms:
        web.done("JOIN", room=room)
    return web


@test
def who_comes_by_websocket_and_who_comes_by_tcp_hear_each_other(stage):
    program = hub(stage, *FAST)
    ana = somebody(program.tcp, "ana", "#lab")
    bob = guest(stage, program, "bob", "#lab", subprotocols=["relais-chat.1"])
    equal(bob.socket.subprotocol, "relais-chat.1")
    equal(ana.event("join")["from"], "bob")
    said = bob.done("MESSAGE", room="#lab", body="salut @ana é\nand more", cid="c1")
    heard = ana.event("message")
    equal((heard["from"], heard["body"], heard["seq"]), ("bob", "salut @ana é\nand more", said["seq"]))
    equal(bob.event("message").get("cid"), "c1")
    ana.done("MESSAGE", to="bob", body="just us")
    heard = bob.event("message")
    equal((heard["room"], heard["body"]), ("@ana", "just us"))
    equal(bob.done("HELLO")["tls"], False)
    bob.socket.send('{"cmd":"PING","t":NaN}')
    equal(bob.next()["err"]["code"], "BAD_FRAME")
    bob.refused("UNKNOWN_COMMAND", "NO")
    bob.socket.ping().wait(10)
    # Whitespace between is JSON's own, and a message may come in parts.
    bob.socket.send(['{"cmd":"PI', 'NG",\n"id":99}'])
    equal(bob.next()["re"], 99)
    # A long answer is one message.
    for _ in range(9):
        ana.done("MESSAGE", room="#lab", body="x" * 16000)
    equal(len(bob.done("HISTORY", room="#lab", latest=True, limit=9)["events"]), 9)
    bob.done("BYE")
    equal(bob.goodbye()[0], 1000)


@test
def a_page_of_another_site_does_not_come_in(stage):
    program = hub(stage, "--origin", "https://a.example")
    url = f"ws://127.0.0.1:{program.web}/ws"
    own = f"http://127.0.0.1:{program.web}"
    for origin in (own, "https://a.example"):
        equal(Web(stage, url, origin=origin).done("PING", t=1)["t"], 1)
    from websockets.exceptions import InvalidStatus

    strangers = (own.replace("http", "https"), f"http://localhost:{program.web}", "http://a.example", "https://evil.example", "null")
    for origin in strangers:
        try:
            Web(stage, url, origin=origin)
        except InvalidStatus as refused:
            equal(refused.response.status_code, 403)
        else:
            raise AssertionError(f"{origin} came in")
    wrong = subprocess.run(
        [RELAIS, "hub", "http://127.0.0.1:0", "--origin", "a.example", "--store", stage.path("b.db")],
        stderr=subprocess.PIPE, timeout=20, check=False,
    )  # fmt: skip
    equal(wrong.returncode, 2)
    holds(wrong.stderr.decode(), 'no origin of a page: "a.example"')


class Raw:
    """A WebSocket opened by hand, for what no library sends."""

    def __init__(self, program):
        self.conn = socket.create_connection(("127.0.0.1", program.web), 20)
        self.conn.settimeout(20)
        head = ["GET /ws HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
        self.conn.sendall("\r\n".join([*head, f"Sec-WebSocket-Key: {KEY}", "", ""]).encode())
        said = b""
        while not said.endswith(b"\r\n\r\n"):
            said += self.conn.recv(1)
        assert said.startswith(b"HTTP/1.1 101 "), said
        holds(said.decode().lower(), "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=")

    def frame(self, first, payload):
        size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
        self.conn.sendall(bytes([first]) + size + bytes(4) + payload)

    def rest(self):
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while part := self.conn.recv(65536):
                said += part
        return said

    def code(self):
        """The code of the goodbye, which is all that it is told."""
        said = self.rest()
        equal(said[0], 0x88, said)
        return int.from_bytes(said[2:4], "big")


@test
def who_breaks_a_rule_is_told_which_and_others_go_on(stage):
    program = hub(stage)
    ana = guest(stage, program, "ana", "#lab")
    big = guest(stage, program, "big")
    with contextlib.suppress(Exception):
        big.socket.send("x" * 70000)
    equal(big.goodbye()[0], 1009)
    binary = guest(stage, program, "binary")
    binary.socket.send(b'{"cmd":"PING"}')
    equal(binary.goodbye(), (1003, "a binary message: expected text"))
    for first, payload, code in [
        (0x81, b"a\xff", 1007),
        (0xC1, b"a", 1002),
        (0x80, b"a", 1002),
        (0x89, b"a" * 126, 1002),
        (0x83, b"a", 1002),
    ]:
        raw = Raw(program)
        raw.frame(first, payload)
        equal((first, raw.code()), (first, code))
    raw = Raw(program)
    raw.conn.sendall(b"\x81\x02{}")
    equal(raw.code(), 1002)
    # A message of parts that never end.
    raw = Raw(program)
    with contextlib.suppress(OSError):
        raw.frame(0x01, b"x" * 60000)
        raw.frame(0x00, b"x" * 60000)
    equal(raw.code(), 1009)
    # Too much, said by nobody.
    raw = Raw(program)
    raw.frame(0x81, b'{"cmd":"PING","id":1}' + b" " * 5000)
    holds(raw.rest().decode(errors="replace"), "FRAME_TOO_BIG")
    equal(ana.done("PING", t=1)["t"], 1)


@test
def who_ends_halfway_is_let_go(stage):
    program = hub(stage)
    ana = guest(stage, program, "ana", "#lab")
    bob = guest(stage, program, "bob", "#lab")
    equal(ana.event("join")["from"], "bob")
    # No goodbye: the socket alone ends, to one side.
    bob.socket.socket.shutdown(socket.SHUT_WR)
    raw = Raw(program)
    raw.conn.sendall(b"\x81")
    raw.conn.shutdown(socket.SHUT_WR)
    equal(raw.rest(), b"")
    program.await_that("bob gone", lambda: all(w["user"] != "bob" or not w["online"] for w in ana.done("WHO", room="#lab")["members"]))


@test
def who_reads_nothing_by_websocket_falls_behind_and_holds_up_nobody(stage):
    program = hub(stage, *FAST)
    ana, bob = (somebody(program.tcp, name, "#lab") for name in ("ana", "bob"))
    slow = guest(stage, program, "slow", "#lab", max_queue=(1, 0))
    count, body = 1500, "x" * 8000
    heard = threading.Thread(target=lambda: [bob.event("message") for _ in range(count)])
    heard.start()
    for _ in range(count):
        ana.done("MESSAGE", room="#lab", body=body)
        ana.events.clear()
    heard.join(30)
    assert not heard.is_alive(), "bob did not hear all"
    lagged = slow.event("lagged")
    equal(lagged["room"], "#lab")
    page = slow.done("HISTORY", room="#lab", after=lagged["last"], limit=10)["events"]
    assert len(page) == 10 and page[0]["prev"] == lagged["last"], page[:1]


@test
def after_kill_9_who_comes_back_by_websocket_hears_what_it_missed(stage):
    program = hub(stage, *FAST)
    ana = somebody(program.tcp, "ana", "#lab")
    bob = guest(stage, program, "bob", "#lab")
    token = Web(stage, f"ws://127.0.0.1:{program.web}/ws").done("LOGIN", user="bob", password="secret-pass")["token"]
    ana.done("MESSAGE", room="#lab", body="first")
    last = bob.event("message")["seq"]
    bob.close()
    acknowledged = [ana.done("MESSAGE", room="#lab", body=f"m{number}")["seq"] for number in range(200)]
    os.kill(program.process.pid, signal.SIGKILL)
    program.process.wait(10)
    program = hub(stage, store=program.store)
    bob = Web(stage, f"ws://127.0.0.1:{program.web}/ws")
    equal(bob.done("LOGIN", token=token, resume={"since": last})["user"], "bob")
    equal([bob.event("message")["seq"] for _ in acknowledged], acknowledged)


@test
def told_to_stop_it_says_goodbye_to_websockets(stage):
    program = hub(stage)
    ana = guest(stage, program, "ana")
    program.process.send_signal(signal.SIGTERM)
    equal(ana.event("bye")["code"], "SHUTDOWN")
    equal(ana.goodbye(), (1001, "told to stop"))
    equal(program.process.wait(10), 0)


@test
def over_https_the_page_and_its_websocket_are_private(stage):
    need("curl", "openssl")
    program = hub(stage, listen=("https://localhost:0",))
    authority = stage.authority()
    context = ssl.create_default_context(cafile=authority)
    url = f"wss://localhost:{program.secure}/ws"
    ana = Web(stage, url, ssl=context, origin=f"https://localhost:{program.secure}")
    assert ana.done("HELLO")["tls"], "not private"
    ana.done("REGISTER", user="ana", password="secret-pass")
    equal(ana.done("WHOIS", user="ana")["user"], "ana")
    page = stage.run(["curl", "-si", "--cacert", authority, f"https://localhost:{program.secure}/"]).decode()
    holds(page, "HTTP/2 200")
    # A WebSocket is of HTTP/1.1 alone, which browsers choose for it by themselves.
    refused = stage.run(["curl", "-si", "--http2", "--cacert", authority, f"https://localhost:{program.secure}/ws"]).decode()
    holds(refused, "HTTP/2 426")
    at = f"localhost:{program.secure}"
    chosen = stage.run(["openssl", "s_client", "-connect", at, "-CAfile", authority, "-alpn", "http/1.1"])
    holds(chosen.decode(errors="replace"), "ALPN protocol: http/1.1")


@test
def what_is_no_opening_is_told_what_is_expected(stage):
    need("curl")
    program = hub(stage)
    url = f"http://127.0.0.1:{program.web}/ws"
    usual = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY}

    def asked(*more, **changed):
        fields = usual | {name.replace("_", "-"): value for name, value in changed.items()}
        sent = [part for name, value in fields.items() if value for part in ("-H", f"{name}: {value}")]
        return stage.run(["curl", "-si", "--max-time", "10", *more, *sent, url]).decode()

    for answer, status in [
        (asked(Upgrade=None), "426 Upgrade Required"),
        (asked(Connection=None), "426 Upgrade Required"),
        (asked(Sec_WebSocket_Version=None), "426 Upgrade Required"),
        (asked(Sec_WebSocket_Version="8"), "426 Upgrade Required"),
        (asked(Sec_WebSocket_Key=None), "400 Bad Request"),
        (asked(Sec_WebSocket_Key=base64.b64encode(b"short").decode()), "400 Bad Request"),
        (asked("-X", "POST"), "405 Method Not Allowed"),
        (asked("-d", "{}", "-X", "GET"), "400 Bad Request"),
        (asked("--http1.0"), "426 Upgrade Required"),
        (asked(Origin="https://evil.example"), "403 Forbidden"),
    ]:
        assert re.match(rf"HTTP/1\.[01] {status}\r\n", answer), answer
        if status.startswith("426"):
            holds(answer.lower(), "sec-websocket-version: 13\r\n")
        if status.startswith("405"):
            holds(answer.lower(), "allow: get\r\n")


@test
def the_page_is_served_and_kept_to_itself(stage):
    need("curl")
    program = hub(stage)
    url = f"http://127.0.0.1:{program.web}"
    page = stage.run(["curl", "-si", url + "/"]).decode()
    head = page.partition("\r\n\r\n")[0].lower()
    holds(head, "http/1.1 200 ok")
    holds(head, "content-type: text/html; charset=utf-8")
    for field in [
        "content-security-policy: default-src 'none'; script-src 'self';",
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cache-control: no-cache",
    ]:
        holds(head, field)
    holds(head, "frame-ancestors 'none'")
    tag = re.search(r"^etag: (.*?)\r$", page, re.M)[1]
    again = stage.run(["curl", "-si", "-H", f"If-None-Match: {tag}", url + "/"]).decode()
    holds(again, "HTTP/1.1 304 ")
    holds(again.lower(), "content-security-policy: ")
    for path in ("/none", "/../Cargo.toml", "/%2e%2e/hub.db", "/.hidden"):
        missing = stage.run(["curl", "-si", "--path-as-is", url + path]).decode()
        assert re.match(r"HTTP/1.1 40[04] ", missing), missing
        holds(missing.lower(), "content-security-policy: ")


@test
def what_a_program_posts_is_said_in_the_room_of_its_hook(stage):
    need("curl")
    program = hub(stage)
    ana, bob = (somebody(program.tcp, name, "#lab", "#den") for name in ("ana", "bob"))
    made = ana.done("HOOK", room="#lab", name="the build")
    bob.refused("FORBIDDEN", "HOOK", room="#lab", name="mine")
    url = f"http://127.0.0.1:{program.web}{made['hook']}"

    def post(body, *fields, at=url):
        sent = [part for field in fields for part in ("-H", field)]
        said = stage.run(["curl", "-s", "--max-time", "20", "-w", "\\n%{http_code}", *sent, "--data-binary", "@-", at], input=body.encode())
        text, _, status = said.decode().rpartition("\n")
        return int(status), text if status == "200" else json.loads(text)["err"]["code"]

    text = json.dumps({"text": "done in 3 s\n\u001b[2J", "username": "ci", "attachments": [{"color": "good"}]})
    equal(post(text, "Content-Type: application/json", "Idempotency-Key: build-1"), (200, "ok"))
    heard = bob.event("message")
    equal((heard["room"], heard["from"], heard["kind"]), ("#lab", "ana", "notice"))
    assert heard["body"].startswith("[the build] done in 3 s\n") and "\u001b" not in heard["body"], heard
    # The same again is said once; something else by its name is not.
    equal(post(text, "Idempotency-Key: build-1"), (200, "ok"))
    equal(post('{"text":"else"}', "Idempotency-Key: build-1"), (409, "CID_REUSED"))
    equal(post('{"text":"else"}', "Idempotency-Key: not a key"), (400, "BAD_FIELD"))
    # What another hook calls the same is something else, and so is what the account itself does.
    other = ana.done("HOOK", room="#lab", name="the tests")["hook"]
    equal(post('{"text":"green"}', "Idempotency-Key: build-1", at=f"http://127.0.0.1:{program.web}{other}"), (200, "ok"))
    equal(bob.event("message")["body"], "[the tests] green")
    equal(ana.done("MESSAGE", room="#lab", body="well", cid="build-1")["dup"], False)
    equal(bob.event("message")["body"], "well")
    equal(post('{"txt":"no"}'), (400, "BAD_FIELD"))
    equal(post('{"text":" "}'), (400, "BAD_FIELD"))
    equal(post(json.dumps({"text": "x" * 17000})), (413, "TOO_LONG"))
    equal(post(json.dumps({"text": "x" * 70000})), (413, "FRAME_TOO_BIG"))
    equal(post('{"text":"a"}', at=url[:-4] + "AAAA"), (404, "NO_SUCH_HOOK"))
    page = bob.done("HISTORY", room="#lab", latest=True, limit=50)["events"]
    equal(len([event for event in page if event["ev"] == "message"]), 3)
    # It logs nobody in.
    stranger = Bot(program.tcp)
    token = made["hook"].rpartition("/")[2]
    stranger.refused("TOKEN_EXPIRED", "LOGIN", token=token)
    stranger.refused("TOKEN_EXPIRED", "LOGIN", token=token.replace("hk_", "rt_"))
    assert token[3:].encode() not in open(program.store, "rb").read(), "the hook's token is in the store"
    # It speaks as long as who made it may, and is there after a restart.
    os.kill(program.process.pid, signal.SIGKILL)
    program.process.wait(10)
    program = hub(stage, store=program.store)
    url = url.replace(re.search(r":(\d+)/", url)[1], str(program.web))
    equal(post('{"text":"again"}', at=url), (200, "ok"))
    ana = Bot(program.tcp)
    ana.done("LOGIN", user="ana", password="secret-pass")
    assert any(one["device"] == "hook #lab the build" for one in ana.done("SESSIONS")["sessions"])
    ana.done("PART", room="#lab")
    equal(post('{"text":"outside"}', at=url), (403, "NOT_IN_ROOM"))
    ana.done("REVOKE", session=made["session"])
    equal(post('{"text":"gone"}', at=url), (404, "NO_SUCH_HOOK"))


@test
def a_hook_that_says_too_much_waits(stage):
    need("curl")
    program = hub(stage, "--burst", 2, "--messages-a-second", 1)
    ana = somebody(program.tcp, "ana", "#lab")
    path = ana.done("HOOK", room="#lab", name="loud")["hook"]
    url = f"http://127.0.0.1:{program.web}{path}"
    for _ in range(5):
        said = stage.run(["curl", "-si", "--max-time", "20", "-d", '{"text":"more"}', url]).decode()
        if "429" in said.partition("\r\n")[0]:
            break
    holds(said, "HTTP/1.1 429 ")
    holds(said.lower(), "retry-after: 1\r\n")
    get = stage.run(["curl", "-si", "--max-time", "20", url]).decode()
    holds(get, "HTTP/1.1 405 ")
    holds(get.lower(), "allow: post\r\n")
