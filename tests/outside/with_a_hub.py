"""relais hub: people with nc, and programs in the standard library of Python alone."""

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading

from stage import RELAIS, equal, free_port, holds, need, test


def hub(stage, *arguments, store=None):
    """Starts a hub and waits for the port it tells."""
    store = store or os.path.join(stage.folder, "hub.db")
    command = [RELAIS, "hub", *map(str, arguments), "--store", store]
    program = stage.start(command, "relais")

    def told():
        return re.search(r"^(?:tcp|tls)://\S*?:([1-9][0-9]*)\b", program.said(), re.M)

    program.await_that("an address told", told)
    program.at, program.store = int(told().group(1)), store
    return program


class Bot:
    """A client, as anybody would write it."""

    def __init__(self, port, context=None):
        conn = socket.create_connection(("127.0.0.1", port), 20)
        conn.settimeout(20)
        self.conn = context.wrap_socket(conn, server_hostname="localhost") if context else conn
        self.lines = self.conn.makefile("rb")
        self.number, self.events = 0, []

    def send(self, **frame):
        self.conn.sendall(json.dumps(frame).encode() + b"\n")

    def next(self):
        line = self.lines.readline()
        assert line.endswith(b"\n"), "the hub hung up"
        return json.loads(line)

    def ask(self, cmd, **fields):
        """What the hub answers; the events before it are kept."""
        self.number += 1
        self.send(cmd=cmd, id=self.number, **fields)
        while True:
            told = self.next()
            if "ev" not in told:
                equal(told["re"], self.number)
                return told
            self.events.append(told)

    def done(self, cmd, **fields):
        told = self.ask(cmd, **fields)
        assert told.get("ok"), f"{cmd} {fields}: {told}"
        return told

    def refused(self, code, cmd, **fields):
        equal(self.ask(cmd, **fields).get("err", {}).get("code"), code)

    def event(self, kind):
        """The next event of this kind."""
        while True:
            while self.events:
                event = self.events.pop(0)
                if event["ev"] == kind:
                    return event
            told = self.next()
            assert "ev" in told, f"an answer nobody asked for: {told}"
            self.events.append(told)

    def close(self):
        self.conn.close()


def somebody(port, name, *rooms):
    bot = Bot(port)
    bot.done("REGISTER", user=name, password="secret-pass")
    for room in rooms:
        bot.done("JOIN", room=room)
    return bot


@test
def a_newcomer_with_nc_has_an_account_a_room_and_an_answer(stage):
    need("nc")
    program = hub(stage, "127.0.0.1:0")
    typed = "/register ana secret-pass\n/join lab\nbonjour\n/calc 2^64\n/bye\n"
    said = subprocess.run(
        ["nc", "-w", "10", "127.0.0.1", str(program.at)],
        input=typed.encode(), stdout=subprocess.PIPE, timeout=30, check=True,
    ).stdout.decode()
    holds(said, "<ana> bonjour")
    holds(said, "18446744073709551616")
    holds(said, "#lab")
    others = [line for line in said.splitlines() if not line.startswith("# ")]
    equal(len(others), 1)


@test
def what_one_says_all_members_hear_and_nobody_else(stage):
    program = hub(stage, "127.0.0.1:0")
    ana, bob, eve = (somebody(program.at, name) for name in ("ana", "bob", "eve"))
    ana.done("JOIN", room="#lab")
    bob.done("JOIN", room="#lab")
    equal(ana.event("join")["from"], "bob")
    said = ana.done("MESSAGE", room="#lab", body="salut @bob é", cid="c1")
    heard = bob.event("message")
    equal((heard["from"], heard["body"], heard["seq"]), ("ana", "salut @bob é", said["seq"]))
    assert heard.get("mention") and "cid" not in heard, heard
    equal(ana.event("message").get("cid"), "c1")
    eve.refused("NOT_IN_ROOM", "MESSAGE", room="#lab", body="let me in")
    eve.refused("NOT_IN_ROOM", "HISTORY", room="#lab")
    equal(eve.done("PING", t=7).get("t"), 7)
    equal(eve.events, [])
    # A word between two.
    ana.done("MESSAGE", to="bob", body="just us")
    heard = bob.event("message")
    equal((heard["room"], heard["body"]), ("@ana", "just us"))


