"""`relais get -o` and `--resume`: files that are whole, parts that are gone on with, and nobody else's."""

import json
import os
import re
import time

from getting import Answering, dripping, get, nginx, says
from listening import Listening
from stage import RELAIS, equal, eventually, holds, test
from terminals import on_a_terminal


class Cutting(Listening):
    """Has one file, and breaks off after half of what is asked for, as often as it is told to."""

    def __init__(self, content, cuts=1, tag='"a"'):
        self.content, self.cuts, self.tag, self.asked = content, cuts, tag, []

    def serve(self, stream):
        with stream:
            head = b""
            while b"\r\n\r\n" not in head:
                head += stream.recv(65536)
            head = head.decode("latin-1")
            self.asked.append(head)
            asked = re.search(r"range: bytes=(\d+)-(\d*)", head)
            is_same = f"if-range: {self.tag}\r" in head or "if-range" not in head
            first, size = (int(asked[1]) if asked and is_same else 0), len(self.content)
            end = int(asked[2]) + 1 if asked and is_same and asked[2] else size
            if first >= size:
                answer = f"416 Range Not Satisfiable\r\nContent-Range: bytes */{size}\r\nContent-Length: 0"
                return stream.sendall(f"HTTP/1.1 {answer}\r\n\r\n".encode())
            body = self.content[first:end]
            status = f"206 Partial Content\r\nContent-Range: bytes {first}-{end - 1}/{size}" if first else "200 OK"
            tag = f"ETag: {self.tag}\r\n" if self.tag else ""
            stream.sendall(f"HTTP/1.1 {status}\r\n{tag}Content-Length: {len(body)}\r\n\r\n".encode())
            if self.cuts:
                self.cuts -= 1
                body = body[: len(body) // 2]
            stream.sendall(body)


@test
def a_download_that_broke_off_goes_on(stage):
    content = os.urandom(1_000_000)
    file, part = stage.path("file"), stage.path("file.part")
    with Cutting(content, cuts=2) as server:
        _, said = get(stage, "-o", file, server.url, status=1)
        holds(said, "file.part has 500000 bytes: `--resume` goes on")
        holds(said, "the answer broke off")
        assert not file.exists()
        get(stage, "-o", file, "--resume", server.url, status=1)
        equal(part.stat().st_size, 750_000)
        get(stage, "-o", file, "--resume", server.url)
        equal(file.read_bytes(), content)
        holds(server.asked[-1], "range: bytes=750000-\r\nif-range: \"a\"\r\n")
        equal(sorted(path.name for path in stage.folder.glob("file*")), ["file"])
    # A part that was made before sizes were noted.
    with Cutting(content) as server:
        get(stage, "-o", file, server.url, status=1)
        note = json.loads(stage.path("file.part.json").read_text())
        equal(note.pop("size"), len(content))
        stage.write("file.part.json", json.dumps(note))
        get(stage, "-o", file, "--resume", server.url)
        equal(file.read_bytes(), content)
        holds(server.asked[-1], "range: bytes=500000-")
    # It has changed meanwhile: all of it anew.
    with Cutting(content) as server:
        get(stage, "-o", file, server.url, status=1)
        server.tag, server.content = '"b"', content[::-1]
        _, said = get(stage, "-o", file, "--resume", server.url)
        holds(said, "all of it comes anew")
        equal(file.read_bytes(), content[::-1])
    # It was whole, and only its name was missing.
    with Cutting(content) as server:
        get(stage, "-o", file, server.url, status=1)
        part.write_bytes(content)
        get(stage, "-o", file, "--resume", server.url)
        equal(file.read_bytes(), content)
        holds(server.asked[-1], "range: bytes=1000000-")
        # It is called as it was called, though it is there already; a link leads where it led.
        stage.path("link").symlink_to(file)
        for name in ["file", "./file", "link"]:
            _, said = get(stage, "-o", name, "--resume", server.url)
            holds(said, f"\n* {name}: 976.5 KiB in ")
        equal(stage.path("link").is_symlink(), True)
    # Of what nothing is known nothing is kept.
    with Cutting(content, tag="") as server:
        _, said = get(stage, "-o", file, server.url, status=1)
        holds(said, "they are not kept")
        assert not part.exists()
        equal(file.read_bytes(), content)
        get(stage, "-o", file, "--resume", server.url)


@test
def what_has_as_many_bytes_as_came_is_not_taken_for_whole(stage):
    first, second, file = os.urandom(100_000), os.urandom(40_000), stage.path("file")

    def change(tag):
        answers = iter([
            b'200 OK\r\nETag: "v1"\r\nContent-Length: 100000\r\n\r\n' + first[:40_000],
            # It does not look at `If-Range`, which it may do.
            b"416 No\r\n" + tag + b"Content-Range: bytes */40000\r\nContent-Length: 0\r\n\r\n",
            b'200 OK\r\nETag: "v2"\r\nContent-Length: 40000\r\n\r\n' + second,
        ])  # fmt: skip
        return lambda stream, head: stream.sendall(b"HTTP/1.1 " + next(answers))

    for tag in [b'ETag: "v2"\r\n', b'ETag: "v1"\r\n', b""]:
        with Answering(change(tag)) as server:
            get(stage, "-o", file, server.url, status=1)
            equal(stage.path("file.part").stat().st_size, 40_000)
            _, said = get(stage, "-o", file, "--resume", server.url)
            holds(said, "what comes does not fit: all of it is asked for")
            assert file.read_bytes() == second, tag
            file.unlink()


@test
def nothing_is_put_behind_a_range_that_was_asked_for(stage):
    content, file = os.urandom(100_000), stage.path("file")
    words = ["-o", file, "-H", "Range: bytes=1000-1999"]
    with Cutting(content) as server:
        _, said = get(stage, *words, server.url, status=1)
        holds(said, "500 bytes came, and nothing that they are known by: they are not kept")
        get(stage, "-o", file, "--resume", server.url)
        assert file.read_bytes() == content
        get(stage, *words, server.url)
        equal(file.read_bytes(), content[1000:2000])
        _, said = get(stage, *words, "--resume", server.url, status=2)
        holds(said, "expected one of both")


@test
def what_cannot_be_written_is_kept_as_far_as_it_came(stage):
    content, file, part = os.urandom(200_000), stage.path("file"), stage.path("file.part")
    for tag, expect in [('"a"', " bytes: `--resume` goes on"), ("", "they are not kept")]:
        with Cutting(content, cuts=0, tag=tag) as server:
            limited = f"trap '' XFSZ; ulimit -f 100; exec {RELAIS} get -o {file} {server.url}"
            done = stage.finish(["bash", "-c", limited])
            said = done.stderr.decode()
            equal((done.returncode, part.exists()), (1, tag != ""), said)
            holds(said, expect)
            holds(said, "error: writing to ")
            get(stage, "-o", file, "--resume", server.url)
            assert file.read_bytes() == content
            file.unlink()


@test
def nobody_may_read_more_of_a_file_than_before(stage):
    content, file, part = os.urandom(1000), stage.write("file", "secret"), stage.path("file.part")
    for mode in [0o600, 0o640, 0o444]:
        file.chmod(mode)
        with Cutting(content) as server:
            get(stage, "-o", file, server.url, status=1)
            equal(part.stat().st_mode & 0o777, mode | 0o600)
            get(stage, "-o", file, "--resume", server.url)
        equal((file.stat().st_mode & 0o777, file.read_bytes()), (mode, content))


@test
def only_what_is_asked_for_is_written(stage):
    clear, _, _ = nginx(stage)
    _, said = get(stage, "-o", "nothing", f"{clear}/nowhere", status=3)
    holds(said, "nothing is written with status 404")
    assert not stage.path("nothing").exists()
    get(stage, "-o", "/dev/null", f"{clear}/big.bin")
    equal(os.path.exists("/dev/null.part"), False)
    get(stage, "-o", "big", f"{clear}/big.bin")
    equal(stage.path("big").read_bytes(), stage.path("www/big.bin").read_bytes())
    get(stage, "-o", stage.folder, f"{clear}/", status=2)


@test
def a_part_is_written_by_one_at_a_time(stage):
    file, part = stage.path("file"), stage.path("file.part")
    with Answering(dripping([b"a" * 10] * 8, "text/plain")) as slow, Answering(says("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb")) as other:
        first = stage.start([RELAIS, "get", "-o", file, slow.url], "first")
        eventually("a part", part.exists)
        _, said = get(stage, "-o", file, other.url, status=2)
        holds(said, "is being written by another relais")
        equal(other.asked, [])
        equal(first.process.wait(20), 0)
        equal(file.read_bytes(), b"a" * 80)


@test
def a_part_is_no_link_and_no_file_of_somebody_else(stage):
    victim, part = stage.path("victim"), stage.path("file.part")
    victim.write_text("mine")
    with Answering(says("HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 1\r\n\r\nb")) as server:
        part.symlink_to(victim)
        _, said = get(stage, "-o", stage.path("file"), server.url, status=2)
        holds(said, "file.part\" is a link")
        part.unlink()
        os.mkfifo(part)
        get(stage, "-o", stage.path("file"), server.url, status=2)
        part.unlink()
        _, said = get(stage, "-o", stage.path("nodir/x"), server.url, status=2)
        holds(said, "cannot write")
        # Nobody is asked for what cannot be kept.
        equal(server.asked, [])
        stage.path("file.part.json").symlink_to(victim)
        get(stage, "-o", stage.path("file"), server.url)
    equal(victim.read_text(), "mine")
    equal(stage.path("file").read_text(), "b")
    with Answering(says("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n")) as server:
        get(stage, "-o", stage.path("none"), server.url, status=3)
    assert not stage.path("none.part").exists()


@test
def a_part_has_no_more_than_its_range(stage):
    def act(stream, head):
        if "range:" not in head.lower():
            stream.sendall(b"HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 104\r\n\r\n" + b"x" * 50)
            return
        stream.sendall(b"HTTP/1.1 206 P\r\nETag: \"a\"\r\nContent-Range: bytes 50-103/104\r\nTransfer-Encoding: chunked\r\n\r\n")
        stream.sendall(b"50\r\n" + b"y" * 0x50 + b"\r\n0\r\n\r\n")

    with Answering(act) as server:
        get(stage, "-o", stage.path("file"), server.url, status=1)
        _, said = get(stage, "-o", stage.path("file"), "--resume", server.url, status=1)
    holds(said, "more came than")
    equal(stage.path("file.part").read_bytes(), b"x" * 50)
    assert not stage.path("file").exists()


@test
def a_terminal_is_shown_how_far_a_download_is(stage):
    def slowly(stream, head):
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n")
        for _ in range(4):
            stream.sendall(bytes(1_000_000))
            time.sleep(0.15)

    with Answering(slowly) as server:
        shown, status = on_a_terminal([RELAIS, "get", "-o", stage.path("file"), server.url], stage.env())
    equal(status, 0)
    assert re.search(r"▕█+ +▏ +[0-9]+ %  [0-9.]+ MiB of 3.8 MiB, [0-9.]+ MiB/s, [0-9.]+ m?s left", shown.decode()), shown
    holds(shown.decode(), "file: 3.8 MiB in ")
    equal(stage.path("file").stat().st_size, 4_000_000)


@test
def a_narrow_terminal_has_no_line_of_progress_that_goes_on_in_the_next(stage):
    def slowly(stream, head):
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4000000000\r\n\r\n")
        for _ in range(3):
            stream.sendall(bytes(1_000_000))
            time.sleep(0.15)

    with Answering(slowly) as server:
        command = ["/bin/sh", "-c", f"stty cols 60; exec {RELAIS} get -o {stage.path('file')} {server.url}"]
        shown, _ = on_a_terminal(command, stage.env())
    lines = [line for line in re.split(r"\r\x1b\[K|\r?\n", shown.decode()) if "of 3.7 GiB" in line]
    assert lines and all(len(line) == 60 for line in lines), shown
