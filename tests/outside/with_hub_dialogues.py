"""Dialogues of two in a hub, and what is to be noticed of what is said there."""

import contextlib
import os
import signal
import socket
import sqlite3

from stage import equal, eventually, holds, test
from with_a_hub import Bot, hub, somebody


def known(port, name, **fields):
    """Who has an account, again; and what it was told."""
    bot = Bot(port)
    told = bot.done("LOGIN", user=name, password="secret-pass", **fields)
    return bot, told


def killed(stage, program):
    """The same hub, after `kill -9`."""
    os.kill(program.process.pid, signal.SIGKILL)
    program.process.wait()
    return hub(stage, "127.0.0.1:0", store=program.store)


class Typing:
    """Somebody with nc, who waits for what is told."""

    def __init__(self, port, name):
        self.conn = socket.create_connection(("127.0.0.1", port), 20)
        self.lines = self.conn.makefile(encoding="utf-8", newline="\n")
        self.types(f"/register {name} secret-pass", f"# you are {name}")

    def types(self, line, expect=None):
        self.conn.sendall(line.encode() + b"\n")
        if expect is not None:
            self.sees(expect)

    def sees(self, expect):
        """The next line, without the time it may begin with."""
        line = self.lines.readline().removesuffix("\n")
        equal(line if line.startswith("# ") else line[6:], expect)


@test
def in_turns_two_speak_one_after_the_other_until_one_says_fin(stage):
    program = hub(stage, "127.0.0.1:0")
    ana, bob = (somebody(program.at, name) for name in ("ana", "bob"))
    room = ana.done("DIALOGUE", **{"with": "bob"})
    equal((room["room"], room["dialogue"]), ("@bob", {"mode": "turns", "turn": "ana"}))
    equal(bob.event("turn")["who"], "ana")
    bob.refused("NOT_YOUR_TURN", "MESSAGE", to="ana", body="me")
    for number in range(3):
        ana.done("MESSAGE", to="bob", body=f"a{number}")
        ana.refused("NOT_YOUR_TURN", "MESSAGE", to="bob", body="and")
        equal([bob.event("turn")["who"], ana.event("turn")["who"]], ["bob", "ana"])
        equal(ana.event("turn")["who"], "bob")
        bob.done("MESSAGE", to="ana", body=f"b{number}")
        equal(bob.event("turn")["who"], "ana")
    said = bob.done("MESSAGE", to="ana", body="FIN", cid="the-last")
    for one, other in ((ana, "@bob"), (bob, "@ana")):
        end = one.event("dialogue_end")
        equal((end["room"], end["by"], end["word"], end["seq"]), (other, "bob", "fin", said["seq"]))
    # Asked again, it is known, and no message.
    again = bob.done("MESSAGE", to="ana", body="FIN", cid="the-last")
    equal((again["seq"], again["dup"]), (said["seq"], True))
    bob.done("MESSAGE", to="ana", body="and one more")
    bodies = [event["body"] for event in ana.done("HISTORY", room="@bob")["events"] if event["ev"] == "message"]
    equal(bodies, ["a0", "b0", "a1", "b1", "a2", "b2", "and one more"])


@test
def who_is_deleted_holds_no_dialogue_and_has_no_hook(stage):
    program = hub(stage, "127.0.0.1:0")
    ana, bob = somebody(program.at, "ana", "#lab"), somebody(program.at, "bob")
    bob.done("CREATE", room="#den")
    bob.done("HOOK", room="#den", name="weather")
    bob.done("KEYWORDS", words=["thesis"])
    bob.done("DIALOGUE", **{"with": "ana"})
    equal(ana.event("turn")["who"], "bob")
    bob.done("UNREGISTER", password="secret-pass")
    end = ana.event("dialogue_end")
    equal((end["room"], end["by"], end.get("word")), ("@bob", "bob", None))
    equal(ana.event("part")["from"], "bob")
    talk = next(room["room"] for room in known(program.at, "ana")[1]["rooms"] if room["room"] != "#lab")
    assert talk.startswith("@deleted account "), talk
    for room in (talk.removeprefix("@"), "bob"):
        ana.refused("NO_SUCH_USER", "DIALOGUE", **{"with": room})
        ana.refused("NO_SUCH_USER", "MESSAGE", to=room, body="there?")
    program = killed(stage, program)
    ana, told = known(program.at, "ana")
    assert all("dialogue" not in room for room in told["rooms"]), told["rooms"]
    events = ana.done("HISTORY", room=talk)["events"]
    equal([event["ev"] for event in events], ["create", "dialogue", "dialogue_end", "part"])