@test
def what_is_asked_twice_is_done_once(stage):
    program = hub(stage, "127.0.0.1:0")
    ana = somebody(program.at, "ana", "#lab")
    one = ana.done("MESSAGE", room="#lab", body="once", cid="x1")
    two = ana.done("MESSAGE", room="#lab", body="once", cid="x1")
    equal((two["seq"], bool(one.get("dup")), two.get("dup")), (one["seq"], False, True))
    ana.refused("CID_REUSED", "MESSAGE", room="#lab", body="twice", cid="x1")
    page = ana.done("HISTORY", room="#lab", latest=True, limit=50)["events"]
    equal([event["body"] for event in page if event["ev"] == "message"], ["once"])


@test
def after_kill_9_nothing_acknowledged_is_lost_and_who_comes_back_hears_what_it_missed(stage):
    program = hub(stage, "127.0.0.1:0", "--burst", 1000, "--messages-a-second", 0)
    ana, bob = (somebody(program.at, name, "#lab") for name in ("ana", "bob"))
    login = Bot(program.at)
    token = login.done("LOGIN", user="bob", password="secret-pass", device="phone")["token"]
    login.close()
    ana.done("MESSAGE", room="#lab", body="first")
    last = bob.event("message")["seq"]
    bob.close()
    acknowledged = []
    for number in range(300):
        said = ana.done("MESSAGE", room="#lab", body=f"m{number}", cid=f"c{number}")
        acknowledged.append((said["seq"], f"m{number}"))
    os.kill(program.process.pid, signal.SIGKILL)
    program.process.wait(10)
    program = hub(stage, "127.0.0.1:0", store=program.store)
    bob = Bot(program.at)
    told = bob.done("LOGIN", token=token, resume={"since": last})
    equal(told["user"], "bob")
    missed = [bob.event("message") for _ in acknowledged]
    equal([(event["seq"], event["body"]) for event in missed], acknowledged)
    prev = last
    for event in missed:
        equal(event["prev"], prev)
        prev = event["seq"]
    # The same again is still known.
    ana = Bot(program.at)
    ana.done("LOGIN", user="ana", password="secret-pass")
    equal(ana.done("MESSAGE", room="#lab", body="m299", cid="c299").get("dup"), True)


@test
def a_second_process_is_refused_the_store(stage):
    program = hub(stage, "127.0.0.1:0")
    other = subprocess.run(
        [RELAIS, "hub", "127.0.0.1:0", "--store", program.store],
        stderr=subprocess.PIPE, timeout=20, check=False,
    )
    equal(other.returncode, 2)
    holds(other.stderr.decode(), str(program.process.pid))


@test
def who_reads_nothing_holds_up_nobody_and_is_told_that_it_fell_behind(stage):
    program = hub(stage, "127.0.0.1:0", "--burst", 1000, "--messages-a-second", 0)
    ana, bob, slow = (somebody(program.at, name, "#lab") for name in ("ana", "bob", "slow"))
    body = "x" * 8000
    count = 1500
    heard = []
    hearing = threading.Thread(
        target=lambda: heard.extend(bob.event("message") for _ in range(count)))
    hearing.start()
    for number in range(count):
        ana.done("MESSAGE", room="#lab", body=body)
        ana.events.clear()
    hearing.join(30)
    equal(len(heard), count)
    lagged = slow.event("lagged")
    equal(lagged["room"], "#lab")
    page = slow.done("HISTORY", room="#lab", after=lagged["last"], limit=10)["events"]
    assert len(page) == 10 and page[0]["prev"] == lagged["last"], page[:1]


@test
def no_message_makes_a_terminal_do_anything(stage):
    program = hub(stage, "127.0.0.1:0")
    ana = somebody(program.at, "ana", "#lab")
    typing = socket.create_connection(("127.0.0.1", program.at), 20)
    typing.settimeout(20)
    typing.sendall(b"/register bob secret-pass\n/join lab\n")
    ana.event("join")
    ana.done("MESSAGE", room="#lab", body="a\u001b[2Jb\u202ec\u0007\n# root said so")
    heard = b""
    while b"root said so" not in heard:
        part = typing.recv(65536)
        assert part, heard
        heard += part
    assert b"\x1b" not in heard and b"\x07" not in heard, heard
    assert not re.search(rb"^# root", heard, re.M), heard


