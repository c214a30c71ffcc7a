"""relais hub by datagrams: a client in the standard library of Python, on networks that lose, repeat and forge."""

import contextlib
import hmac
import json
import random
import re
import socket
import threading
import time

from stage import RELAIS, equal, eventually, free_port, holds, test
from with_a_hub import Bot, hub, somebody
from with_chat import Chat, chat, registered
from with_datagrams import told

# As long as a challenge, at least.
PAD = " " * 96


def way(key, sid, info):
    """The key of one way, as the reference has it."""
    extracted = hmac.digest(sid, key, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def hub_by_datagrams(stage, *arguments, form="mac", burst=1000):
    program = hub(stage, "127.0.0.1:0", "udp://127.0.0.1:0", "--udp", form, "--burst", burst,
                  "--messages-a-second", 0, *arguments)
    told(program, 2)
    return program


class Lossy:
    """A socket whose datagrams are lost and doubled, both ways, by a seed."""

    def __init__(self, lost=0.0, doubled=0.0, seed=1):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.lost, self.doubled, self.random = lost, doubled, random.Random(seed)

    def send(self, datagram, to):
        for _ in range(1 + (self.random.random() < self.doubled)):
            if self.random.random() >= self.lost:
                self.socket.sendto(datagram, to)

    def hear(self, seconds):
        """The next datagram that is not lost; None after a silence."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                datagram = self.socket.recv(2048)
            except (TimeoutError, ConnectionRefusedError):
                continue
            if self.random.random() >= self.lost:
                return datagram
        return None


class ByDatagrams:
    """A client of the readable form, written after the reference."""

    def __init__(self, bot, events="udp", network=None):
        ticket = bot.done("UDP", events=events)
        equal((ticket["form"], ticket["mtu"]), ("mac", 1200))
        self.sid, key = ticket["sid"], bytes.fromhex(ticket["key"])
        sid = bytes.fromhex(self.sid)
        self.up = way(key, sid, b"relais-chat/1 mac to hub")
        self.down = way(key, sid, b"relais-chat/1 mac to client")
        self.at, self.network = ("127.0.0.1", ticket["port"]), network or Lossy()
        self.n, self.id, self.next = 0, 0, 1
        self.early, self.events, self.answers = {}, [], {}
        self.heard, self.hole, self.unconfirmed = set(), False, False

    def datagram(self, frame):
        self.n += 1
        frame = {"sid": self.sid, "n": self.n} | frame
        signed = json.dumps(frame, separators=(",", ":")).encode()[:-1]
        mac = hmac.digest(self.up, signed, "sha256")[:16].hex()
        return signed + b',"mac":"' + mac.encode() + b'"}'

    def say(self, **frame):
        self.network.send(self.datagram(frame), self.at)

    def read(self, datagram):
        """The frame of a datagram of the hub."""
        signed, mac = re.fullmatch(rb'(.*),"mac":"([0-9a-f]{32})"}', datagram, re.S).groups()
        equal(hmac.digest(self.down, signed, "sha256")[:16].hex(), mac.decode())
        assert len(datagram) <= 1200, len(datagram)
        return json.loads(signed + b"}")

    def listen(self, seconds=0.2):
        """Hears what comes; confirms it, if something did."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            datagram = self.network.hear(left)
            if datagram is None:
                break
            frame = self.read(datagram)
            if frame["n"] not in self.heard:
                self.heard.add(frame["n"])
                self.take(frame)
            self.unconfirmed |= "e" in frame
        if self.unconfirmed:
            self.say(cmd="ACK", upto=self.next - 1, also=sorted(self.early)[:64])
            self.unconfirmed = False

    def take(self, frame):
        self.hole = frame.get("hole", False)
        if frame.get("ev") == "challenge":
            self.echo = frame["echo"]
            return
        if "ev" not in frame:
            self.answers.setdefault(frame.get("re"), frame)
        if frame["e"] >= self.next:
            self.early[frame["e"]] = frame
        while (frame := self.early.pop(self.next, None)) is not None:
            self.next += 1
            if "ev" in frame:
                self.events.append(frame)

    def resume(self):
        """What was given up comes no more: all is asked for again."""
        last = max(self.early)
        self.next, self.early, self.events = last + 1, {}, []
        self.done("RESUME", since=0)

    def prove(self):
        """Shows where it is."""
        self.echo = ""
        for wait in self.waits():
            self.id += 1
            self.say(cmd="PROVE", id=self.id, echo=self.echo, pad=PAD)
            self.listen(wait)
            if any(self.answers.get(id, {}).get("ok") for id in range(1, self.id + 1)):
                return self
        raise AssertionError("not let in")

    def waits(self):
        return [0.1, 0.25, 0.25, 0.5, 0.5, 1, 1, 2, 2, 4]

    def ask(self, cmd, **fields):
        self.id += 1
        id = self.id
        for wait in self.waits():
            self.say(cmd=cmd, id=id, **fields)
            end = time.monotonic() + wait
            while id not in self.answers and time.monotonic() < end:
                self.listen(0.05)
            if id in self.answers:
                return self.answers[id]
        raise AssertionError(f"no answer to {cmd}")

    def done(self, cmd, **fields):
        told = self.ask(cmd, **fields)
        assert told.get("ok"), f"{cmd} {fields}: {told}"
        return told

    def wait(self, what, is_there, seconds=20):
        end = time.monotonic() + seconds
        while not is_there():
            assert time.monotonic() < end, f"not heard: {what}: {self.events}"
            self.listen(0.1)

    def bodies(self):
        return [event["body"] for event in self.events if event["ev"] == "message"]


@test
def who_logged_in_asks_and_is_told_by_datagrams(stage):
    program = hub_by_datagrams(stage)
    ana, bob = (somebody(program.at, name, "#lab") for name in ("ana", "bob"))
    client = ByDatagrams(bob).prove()
    bob.events.clear()
    equal(client.done("PING", t=7)["t"], 7)
    ana.done("MESSAGE", room="#lab", body="salut é")
    client.wait("a message", lambda: client.bodies() == ["salut é"])
    said = client.done("MESSAGE", room="#lab", body="by datagram")
    equal(ana.event("message")["body"], "salut é")
    heard = ana.event("message")
    equal((heard["from"], heard["body"], heard["seq"]), ("bob", "by datagram", said["seq"]))
    # The connection hears events no more, and still answers.
    equal([event["ev"] for event in bob.events], [])
    equal(bob.done("PING", t=1)["t"], 1)
    equal(bob.events, [])
    # It may end: the datagrams go on, from another address, too, once that was shown.
    bob.close()
    client.network = Lossy()
    client.answers.clear()
    client.prove()
    ana.done("MESSAGE", room="#lab", body="still there?")
    client.wait("a message", lambda: "still there?" in client.bodies())
    equal(program.stop(), 0, "exit code")


@test
def who_somebody_is_is_not_said_by_datagrams(stage):
    program = hub_by_datagrams(stage)
    bob = somebody(program.at, "bob", "#lab")
    client = ByDatagrams(bob, events="here").prove()
    for frame in [
        {"cmd": "LOGIN", "user": "bob", "password": "secret-pass"},
        {"cmd": "REGISTER", "user": "eve", "password": "secret-pass"},
        {"cmd": "UDP"},
    ]:
        equal(client.ask(**frame)["err"]["code"], "FORBIDDEN")
    # Events stay where they were.
    client.done("MESSAGE", room="#lab", body="here")
    equal(bob.event("message")["body"], "here")
    equal(client.events, [])
    bob.refused("BAD_FIELD", "UDP", events="pigeon")


@test
def a_hub_without_datagrams_says_so(stage):
    program = hub(stage, "127.0.0.1:0")
    bob = somebody(program.at, "bob")
    bob.refused("UNKNOWN_COMMAND", "UDP")
    stranger = Bot(program.at)
    stranger.refused("NOT_LOGGED_IN", "UDP")
    done = stage.finish([RELAIS, "hub", "udp://127.0.0.1:0"])
    equal(done.returncode, 2)
    holds(done.stderr.decode(), "nobody could log in by datagrams alone")


@test
def an_address_that_nobody_showed_gets_no_more_bytes_than_came_from_it(stage):
    program = hub_by_datagrams(stage)
    ana, bob = (somebody(program.at, name, "#lab") for name in ("ana", "bob"))
    client = ByDatagrams(bob).prove()
    there = ("127.0.0.1", client.at[1])
    spoofed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    spoofed.bind(("127.0.0.1", 0))
    spoofed.settimeout(0.3)

    def came_back():
        back = []
        with contextlib.suppress(TimeoutError):
            while True:
                back.append(spoofed.recv(2048))
        return back

    # Bytes that are nobody's, short and long, and a good datagram that was changed.
    good = client.datagram({"cmd": "PING", "id": 500, "pad": PAD})
    for datagram in [b"", b"{}", b"R1" + b"\0" * 17, b"x" * 1400, b"R1" + bytes(1400), good[:-5] + b'000"}',
                     good.replace(b"PING", b"PONG")]:
        spoofed.sendto(datagram, there)
    equal(came_back(), [])
    # Datagrams with the key, from elsewhere: never more than came, and no events.
    for pad in range(0, 120, 8):
        datagram = client.datagram({"cmd": "PING", "id": 600 + pad, "pad": " " * pad})
        spoofed.sendto(datagram, there)
        ana.done("MESSAGE", room="#lab", body="for bob alone, and for nobody else who says so")
        back = came_back()
        assert sum(map(len, back)) <= len(datagram), (len(datagram), back)
        for frame in map(client.read, back):
            equal(set(frame), {"sid", "n", "ev", "echo"})
    # The very same datagram again is dropped wherever it comes from.
    spoofed.sendto(datagram, there)
    equal(came_back(), [])
    # Whoever is there hears on where it is.
    client.wait("the messages", lambda: len(client.bodies()) == 15)
    spoofed.close()


@test
def what_is_heard_twice_is_done_once(stage):
    program = hub_by_datagrams(stage)
    ana, bob = (somebody(program.at, name, "#lab") for name in ("ana", "bob"))
    client = ByDatagrams(bob).prove()
    client.id += 1
    # The same bytes, and the same request as another datagram; it has no cid.
    frame = {"cmd": "MESSAGE", "id": client.id, "room": "#lab", "body": "once"}
    datagram = client.datagram(frame)
    for _ in range(3):
        client.network.send(datagram, client.at)
        client.say(**frame)
    client.wait("an answer", lambda: frame["id"] in client.answers)
    ana.done("MESSAGE", room="#lab", body="end")
    equal([ana.event("message")["body"] for _ in range(2)], ["once", "end"])


@test
def where_every_fifth_datagram_is_lost_nothing_is(stage):
    program = hub_by_datagrams(stage)
    ana, bob = (somebody(program.at, name, "#lab") for name in ("ana", "bob"))
    client = ByDatagrams(bob, network=Lossy(lost=0.2, doubled=0.1)).prove()
    said = [f"ana {number}" for number in range(60)]
    for body in said[:30]:
        ana.done("MESSAGE", room="#lab", body=body)
    own = [f"bob {number}" for number in range(20)]
    for body in own:
        client.done("MESSAGE", room="#lab", body=body)
    for body in said[30:]:
        ana.done("MESSAGE", room="#lab", body=body)

    def is_whole():
        if [body for body in client.bodies() if body.startswith("ana")] == said:
            return True
        # Every answer tells of a hole, and RESUME fills it.
        client.done("PING")
        if client.hole and client.early:
            client.resume()
        return False

    client.wait("all of it", is_whole, 60)
    heard = [ana.event("message")["body"] for _ in range(80)]
    equal([body for body in heard if body.startswith("bob")], own)
    seqs = [event["seq"] for event in client.events if event["ev"] == "message"]
    equal(seqs, sorted(set(seqs)))


@test
def what_does_not_fit_is_asked_for_over_the_connection(stage):
    program = hub_by_datagrams(stage)
    ana, bob = (somebody(program.at, name, "#lab") for name in ("ana", "bob"))
    client = ByDatagrams(bob).prove()
    long = "é" * 5000
    seq = ana.done("MESSAGE", room="#lab", body=long)["seq"]
    client.wait("an event", lambda: client.bodies() == [None])
    equal(client.events[-1]["fetch"], seq)
    page = bob.done("HISTORY", room="#lab", between=[seq, seq])
    equal(page["events"][0]["body"], long)
    for number in range(40):
        ana.done("MESSAGE", room="#lab", body=f"{number} " + "x" * 50)
    latest = client.done("HISTORY", room="#lab", limit=30)
    assert latest["more"] and 1 < len(latest["events"]) < 30, latest
    holds(latest["events"][-1]["body"], "39 ")
    after = client.done("HISTORY", room="#lab", after=seq, limit=30)
    holds(after["events"][0]["body"], "0 ")
    equal(client.ask("HELP")["err"]["code"], "TOO_LONG")


@test
def a_device_that_is_logged_out_elsewhere_is_told_nothing_more(stage):
    program = hub_by_datagrams(stage)
    ana, bob = (somebody(program.at, name, "#lab") for name in ("ana", "bob"))
    client = ByDatagrams(bob).prove()
    other = Bot(program.at)
    other.done("LOGIN", user="bob", password="secret-pass")
    session = next(it["session"] for it in bob.done("SESSIONS")["sessions"] if it["this"])
    other.done("REVOKE", session=session)
    client.wait("a goodbye", lambda: client.events and client.events[-1]["ev"] == "bye")
    equal(client.events[-1]["code"], "SESSION_REVOKED")
    ana.done("MESSAGE", room="#lab", body="not for bob's lost telephone")
    # The key is of no use any more.
    client.echo = ""
    for _ in range(3):
        client.id += 1
        client.say(cmd="PROVE", id=client.id, echo=client.echo, pad=PAD)
        client.listen(0.3)
    refused = [answer["err"]["code"] for answer in client.answers.values() if "err" in answer]
    equal(refused[:1], ["SESSION_REVOKED"])
    equal(client.bodies(), [])


@test
def keys_end_with_the_process(stage):
    program = hub_by_datagrams(stage)
    bob = somebody(program.at, "bob", "#lab")
    client = ByDatagrams(bob).prove()
    port = client.at[1]
    program.kill()
    again = hub(stage, "127.0.0.1:0", f"udp://127.0.0.1:{port}", "--udp", "mac", store=program.store)
    told(again, 2)
    client.say(cmd="PROVE", id=99, echo="", pad=PAD)
    equal(client.network.hear(0.5), None)


class Eavesdropper:
    """Passes datagrams of one client on to a hub and back, and keeps them."""

    def __init__(self, port):
        self.seen, self.client = [], None
        self.front, self.back = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self.front.bind(("127.0.0.1", 0))
        self.back.connect(("127.0.0.1", port))
        self.at = self.front.getsockname()[1]
        for pump in (self.up, self.down):
            threading.Thread(target=pump, daemon=True).start()

    def await_talk(self):
        """Waits until the client has shown where it is: what is said now passes here."""
        eventually("datagrams both ways", lambda: len(self.seen) >= 4)

    def up(self):
        while True:
            datagram, self.client = self.front.recvfrom(2048)
            self.seen.append(datagram)
            self.back.send(datagram)

    def down(self):
        while True:
            datagram = self.back.recv(2048)
            self.seen.append(datagram)
            self.front.sendto(datagram, self.client)


@test
def who_reads_along_sees_clear_text_or_none_as_the_hub_is_told(stage):
    for form, is_clear in [("mac", True), ("sealed", False)]:
        program = hub(stage, "127.0.0.1:0", "udp://127.0.0.1:0", "--udp", form, store=stage.path(f"{form}.db"))
        between = Eavesdropper(int(told(program, 2)[1]))
        registered(stage, program.at, "bob")
        bob = Chat(stage, program.at, "--user", "bob", "--udp", "--udp-at", f"udp://127.0.0.1:{between.at}")
        bob.type("/join lab")
        bob.sees("#lab")
        ana = somebody(program.at, "ana", "#lab")
        bob.sees("# ana came into #lab")
        between.await_talk()
        for number in range(5):
            bob.type(f"said by bob {number}")
            equal(ana.event("message")["body"], f"said by bob {number}")
        ana.done("MESSAGE", room="#lab", body="said by ana")
        bob.sees("<ana> said by ana")
        equal(bob.end(), 0)
        assert len(between.seen) > 8, between.seen
        seen = b"".join(between.seen)
        for text in (b"said by bob 4", b"said by ana", b"MESSAGE", b"#lab"):
            equal(text in seen, is_clear, f"{text} with {form}")
        equal(program.stop(), 0, "exit code")


@test
def relais_chat_talks_by_datagrams_through_a_bad_network(stage):
    program = hub_by_datagrams(stage, form="sealed")
    port = told(program, 2)[1]
    bad = stage.start(
        [RELAIS, "relay", "udp://127.0.0.1:0", f"udp://127.0.0.1:{port}",
         "--loss", "20%", "--duplicate", "10%", "--reorder", "20%", "--seed", "7"], "relay")
    (there,) = told(bad)
    between = Eavesdropper(int(there))
    registered(stage, program.at, "bob")
    bob = Chat(stage, program.at, "--user", "bob", "--udp", "--udp-at", f"udp://127.0.0.1:{between.at}")
    bob.type("/join lab")
    bob.sees("#lab")
    between.await_talk()
    ana = somebody(program.at, "ana", "#lab")
    for number in range(40):
        ana.done("MESSAGE", room="#lab", body=f"ana {number}.")
        if number % 4 == 0:
            bob.type(f"bob {number}.")
    bob.sees("ana 39.", 60)
    heard = [ana.event("message")["body"] for _ in range(50)]
    equal(len(set(heard)), 50)
    equal([body for body in heard if body.startswith("bob")], [f"bob {number}." for number in range(0, 40, 4)])
    shown = re.findall(r"<ana> (ana \d+\.)", bob.said())
    equal(shown, [f"ana {number}." for number in range(40)])
    equal(bob.end(), 0, bob.said())
    assert len(between.seen) > 50, len(between.seen)


@test
def a_hub_that_is_killed_loses_nothing_that_was_said_by_datagrams(stage):
    ports = [free_port(), free_port()]
    arguments = [f"127.0.0.1:{ports[0]}", f"udp://127.0.0.1:{ports[1]}"]
    program = hub(stage, *arguments)
    registered(stage, ports[0], "bob")
    between = Eavesdropper(ports[1])
    bob = Chat(stage, ports[0], "--user", "bob", "--udp", "--udp-at", f"udp://127.0.0.1:{between.at}")
    bob.type("/join lab")
    bob.sees("#lab")
    between.await_talk()
    bob.type("before")
    bob.sees("<bob> before")
    program.kill()
    bob.sees("the connection is lost")
    bob.type("between")
    seen = len(between.seen)
    hub(stage, *arguments, store=program.store)
    bob.sees("<bob> between")
    eventually("datagrams again", lambda: len(between.seen) >= seen + 4)
    bob.type("after")
    bob.sees("<bob> after")
    equal(re.findall(r"<bob> (\w+)", bob.said()), ["before", "between", "after"])
    equal(bob.end(), 0, bob.said())


@test
def where_no_datagrams_come_through_relais_chat_goes_over_the_connection(stage):
    program = hub_by_datagrams(stage, form="sealed")
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    silent.bind(("127.0.0.1", 0))
    registered(stage, program.at, "bob")
    at = f"udp://127.0.0.1:{silent.getsockname()[1]}"
    bob = Chat(stage, program.at, "--user", "bob", "--udp", "--udp-at", at)
    bob.type("/join lab")
    bob.sees("#lab")
    bob.sees("they do not come through", 40)
    bob.type("over tcp")
    bob.sees("<bob> over tcp", 30)
    equal(bob.end(), 0, bob.said())
    # A hub that has none is spoken to as ever.
    plain = hub(stage, "127.0.0.1:0", store=stage.path("plain.db"))
    registered(stage, plain.at, "eve")
    _, errors = chat(stage, plain.at, "--user", "eve", "--udp", "--send", "lab", "hello", "--create")
    holds(errors, "the hub refuses them (UNKNOWN_COMMAND)")
