"""relais hub user, room, invite, token, backup: looking after a hub that runs, and a store at rest."""

import json
import os
import pty
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import threading
import time

from stage import RELAIS, Skip, equal, holds, test
from with_a_hub import Bot, hub, somebody

PASSWORD = "correct horse battery"


def look_after(stage, *words, typed="", code=0):
    """Runs `relais hub WORDS`; gives what it prints, and what it tells."""
    ran = stage.finish([RELAIS, "hub", *words], input=typed.encode())
    out, err = ran.stdout.decode(), ran.stderr.decode()
    assert ran.returncode == code, f"{words}: {ran.returncode}\n{out}{err}"
    return out, err


def tended(stage, *arguments):
    """A hub, and what looks after it."""
    program = hub(stage, "127.0.0.1:0", *arguments)

    def tend(*words, **how):
        return look_after(stage, *words, "--at", program.at, **how)

    return program, tend


def rows(out):
    return [json.loads(line) for line in out.splitlines()]


def add(tend, name):
    tend("user", "add", name, "--password-stdin", typed=PASSWORD + "\n")


def logged_in(port, name, **more):
    bot = Bot(port)
    bot.told = bot.done("LOGIN", user=name, password=PASSWORD, **more)
    return bot


def ended(bot):
    """The `bye` of a hub that hangs up."""
    bye = bot.event("bye")
    equal(bot.lines.readline(), b"")
    return bye


@test
def who_runs_a_closed_hub_makes_its_first_account_which_administers(stage):
    program, tend = tended(stage, "--registration", "closed")
    program.await_that("the way to the first account", lambda: "relais hub user add" in program.said())
    stranger = Bot(program.at)
    equal(stranger.done("HELLO", proto=1)["register"], "closed")
    stranger.refused("REGISTRATION_CLOSED", "REGISTER", user="eve", password=PASSWORD)
    _, err = tend("invite", code=2)
    holds(err, "nobody has an account yet")
    add(tend, "ana")
    add(tend, "bob")
    ana, bob = logged_in(program.at, "ana"), logged_in(program.at, "bob")
    ana.done("ANNOUNCE", body="hello")
    bob.refused("FORBIDDEN", "ANNOUNCE", body="hello")
    tend("user", "admin", "bob")
    bob.done("ANNOUNCE", body="hello")
    tend("user", "admin", "ana", "--off")
    _, err = tend("user", "admin", "bob", "--off", code=2)
    holds(err, "only administrator")
    listed = rows(tend("user", "list", "--json")[0])
    equal([(one["user"], one["administrator"]) for one in listed], [("ana", False), ("bob", True)])
    holds(tend("user", "show", "BOB")[0], "administrator")


@test
def what_is_wrong_is_told_with_its_value_and_changes_nothing(stage):
    _, err = look_after(stage, "user", "list", code=1)
    holds(err, "no hub of this user runs")
    _, err = look_after(stage, "user", "list", "--store", "none.db", code=2)
    holds(err, "none.db")
    assert not os.path.exists(os.path.join(stage.folder, "none.db"))
    program, tend = tended(stage)
    add(tend, "ana")
    for words, expect in [
        (("user", "show", "nobody"), '"nobody"'),
        (("user", "delete", "nobody"), '"nobody"'),
        (("room", "show", "nowhere"), '"#nowhere"'),
        (("room", "retain", "nowhere", "3"), '"#nowhere"'),
        (("room", "retain", "nowhere", "three"), '"three"'),
        (("room", "owner", "nowhere", "ana"), '"#nowhere"'),
        (("invite", "--room", "nowhere"), '"#nowhere"'),
        (("invite", "--uses", "0"), "from 1 to 4294967295"),
        (("room", "retain", "lab", "0"), "1 to 4294967295"),
        (("invite", "--expires", "0s"), "1s or more"),
        (("invite", "revoke", "i_none"), "`relais hub invite list` lists them"),
        (("token", "nobody"), '"nobody"'),
        (("token", "revoke", "s_none"), '"s_none"'),
        (("user", "list", "--hub", "other"), '"other"'),
    ]:
        holds(tend(*words, code=1 if "--hub" in words else 2)[1], expect)
    _, err = tend("user", "add", "ANA", "--password-stdin", typed=PASSWORD + "\n", code=2)
    holds(err, "somebody's name")
    _, err = tend("user", "add", "bob", "--password-stdin", typed="password\n", code=2)
    holds(err, "too easy to guess")
    _, err = tend("user", "add", "bob", code=2)
    holds(err, "--password-stdin")
    _, err = look_after(stage, "user", "list", "--store", program.store, code=2)
    holds(err, f"process {program.pid}")
    _, err = look_after(stage, "usr", "list", code=2)
    holds(err, "or a command: user, room")
    equal([one["user"] for one in rows(tend("user", "list", "--json")[0])], ["ana"])


