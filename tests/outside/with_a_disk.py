"""A proxy's cache on disk: ended, killed, harmed, filled up, looked after.

What is stored outlives the process; what was purged, and said to be, stays so; what is damaged is
asked for again. That clocks are set back and forth cannot be tried from here: `relais_cache` is
told the time, and has a test of that (`src/tests/below.rs`). Nor can another version's folder be made here,
which has a sum of its own: `src/disk/folder.rs` has.
"""

import collections
import contextlib
import http.client
import http.server
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import threading
import time

from listening import Listening
from stage import RELAIS, Raw, Skip, equal, eventually, holds, test
from with_a_cache import ALLOWED, BEARER, TOKEN, verb

HOST = "site.localhost"
URL = f"http://{HOST}"
# Two in a segment, one in a file of its own, one that never was in memory, and one for each language.
PATHS = ["/1024/a", "/102400/b", "/300000/c", "/3145728/d", "/2000/vary"]
TAGGED = {"Authorization": BEARER[1].partition(": ")[2]}


def body_of(path, language="", edition=0):
    """As many bytes as the path says, others for each path, language and edition."""
    return random.Random(f"{path} {language} {edition}").randbytes(int(path.split("/")[1]))


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked[self.path] += 1
        path, _, query = self.path.partition("?")
        language = self.headers.get("Accept-Language", "") if "vary" in path else ""
        body = body_of(path, language, self.server.edition)
        etag = f'"{language}-{self.server.edition}"'
        is_known = self.headers.get("If-None-Match") == etag
        self.send_response(304 if is_known else 200)
        self.send_header("ETag", etag)
        self.send_header("Cache-Control", query or "max-age=3600")
        self.send_header("Surrogate-Key", "all " + path.rsplit("/", 1)[1])
        if language:
            self.send_header("Vary", "Accept-Language")
        if not is_known:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not is_known and self.command != "HEAD":
            with contextlib.suppress(OSError):
                self.wfile.write(body)

    do_HEAD = do_GET

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Server:
    """An origin. `edition` makes all its answers others."""

    def __init__(self, edition=0):
        self.edition = edition

    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        self.asked = self.server.asked = collections.Counter()
        self.server.edition = self.edition
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def count(self):
        return sum(self.asked.values())


def config_of(server, disk_max="64MiB", folder="cache", more=""):
    return f"""
[proxy.front]
listen = "http://127.0.0.1:0"
upstream = "{server.url}"
cache = {{ memory = "8MiB", disk = "{folder}", disk_max = "{disk_max}", purge = {ALLOWED}{more} }}
"""


def up(stage, server, **config):
    stage.write("purge.token", TOKEN + "\n").chmod(0o600)
    return stage.up(config_of(server, **config))


def ask(relais, path, fields=None, method="GET"):
    """The status, where it came from, and the body; an `IncompleteRead` if that breaks off."""
    connection = http.client.HTTPConnection("127.0.0.1", relais.port, timeout=40)
    try:
        connection.request(method, path, headers={"Host": HOST} | (fields or {}))
        answer = connection.getresponse()
        how = answer.headers.get("Cache-Status", "")
        try:
            return answer.status, how, answer.read()
        except http.client.IncompleteRead as cut:
            cut.args = (*cut.args, how)
            raise
    finally:
        connection.close()


def get(relais, path, language="", edition=0):
    """Whether it was stored. What comes is right."""
    fields = {"Accept-Language": language} if language else {}
    status, how, body = ask(relais, path, fields)
    equal(status, 200, path)
    assert body == body_of(path.partition("?")[0], language, edition), f"{path}: wrong bytes ({how})"
    return "; hit" in how


def languages_of(path):
    return ["en", "de"] if "vary" in path else [""]


def get_all(relais, paths=PATHS):
    """Which of them were stored."""
    return [path + language for path in paths for language in languages_of(path) if get(relais, path, language)]


ALL = [path + language for path in PATHS for language in languages_of(path)]


def stats(stage):
    return json.loads(verb(stage, "stats", "--json")[0])["disk"]


def store_all(stage, relais, paths=PATHS):
    """Has all of them on disk."""
    get_all(relais, paths)
    count = sum(len(languages_of(path)) for path in paths)
    eventually("all is on disk", lambda: stats(stage)["objects"] == count)


