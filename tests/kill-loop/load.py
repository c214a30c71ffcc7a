"""Clients of a proxy with a cache, each answer of which is held against what its origin has answered."""

import contextlib
import http.client
import os
import random
import threading

from objects import LANGUAGES, PATHS, TAGS, body_of, kind_of, languages_of, tag_of
from stage import RELAIS

HOST = "site.localhost"
TOKEN = "a-token-that-nobody-guesses"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
CLIENTS = 6


class Wrong(Exception):
    """An answer that should never have been."""


class Floors:
    """Of each path, the serial number of an answer that may not be given any more, nor those before."""

    def __init__(self):
        self.lock = threading.Lock()
        # What is removed, and said to be for good.
        self.lasting = dict.fromkeys(PATHS, 0)
        # The same, as far as is known to this process of relais alone.
        self.running = dict.fromkeys(PATHS, 0)

    def of(self, path):
        with self.lock:
            return max(self.lasting[path], self.running[path])

    def told(self, path):
        with self.lock:
            return f"purged up to {self.lasting[path]}, changed up to {self.running[path]}"

    def changed(self, path, serial):
        """A POST was answered: that counts at once, and is on disk before any purge that comes later."""
        with self.lock:
            self.running[path] = max(self.running[path], serial)

    def snapshot(self):
        with self.lock:
            return dict(self.running)

    def purged(self, paths, serial, before):
        """A purge was acknowledged, which was asked for when `serial` and `before` were true."""
        with self.lock:
            for path, running in before.items():
                self.lasting[path] = max(self.lasting[path], running)
            for path in paths:
                self.lasting[path] = max(self.lasting[path], serial)

    def killed(self):
        """What nobody waited for may not be on disk. Gives what that is of."""
        with self.lock:
            was, self.running = self.running, dict.fromkeys(PATHS, 0)
            return was

    def forget(self):
        with self.lock:
            self.lasting = dict.fromkeys(PATHS, 0)