@test
def an_invitation_lets_so_many_in_and_no_more_however_many_come_at_once(stage):
    program, tend = tended(stage, "--registration", "invitation")
    add(tend, "ana")
    ana = logged_in(program.at, "ana")
    ana.done("CREATE", room="#class", private=True)
    code = tend("invite", "--uses", 3, "--expires", "1h", "--room", "class")[0].strip()
    assert code.startswith("ri_"), code
    with open(program.store, "rb") as kept, open(program.store + "-wal", "rb") as log:
        assert code[3:].encode() not in kept.read() + log.read()
    stranger = Bot(program.at)
    equal(stranger.done("HELLO", proto=1)["register"], "invitation")
    stranger.refused("REGISTRATION_CLOSED", "REGISTER", user="eve", password=PASSWORD)
    stranger.refused(
        "REGISTRATION_CLOSED", "REGISTER", user="eve", password=PASSWORD, invitation="ri_" + "A" * 43
    )
    answers = []

    def come(number):
        told = Bot(program.at).ask(
            "REGISTER", user=f"pupil{number}", password=PASSWORD, invitation=code
        )
        answers.append(told)

    threads = [threading.Thread(target=come, args=[number]) for number in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    let_in = [told for told in answers if told.get("ok")]
    equal(len(let_in), 3)
    assert all(told["rooms"][0]["room"] == "#class" for told in let_in), let_in
    whys = {told["err"]["why"] for told in answers if "err" in told}
    equal(whys, {"the invitation is used up"})
    equal(len(rows(tend("user", "list", "--json")[0])), 4)
    [listed] = rows(tend("invite", "list", "--json")[0])
    equal((listed["uses"], listed["room"]), (0, "#class"))
    tend("invite", "revoke", listed["name"])
    equal(rows(tend("invite", "list", "--json")[0]), [])
    # By typing, too; and one that has expired lets nobody in.
    typed = tend("invite")[0].strip()
    nc = f"/register zoe {typed} {PASSWORD}\n/bye\n".encode()
    conn = Bot(program.at).conn
    conn.sendall(nc)
    holds(conn.makefile().read(), "you are zoe")
    late = tend("invite", "--expires", "1s")[0].strip()

    time.sleep(1.2)
    told = Bot(program.at).ask("REGISTER", user="late", password=PASSWORD, invitation=late)
    equal(told["err"]["why"], "the invitation has expired")


@test
def invitations_are_not_to_be_guessed(stage):
    program, tend = tended(stage, "--registration", "invitation")
    add(tend, "ana")
    wrong = "ri_" + "B" * 43
    codes = []
    for number in range(40):
        told = Bot(program.at).ask("REGISTER", user=f"eve{number}", password="secret-pass", invitation=wrong)
        codes.append(told["err"]["code"])
        if codes[-1] == "RATE_LIMITED":
            break
    equal(codes[-1], "RATE_LIMITED")


@test
def who_deletes_its_account_is_gone_from_everywhere_over_kill_9(stage):
    program, tend = tended(stage)
    ana, bob = somebody(program.at, "ana", "#lab"), somebody(program.at, "bob", "#lab")
    token = logged_in_as(program.at, "bob")["token"]
    other = Bot(program.at)
    other.done("LOGIN", token=token)
    bob.done("MESSAGE", room="#lab", body="salut")
    bob.done("MESSAGE", to="ana", body="between us")
    ana.refused("FORBIDDEN", "UNREGISTER", password="secret-pass")
    bob.refused("BAD_CREDENTIALS", "UNREGISTER", password="wrong pass")
    bob.done("UNREGISTER", password="secret-pass")
    equal(ended(bob)["code"], "SESSION_REVOKED")
    equal(ended(other)["why"], "the account was deleted")
    equal(ana.event("part")["from"], "bob")
    program.kill()
    program = hub(stage, "127.0.0.1:0", store=program.store)
    again = Bot(program.at)
    again.refused("BAD_CREDENTIALS", "LOGIN", user="bob", password="secret-pass")
    again.refused("TOKEN_EXPIRED", "LOGIN", token=token)
    again.refused("ACCOUNT_EXISTS", "REGISTER", user="BOB", password="secret-pass")
    ana = Bot(program.at)
    rooms = ana.done("LOGIN", user="ana", password="secret-pass")["rooms"]
    talk = next(room["room"] for room in rooms if room["room"].startswith("@"))
    assert talk.startswith("@deleted account "), rooms
    for room, body in [("#lab", "salut"), (talk, "between us")]:
        page = ana.done("HISTORY", room=room, limit=9)["events"]
        said = [(one["from"], one["body"]) for one in page if one["ev"] == "message"]
        equal(said, [("deleted account", body)])
    ana.refused("NO_SUCH_USER", "MESSAGE", room=talk, body="still there?")
    ana.refused("NO_SUCH_USER", "WHOIS", user="bob")


def logged_in_as(port, name):
    bot = Bot(port)
    told = bot.done("LOGIN", user=name, password="secret-pass")
    bot.close()
    return told


@test
def what_somebody_said_is_taken_out_where_that_is_asked(stage):
    program, tend = tended(stage)
    ana, bob = somebody(program.at, "ana", "#lab"), somebody(program.at, "bob", "#lab")
    said = bob.done("MESSAGE", room="#lab", body="salutations")
    bob.done("EDIT", room="#lab", seq=said["seq"], body="bonsoir")
    ana.done("MESSAGE", room="#lab", body="bonjour")
    tend("user", "delete", "bob", "--messages")
    ended(bob)

    def bodies():
        page = ana.done("HISTORY", room="#lab", limit=20)["events"]
        return [one.get("body") for one in page if one["ev"] in ("message", "edit")]

    equal(bodies(), [None, "", "bonjour"])
    equal(ana.done("SEARCH", q="bonsoir")["events"], [])

    def is_overwritten():
        with sqlite3.connect(f"file:{program.store}?mode=ro", uri=True) as conn:
            [left] = conn.execute("SELECT count(*) FROM log WHERE text IN ('salutations', 'bonsoir')").fetchone()
        return left == 0

    program.await_that("what was said taken out of the log", is_overwritten)
    equal(bodies(), [None, "", "bonjour"])


@test
def rooms_are_looked_after(stage):
    program, tend = tended(stage)
    ana, bob = somebody(program.at, "ana"), somebody(program.at, "bob", "#lab", "#den")
    ana.done("JOIN", room="#lab")
    listed = rows(tend("room", "list", "--json")[0])
    equal([(one["room"], one["members"]) for one in listed], [("#lab", 2), ("#den", 1)])
    holds(tend("room", "list")[0], "for good")
    tend("room", "retain", "lab", 30)
    kept = bob.event("retain")
    equal((kept["value"], kept["from"]), (30, "*hub*"))
    holds(tend("room", "show", "#lab")[0], "kept: 30 d")
    tend("room", "retain", "lab", "forever")
    tend("room", "owner", "den", "ana")
    members = rows(tend("room", "members", "den", "--json")[0])
    equal([(one["user"], one["role"]) for one in members], [("ana", "owner"), ("bob", "owner")])
    bob.done("PART", room="#den")
    members = rows(tend("room", "members", "den", "--json")[0])
    equal([(one["user"], one["in"]) for one in members], [("ana", True), ("bob", False)])
    holds(tend("room", "members", "den")[0], "not there")
    ana.done("TOPIC", room="#den", topic="mine now")
    bob.done("MESSAGE", room="#lab", body="anybody?")
    tend("room", "delete", "lab")
    deleted = ana.event("delete")
    equal((deleted["room"], deleted["from"]), ("#lab", "*hub*"))
    ana.refused("NO_SUCH_ROOM", "HISTORY", room="#lab")
    bob.refused("NO_SUCH_ROOM", "MESSAGE", room="#lab", body="still?")
    equal(ana.done("SEARCH", q="anybody")["events"], [])
    # Its name is free.
    equal(ana.done("JOIN", room="#lab")["members"], 1)
    # And where nobody has an account any more.
    tend("user", "delete", "ana", code=2)
    tend("user", "delete", "bob")
    tend("user", "delete", "ana")
    tend("room", "retain", "den", 3)
    tend("room", "delete", "den")
    equal([one["room"] for one in rows(tend("room", "list", "--json")[0])], ["#lab"])
    add(tend, "eve")
    holds(tend("user", "show", "eve")[0], "administrator")


@test
def a_bot_logs_in_with_a_token_until_it_is_revoked(stage):
    program, tend = tended(stage, "--registration", "closed")
    add(tend, "ana")
    out, err = tend("token", "ana", "--device", "weather")
    bot = Bot(program.at)
    session = bot.done("LOGIN", token=out.strip())["session"]
    holds(err, session)
    holds(tend("token", "list", "ana")[0], "weather")
    tend("token", "revoke", session)
    ended(bot)
    Bot(program.at).refused("TOKEN_EXPIRED", "LOGIN", token=out.strip())
    tend("user", "password", "ana", "--password-stdin", typed="another horse battery\n")
    Bot(program.at).refused("BAD_CREDENTIALS", "LOGIN", user="ana", password=PASSWORD)
    Bot(program.at).done("LOGIN", user="ana", password="another horse battery")


def typed_in_as(port, name):
    """Somebody who has logged in by typing, and stays."""
    conn = socket.create_connection(("127.0.0.1", port), 20)
    conn.sendall(f"/login {name} {PASSWORD}\n".encode())
    lines = conn.makefile("rb")
    holds(lines.readline().decode(), f"you are {name}")
    return conn, lines


@test
def who_types_is_a_device_while_connected_and_a_killed_hub_leaves_none_of_it(stage):
    program, tend = tended(stage, "--registration", "closed")
    add(tend, "ana")
    token = tend("token", "ana", "--device", "weather")[0].strip()

    def devices(program):
        out = look_after(stage, "token", "list", "ana", "--json", "--at", program.at)[0]
        return [one["device"] for one in rows(out)]

    conn, lines = typed_in_as(program.at, "ana")
    equal(devices(program), ["weather", "text 127.0.0.1"])
    lines.close()
    conn.close()
    deadline = time.monotonic() + 10
    while len(devices(program)) > 1 and time.monotonic() < deadline:
        time.sleep(0.1)
    equal(devices(program), ["weather"])
    kept = [typed_in_as(program.at, "ana") for _ in range(3)]
    equal(len(devices(program)), 4)
    os.kill(program.process.pid, signal.SIGKILL)
    program.process.wait(10)
    program = hub(stage, "127.0.0.1:0", store=program.store)
    equal(devices(program), ["weather"])
    ana, = rows(look_after(stage, "user", "list", "--json", "--at", program.at)[0])
    equal(ana["devices"], 1)
    assert ana["seen"], ana
    Bot(program.at).done("LOGIN", token=token)
    for conn, lines in kept:
        lines.close()
        conn.close()


@test
def all_that_is_of_somebody_is_exported(stage):
    program, tend = tended(stage)
    ana, bob = somebody(program.at, "ana", "#lab"), somebody(program.at, "bob", "#lab")
    said = ana.done("MESSAGE", room="#lab", body="helo")
    ana.done("EDIT", room="#lab", seq=said["seq"], body="hello")
    bob.done("MESSAGE", room="#lab", body="not hers")
    ana.done("MESSAGE", to="bob", body="between us")
    ana.done("READ", room="#lab", seq=said["seq"])
    path = os.path.join(stage.folder, "ana.jsonl")
    tend("user", "export", "ana", path)
    equal(stat.S_IMODE(os.stat(path).st_mode), 0o600)
    with open(path, encoding="utf-8") as file:
        lines = rows(file.read())
    equal(lines[0]["user"], "ana")
    equal(lines[-1], {"is": "end", "lines": len(lines) - 1})
    kinds = [line.get("is", line.get("ev")) for line in lines]
    equal(kinds.count("device"), 1)
    equal({line["room"] for line in lines if line.get("is") == "member"}, {"#lab", "@bob"})
    bodies = [line["body"] for line in lines if line.get("ev") in ("message", "edit")]
    equal(bodies, ["helo", "hello", "between us"])
    assert "read" in kinds, kinds
    assert not re.search(r"rt_|argon2|hash", json.dumps(lines)), lines
    _, err = tend("user", "export", "ana", path, code=2)
    holds(err, "already")
    equal(rows(tend("user", "export", "ana")[0]), lines)
    missing = os.path.join(stage.folder, "nobody.jsonl")
    tend("user", "export", "nobody", missing, code=2)
    assert not os.path.exists(missing)


@test
def a_copy_of_a_hub_under_load_is_whole_and_opens_as_a_hub(stage):
    program, tend = tended(stage, "--burst", 1000, "--messages-a-second", 0)
    ana = somebody(program.at, "ana", "#lab")
    acknowledged, is_over = [], threading.Event()

    def talk():
        bot = Bot(program.at)
        bot.done("LOGIN", user="ana", password="secret-pass")
        while not is_over.is_set():
            acknowledged.append(bot.done("MESSAGE", room="#lab", body="word " * 20)["seq"])

    talking = threading.Thread(target=talk)
    talking.start()
    program.await_that("some said", lambda: len(acknowledged) > 300)
    before = acknowledged[-1]
    out, _ = tend("backup", "copy.db")
    holds(out, "copy.db")
    is_over.set()
    talking.join()
    copy = os.path.join(stage.folder, "copy.db")
    equal(stat.S_IMODE(os.stat(copy).st_mode), 0o600)
    with sqlite3.connect(copy) as conn:
        equal(conn.execute("PRAGMA integrity_check").fetchall(), [("ok",)])
    for file, expect in [("copy.db", "copy.db\" already"), ("nowhere/copy.db", "nowhere\""), (".", "is a folder"), ("/dev/full", "already")]:
        _, err = tend("backup", file, code=2)
        holds(err, expect)
        assert "os error" not in err, err
    ana.done("PING")
    again = hub(stage, "127.0.0.1:0", store=copy)
    bot = Bot(again.at)
    bot.done("LOGIN", user="ana", password="secret-pass")
    page = bot.done("HISTORY", room="#lab", around=before, limit=2)["events"]
    assert before in [event["seq"] for event in page], (before, page)


@test
def a_store_at_rest_is_looked_after_alike(stage):
    program = hub(stage, "127.0.0.1:0")
    bob = somebody(program.at, "ana", "#lab"), somebody(program.at, "bob", "#lab")
    bob[1].done("MESSAGE", room="#lab", body="salut")
    equal(program.stop(), 0)

    def tend(*words, **how):
        return look_after(stage, *words, "--store", program.store, **how)

    add(tend, "zoe")
    equal([one["user"] for one in rows(tend("user", "list", "--json")[0])], ["ana", "bob", "zoe"])
    tend("user", "delete", "bob")
    tend("room", "retain", "lab", 7)
    token = tend("token", "zoe")[0].strip()
    tend("backup", "copy.db")
    holds(tend("user", "show", "nobody", code=2)[1], '"nobody"')
    with sqlite3.connect(program.store) as conn:
        many = [(os.urandom(32), f"i_{number}") for number in range(10_000)]
        conn.executemany("INSERT INTO invitations VALUES (?, ?, 1, NULL, 1, NULL)", many)
    conn.close()
    holds(tend("invite", code=2)[1], "revoke some first")
    equal(len(rows(tend("invite", "list", "--json")[0])), 10_000)
    program = hub(stage, "127.0.0.1:0", store=program.store)
    zoe = Bot(program.at)
    equal(zoe.done("LOGIN", token=token)["user"], "zoe")
    equal(zoe.done("JOIN", room="#lab")["members"], 2)
    page = zoe.done("HISTORY", room="#lab", limit=50)["events"]
    assert ("deleted account", "salut") in [(one["from"], one.get("body")) for one in page], page


@test
def of_several_hubs_one_is_named(stage):
    one, other = hub(stage, "127.0.0.1:0"), hub(stage, "127.0.0.1:0", store=os.path.join(stage.folder, "b.db"))
    _, err = look_after(stage, "user", "list", code=2)
    holds(err, f"port {one.at}")
    holds(err, f"port {other.at}")
    zoe = ("user", "add", "zoe", "--password-stdin")
    look_after(stage, *zoe, "--at", other.at, typed=PASSWORD + "\n")
    logged_in(other.at, "zoe")
    Bot(one.at).refused("BAD_CREDENTIALS", "LOGIN", user="zoe", password=PASSWORD)
    # And of several in one file.
    hubs = "".join(f'[hub.{name}]\nlisten = "127.0.0.1:0"\nstore = "{name}.db"\n' for name in ("red", "blue"))
    up = stage.start([RELAIS, "up", stage.write("relais.toml", hubs)], "up")
    up.await_that("both", lambda: up.said().count("tcp://") == 2)
    _, err = look_after(stage, *zoe, "--file", "relais.toml", typed=PASSWORD + "\n", code=2)
    holds(err, "blue, red")
    look_after(stage, *zoe, "--file", "relais.toml", "--hub", "red", typed=PASSWORD + "\n")
    _, err = look_after(stage, "user", "show", "zoe", "--hub", "blue", code=2)
    holds(err, '"zoe"')
    holds(look_after(stage, "user", "show", "zoe", "--hub", "red")[0], "administrator")


@test
def a_password_is_asked_for_twice_and_never_shown(stage):
    program, tend = tended(stage)
    command = [RELAIS, "hub", "user", "add", "ana", "--at", str(program.at)]
    shown = typed_in(stage, command, [PASSWORD, PASSWORD])
    holds(shown, "once more:")
    holds(shown, "ana has an account")
    assert PASSWORD not in shown, shown
    logged_in(program.at, "ana")
    command[4] = "bob"
    shown = typed_in(stage, command, [PASSWORD, "another horse battery"])
    holds(shown, "the two passwords differ")
    equal([one["user"] for one in rows(tend("user", "list", "--json")[0])], ["ana"])


def typed_in(stage, command, lines):
    """Runs a command on a terminal, and answers each question with a line; what was shown."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(stage.folder)
        os.execve(command[0], command, stage.env())
    shown = b""
    try:
        while True:
            try:
                came = os.read(terminal, 4096)
            except OSError:
                break
            if not came:
                break
            shown += came
            if shown.endswith((b": ", b"[y/N] ")) and lines:
                # What is typed before the terminal is silent is thrown away.
                time.sleep(0.3)
                os.write(terminal, lines.pop(0).encode() + b"\n")
    finally:
        os.waitpid(pid, 0)
        os.close(terminal)
    return shown.decode()


@test
def what_cannot_be_undone_is_asked_for_once_more_on_a_terminal_alone(stage):
    program, tend = tended(stage)
    for name in ("ana", "bob", "eve", "zoe"):
        add(tend, name)
    ana = logged_in(program.at, "ana")
    for room in ("#lab", "#tea"):
        ana.done("CREATE", room=room)
    base = [RELAIS, "hub"]
    at = ["--at", str(program.at)]
    shown = typed_in(stage, [*base, "user", "delete", "bob", "--messages", *at], ["n"])
    holds(shown, 'Delete account "bob", and all that it said? [y/N]')
    holds(shown, "nothing was deleted")
    holds(typed_in(stage, [*base, "user", "delete", "bob", *at], ["y"]), "bob has no account any more")
    shown = typed_in(stage, [*base, "room", "delete", "tea", *at], [""])
    holds(shown, 'Delete room "#tea", and all that was said in it? [y/N]')
    holds(shown, "nothing was deleted")
    shown = typed_in(stage, [*base, "user", "delete", "eve", "--yes", *at], [])
    assert "[y/N]" not in shown and "eve has no account any more" in shown, shown
    # A script is not asked.
    tend("user", "delete", "zoe")
    tend("room", "delete", "lab")
    equal([one["room"] for one in rows(tend("room", "list", "--json")[0])], ["#tea"])


@test
def a_list_of_accounts_says_who_is_there_now(stage):
    program, tend = tended(stage)
    add(tend, "ana")
    add(tend, "bob")
    ana = logged_in(program.at, "ana")
    listed = rows(tend("user", "list", "--json")[0])
    equal([(one["user"], one["online"]) for one in listed], [("ana", True), ("bob", False)])
    holds(tend("user", "show", "ana")[0], "seen: now")
    ana.lines.close()
    _, err = tend("user", "admin", "bob", "--off", code=2)
    holds(err, '"bob" does not administer the hub')


@test
def a_copy_that_finds_no_space_leaves_nothing_and_the_hub_goes_on(stage):
    if os.geteuid() != 0:
        raise Skip("needs root, to mount a small tmpfs")
    small = stage.path("small")
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", small]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        raise Skip("mounting a tmpfs is not allowed here")
    stage.mounts.append(small)
    program, tend = tended(stage, "--burst", 1000, "--messages-a-second", 0)
    ana = somebody(program.at, "ana", "#lab")
    for number in range(20):
        ana.done("MESSAGE", room="#lab", body=f"{number} " + "x" * 15_000)
    _, err = tend("backup", "small/copy.db", code=1)
    holds(err, "no space")
    equal(os.listdir(small), [])
    ana.done("MESSAGE", room="#lab", body="still here")


@test
def invitations_are_used_as_often_as_accounts_are_made_over_kill_9(stage):
    program, tend = tended(stage, "--registration", "invitation")
    add(tend, "ana")
    code = tend("invite", "--uses", 60)[0].strip()
    made = []

    def come(first):
        for number in range(first, 60, 4):
            try:
                told = Bot(program.at).ask("REGISTER", user=f"p{number}", password=PASSWORD, invitation=code)
            except (AssertionError, OSError, ValueError):
                return
            if told.get("ok"):
                made.append(f"p{number}")

    threads = [threading.Thread(target=come, args=[first]) for first in range(4)]
    [thread.start() for thread in threads]
    program.await_that("some came", lambda: len(made) >= 8)
    program.kill()
    [thread.join() for thread in threads]
    program = hub(stage, "127.0.0.1:0", "--registration", "invitation", store=program.store)
    at = ["--at", program.at, "--json"]
    users = {one["user"] for one in rows(look_after(stage, "user", "list", *at)[0])}
    [left] = rows(look_after(stage, "invite", "list", *at)[0])
    assert set(made) <= users, set(made) - users
    equal(60 - left["uses"], len(users) - 1)


@test
def a_client_in_lines_comes_by_invitation(stage):
    program, tend = tended(stage, "--registration", "invitation")
    add(tend, "ana")
    code = tend("invite")[0].strip()
    env = stage.env() | {"RELAIS_PASSWORD": PASSWORD}
    chat = [RELAIS, "chat", f"127.0.0.1:{program.at}", "--user", "eve", "--register"]
    refused = stage.finish([*chat, "--send", "lab", "hello"], env=env)
    equal(refused.returncode, 1)
    holds(refused.stderr.decode(), "accounts are made by invitation here")
    holds(refused.stderr.decode(), "`--invitation CODE`")
    stage.run([*chat, "--invitation", code, "--send", "lab", "hello", "--create"], env=env)
    holds(tend("room", "members", "lab")[0], "eve")