@test
def a_dialogue_outlives_kill_9_and_lost_connections(stage):
    program = hub(stage, "127.0.0.1:0")
    ana, bob = (somebody(program.at, name) for name in ("ana", "bob"))
    ana.done("DIALOGUE", **{"with": "bob"})
    last = ana.done("MESSAGE", to="bob", body="one")["seq"]
    program = killed(stage, program)
    ana, told = known(program.at, "ana")
    (room,) = told["rooms"]
    equal(room["dialogue"], {"mode": "turns", "turn": "bob"})
    ana.refused("NOT_YOUR_TURN", "MESSAGE", to="bob", body="two")
    # Bob, who heard nothing since the beginning, hears all of it, and whose turn it is, in this order.
    bob, _ = known(program.at, "bob", resume={"since": 0})
    missed = []
    while "cursor" not in (heard := bob.next()):
        missed.append(heard)
    equal([event["ev"] for event in missed], ["create", "dialogue", "message", "turn"])
    equal([event["prev"] for event in missed[1:3]], [event["seq"] for event in missed[:2]])
    equal((missed[2]["seq"], missed[3]["who"]), (last, "bob"))
    bob.done("MESSAGE", to="ana", body="two")
    bob.close()
    # That his connection is gone ends nothing.
    ana.done("MESSAGE", to="bob", body="three")
    ana.refused("NOT_YOUR_TURN", "MESSAGE", to="bob", body="four")
    ana.done("DIALOGUE", **{"with": "bob"}, mode="end")
    program = killed(stage, program)
    ana, told = known(program.at, "ana")
    assert "dialogue" not in told["rooms"][0], told
    ana.done("MESSAGE", to="bob", body="whenever I like")


@test
def what_of_two_dialogues_is_asked_for_at_once_one_is_held(stage):
    program = hub(stage, "127.0.0.1:0")
    ana, bob = (somebody(program.at, name) for name in ("ana", "bob"))
    for bot, other in ((ana, "bob"), (bob, "ana")):
        bot.number += 1
        bot.send(cmd="DIALOGUE", id=bot.number, mode="turns", **{"with": other})
    for bot in (ana, bob):
        while "ev" in (told := bot.next()):
            bot.events.append(told)
        equal((told["re"], told["dialogue"]["mode"]), (bot.number, "turns"))
    (room,) = ana.done("ROOMS", match="@BO")["rooms"]
    equal((room["room"], room["dialogue"]["mode"]), ("@bob", "turns"))
    equal(ana.done("ROOMS", match="@eve")["rooms"], [])
    (first,) = {bot.event("dialogue")["from"] for bot in (ana, bob)}
    equal({bot.event("turn")["who"] for bot in (ana, bob)}, {first})
    ana.refused("FORBIDDEN", "DIALOGUE", mode="free", **{"with": "bob"})
    ana.refused("BAD_FIELD", "DIALOGUE", mode="free", **{"with": "ana"})
    ana.refused("BAD_FIELD", "DIALOGUE", mode="loud", **{"with": "bob"})
    ana.refused("NO_SUCH_USER", "DIALOGUE", **{"with": "nobody"})


@test
def people_with_nc_hold_a_dialogue_and_fin_ends_it_before_it_ends_the_connection(stage):
    program = hub(stage, "127.0.0.1:0")
    ana, bob = (Typing(program.at, name) for name in ("ana", "bob"))
    ana.types("/dialogue bob", "# ana made @bob")
    ana.sees("# ana began a dialogue, each in turn (@bob): fin or quit ends it")
    ana.sees("# your turn (@bob)")
    ana.sees("# @bob (2), private, a dialogue each in turn, your turn")
    bob.sees("# ana made @ana")
    bob.sees("# ana began a dialogue, each in turn (@ana): fin or quit ends it")
    bob.sees("# the turn of ana (@ana)")
    bob.types("/join @ana", "# @ana (2), private, a dialogue each in turn, the turn of ana")
    ana.types("hello", "→bob- hello")
    ana.sees("# the turn of bob")
    bob.sees("-ana→ hello")
    bob.sees("# your turn")
    ana.types("and?")
    line = ana.lines.readline()
    holds(line, "it is not your turn")
    bob.types("fin", "# bob ended the dialogue: fin")
    ana.sees("# bob ended the dialogue: fin")
    ana.types("so it is", "→bob- so it is")
    bob.sees("-ana→ so it is")
    bob.types("fin", "# goodbye")
    equal(bob.lines.readline(), "", "after the last word")


