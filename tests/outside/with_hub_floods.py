"""relais hub, when some take all they can get: the others are served as before."""

import contextlib
import json
import os
import socket
import sqlite3
import threading
import time

from stage import equal, eventually, holds, test
from with_a_hub import Bot, hub, somebody


def filled(stage, fill, *people):
    """A hub with accounts, all in #lab, that was stopped, and whose store `fill` was given."""
    program = hub(stage, "127.0.0.1:0", "--messages-a-second", 0)
    tokens = {}
    for name in people:
        bot = Bot(program.at)
        tokens[name] = bot.done("REGISTER", user=name, password="secret-pass")["token"]
        bot.done("JOIN", room="#lab")
        bot.close()
    program.stop()
    with contextlib.closing(sqlite3.connect(program.store)) as store, store:
        fill(store)
    program = hub(stage, "127.0.0.1:0", "--messages-a-second", 0, store=program.store)
    program.tokens = tokens
    return program


def back(program, name):
    bot = Bot(program.at)
    bot.done("LOGIN", token=program.tokens[name])
    return bot


def say(store, count, text):
    """Has the first account say `text` so often in the first room."""
    (who,) = store.execute("SELECT min(id) FROM accounts").fetchone()
    (room,) = store.execute("SELECT min(id) FROM rooms").fetchone()
    (last,) = store.execute("SELECT max(seq) FROM log").fetchone()
    rows = ((last + n, 1000, who, room, text) for n in range(1, count + 1))
    store.executemany("INSERT INTO log VALUES (?, ?, ?, NULL, ?, 'say', NULL, 0, ?, NULL, 0)", rows)
    # Pages are found by that.
    store.execute("INSERT INTO seen_before SELECT room, seq, deed, redacted, by FROM log WHERE seq > ?", (last,))