@test
def bad_frames_are_refused_and_the_connection_stays(stage):
    program = hub(stage, "127.0.0.1:0")
    ana = somebody(program.at, "ana")
    for line, code in [
        (b"{}", "MISSING_FIELD"),
        (b'{"cmd":"NO"}', "UNKNOWN_COMMAND"),
        (b'{"cmd":"PING","cmd":"PING"}', "BAD_FRAME"),
        (b'{"cmd":"PING","t":NaN}', "BAD_FRAME"),
        (b"\xff\xfe", "BAD_FRAME"),
        (b"[" * 1000, "BAD_FRAME"),
        (b'{"cmd":"MESSAGE","room":"#lab"}', "MISSING_FIELD"),
        (b"x" * 70000, "FRAME_TOO_BIG"),
    ]:
        ana.conn.sendall(line + b"\n")
        equal((line[:20], ana.next().get("err", {}).get("code")), (line[:20], code))
    equal(ana.done("PING", t=1)["t"], 1)


@test
def over_tls_nobody_reads_along_and_passwords_are_taken_from_afar_only_so(stage):
    program = hub(stage, "tls://localhost:0")
    context = ssl.create_default_context(cafile=stage.authority())
    ana = Bot(program.at, context)
    assert ana.done("HELLO")["tls"], "not private"
    ana.done("REGISTER", user="ana", password="secret-pass")
    equal(ana.done("WHOIS", user="ANA")["user"], "ana")


@test
def passwords_are_nowhere_to_be_found(stage):
    program = hub(stage, "127.0.0.1:0", "-v")
    ana = somebody(program.at, "ana", "#lab")
    ana.refused("WEAK_PASSWORD", "PASSWORD", old="secret-pass", new="short")
    ana.refused("BAD_CREDENTIALS", "PASSWORD", old="wrong-pass-word", new="another-pass")
    ana.done("PASSWORD", old="secret-pass", new="another-pass")
    again = Bot(program.at)
    again.refused("BAD_CREDENTIALS", "LOGIN", user="ana", password="secret-pass")
    again.refused("BAD_CREDENTIALS", "LOGIN", user="nobody", password="secret-pass")
    again.done("LOGIN", user="ana", password="another-pass")
    kept = b"".join(
        open(os.path.join(stage.folder, name), "rb").read()
        for name in os.listdir(stage.folder)
        if name.startswith("hub.db")
    )
    for word in (b"secret-pass", b"another-pass"):
        assert word not in kept, "a password is in the store"
        assert word.decode() not in program.said(), "a password is in the log"


@test
def told_to_stop_it_says_so_to_everybody(stage):
    program = hub(stage, "127.0.0.1:0")
    ana = somebody(program.at, "ana", "#lab")
    program.process.send_signal(signal.SIGTERM)
    bye = ana.event("bye")
    equal(bye["code"], "SHUTDOWN")
    with contextlib.suppress(ConnectionResetError):
        equal(ana.lines.readline(), b"")
    equal(program.process.wait(10), 0)
    # All is in one file then, for who copies it.
    beside = program.store + "-wal"
    assert not os.path.exists(beside) or os.path.getsize(beside) == 0, os.path.getsize(beside)


