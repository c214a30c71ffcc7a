"""relais hub stats: what happens in a hub, for people, for programs, and for collectors of metrics."""

import json
import re
import socket
import subprocess

from stage import RELAIS, equal, holds, library, test
from with_a_hub import Bot
from with_hub_admin import PASSWORD, add, logged_in, look_after, tended


def parser(stage):
    """What reads OpenMetrics, of a library that knows nothing of relais."""
    found = library(stage, "prometheus_client", "prometheus_client.openmetrics.parser")
    return found.text_string_to_metric_families


def busy(stage):
    """A hub in which ana and bob are, one of whom says something; and what looks after it."""
    program, tend = tended(stage)
    add(tend, "ana")
    add(tend, "bob")
    ana, bob = logged_in(program.at, "ana"), logged_in(program.at, "bob")
    ana.done("CREATE", room="#lab")
    bob.done("JOIN", room="#lab")
    ana.done("MESSAGE", room="#lab", body="a secret of the two")
    equal(bob.event("message")["body"], "a secret of the two")
    bob.refused("NO_SUCH_ROOM", "PART", room="#nowhere")
    stranger = Bot(program.at)
    stranger.refused("BAD_CREDENTIALS", "LOGIN", user="ana", password="not her password")
    return program, tend, (ana, bob, stranger)


@test
def what_happens_in_a_hub_is_told_without_a_name_or_a_word_of_it(stage):
    program, tend, there = busy(stage)
    out, _ = tend("stats")
    lines = out.splitlines()
    equal(len(lines), 6)
    holds(lines[0], "3 connections (3 by tcp), 2 of them logged in, as 2 accounts; since 20")
    holds(lines[1], "2 let in, 1 refused, 0 put off")
    holds(lines[2], "1 of them messages")
    assert re.search(r"commits: \d+, half within [\d.]+ ms, 99 % within [\d.]+ ms; 0 requests waiting", lines[3]), lines[3]
    holds(lines[4], "1 BAD_CREDENTIALS, 1 NO_SUCH_ROOM")
    holds(lines[5], "2 accounts, 1 room, ")
    told = json.loads(tend("stats", "--json")[0])
    equal((told["clients"], told["messages"], told["refused"]["NO_SUCH_ROOM"]), (2, 1, 1))
    equal(told["commit_micros"]["at_most"][-1], [None, told["commit_micros"]["times"]])
    for form in ("--json", "--prometheus"):
        text = tend("stats", form)[0]
        assert not re.search("ana|bob|lab|secret", text), text
    equal(len(there), 3)


@test
def a_collector_of_metrics_reads_what_a_hub_counts(stage):
    parse = parser(stage)
    program, tend, (ana, bob, stranger) = busy(stage)
    families = {family.name: family for family in parse(tend("stats", "--prometheus")[0])}

    def value(name, **labels):
        samples = [sample for family in families.values() for sample in family.samples]
        found = [sample.value for sample in samples if sample.name == name and sample.labels == {"hub": "hub", **labels}]
        equal(len(found), 1)
        return found[0]

    equal(value("relais_hub_connections", door="tcp"), 3)
    equal(value("relais_hub_logins_total", result="let_in"), 2)
    equal(value("relais_hub_refusals_total", code="BAD_CREDENTIALS"), 1)
    equal(value("relais_hub_messages_total"), 1)
    commits = value("relais_hub_commit_duration_seconds_count")
    assert commits > 0 and value("relais_hub_commit_duration_seconds_bucket", le="+Inf") == commits
    assert value("relais_hub_store_size_bytes", file="store") > 0
    equal(families["relais_hub_commit_duration_seconds"].type, "histogram")
    assert all(family.documentation and name.startswith("relais_hub_") for name, family in families.items()), families
    for one in (ana, bob, stranger):
        one.conn.shutdown(socket.SHUT_RDWR)
    program.await_that("nobody there", lambda: "relais_hub_clients{hub=\"hub\"} 0\n" in tend("stats", "--prometheus")[0])


@test
def who_watches_a_hub_is_told_what_happens_until_it_is_gone(stage):
    program, tend, (ana, *_) = busy(stage)
    watching = subprocess.Popen(
        [RELAIS, "hub", "stats", "--watch", "200ms", "--at", str(program.at)], stdout=subprocess.PIPE, text=True, env=stage.env()
    )
    try:
        holds(watching.stdout.readline(), "messages/s")
        watching.stdout.readline()
        ana.done("MESSAGE", room="#lab", body="one more")
        said = 0
        while said == 0:
            said = int(watching.stdout.readline().split()[2])
        assert 1 <= said <= 5, said
        program.stop()
        watching.stdout.read()
        equal(watching.wait(10), 1, "exit code")
    finally:
        watching.kill()
        watching.wait()


@test
def of_a_store_at_rest_there_is_what_is_in_it_and_nothing_that_happens(stage):
    program, tend, _ = busy(stage)
    tend("stats", "--watch", "1ms", code=2)
    program.stop()
    out, _ = look_after(stage, "stats", "--store", program.store)
    equal(len(out.splitlines()), 1)
    holds(out, "2 accounts, 1 room, ")
    told = json.loads(look_after(stage, "stats", "--json", "--store", program.store)[0])
    equal((sorted(told), told["store"]["rooms"]), (["hub", "store"], 1))
    look_after(stage, "stats", "--prometheus", "--store", program.store, code=2)
    _, err = look_after(stage, "stats", "--watch", "soon", "--at", program.at, code=2)
    holds(err, "soon")