def kill(relais):
    relais.signal(signal.SIGKILL)
    relais.end()


def stop(relais):
    equal(relais.stop(), 0, "exit code")


def restarted(stage, server, relais, **config):
    """The same relais, after it was killed."""
    kill(relais)
    return up(stage, server, **config)


@test
def a_restart_and_a_kill_leave_all_that_is_stored(stage):
    with Server() as server:
        relais = up(stage, server)
        store_all(stage, relais)
        asked = server.count()
        for end in [stop, kill, kill, stop]:
            end(relais)
            relais = up(stage, server)
            equal(get_all(relais), ALL)
            # From memory as well, or from the file that is open by now.
            equal(get_all(relais), ALL)
        equal(server.count(), asked, "asked")
        stop(relais)


@test
def parts_heads_and_conditions_are_answered_from_disk(stage):
    with Server() as server:
        relais = up(stage, server)
        store_all(stage, relais)
        asked = server.count()
        whole = [path for path in PATHS if "vary" not in path]
        for path in whole:
            body = body_of(path)
            for fields, status, expected in [
                ({"Range": "bytes=10-19"}, 206, body[10:20]),
                ({"Range": "bytes=-5"}, 206, body[-5:]),
                ({"Range": "bytes=1000-"}, 206, body[1000:]),
                ({"Range": f"bytes={len(body)}-"}, 416, None),
                ({"If-None-Match": '"-0"'}, 304, b""),
                ({"If-None-Match": '"x"'}, 200, body),
                ({"Range": "bytes=0-1", "If-Range": '"x"'}, 200, body),
            ]:
                # Each is the first that reads it since the start.
                relais = restarted(stage, server, relais)
                got = ask(relais, path, fields)
                equal(got[0], status, f"{path} {fields}")
                assert expected is None or got[2] == expected, f"{path} {fields}: {len(got[2])} bytes"
            status, _, said = ask(relais, path, {"Range": "bytes=0-3,20-29"})
            equal(status, 206)
            holds(said, b"\r\n\r\n" + body[:4] + b"\r\n--")
            holds(said, b"\r\n\r\n" + body[20:30] + b"\r\n--")
            status, how, said = ask(relais, path, method="HEAD")
            equal((status, "; hit" in how, said), (200, True, b""))
        equal(server.count(), asked, "asked")
        stop(relais)


@test
def what_was_purged_stays_so_after_a_kill(stage):
    def purge(*words):
        return lambda _: verb(stage, "purge", *words)

    def by_http(path, fields):
        return lambda relais: equal(ask(relais, path, TAGGED | fields, "PURGE")[0], 200)

    def post(relais):
        equal(ask(relais, "/1024/a", {"Content-Length": "0"}, "POST")[0], 204)
        # Nobody waits until that is on disk; what is acknowledged later is there later.
        verb(stage, "purge", f"{URL}/none")

    with Server() as server:
        relais = up(stage, server)
        for remove, gone in [
            (purge(f"{URL}/1024/a"), ["/1024/a"]),
            (purge(f"{URL}/2000/vary"), ["/2000/varyen", "/2000/varyde"]),
            (purge(f"{URL}/3145728/d"), ["/3145728/d"]),
            (purge("--prefix", f"{URL}/30"), ["/300000/c"]),
            (purge("--glob", "*/b"), ["/102400/b"]),
            (purge("--tag", "c"), ["/300000/c"]),
            (purge("--all"), ALL),
            (by_http("/102400/b", {}), ["/102400/b"]),
            (by_http("/", {"Surrogate-Key": "d vary"}), ["/3145728/d", "/2000/varyen", "/2000/varyde"]),
            (post, ["/1024/a"]),
        ]:
            store_all(stage, relais)
            # First from memory and disk, then from disk alone.
            for _ in range(2):
                remove(relais)
                relais = restarted(stage, server, relais)
                equal(get_all(relais), [one for one in ALL if one not in gone], f"there after {gone} went")
                eventually("all is on disk", lambda: stats(stage)["objects"] == len(ALL))
                relais = restarted(stage, server, relais)
        stop(relais)


