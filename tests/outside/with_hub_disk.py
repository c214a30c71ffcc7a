"""relais hub on a disk that is full, or does not answer."""

import contextlib
import fcntl
import os
import signal
import sqlite3
import time

from stage import RELAIS, equal, eventually, holds, test
from with_a_disk import fill, mounted
from with_a_hub import Bot, hub, somebody


def refused_for_room(bot, cmd, **fields):
    """Whether the disk had no room for it."""
    error = bot.ask(cmd, **fields).get("err")
    assert error is None or error["code"] == "STORE_FULL", error
    return error


def stuff(bot, folder):
    """Fills the disk, and what the hub has set aside there, to the last page."""
    for _ in range(1000):
        fill(folder)
        error = refused_for_room(bot, "MESSAGE", room="#lab", body="x" * 4000)
        if error:
            # Until then nothing is written, whatever room there is.
            time.sleep(error["retry_ms"] / 1000)
            break
    for _ in range(1000):
        fill(folder)
        if refused_for_room(bot, "MESSAGE", room="#lab", body="x"):
            return
    raise AssertionError("a disk without end")


def sessions(program):
    with contextlib.closing(sqlite3.connect(f"file:{program.store}?mode=ro", uri=True)) as store:
        return {name for (name,) in store.execute("SELECT name FROM sessions")}


@test
def on_a_full_disk_a_token_lets_in_and_who_is_logged_out_is_out(stage):
    folder = mounted(stage, "small", "size=16m")
    program = hub(stage, "127.0.0.1:0", "--messages-a-second", 0, store=os.path.join(folder, "hub.db"))
    bob = somebody(program.at, "bob")
    ana = Bot(program.at)
    token = ana.done("REGISTER", user="ana", password="secret-pass", device="home")["token"]
    ana.done("JOIN", room="#lab")
    ana.done("MESSAGE", room="#lab", body="before")
    others = []
    for number in range(4):
        other = Bot(program.at)
        told = other.done("LOGIN", user="ana", password="secret-pass", device=f"other {number}")
        others.append((other, told["session"], told["token"]))
    stuff(ana, folder)

    back = Bot(program.at)
    back.done("LOGIN", token=token)
    equal(len(back.done("HISTORY", room="#lab", limit=1)["events"]), 1)
    back.done("WHOIS", user="bob")
    Bot(program.at).refused("STORE_FULL", "LOGIN", user="bob", password="secret-pass")

    yet = set()
    for other, session, its in others:
        error = refused_for_room(back, "REVOKE", session=session)
        if error:
            holds(error["why"], "for good once that can be written")
            yet.add(session)
        # Whatever was answered, it is out.
        equal(other.event("bye")["code"], "SESSION_REVOKED")
        Bot(program.at).refused("TOKEN_EXPIRED", "LOGIN", token=its)
    assert yet, "the disk had room for all"
    listed = {one["session"] for one in back.done("SESSIONS")["sessions"]}
    equal(listed & {session for _, session, _ in others}, set())
    assert yet <= sessions(program), "written all the same"

    (folder / "ballast").unlink()
    eventually("it is written", lambda: not yet & sessions(program), 20)
    program.kill()
    program = hub(stage, "127.0.0.1:0", store=program.store)
    for _, _, its in others:
        Bot(program.at).refused("TOKEN_EXPIRED", "LOGIN", token=its)
    Bot(program.at).done("LOGIN", token=token)
    bob.close()


@test
def a_second_signal_waits_for_no_store(stage):
    program = hub(stage, "127.0.0.1:0")
    somebody(program.at, "ana", "#lab").close()
    with open(f"{program.store}-shm", "r+b") as shared:
        # Who would read the store, or bring what was written into it, tries to for seconds: these are
        # the locks of readers.
        fcntl.lockf(shared, fcntl.LOCK_EX, 5, 123)
        program.signal(signal.SIGTERM)
        # Two at once are one.
        time.sleep(0.3)
        program.signal(signal.SIGTERM)
        began = time.monotonic()
        equal(program.end(), 1, "exit code")
        assert time.monotonic() - began < 4, "at once"
        holds(program.said(), "told to stop twice")


@test
def of_a_copy_that_the_end_breaks_off_nothing_stays(stage):
    program = hub(stage, "127.0.0.1:0")
    program.signal(signal.SIGTERM)
    program.end()
    with contextlib.closing(sqlite3.connect(program.store)) as store:
        # So much that to copy it takes a while.
        rows = "WITH RECURSIVE row(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM row WHERE n < 30000)"
        store.execute(f"CREATE TABLE ballast AS {rows} SELECT zeroblob(2000) AS bytes FROM row")
        store.commit()
    program = hub(stage, "127.0.0.1:0", store=program.store)
    copy, part = stage.path("copy.db"), stage.path("copy.db.part")
    backup = stage.start([RELAIS, "hub", "backup", str(copy), "--at", str(program.at)], "backup")
    eventually("the copy begun", lambda: part.exists() or copy.exists())
    program.signal(signal.SIGTERM)
    equal(program.end(), 0, "exit code")
    backup.end()
    # Whole, if it was done before.
    equal((part.exists(), copy.exists() and copy.stat().st_size == 0), (False, False))