def heard(bot, body):
    """What `bot` is told of the message that says so."""
    while (event := bot.event("message"))["body"] != body:
        pass
    return event


@test
def what_is_said_is_told_with_the_reason_to_notice_it(stage):
    program = hub(stage, "127.0.0.1:0", "--messages-a-second", 0)
    ana, bob, eve = (somebody(program.at, name, "#lab") for name in ("ana", "bob", "eve"))
    bob.done("KEYWORDS", words=["Relais", "été"])
    for body, why in [
        ("hi", None),
        ("@Bob: hi", "mention"),
        ("relais, l'été", "keyword"),
        ("L'\u00c9TE\u0301 est l\u00e0", "keyword"),
        ("relaisse", None),
        ("@bob relais", "mention"),
    ]:
        ana.done("MESSAGE", room="#lab", body=body)
        event = bob.event("message")
        equal((body, event.get("notify"), event.get("mention")), (body, why, True if "@" in body else None))
        event = eve.event("message")
        assert "notify" not in event and "mention" not in event, event
    ana.done("MESSAGE", room="#lab", body="relais", kind="notice")
    assert "notify" not in heard(bob, "relais"), "what a program says"
    ana.done("MESSAGE", to="bob", body="you")
    equal(heard(bob, "you")["notify"], "direct")
    for level, plain, named in [("none", None, None), ("all", "room", "mention"), ("mentions", None, "mention")]:
        bob.done("NOTIFY", room="#lab", level=level)
        ana.done("MESSAGE", room="#lab", body=f"plain {level}")
        ana.done("MESSAGE", room="#lab", body=f"@bob {level}")
        equal((level, heard(bob, f"plain {level}").get("notify")), (level, plain))
        equal((level, heard(bob, f"@bob {level}").get("notify")), (level, named))
    bob.done("QUIET")
    ana.done("MESSAGE", room="#lab", body="@bob quiet")
    ana.done("MESSAGE", to="bob", body="psst")
    event = heard(bob, "@bob quiet")
    equal((event.get("notify"), event["mention"]), (None, True))
    assert "notify" not in heard(bob, "psst"), "while quiet"
    bob.done("QUIET", on=False)
    ana.done("MESSAGE", to="bob", body="still there?")
    equal(heard(bob, "still there?")["notify"], "direct")
    for cmd, code, fields in [
        ("KEYWORDS", "TOO_MANY", {"words": [f"w{number}" for number in range(21)]}),
        ("KEYWORDS", "BAD_FIELD", {"words": ["a"]}),
        ("KEYWORDS", "BAD_FIELD", {"words": ["x" * 33]}),
        ("KEYWORDS", "BAD_FIELD", {"words": ["two words"]}),
        ("NOTIFY", "BAD_FIELD", {"room": "#lab", "level": "some"}),
        ("NOTIFY", "NO_SUCH_ROOM", {"room": "#none", "level": "all"}),
    ]:
        bob.refused(code, cmd, **fields)


@test
def what_one_wants_to_notice_all_its_devices_know_nobody_else_and_the_next_process(stage):
    program = hub(stage, "127.0.0.1:0", "--messages-a-second", 0)
    ana, bob = (somebody(program.at, name, "#lab") for name in ("ana", "bob"))
    phone, told = known(program.at, "bob")
    assert not {"keywords", "quiet"} & set(told) and "level" not in told["rooms"][0], told
    bob.done("KEYWORDS", words=["tea", "relais"])
    bob.done("NOTIFY", room="#lab", level="all")
    bob.done("QUIET", seconds=3600)
    for device in (bob, phone):
        equal(device.event("keywords")["words"], ["relais", "tea"])
        event = device.event("notify")
        equal((event["room"], event["level"]), ("#lab", "all"))
        event = device.event("quiet")
        assert event["on"] and event["until"], event
    # All that ana hears in between is her own.
    ana.done("MESSAGE", room="#lab", body="tea")
    equal({event["ev"] for event in ana.events} - {"presence"}, {"create", "join", "message"})
    program = killed(stage, program)
    bob, told = known(program.at, "bob")
    equal((told["keywords"], told["quiet"]["on"], told["quiet"]["until"]), (["relais", "tea"], True, event["until"]))
    room = told["rooms"][0]
    equal((room["level"], room["unread"], room["mentions"]), ("all", 1, 1))


