"""Ctrl-C while `relais get` waits: for an answer, for its body, for who reads what it prints."""

import fcntl
import os
import re
import signal
import struct
import subprocess
import termios
import time

from getting import Answering, dripping
from stage import RELAIS, equal, eventually, holds, need, test
from terminals import on_a_terminal


def hears_ctrl_c(program):
    """Whether it does something of its own at SIGINT."""
    with open(f"/proc/{program.pid}/status") as status:
        return int(re.search(r"^SigCgt:\s*(\w+)", status.read(), re.M)[1], 16) & 1 << signal.SIGINT - 1


@test
def who_is_interrupted_before_an_answer_leaves_nothing_behind(stage):
    with Answering(lambda stream, head: time.sleep(20)) as server:
        asking = stage.start([RELAIS, "get", "-o", "file", server.url], "get")
        eventually("it waits", lambda: stage.path("file.part").exists())
        asking.signal(signal.SIGINT)
        equal(asking.end(), 1)
        holds(asking.said(), "error: interrupted")
        equal(list(stage.folder.glob("file*")), [])


@test
def who_is_interrupted_keeps_what_came(stage):
    with Answering(dripping([b"a" * 10] * 50, "text/plain")) as server:
        asking = stage.start([RELAIS, "get", "-o", stage.path("file"), server.url], "get")
        eventually("bytes", lambda: stage.path("file.part").exists() and stage.path("file.part").stat().st_size > 0)
        asking.signal(signal.SIGINT)
        equal(asking.process.wait(20), 1)
        holds(asking.said(), "`--resume` goes on")


@test
def who_is_interrupted_by_a_fast_stream_ends_at_once(stage):
    need("prlimit")
    def act(stream, head):
        stream.sendall(b"HTTP/1.1 200 OK\r\nETag: \"a\"\r\nContent-Length: 1000000000000\r\n\r\n")
        while True:
            stream.sendall(bytes(1_000_000))

    with Answering(act) as server:
        # Nobody is there to take the bytes off a disk again.
        asking = stage.start(["prlimit", "--fsize=8000000000", RELAIS, "get", "-o", stage.path("file"), server.url], "get")
        part = stage.path("file.part")
        eventually("bytes", lambda: part.exists() and part.stat().st_size > 1_000_000)
        asking.signal(signal.SIGINT)
        equal(asking.process.wait(10), 1)
        holds(asking.said(), "`--resume` goes on")
        part.unlink()


@test
def who_is_interrupted_says_so_wherever_it_prints(stage):
    with Answering(dripping([b"a" * 10] * 100, "text/plain")) as server:
        asking = stage.start([RELAIS, "get", server.url], "get")
        asking.await_that("some of it", lambda: "aaaaaaaaaa" in asking.said())
        asking.signal(signal.SIGINT)
        equal(asking.end(), 1)
        holds(asking.said(), "aaa\nconnect ")
        holds(asking.said(), "\nerror: interrupted")
        asking = stage.start([RELAIS, "get", "--json", server.url], "get")
        asking.await_that("it hears", lambda: hears_ctrl_c(asking))
        asking.signal(signal.SIGINT)
        equal(asking.end(), 1)
        holds(asking.said(), '"error": "interrupted"')
        holds(asking.said(), "\n}\nerror: interrupted")


@test
def who_waits_for_a_reader_can_be_interrupted(stage):
    def act(stream, head):
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            stream.sendall(b"a" * 1_000_000)

    pipe = stage.path("pipe")
    os.mkfifo(pipe)
    with Answering(act) as server:
        asking = stage.start([RELAIS, "get", "-o", pipe, server.url], "get")
        asking.await_that("an answer", lambda: "200 OK" in asking.said())
        asking.signal(signal.SIGINT)
        equal(asking.end(), 1)
        holds(asking.said(), "error: interrupted")
        for words in [["-o", pipe], ["-o", "/dev/stdout"], []]:
            reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
            room = fcntl.fcntl(reader, fcntl.F_GETPIPE_SZ)
            with open(pipe, "wb") as out:
                asking = subprocess.Popen([RELAIS, "get", *words, server.url], stdout=out, stderr=subprocess.PIPE, env=stage.env())

            def there():
                (count,) = struct.unpack("i", fcntl.ioctl(reader, termios.FIONREAD, bytes(4)))
                return count

            try:
                eventually("a full pipe", lambda: there() > room - 8192)
                asking.send_signal(signal.SIGINT)
                _, said = asking.communicate(timeout=20)
            finally:
                asking.kill()
            equal(asking.returncode, 1, words)
            holds(said.decode(), "error: interrupted", words)
            os.close(reader)


@test
def json_that_is_laid_out_ends_at_ctrl_c(stage):
    pages = {
        "/flat": b"[" + b"1," * 400_000 + b"1]",
        # Sixty times as long by its indents.
        "/deep": b"[" * 60 + b"0," * 200_000 + b"0" + b"]" * 60,
    }

    def act(stream, head):
        body = pages[head.split(" ")[1]]
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with Answering(act) as server:
        shown, status = on_a_terminal([RELAIS, "get", f"{server.url}/deep"], stage.env())
        equal(status, 0)
        assert len(shown) < 1_000_000, len(shown)
        shown, status = on_a_terminal([RELAIS, "get", f"{server.url}/flat"], stage.env())
        equal(status, 0)
        assert len(shown) > 2_000_000, len(shown)
        shown, status = on_a_terminal([RELAIS, "get", f"{server.url}/flat"], stage.env(), b"\x03", after=100_000)
        equal(status, 1)
        holds(shown.decode(), "\r\nerror: interrupted")
        assert len(shown) < 300_000, len(shown)