@test
def many_come_and_go_at_once_and_each_hears_all_of_its_room(stage):
    program = hub(stage, "127.0.0.1:0", "--burst", 1000, "--messages-a-second", 0)
    bots = [somebody(program.at, f"bot{number}", "#lab") for number in range(4)]

    def speak(bot, number):
        for count in range(100):
            bot.done("MESSAGE", room="#lab", body=f"{number}/{count}", cid=f"m{count}")

    threads = [
        threading.Thread(target=speak, args=pair) for pair in zip(bots, range(4))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    orders = []
    for bot in bots:
        seqs = [event["seq"] for event in bot.events if event["ev"] == "message"]
        while len(seqs) < 400:
            event = bot.next()
            if event.get("ev") == "message":
                seqs.append(event["seq"])
        orders.append(seqs)
    assert all(order == sorted(orders[0]) for order in orders), "they heard it otherwise"
    equal(len(set(orders[0])), 400)


@test
def what_was_said_is_found_edited_and_taken_out(stage):
    program = hub(stage, "127.0.0.1:0", "--burst", 100)
    ana, bob = (somebody(program.at, name, "#lab") for name in ("ana", "bob"))
    one = ana.done("MESSAGE", room="#lab", body="Compte rendu de la réunion")["seq"]
    two = bob.done("MESSAGE", room="#lab", body="merci", reply=one)["seq"]
    found = bob.done("SEARCH", q="reunion")["events"]
    equal([event["seq"] for event in found], [one])
    for strange in ('"', "a AND", "body:x OR *", "(", "NEAR(a b)", "-x"):
        bob.done("SEARCH", q=strange)
    bob.refused("FORBIDDEN", "EDIT", room="#lab", seq=one, body="no")
    ana.done("EDIT", room="#lab", seq=one, body="Compte rendu corrigé")
    equal(bob.event("edit")["body"], "Compte rendu corrigé")
    page = bob.done("HISTORY", room="#lab", before=two, limit=1)["events"]
    equal((page[0]["body"], page[0]["edited"]), ("Compte rendu corrigé", True))
    bob.done("REACT", room="#lab", seq=one, emoji="👍", on=True)
    equal(ana.event("react")["emoji"], "👍")
    ana.done("REDACT", room="#lab", seq=one, reason="oops")
    page = bob.done("HISTORY", room="#lab", before=two, limit=1)["events"]
    equal(page[0]["body"], None)
    equal(bob.done("SEARCH", q="corrigé")["events"], [])


@test
def who_keeps_a_room_says_who_comes_in(stage):
    program = hub(stage, "127.0.0.1:0", "--burst", 100)
    root, ana, bob = (somebody(program.at, name) for name in ("root", "ana", "bob"))
    ana.done("CREATE", room="#secret", private=True, topic="only us")
    bob.refused("NO_SUCH_ROOM", "JOIN", room="#secret")
    equal([room["room"] for room in bob.done("ROOMS")["rooms"]], [])
    ana.done("INVITE", room="#secret", user="bob")
    equal(bob.event("invite")["room"], "#secret")
    bob.done("JOIN", room="#secret")
    ana.done("KICK", room="#secret", user="bob", reason="enough")
    equal(bob.event("kick")["reason"], "enough")
    ana.done("MESSAGE", room="#secret", body="gone")
    bob.done("PING", t=1)
    assert not [event for event in bob.events if event["ev"] == "message"], bob.events
    bob.refused("NO_SUCH_ROOM", "HISTORY", room="#secret")
    # Not even to who keeps the hub.
    root.refused("NO_SUCH_ROOM", "WHO", room="#secret")


@test
def a_device_that_is_revoked_is_sent_away(stage):
    program = hub(stage, "127.0.0.1:0")
    ana = somebody(program.at, "ana")
    phone = Bot(program.at)
    login = phone.done("LOGIN", user="ana", password="secret-pass", device="phone")
    sessions = ana.done("SESSIONS")["sessions"]
    equal(sorted((one["device"], one["this"]) for one in sessions), [("", True), ("phone", False)])
    ana.done("REVOKE", session=login["session"])
    equal(phone.event("bye")["code"], "SESSION_REVOKED")
    again = Bot(program.at)
    again.refused("TOKEN_EXPIRED", "LOGIN", token=login["token"])


@test
def who_comes_late_and_speaks_json_is_understood(stage):
    program = hub(stage, "127.0.0.1:0")
    late = Bot(program.at)
    equal(late.lines.readline()[:2], b"# ")
    late.done("REGISTER", user="ana", password="secret-pass")
    equal(late.ask("JOIN", room="@bob").get("err", {}).get("code"), "NO_SUCH_USER")
    late.done("HELLO", lang="fr")
    english = Bot(program.at).ask("JOIN", room="#lab")["err"]["msg"]
    Bot(program.at)
    assert late.ask("JOIN", room="lab")["err"]["msg"] != english


@test
def a_reload_leaves_a_hub_as_it_is_or_is_refused(stage):
    port, page = free_port(), free_port()
    listen = f'listen = ["tcp://127.0.0.1:{port}", "http://127.0.0.1:{page}"]\n'
    config = f'[hub.main]\n{listen}store = "hub.db"\nburst = '
    file = stage.write("relais.toml", f"{config}10\n")
    program = stage.start([RELAIS, "up", str(file)], "relais")
    program.await_that("an address told", lambda: "tcp://" in program.said())
    ana = somebody(port, "ana", "#lab")
    stage.run([RELAIS, "reload", str(file)])
    ana.done("MESSAGE", room="#lab", body="still here")
    stage.write("relais.toml", f"{config}20\n")
    done = stage.finish([RELAIS, "reload", str(file)])
    assert done.returncode != 0 and b"restart" in done.stderr + done.stdout, done
    ana.done("MESSAGE", room="#lab", body="and still")
