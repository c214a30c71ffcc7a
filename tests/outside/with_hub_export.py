"""EXPORT: an account's own data by the protocol, as who runs the hub would export it."""

import json

from stage import equal, test
from with_hub_admin import add, logged_in, tended


def exported(bot):
    """All pages, and how many there were."""
    events, pages, told = [], 0, {"upto": None, "more": True}
    while told["more"]:
        told = bot.done("EXPORT", after=told["upto"])
        events += told["exported"]
        pages += 1
    return events, pages


@test
def an_account_is_given_by_the_protocol_what_who_runs_the_hub_would_export(stage):
    program, tend = tended(stage, "--burst", 1000, "--messages-a-second", 0)
    add(tend, "ana")
    add(tend, "bob")
    ana, bob = logged_in(program.at, "ana"), logged_in(program.at, "bob")
    ana.done("CREATE", room="#lab")
    bob.done("JOIN", room="#lab")
    for number in range(450):
        ana.done("MESSAGE", room="#lab", body=f"hers {number}")
        if number % 100 == 0:
            bob.done("MESSAGE", to="ana", body="his")
    said = ana.done("MESSAGE", to="bob", body="helo")["seq"]
    ana.done("EDIT", room="@bob", seq=said, body="hello")
    ana.done("KEYWORDS", words=["thesis"])
    events, pages = exported(ana)
    assert pages >= 3, pages
    bodies = [event["body"] for event in events if event["ev"] == "message"]
    equal(bodies, [f"hers {number}" for number in range(450)] + ["helo"])
    told = [json.loads(line) for line in tend("user", "export", "ana")[0].splitlines()]
    by_hand = [line for line in told if "ev" in line]
    for event in events:
        equal(event.pop("prev", 0), 0)
    equal(events, by_hand)
    equal(exported(bob)[0][-1]["body"], "his")


@test
def who_asks_for_page_after_page_is_told_to_wait(stage):
    program, tend = tended(stage)
    add(tend, "ana")
    ana = logged_in(program.at, "ana")
    for number in range(40):
        ana.send(cmd="EXPORT", id=number)
    codes = [answer.get("err", {}).get("code") for answer in (ana.next() for _ in range(40))]
    assert codes.count("RATE_LIMITED") >= 10, codes
    assert set(codes) == {None, "RATE_LIMITED"}, codes