class Client:
    """A connection that is kept, and asks."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, method, path, fields):
        self.connection.request(method, path, headers={"Host": HOST} | fields)
        answer = self.connection.getresponse()
        return answer, answer.read()


def held(answer, body, asked, history, floor):
    """Whether `answer` is one that may be given; how it came about."""
    path, language, part = asked
    how = answer.headers["Cache-Status"]
    if answer.status not in (200, 206):
        raise Wrong(f"{asked}: {answer.status} {how} {body[:200]}")
    version = int(answer.headers["ETag"].strip('"'))
    serial = int(answer.headers["X-Serial"])
    if not history.has(path, language, version):
        raise Wrong(f"{asked}: version {version} was never answered: {how}")
    expected = body_of(path, language, version)
    if answer.status == 206:
        expected = expected[part[0] : part[1] + 1]
    if body != expected:
        at = next((at for at, (one, other) in enumerate(zip(body, expected)) if one != other), min(len(body), len(expected)))
        raise Wrong(f"{asked}: wrong bytes from {at} on, {len(body)} of {len(expected)}: {how}")
    if serial <= floor:
        raise Wrong(f"{asked}: answer {serial} is back, which was removed with all up to {floor}: {how}")
    return "confirmed" if "fwd-status=304" in how else "hit" if "; hit" in how else "miss"


class Load:
    """Many clients at once, until relais is gone."""

    def __init__(self, stage, port, origin, floors, seed, is_full):
        # Of a disk that is full, a purge may be said not to be on it.
        self.is_full = is_full
        self.stage, self.port, self.history, self.floors = stage, port, origin.history, floors
        self.wrong, self.counts = [], {"answers": 0, "changes": 0, "purges": 0}
        self.is_killed = False
        self.threads = [threading.Thread(target=self.run, args=[random.Random(f"{seed} {n}")], daemon=True) for n in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def end(self):
        """Relais is gone, and so is what it was asked."""
        for thread in self.threads:
            thread.join()

    def run(self, chance):
        client = Client(self.port)
        try:
            while True:
                self.step(client, chance)
        except (OSError, http.client.HTTPException) as error:
            # Of one that was not killed yet, it is a fault.
            if not self.is_killed:
                self.wrong.append(f"cut off before the end: {error!r}")
        except Wrong as wrong:
            self.wrong.append(str(wrong))

    def step(self, client, chance):
        # Some are wanted more than others.
        path = PATHS[int(len(PATHS) * chance.random() ** 2)] if chance.random() < 0.5 else chance.choice(PATHS)
        dice = chance.random()
        if dice < 0.06:
            answer, _ = client.ask("POST", path, {"Content-Length": "0"})
            self.floors.changed(path, int(answer.headers["X-Serial"]))
            self.counts["changes"] += 1
        elif dice < 0.12:
            self.purge([path], lambda: client.ask("PURGE", path, BEARER)[0].status == 200)
        elif dice < 0.13:
            tag = chance.randrange(TAGS)
            asked = BEARER | {"Surrogate-Key": f"t{tag}"}
            self.purge([p for p in PATHS if tag_of(p) == tag], lambda: client.ask("PURGE", "/", asked)[0].status == 200)
        elif dice < 0.135:
            self.purge_by_pattern(chance)
        else:
            self.get(client, chance, path)

    def get(self, client, chance, path):
        language = chance.choice(languages_of(path))
        fields, part = {"Accept-Language": language or chance.choice(LANGUAGES)}, None
        if kind_of(path).name in ("asked", "large") and chance.random() < 0.4:
            first = chance.randrange(8000)
            part = (first, first + chance.randrange(1, 2000 if chance.random() < 0.5 else 1_000_000))
            fields["Range"] = f"bytes={part[0]}-{part[1]}"
        floor = self.floors.of(path)
        told = self.floors.told(path)
        answer, body = client.ask("GET", path, fields)
        try:
            held(answer, body, (path, language, part), self.history, floor)
        except Wrong as wrong:
            raise Wrong(f"{wrong}; {told}") from None
        self.counts["answers"] += 1

    def purge(self, paths, ask):
        serial, before = self.history.now(), self.floors.snapshot()
        if ask():
            self.floors.purged(paths, serial, before)
            self.counts["purges"] += 1
        elif not self.is_killed and not self.is_full:
            raise Wrong("a purge was not acknowledged")

    def purge_by_pattern(self, chance):
        digit = str(chance.randrange(10))
        if chance.random() < 0.5:
            words = ["--prefix", f"http://{HOST}/middle/{digit}"]
            paths = [path for path in PATHS if path.startswith(f"/middle/{digit}")]
        else:
            words = ["--glob", f"*/large/*{digit}"]
            paths = [path for path in PATHS if path.startswith("/large/") and path.endswith(digit)]
        command = [RELAIS, "cache", "--file", self.stage.path("relais.toml"), "purge", *words]
        self.purge(paths, lambda: self.stage.finish(command).returncode == 0)


def look_through(port, origin, floors, unsure):
    """Asks for every object; how many were answered how, and which were wrong.

    What a POST took out that nobody knows to be on disk, up to the serial numbers `unsure`, is
    `undone` if it is there.
    """
    client, wrong = Client(port), []
    counts = dict.fromkeys(["hit", "miss", "confirmed", "cut", "undone"], 0)
    for path in PATHS:
        for language in languages_of(path):
            try:
                answer, body = client.ask("GET", path, {"Accept-Language": language or "en"})
                counts[held(answer, body, (path, language, None), origin.history, floors.of(path))] += 1
                counts["undone"] += int(answer.headers["X-Serial"]) <= unsure[path]
            except Wrong as error:
                wrong.append(str(error))
            except http.client.IncompleteRead:
                # Damage beyond what was sent already: the client sees that it is not whole.
                counts["cut"] += 1
                client = Client(port)
    return counts, wrong


def bytes_in(folder):
    """What the files in a folder take, as far as they have bytes."""
    total = 0
    for inner, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.stat(os.path.join(inner, name)).st_blocks * 512
    return total