@test
def what_was_purged_softly_is_asked_about_after_a_kill(stage):
    with Server() as server:
        relais = up(stage, server)
        store_all(stage, relais)
        verb(stage, "purge", "--soft", "--tag", "all")
        asked = server.count()
        relais = restarted(stage, server, relais)
        for path in PATHS[:4]:
            status, how, body = ask(relais, path)
            equal((status, body == body_of(path)), (200, True), path)
            holds(how, "fwd=stale; fwd-status=304")
        equal(server.count(), asked + 4)
        # The heads that were confirmed are on disk as well.
        verb(stage, "purge", f"{URL}/none")
        relais = restarted(stage, server, relais)
        equal(get_all(relais, PATHS[:4]), PATHS[:4])
        equal(server.count(), asked + 4)
        stop(relais)


def refused(stage, config, *parts, status=(1, 2)):
    done = stage.finish([RELAIS, "up", stage.write("other.toml", config)], seconds=20)
    assert done.returncode in status, done.returncode
    said = done.stderr.decode()
    for part in parts:
        holds(said, part)
    return said


@test
def a_folder_is_for_one_relais_and_for_nothing_else(stage):
    with Server() as server:
        relais = up(stage, server)
        store_all(stage, relais)
        refused(stage, config_of(server), f"is used by process {relais.pid};", "proxy.front.cache.disk")
        command = [RELAIS, "cache", "--folder", "cache", "ls"]
        done = stage.finish(command)
        equal(done.returncode, 2)
        holds(done.stderr.decode(), f"is used by process {relais.pid};")
        equal(get_all(relais), ALL, "whose folder it is")
        stop(relais)
        stage.write("papers/thesis.tex", "years")
        refused(stage, config_of(server, folder="papers"), 'holds "thesis.tex"')
        equal(sorted(os.listdir(stage.path("papers"))), ["thesis.tex"])
        stage.write("a-file", "x")
        refused(stage, config_of(server, folder="a-file"), "is no folder")
        # What it cannot read its own format of, it cannot read at all; and deletes nothing.
        there, whole = files_in(stage.path("cache")), stage.path("cache/format").read_bytes()
        for junk in [b"relais disk cache 1\n", b"\xff\0junk", b"", None]:
            file = stage.path("cache/format")
            file.unlink() if junk is None else file.write_bytes(junk)
            refused(stage, config_of(server), "/cache/format", "delete the folder", "proxy.front.cache.disk")
            for verb_of_it in [["ls"], ["verify"], ["stats"], ["purge", "--all"]]:
                done = stage.finish([RELAIS, "cache", "--folder", "cache", *verb_of_it])
                equal(done.returncode, 2, verb_of_it)
                holds(done.stderr.decode(), "cache")
                equal(done.stdout, b"")
        stage.path("cache/format").write_bytes(whole)
        equal(files_in(stage.path("cache")), there)
        relais = up(stage, server)
        equal(get_all(relais), ALL)
        stop(relais)


def files_in(folder):
    """What is in it, but for whose it is, and how long."""
    return {path: path.stat().st_size for path in folder.rglob("*") if path.is_file() and path.name != "lock"}


