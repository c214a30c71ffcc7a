"""Ctrl-C while `relais get`, `load` and `flows --follow` wait: for an answer, for its body, for who reads what they print."""

import contextlib
import fcntl
import os
import signal
import struct
import subprocess
import termios
import threading
import time

from getting import Answering, dripping
from stage import RELAIS, equal, eventually, holds, need, test
from terminals import on_a_terminal


def held(reader):
    """How many bytes lie in a pipe."""
    (count,) = struct.unpack("i", fcntl.ioctl(reader, termios.FIONREAD, bytes(4)))
    return count


@contextlib.contextmanager
def unread(stage, *words, talk=None):
    """A relais whose data, or also its talk, goes to a pipe that nobody reads."""
    reader, writer = os.pipe()
    talk = writer if talk is None else talk
    running = subprocess.Popen([RELAIS, *map(str, words)], stdout=writer, stderr=talk, env=stage.env(), cwd=stage.folder)
    try:
        yield running, reader
    finally:
        running.kill()
        running.wait(20)
        os.close(reader)
        os.close(writer)


def endless(stream, head):
    stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000000000\r\n\r\n")
    while True:
        stream.sendall(b"a" * 1_000_000)


def at_once(stream, head):
    stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")


def ends_at_ctrl_c(program, again):
    """Says Ctrl-C, once or again and again, until it ends; the exit code."""

    def has_ended():
        if again:
            program.send_signal(signal.SIGINT)
        return program.poll() is not None

    program.send_signal(signal.SIGINT)
    eventually("its end", has_ended)
    return program.returncode


@test
def who_is_interrupted_before_an_answer_leaves_nothing_behind(stage):
    with Answering(lambda stream, head: time.sleep(20)) as server:
        for count, words in enumerate([[], ["--head"], ["--json"], ["-o", "file"]], 1):
            asking = stage.start([RELAIS, "get", *words, server.url], "get")
            asking.await_that("it waits", lambda count=count: len(server.asked) == count)
            asking.signal(signal.SIGINT)
            equal((asking.end(), asking.said()), (1, "error: interrupted\n"), words)
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
    begun = threading.Event()

    def half(stream, head):
        stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 60000000\r\n\r\n")
        # More than lies on the way: who reads it has read the head.
        stream.sendall(bytes(30_000_000))
        begun.set()
        time.sleep(20)

    with Answering(half) as server:
        asking = stage.start([RELAIS, "get", "--json", server.url], "get")
        asking.await_that("a body that comes", begun.is_set)
        asking.signal(signal.SIGINT)
        equal(asking.end(), 1)
        holds(asking.said(), '"error": "interrupted"')
        holds(asking.said(), "\n}\nerror: interrupted")


@test
def who_waits_for_a_reader_can_be_interrupted(stage):
    pipe = stage.path("pipe")
    os.mkfifo(pipe)
    with Answering(endless) as server:
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
            try:
                eventually("a full pipe", lambda: held(reader) > room - 8192)
                asking.send_signal(signal.SIGINT)
                _, said = asking.communicate(timeout=20)
            finally:
                asking.kill()
            equal(asking.returncode, 1, words)
            holds(said.decode(), "error: interrupted", words)
            os.close(reader)


@test
def last_words_that_nobody_reads_are_not_waited_for_long(stage):
    with Answering(endless) as server:
        for words, again in [([], False), (["--json"], True)]:
            with unread(stage, "get", *words, server.url) as (asking, reader):
                room = fcntl.fcntl(reader, fcntl.F_GETPIPE_SZ)
                eventually("a full pipe", lambda: held(reader) > room - 8192)
                equal(ends_at_ctrl_c(asking, again), 1, words)


@test
def a_head_that_nobody_reads_is_not_waited_for_long(stage):
    fields = "".join(f"X-{number}: {'a' * 1000}\r\n" for number in range(20))
    with Answering(lambda stream, head: stream.sendall(f"HTTP/1.1 200 OK\r\n{fields}\r\n".encode())) as server:
        with unread(stage, "get", "--head", server.url, talk=subprocess.DEVNULL) as (asking, reader):
            fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
            eventually("something told", lambda: held(reader))
            equal(ends_at_ctrl_c(asking, False), 1)


@test
def a_load_that_nobody_reads_the_report_of_ends_at_ctrl_c(stage):
    # Longer than what the pipe takes.
    page = ["--html", "/dev/stdout"]
    with Answering(at_once) as server:
        with unread(stage, "load", server.url, *page, "-n", 20, "-c", 1, talk=subprocess.DEVNULL) as (load, reader):
            fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
            eventually("something told", lambda: held(reader))
            equal(ends_at_ctrl_c(load, False), 1)
        # The first ends the load, and what it found is told.
        server.asked.clear()
        with unread(stage, "load", server.url, *page, "-d", "100s", "-c", 1, talk=subprocess.DEVNULL) as (load, reader):
            fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
            eventually("requests", lambda: len(server.asked) > 20)
            load.send_signal(signal.SIGINT)
            eventually("something told", lambda: held(reader))
            equal(ends_at_ctrl_c(load, True), 1)


@test
def a_load_that_hears_two_signals_at_once_shows_what_there_is(stage):
    """As `timeout` sends them, to a program and to its group."""
    with Answering(at_once) as server:
        load = stage.start([RELAIS, "load", server.url, "--json", "-d", "100s", "-c", 1], "load")
        load.await_that("requests", lambda: len(server.asked) > 20)
        load.signal(signal.SIGINT)
        load.signal(signal.SIGINT)
        equal(load.end(), 0)
        holds(load.said(), '"interrupted": true')


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


@test
def what_is_followed_and_read_by_nobody_ends_at_ctrl_c(stage):
    line = '{"time":"2026-01-31T13:55:36.000000Z","client":"192.0.2.1","method":"GET","url":"http://a.example/","status":200}\n'
    log = stage.write("log.jsonl", "")
    with unread(stage, "flows", "--json", "--follow", "/", log, talk=subprocess.DEVNULL) as (flows, reader):
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
        # More than the pipe takes, and not all at once: by the second it is followed.
        for lines, bytes_min in [(1, 1), (1000, 3000)]:
            with open(log, "a", encoding="utf-8") as file:
                file.write(line * lines)
            eventually("lines", lambda least=bytes_min: held(reader) >= least)
        equal(ends_at_ctrl_c(flows, False), 1)