def resident(program):
    """What it has of the machine's memory, in MiB."""
    with open(f"/proc/{program.pid}/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def drain(bot):
    """Reads all that a client is told, in the background."""
    def read():
        with contextlib.suppress(OSError, ValueError):
            while bot.conn.recv(1 << 20):
                pass

    threading.Thread(target=read, daemon=True).start()


def flood(bot, frames):
    def send():
        with contextlib.suppress(OSError):
            bot.conn.sendall(b"".join(json.dumps(frame).encode() + b"\n" for frame in frames))

    threading.Thread(target=send, daemon=True).start()


def slowest(bot, times, cmd, **fields):
    """How long the slowest of some requests took, in seconds."""
    took = []
    for _ in range(times):
        began = time.monotonic()
        bot.done(cmd, **fields)
        took.append(time.monotonic() - began)
        time.sleep(0.02)
    return max(took)


@test
def one_account_that_reads_all_it_can_holds_up_nobody(stage):
    program = filled(stage, lambda store: say(store, 3000, "salut " * 40), "ana", "eve")
    ana, eves = back(program, "ana"), [back(program, "eve") for _ in range(12)]
    asked = [{"cmd": "HISTORY", "room": "#lab", "limit": 200}, {"cmd": "SEARCH", "q": "salut", "limit": 50}]
    for eve in eves:
        drain(eve)
        flood(eve, asked * 300)
    time.sleep(0.3)
    took = slowest(ana, 20, "HISTORY", room="#lab", limit=50)
    assert took < 3, f"a page took {took:.2f} s"
    took = slowest(ana, 20, "MESSAGE", room="#lab", body="hi")
    assert took < 3, f"a message took {took:.2f} s"


@test
def pages_that_nobody_reads_take_little_memory(stage):
    program = filled(stage, lambda store: say(store, 400, "x" * 16000), "ana", "eve")
    eve = back(program, "eve")
    before = resident(program)
    for number in range(100):
        eve.send(cmd="HISTORY", id=number, room="#lab", limit=200)
    time.sleep(2)
    took = resident(program) - before
    assert took < 40, f"{took:.0f} MiB more for who reads nothing"
    ana = back(program, "ana")
    took = slowest(ana, 5, "WHOIS", user="eve")
    assert took < 3, f"others waited {took:.2f} s"
    # Once it reads, all is there, in pages of a mebibyte.
    for number in range(40):
        line = eve.lines.readline()
        assert len(line) < 1.1 * (1 << 20), len(line)
        told = json.loads(line)
        if "events" in told:
            assert told["more"] and 20 < len(told["events"]) < 70, len(told["events"])
        else:
            equal(told["err"]["code"], "RATE_LIMITED")
        equal(told["re"], number)


@test
def lookups_have_a_pace_and_others_their_answers(stage):
    program = hub(stage, "127.0.0.1:0")
    ana, eve = somebody(program.at, "ana", "#lab"), somebody(program.at, "eve", "#lab")
    for number in range(60):
        eve.send(cmd="ROOMS", id=number)
    told = []
    while len(told) < 60:
        told.append(eve.next())
        if "ev" in told[-1]:
            told.pop()
    refused = [one["err"] for one in told if "err" in one]
    assert 20 <= len(refused) <= 40, len(refused)
    assert all(err["code"] == "RATE_LIMITED" and 0 < err["retry_ms"] <= 4000 for err in refused), refused
    time.sleep(refused[-1]["retry_ms"] / 1000)
    eve.done("ROOMS")
    ana.done("ROOMS")


@test
def a_store_that_is_moved_takes_nothing_until_it_is_back(stage):
    program = hub(stage, "127.0.0.1:0")
    ana = somebody(program.at, "ana", "#lab")
    for ending in ("", "-wal"):
        file, away = program.store + ending, program.store + ".away"
        os.rename(file, away)
        ana.refused("UNAVAILABLE", "MESSAGE", room="#lab", body="lost?", cid="c" + ending)
        ana.refused("UNAVAILABLE", "JOIN", room="#new")
        equal(len(ana.done("HISTORY", room="#lab", limit=1)["events"]), 1, "what was said before")
        lost = f'"{file}" is not where it was'
        eventually("a line about it", lambda lost=lost: program.said().count(lost))
        time.sleep(0.5)
        equal(program.said().count(lost), 1, "lines about it")
        os.rename(away, file)
        ana.done("MESSAGE", room="#lab", body="lost?", cid="c" + ending)
    equal(program.said().count("takes again what it is given"), 2)


@test
def a_store_that_is_deleted_or_cut_acknowledges_nothing_more(stage):
    for number, spoil in enumerate((os.remove, lambda file: os.truncate(file, 4096), lambda file: os.truncate(file, 0))):
        program = hub(stage, "127.0.0.1:0", store=os.path.join(stage.folder, f"{number}.db"))
        ana = somebody(program.at, "ana", "#lab")
        # All that was written is in the one file, which can be cut.
        with contextlib.closing(sqlite3.connect(program.store)) as store:
            store.execute("PRAGMA wal_checkpoint(FULL)")
        ana.done("MESSAGE", room="#lab", body="before")
        spoil(program.store)
        for _ in range(3):
            ana.refused("UNAVAILABLE", "MESSAGE", room="#lab", body="after")
        program.kill()


def storm(port, seconds):
    """Connects and hangs up as fast as it can. Gives how often."""
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.socket() as caller:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            caller.connect(("127.0.0.1", port))
            count += 1
    return count


@test
def a_storm_of_connects_leaves_those_who_talk_alone(stage):
    program = hub(stage, "127.0.0.1:0", "--messages-a-second", 0)
    ana = somebody(program.at, "ana", "#lab")
    counts = [0, 0]

    def call(number):
        counts[number] = storm(program.at, 3)

    callers = [threading.Thread(target=call, args=(number,)) for number in range(2)]
    before = resident(program)
    for caller in callers:
        caller.start()
    took = slowest(ana, 40, "MESSAGE", room="#lab", body="hi")
    for caller in callers:
        caller.join()
    assert sum(counts) > 3000, f"only {counts} connects"
    assert took < 3, f"a message took {took:.2f} s among {sum(counts)} connects"
    assert resident(program) - before < 40, "memory for callers that are gone"


def crowd(store):
    """50,000 accounts, all members of the first room."""
    (room,) = store.execute("SELECT min(id) FROM rooms").fetchone()
    (last,) = store.execute("SELECT max(seq) FROM log").fetchone()
    ids = range(last + 1, last + 50_001)
    store.executemany("INSERT INTO accounts (id, name, since) VALUES (?, ?, 0)", ((id, f"n{id}") for id in ids))
    columns = "room, account, role, since, read, muted"
    store.executemany(f"INSERT INTO members ({columns}) VALUES (?, ?, 0, 1, 1, 0)", ((room, id) for id in ids))
    store.execute("UPDATE progress SET last = ?", (ids[-1],))


@test
def a_room_of_fifty_thousand_is_a_room(stage):
    program = filled(stage, crowd, "ana", "bob")
    ana, bob = back(program, "ana"), back(program, "bob")
    took = slowest(ana, 20, "MESSAGE", room="#lab", body="hello @bob @n40000 all")
    assert took < 3, f"a message took {took:.2f} s"
    equal(bob.event("message")["body"], "hello @bob @n40000 all")
    equal(len(ana.done("WHO", room="#lab")["members"]), 1000)
    (listed,) = ana.done("ROOMS")["rooms"]
    equal(listed["members"], 50_002)
    eve = Bot(program.at)
    eve.done("REGISTER", user="eve", password="secret-pass")
    eve.refused("ROOM_FULL", "JOIN", room="#lab")
    for cmd, fields in (("TYPING", {"on": True}), ("READ", {"seq": 1 << 40}), ("HISTORY", {})):
        took = slowest(bob, 3, cmd, room="#lab", **fields)
        assert took < 3, f"{cmd} took {took:.2f} s"


@test
def what_is_no_frame_costs_little_and_disturbs_nobody(stage):
    program = hub(stage, "127.0.0.1:0")
    ana, eve = somebody(program.at, "ana", "#lab"), somebody(program.at, "eve", "#lab")
    before = resident(program)
    for bad in (
        b'{"cmd":' * 8000, b'{"cmd":"PING","t":' + b"[" * 60_000, b'{"cmd":"PING","cmd":"PING"}', b"{" + b"\0" * 1000,
        b'{"cmd":"MESSAGE","room":"#lab","body":"\xff\xfe\xc0\x80"}', b'{"cmd":"MESSAGE","room":"#lab","body":"\\ud800"}',
    ):
        eve.conn.sendall(bad + b"\n")
        equal(eve.next()["err"]["code"], "BAD_FRAME", str(bad[:40]))
    # A frame without end: of 40 MB nothing is kept, and it is refused once.
    for _ in range(40):
        eve.conn.sendall(b"x" * 1_000_000)
    equal(eve.next()["err"]["code"], "FRAME_TOO_BIG")
    eve.conn.sendall(b"\n")
    assert resident(program) - before < 20, "memory for a frame without end"
    eve.done("PING")
    joiners = "\u200d" * 10_000
    eve.refused("NAME_INVALID", "JOIN", room="#" + joiners)
    eve.refused("NO_SUCH_USER", "WHOIS", user=joiners)
    eve.refused("BAD_FIELD", "MESSAGE", room="#lab", body=joiners[:5000])
    guest = Bot(program.at)
    # Who is nobody yet says 4 KiB at most, and each of these is six bytes there.
    guest.refused("NAME_INVALID", "REGISTER", user=joiners[:500], password="secret-pass")
    took = slowest(ana, 5, "MESSAGE", room="#lab", body="hi")
    assert took < 3, f"a message took {took:.2f} s"


@test
def callers_who_say_half_a_word_cost_little_and_end(stage):
    program = hub(stage, "127.0.0.1:0", "--messages-a-second", 0)
    ana = somebody(program.at, "ana", "#lab")
    before = resident(program)
    callers = []
    for number in range(800):
        caller = socket.create_connection(("127.0.0.1", program.at), 20)
        caller.sendall((b'{"cmd":"HEL', b"/regi", b"", b'{"cmd":"LOGIN","user":"ana","password":"')[number % 4])
        callers.append(caller)
    took = slowest(ana, 20, "MESSAGE", room="#lab", body="hi")
    assert took < 3, f"a message took {took:.2f} s"
    grown = resident(program) - before
    assert grown < 30, f"{grown:.0f} MiB for callers who say nothing"
    for caller in callers:
        caller.close()
    holds(str(ana.done("WHO", room="#lab")), "ana")
