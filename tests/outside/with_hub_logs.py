"""What a hub writes into its log: what was done to it, and nothing of what was said in it."""

import os

from stage import equal, holds, test
from with_a_hub import Bot
from with_hub_admin import PASSWORD, add, logged_in, tended


@test
def what_who_runs_a_hub_has_done_is_in_its_log(stage):
    program, tend = tended(stage)
    add(tend, "ana")
    add(tend, "bob")
    logged_in(program.at, "ana").done("CREATE", room="#lab")
    token = tend("token", "ana", "--device", "weather")[0].strip()
    invitation = tend("invite", "--uses", 3)[0].strip()
    tend("room", "retain", "lab", 90)
    tend("user", "admin", "bob")
    tend("user", "export", "ana", "ana.jsonl")
    tend("user", "export", "nobody", code=2)
    tend("user", "delete", "ana")
    tend("backup", "copy.db")
    tend("user", "show", "nobody", code=2)
    tend("stats")
    lines = [line for line in program.said().splitlines() if " INFO " in line]
    expect = ["ana has an account", "bob has an account", " logs in as ana", " invites 3", "#lab keeps what is said for 90 days"]
    expect += ["bob administers the hub", "all that there is of ana is exported", "ana has no account any more", "it is copied to "]
    equal(len(lines), len(expect))
    for line, part in zip(lines, expect):
        holds(line, "hub hub: ")
        holds(line, part)
        holds(line, ", by who runs it")
    for secret in (token, invitation, PASSWORD):
        assert secret not in program.said(), secret


@test
def nothing_that_anybody_says_is_in_the_log_however_much_it_tells(stage):
    program, tend = tended(stage, "-vv")
    add(tend, "ana")
    ana = logged_in(program.at, "ana")
    ana.done("CREATE", room="#quiet", topic="wholly private")
    ana.done("MESSAGE", room="#quiet", body="between us")
    ana.done("SEARCH", q="between")
    # Where a name is asked for, people type a password, too.
    stranger = Bot(program.at)
    stranger.refused("BAD_CREDENTIALS", "LOGIN", user="hunter2 in the wrong place", password="hunter3")
    stranger.refused("TOKEN_EXPIRED", "LOGIN", token="rt_" + "A" * 43)
    holds(program.said(), "not logged in: refused")
    told = ana.told
    for secret in ("between", "quiet", "private", "hunter", "AAAA", PASSWORD, told["token"]):
        assert secret not in program.said(), f"{secret} in {program.said()}"


@test
def a_lost_store_is_told_once_and_that_it_is_back(stage):
    program, tend = tended(stage)
    add(tend, "ana")
    ana = logged_in(program.at, "ana")
    os.rename(program.store, program.store + ".away")
    for _ in range(3):
        ana.refused("UNAVAILABLE", "CREATE", room="#lab")
    os.rename(program.store + ".away", program.store)
    ana.done("CREATE", room="#lab")
    told = [line for line in program.said().splitlines() if " ERROR " in line or " WARN " in line]
    equal(len(told), 2)
    holds(told[0], "put it back, or end the hub")
    holds(told[1], "takes again what it is given")