def flip(path, place):
    with open(path, "r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 4]))


def file_of(stage, path):
    """The file that has the body of `path`, and where that begins in it."""
    body = body_of(path)
    for file in [*stage.path("cache/bodies").iterdir(), *stage.path("cache/segments").iterdir()]:
        place = file.read_bytes().find(body)
        if place >= 0:
            return file, place
    raise AssertionError(f"{path} is nowhere")


def harms(stage, path):
    """What can happen to the body of `path`, and to it alone."""
    file, place = file_of(stage, path)
    size = int(path.split("/")[1])
    yield lambda: flip(file, place + size // 2)
    yield lambda: flip(file, place + size - 1)
    if file.parent.name == "bodies":
        yield lambda: os.truncate(file, size // 2)
        yield lambda: os.truncate(file, 0)
        yield file.unlink


def each_harm(stage, relais, server, is_running):
    """Each harm, done to a relais that is started for it, or before it is: gives it, to what, and whether it is counted."""
    for path in ["/1024/a", "/102400/b", "/300000/c", "/3145728/d"]:
        for number in range(5):
            store_all(stage, relais)
            harm = next(iter(list(harms(stage, path))[number:]), None)
            if not harm:
                break
            kill(relais)
            if is_running:
                relais = up(stage, server)
                harm()
            else:
                harm()
                relais = up(stage, server)
            # A file that is not there at the start was evicted, for all that is known.
            yield relais, path, is_running or number < 4
    stop(relais)


@test
def what_was_damaged_while_it_was_stopped_is_asked_for_again(stage):
    with Server() as server:
        for relais, path, counts in each_harm(stage, up(stage, server), server, is_running=False):
            check_is_lost(stage, relais, path, counts)


@test
def what_is_damaged_while_it_runs_is_asked_for_again(stage):
    with Server() as server:
        for relais, path, counts in each_harm(stage, up(stage, server), server, is_running=True):
            check_is_lost(stage, relais, path, counts)


def check_is_lost(stage, relais, path, counts):
    try:
        hits = get_all(relais)
        equal(hits, [one for one in ALL if one != path], f"after harm to {path}")
    except http.client.IncompleteRead as cut:
        # Found when the beginning was sent already: the client sees that it is not all.
        assert body_of(path).startswith(cut.partial), "wrong bytes"
        assert path == "/3145728/d", f"{path} broke off"
        equal(get(relais, path), False)
    equal(stats(stage)["bad"] > 0, counts, f"counted: {path}")
    equal(get_all(relais), ALL, "afterwards")


@test
def verify_finds_what_is_damaged(stage):
    def verify(*words, status):
        done = stage.finish([RELAIS, "cache", *words, "verify", "--json"])
        equal(done.returncode, status, done.stderr.decode())
        found = json.loads(done.stdout.decode().splitlines()[-1])
        return found["objects"], found["bad"]

    with Server() as server:
        at_rest, running = ["--folder", "cache"], ["--file", "relais.toml"]
        relais = up(stage, server)
        store_all(stage, relais)
        equal(verify(*running, status=0), (6, 0))
        # Of one that runs, and has read and open what is harmed.
        file, place = file_of(stage, "/3145728/d")
        flip(file, 3_000_000)
        equal(verify(*running, status=3)[1], 1)
        equal(get_all(relais), [one for one in ALL if one != "/3145728/d"])
        eventually("it is on disk", lambda: stats(stage)["objects"] == len(ALL))
        kill(relais)
        equal(verify(*at_rest, status=0), (6, 0))
        for path in ["/102400/b", "/300000/c"]:
            file, place = file_of(stage, path)
            flip(file, place + 1000)
        there = files_in(stage.path("cache"))
        # It is told of, however often, and not taken out.
        equal([verify(*at_rest, status=3), verify(*at_rest, status=3)], [(6, 2), (6, 2)])
        equal(files_in(stage.path("cache")), there)
        relais = up(stage, server)
        equal(get_all(relais), [one for one in ALL if one not in ["/102400/b", "/300000/c"]])
        stop(relais)


@test
def segments_and_snapshots_may_be_harmed_anyhow(stage):
    chance = random.Random(5)
    with Server() as server:
        relais = up(stage, server)
        for number in range(12):
            store_all(stage, relais)
            [stop, kill][number % 2](relais)
            for file in [stage.path("cache/snapshot"), *stage.path("cache/segments").iterdir()]:
                if not file.exists() or not file.stat().st_size:
                    continue
                if number % 3 == 0:
                    os.truncate(file, chance.randrange(file.stat().st_size))
                elif number % 3 == 1:
                    for _ in range(20):
                        flip(file, chance.randrange(file.stat().st_size))
                else:
                    file.unlink()
            relais = up(stage, server)
            get_all(relais)
            equal(get_all(relais), ALL)
            verb(stage, "purge", "--all")
            equal(get_all(relais), [])
            equal(stats(stage)["fails"], None)
        stop(relais)


def mounted(stage, name, options):
    """A small file system of its own."""
    path = stage.path(name)
    path.mkdir()
    try:
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", path], capture_output=True, check=False)
    except FileNotFoundError:
        raise Skip("there is no mount") from None
    if mount.returncode != 0:
        raise Skip(f"a file system cannot be mounted: {mount.stderr.decode().strip()}")
    stage.mounts.append(path)
    return path


def fill(path):
    """Leaves nothing free."""
    with open(path / "ballast", "ab", buffering=0) as file:
        size = 1 << 20
        while size:
            try:
                file.write(b"x" * size)
            except OSError:
                size //= 2


@test
def a_full_disk_is_told_of_once_and_answers_go_on(stage):
    with Server() as server:
        folder = mounted(stage, "small", "size=24m")
        relais = up(stage, server, folder="small/cache", disk_max="32MiB")
        fails, works = "the cache's disk fails", "the cache's disk works again"
        equal(get(relais, "/1024/before"), False)
        eventually("it is on disk", lambda: stats(stage)["objects"] == 1)
        fill(folder)
        for number in range(30):
            equal(get(relais, f"/100000/{number}"), False)
            if fails in relais.said():
                break
            fill(folder)
        eventually("it is told", lambda: fails in relais.said())
        holds(relais.said(), "No space left")
        holds(stats(stage)["fails"], "No space left")
        # Memory has what the disk has not, but for what is too large for it.
        for number in range(10):
            equal(get(relais, f"/1000/full-{number}"), False)
        equal(get(relais, "/3145728/full"), False)
        equal([get(relais, f"/1000/full-{number}") for number in range(10)], [True] * 10)
        # Of one that fails there is a try every 5 s, and a line for each time that it begins to.
        equal(relais.said().count(fails), 1 + relais.said().count(works), "lines")
        assert relais.said().count(fails) <= 2, relais.said()
        # A removal is there for good, or that is not said.
        command = [RELAIS, "cache", "--file", "relais.toml", "purge", f"{URL}/1024/before"]
        is_acknowledged = stage.finish(command).returncode == 0
        equal(get(relais, "/1024/before"), False, "there after it was purged")
        relais = restarted(stage, server, relais, folder="small/cache", disk_max="32MiB")
        assert not (get(relais, "/1024/before") and is_acknowledged), "what was purged is back"
        (folder / "ballast").unlink()
        eventually("it works again", lambda: stats(stage)["fails"] is None, 20)
        equal(relais.said().count(fails), relais.said().count(works), "lines")
        get(relais, "/100000/after")
        get(relais, "/3145728/after")
        verb(stage, "purge", f"{URL}/none")
        relais = restarted(stage, server, relais, folder="small/cache", disk_max="32MiB")
        equal([get(relais, path) for path in ["/100000/after", "/3145728/after", "/1000/full-3"]], [True, True, False])
        stop(relais)


@test
def a_folder_that_cannot_be_written_to_is_told_at_the_start(stage):
    with Server() as server:
        folder = mounted(stage, "small", "size=4m")
        (folder / "old").mkdir()
        relais = up(stage, server, folder="small/old", disk_max="32MiB")
        stop(relais)
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        for name in ["small/new", "small/old"]:
            refused(stage, config_of(server, folder=name), "proxy.front.cache.disk", "read-only file system", name)


def bytes_in(folder):
    """What `du` says, and the lengths of all files."""
    used = lengths = 0
    for inner, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                told = os.stat(os.path.join(inner, name))
                used, lengths = used + told.st_blocks * 512, lengths + told.st_size
    return max(used, lengths)


@test
def the_folder_never_has_more_than_it_may(stage):
    with Server() as server:
        relais = up(stage, server, disk_max="32MiB")
        most, is_over = [0], threading.Event()

        def watch():
            while not is_over.wait(0.01):
                # Files come and go while they are counted: what is too much stays for two looks.
                looks = [bytes_in(stage.path("cache")) for _ in range(2)]
                most[0] = max(most[0], min(looks))

        watching = threading.Thread(target=watch)
        watching.start()
        chance = random.Random(3)

        def client(name):
            for number in range(60):
                size = chance.choice([300, 5000, 90_000, 120_000, 200_000, 700_000, 1_500_000, 4_000_000])
                get(relais, f"/{size}/{name}-{number}")

        clients = [threading.Thread(target=client, args=[name]) for name in "abcd"]
        for one in clients:
            one.start()
        for one in clients:
            one.join()
        is_over.set()
        watching.join()
        counts = stats(stage)
        print(f"at most {most[0] / (1 << 20):.1f} MiB of 32; {counts['stored']} stored, {counts['evicted']} evicted")
        assert 16 << 20 < most[0] <= 32 << 20, most[0]
        assert counts["evicted"] > 0, counts
        equal(counts["fails"], None)
        stop(relais)


@test
def a_long_body_is_joined_as_it_comes_from_its_middle_too(stage):
    size, half = 20 << 20, 10 << 20
    body = random.Random(8).randbytes(size)
    go_on = threading.Event()

    class Trickling(Listening):
        asked = 0

        def serve(self, stream):
            with contextlib.suppress(OSError), stream:
                while stream.recv(65536):
                    Trickling.asked += 1
                    stream.sendall(b"HTTP/1.1 200 OK\r\nETag: \"1\"\r\nCache-Control: max-age=600\r\nContent-Length: %d\r\n\r\n" % size)
                    stream.sendall(body[:half])
                    go_on.wait(30)
                    for start in range(half, size, 1 << 20):
                        stream.sendall(body[start : start + (1 << 20)])
                        time.sleep(0.02)

    request = f"GET /big HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n"
    with Trickling() as server:
        relais = up(stage, server, disk_max="128MiB")
        first = Raw(relais.port, 40).send(request + "\r\n")
        first.head()
        # It reads no further, and from here on nobody waits for it.
        second = Raw(relais.port, 40).send(request + "\r\n")
        second.head()
        begun = b""
        while len(begun) < half:
            begun += second.socket.recv(min(1 << 20, half - len(begun)))
        # What is about to come is waited for, and what has come is there at once.
        middle = Raw(relais.port, 40).send(request + f"Range: bytes={half - 100}-{half + 99}\r\n\r\n")
        holds(middle.head(), "206")
        early = Raw(relais.port, 40).send(request + "Range: bytes=5000000-5000099\r\n\r\n")
        holds(early.head(), f"content-range: bytes 5000000-5000099/{size}")
        equal(early.rest() == body[5_000_000:5_000_100], True, "a part of what has come")
        first.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        first.close()
        go_on.set()
        equal(middle.rest() == body[half - 100 : half + 100], True, "from the middle on")
        equal(begun + second.rest() == body, True, "all of it")
        equal(Trickling.asked, 1)
        eventually("it is on disk", lambda: stats(stage)["objects"] == 1)
        relais = restarted(stage, server, relais, disk_max="128MiB")
        status, how, got = ask(relais, "/big")
        equal((status, got == body, Trickling.asked), (200, True, 1))
        holds(how, "; hit")
        stop(relais)


@test
def another_upstream_finds_nothing_and_the_former_finds_all(stage):
    with Server() as one, Server(edition=1) as other:
        relais = up(stage, one)
        store_all(stage, relais)
        asked = one.count()

        def reload(server):
            stage.write("relais.toml", config_of(server))
            stage.run([RELAIS, "reload", "relais.toml"])

        def restart(server):
            nonlocal relais
            relais = restarted(stage, server, relais)

        for change in [reload, restart]:
            change(other)
            had = [get(relais, path, edition=1) for path in PATHS[:4]]
            equal(had, [change is restart] * 4, "of the other upstream")
            change(one)
            equal(get_all(relais), ALL, "of the former")
        equal(one.count(), asked, "asked")
        stop(relais)


@test
def a_reload_with_another_size_keeps_all(stage):
    with Server() as server:
        relais = up(stage, server, disk_max="64MiB")
        store_all(stage, relais)
        asked = server.count()
        for size in [128, 40, 64]:
            stage.write("relais.toml", config_of(server, disk_max=f"{size}MiB"))
            relais.signal(signal.SIGHUP)
            eventually("it has another size", lambda: stats(stage)["bytes_max"] == size << 20)
            equal(get_all(relais), ALL)
        equal(server.count(), asked, "asked")
        stop(relais)


@test
def a_folder_at_rest_is_looked_after(stage):
    def at_rest(*words, status=0):
        done = stage.finish([RELAIS, "cache", "--folder", "cache", *words])
        equal(done.returncode, status, done.stderr.decode())
        return done.stdout.decode(), done.stderr.decode()

    with Server() as server:
        at_rest("ls", status=2)
        assert not stage.path("cache").exists(), "made by a look"
        relais = up(stage, server)
        store_all(stage, relais)
        stop(relais)
        rows = [json.loads(line) for line in at_rest("ls", "--json")[0].splitlines()]
        equal(sorted({row["url"] for row in rows}), sorted(URL + path for path in PATHS))
        equal({row["tier"] for row in rows}, {"disk"})
        equal(at_rest("ls", "*/c")[0].count(URL), 1)
        shown, _ = at_rest("show", f"{URL}/300000/c")
        for part in ["cache-control: max-age=3600", "3600 s by max-age", f"{URL}/300000/c"]:
            holds(shown, part)
        at_rest("show", f"{URL}/none", status=3)
        counts = json.loads(at_rest("stats", "--json")[0])["disk"]
        equal((counts["objects"], counts["bad"]), (6, 0))
        holds(at_rest("verify")[0], "all 6 answers")
        equal(at_rest("purge", "--tag", "c")[0], "purged 1 object\n")
        equal(at_rest("purge", f"{URL}/2000/vary")[0], "purged 2 objects\n")
        at_rest("purge", "--soft", f"{URL}/1024/a")
        holds(at_rest("explain", f"{URL}/1024/a", status=2)[1], "a folder answers no requests")
        asked = server.count()
        relais = up(stage, server)
        holds(ask(relais, "/1024/a")[1], "fwd=stale; fwd-status=304")
        equal(get_all(relais), ["/1024/a", "/102400/b", "/3145728/d"])
        equal(server.count(), asked + 4)
        stop(relais)


@test
def a_look_makes_no_cache_and_harms_none(stage):
    def at_rest(*words, status):
        done = stage.finish([RELAIS, "cache", "--folder", *words])
        equal(done.returncode, status, done.stderr.decode())
        return done.stdout.decode() + done.stderr.decode()

    with Server() as server:
        stage.path("empty").mkdir()
        for words in [["ls"], ["verify"], ["stats"], ["purge", "--all"]]:
            holds(at_rest("empty", *words, status=2), "holds no cache")
        equal(os.listdir(stage.path("empty")), [])
        folder = mounted(stage, "small", "size=16m")
        relais = up(stage, server, folder="small/cache", disk_max="32MiB")
        store_all(stage, relais)
        stop(relais)
        # With its lock, and without: then it cannot be had.
        for is_locked in [True, False]:
            if not is_locked:
                (folder / "cache/lock").unlink()
            subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
            told = at_rest("small/cache", "ls", status=0)
            equal(told.count(URL), 6)
            equal("cannot be locked" in told, not is_locked)
            holds(at_rest("small/cache", "verify", status=0), "all 6 answers")
            subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
        for file in (folder / "cache/segments").iterdir():
            file.unlink()
        holds(at_rest("small/cache", "verify", status=3), "1 of its segments is missing")


@test
def a_folder_that_is_emptied_is_begun_anew(stage):
    with Server() as server:
        relais = up(stage, server)
        store_all(stage, relais)
        for path in stage.path("cache").iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        eventually("it is told", lambda: "the cache's disk fails" in relais.said(), 20)
        holds(relais.said(), "cache/format")
        eventually("it works again", lambda: "the cache's disk works again" in relais.said(), 20)
        get_all(relais)
        verb(stage, "purge", "--all")
        store_all(stage, relais)
        relais = restarted(stage, server, relais)
        equal(get_all(relais), ALL)
        stop(relais)


@test
def a_disk_that_is_too_small_is_told_of_rarely(stage):
    with Server() as server:
        mounted(stage, "small", "size=3m")
        relais = up(stage, server, folder="small/cache", disk_max="32MiB")
        end, number = time.monotonic() + 12, 0
        while time.monotonic() < end:
            get(relais, f"/100000/{number}")
            number += 1
        fails, works = "the cache's disk fails", "the cache's disk works again"
        told = relais.said().count(fails) + relais.said().count(works)
        print(f"{number} answers, {told} lines")
        # It fails, is tried after 5 s, fails at once, and is tried 10 s later.
        assert 1 <= told <= 4, relais.said()
        stop(relais)


@test
def what_is_on_disk_alone_is_listed_and_explained(stage):
    with Server() as server:
        relais = up(stage, server)
        store_all(stage, relais)
        asked = server.count()
        relais = restarted(stage, server, relais)
        rows = [json.loads(line) for line in verb(stage, "ls", "--json")[0].splitlines()]
        equal([row["tier"] for row in rows], ["disk"] * 6)
        holds(verb(stage, "show", f"{URL}/3145728/d")[0], "cache-control: max-age=3600")
        for path in PATHS[:4]:
            told, _ = verb(stage, "explain", URL + path)
            holds(told, f"status 200, {path.split('/')[1]} bytes")
            holds(told, "=> It is answered from what is stored, and nobody is asked")
        told, _ = verb(stage, "explain", f"{URL}/2000/vary", "-H", "Accept-Language: de")
        holds(told, "=> It is answered from what is stored, and nobody is asked")
        equal(server.count(), asked, "asked")
        stop(relais)


@test
def what_is_too_old_and_damaged_is_asked_for_whole(stage):
    """Stale, and sent while it is asked about, or asked about first: either way its body has to be there."""
    with Server() as server:
        relais = up(stage, server)
        paths = ["/3145728/x?max-age=1,stale-while-revalidate=600", "/3145728/y?max-age=1", "/300000/z?max-age=1,stale-while-revalidate=600"]
        store_all(stage, relais, paths)
        kill(relais)
        for file in stage.path("cache/bodies").iterdir():
            flip(file, 1000)
        time.sleep(2)
        relais = up(stage, server)
        for path in paths:
            equal(get(relais, path), False, path)
            # It is stored anew; of x and y that is stale by now, or not.
            equal(get(relais, path) or "max-age=1" in path, True, path)
        stop(relais)


@test
def what_is_purged_while_it_is_sent_is_sent_whole(stage):
    """Purged, and stored anew: who was promised it has it open."""
    with Server() as server:
        relais = up(stage, server, disk_max="32MiB")
        end, wrong = time.monotonic() + 4, []

        def client():
            while time.monotonic() < end and not wrong:
                try:
                    get(relais, "/1200000/x?max-age=3600")
                except (AssertionError, http.client.HTTPException, OSError) as error:
                    wrong.append(f"{error!r} {error.args[1:]}")

        def purger():
            while time.monotonic() < end:
                ask(relais, "/1200000/x?max-age=3600", TAGGED, "PURGE")
                time.sleep(0.003)

        threads = [threading.Thread(target=what) for what in [client, client, client, purger]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        equal(wrong, [])
        print(f"asked {server.count()} times")
        stop(relais)


@test
def what_is_damaged_is_asked_for_once_by_many(stage):
    with Server() as server:
        relais = up(stage, server)
        store_all(stage, relais)
        for path in ["/300000/c", "/3145728/d"]:
            kill(relais)
            file, _ = file_of(stage, path)
            flip(file, 1000)
            relais = up(stage, server)
            before, came = server.asked[path], []
            threads = [threading.Thread(target=lambda path=path: came.append(get(relais, path))) for _ in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            equal(len(came), 20, f"answered with all of {path}")
            assert server.asked[path] <= before + 2, server.asked[path] - before
            eventually("it is on disk", lambda: stats(stage)["objects"] == len(ALL))
        stop(relais)


@test
def a_disk_that_fills_up_under_a_long_body_costs_its_clients_nothing(stage):
    with Server() as server:
        folder = mounted(stage, "small", "size=12m")
        relais = up(stage, server, folder="small/cache", disk_max="32MiB")
        (folder / "ballast").write_bytes(b"x" * (8 << 20))
        came = []
        threads = [threading.Thread(target=lambda: came.append(get(relais, "/7000000/long"))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        equal(len(came), 3, "answered with all of it")
        eventually("it is told", lambda: "the cache's disk fails" in relais.said())
        (folder / "ballast").unlink()
        eventually("it works again", lambda: stats(stage)["fails"] is None, 20)
        get(relais, "/7000000/long")
        equal(get(relais, "/7000000/long"), True)
        stop(relais)