@test
def what_is_unread_and_for_one_is_counted_after_kill_9_and_told_to_who_comes_back(stage):
    program = hub(stage, "127.0.0.1:0", "--messages-a-second", 0)
    ana, bob = (somebody(program.at, name, "#lab") for name in ("ana", "bob"))
    bob.done("KEYWORDS", words=["tea"])
    bob.close()
    cursor = ana.done("MESSAGE", room="#lab", body="@bob first")["seq"]
    bodies = ["hi", "tea", "@bob", "@bob tea", "@bob oops"]
    seqs = [ana.done("MESSAGE", room="#lab", body=body)["seq"] for body in bodies]
    ana.done("REDACT", room="#lab", seq=seqs[-1])
    ana.done("MESSAGE", to="bob", body="one")
    ana.done("MESSAGE", to="bob", body="two")
    program = killed(stage, program)
    bob, told = known(program.at, "bob", resume={"since": cursor})
    counts = {room["room"]: (room["unread"], room.get("mentions")) for room in told["rooms"]}
    equal(counts, {"#lab": (5, 4), "@ana": (2, 2)})
    missed = []
    while "cursor" not in (event := bob.next()):
        missed.append(event)
    whys = [event.get("notify") for event in missed if event["ev"] == "message"]
    equal(whys, [None, "keyword", "mention", "mention", None, "direct", "direct"])
    bob.done("READ", room="#lab", seq=seqs[1])
    room = bob.done("ROOMS")["rooms"][0]
    equal((room["unread"], room["mentions"]), (2, 2))
    bob.done("READ", room="#lab", seq=seqs[-1])
    room = bob.done("ROOMS")["rooms"][0]
    assert room["unread"] == 0 and "mentions" not in room, room


@test
def what_takes_too_long_to_work_out_is_told_from_what_is_wrong(stage):
    program = hub(stage, "127.0.0.1:0")
    ana = somebody(program.at, "ana")
    ana.refused("CALC_TIMEOUT", "CALC", expr="1000000!")
    ana.refused("CALC_ERROR", "CALC", expr="2^")
    ana.refused("TOO_LONG", "CALC", expr="1" * 257)
    equal(ana.done("CALC", expr="21*2")["value"], "42")
    told = ana.done("PING")
    assert "t" not in told, told


@test
def what_is_said_again_is_known_also_when_the_room_kept_nothing_of_it(stage):
    program = hub(stage, "127.0.0.1:0")
    ana = somebody(program.at, "ana", "#lab")
    ana.refused("BAD_FIELD", "RETAIN", room="#lab", days=0)
    said = ana.done("MESSAGE", room="#lab", body="soon forgotten", cid="once")
    # As rooms of earlier versions may have it: what is said there is too old at once.
    with contextlib.closing(sqlite3.connect(program.store)) as store, store:
        store.execute("UPDATE rooms SET retain_days = 0")
    # A hub that starts looks for what is too old first.
    program = killed(stage, program)
    ana, _ = known(program.at, "ana")

    def is_forgotten():
        events = ana.done("HISTORY", room="#lab")["events"]
        return all(event["ev"] != "message" for event in events)

    eventually("what was said forgotten", is_forgotten)
    again = ana.done("MESSAGE", room="#lab", body="soon forgotten", cid="once")
    equal((again["seq"], again["dup"]), (said["seq"], True))
    ana.refused("CID_REUSED", "REACT", room="#lab", seq=said["seq"], emoji="+", cid="once")
    assert ana.done("MESSAGE", room="#lab", body="new", cid="twice")["seq"] > said["seq"], "a place given again"
