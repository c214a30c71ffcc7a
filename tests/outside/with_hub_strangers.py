"""relais hub, and what strangers can have of it."""

import concurrent.futures
import http.client
import json
import time

from stage import equal, eventually, holds, test
from with_a_hub import Bot, hub, somebody
from with_hub_floods import resident, slowest


@test
def memory_to_hash_passwords_in_is_given_back(stage):
    program = hub(stage, "127.0.0.1:0")
    somebody(program.at, "ana").close()
    before = resident(program)

    def come(number):
        for cmd in ("REGISTER", "LOGIN"):
            bot = Bot(program.at)
            bot.done(cmd, user=f"user{number}", password="secret-pass")
            bot.close()

    with concurrent.futures.ThreadPoolExecutor(8) as callers:
        list(callers.map(come, range(40)))
    # Two at a time have 19 MiB each, and then nobody.
    grown = resident(program) - before
    assert grown < 60, f"{grown:.0f} MiB more while passwords are hashed"
    eventually("it is given back", lambda: resident(program) - before < 16)


@test
def a_stranger_has_help_a_few_times_and_no_more(stage):
    program = hub(stage, "127.0.0.1:0")
    eve = Bot(program.at)
    for number in range(100):
        eve.send(cmd="HELP", id=number)
    told = [json.loads(line) for line in eve.lines]
    equal([one["re"] for one in told[:-1]], [0, 1, 2, 3, 4])
    equal((told[-1]["ev"], told[-1]["code"]), ("bye", "RATE_LIMITED"))
    ana = somebody(program.at, "ana")
    for number in range(30):
        ana.send(cmd="HELP", id=number)
    refused = [one["err"] for one in [ana.next() for _ in range(30)] if "err" in one]
    assert 5 <= len(refused) <= 10 and all(err["code"] == "RATE_LIMITED" for err in refused), refused
    time.sleep(refused[-1]["retry_ms"] / 1000)
    ana.done("HELP")


@test
def who_says_nothing_that_is_understood_is_sent_away(stage):
    program = hub(stage, "127.0.0.1:0")
    ana, eve = somebody(program.at, "ana"), somebody(program.at, "eve")
    for _ in range(3):
        for _ in range(60):
            ana.conn.sendall(b'{"cmd":\n')
            equal(ana.next()["err"]["code"], "BAD_FRAME")
        ana.done("PING")
    eve.conn.sendall(b"{}\n" * 300)
    told = [json.loads(line) for line in eve.lines]
    equal(len(told), 101)
    equal({one["err"]["code"] for one in told[:-1]}, {"MISSING_FIELD"})
    equal((told[-1]["ev"], told[-1]["code"]), ("bye", "BAD_FRAME"))


@test
def what_is_worked_out_holds_up_nothing_else(stage):
    program = hub(stage, "127.0.0.1:0")
    ana, bob = somebody(program.at, "ana", "#lab"), somebody(program.at, "bob", "#lab")
    for number in range(1000, 1006):
        ana.send(cmd="CALC", id=number, expr="1000000!")
    took = slowest(ana, 1, "PING")
    assert took < 1, f"an answer took {took:.2f} s"
    bob.done("MESSAGE", room="#lab", body="hi")
    equal(ana.event("message")["body"], "hi")
    for number in range(1000, 1006):
        told = ana.next()
        equal((told["re"], told["err"]["code"]), (number, "CALC_TIMEOUT"))
    ana.conn.close()
    equal(bob.done("CALC", expr="2^64")["value"], "18446744073709551616")


def asked(port, target, host):
    """What the door answers who calls it so."""
    conn = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    conn.request("GET", target, headers={"Host": host})
    answer = conn.getresponse()
    said = answer.read().decode()
    conn.close()
    return answer.status, said


@test
def a_name_of_another_site_leads_to_no_page_of_the_hub(stage):
    program = hub(stage, "127.0.0.1:0", "http://127.0.0.1:0", "--origin", "https://chat.example")
    program.await_urls(1)
    # So says a browser whose page had its name lead here.
    for target in ("/", "/ws", "/hook/hk_" + "A" * 43):
        status, said = asked(program.port, target, f"evil.example:{program.port}")
        equal(status, 421, target)
        holds(said, '"evil.example" is no name of this hub')
    for host in ("127.0.0.1", f"localhost:{program.port}", "chat.example", "team.localhost", "[::1]"):
        equal(asked(program.port, "/", host)[0], 200, host)
