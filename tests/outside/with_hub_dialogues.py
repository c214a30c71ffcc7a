"""Dialogues of two in a hub, and what is to be noticed of what is said there."""

import os
import signal
import socket

from stage import equal, holds, test
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
