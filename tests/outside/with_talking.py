"""`relais listen --as talk`: a person who answers callers, or a pipe that does."""

import contextlib
import os
import pty
import socket
import time

from stage import RELAIS, equal, eventually, free_port, test
from terminals import Tmux
from with_dialogues import call, connectable


def talking(stage, *arguments):
    port = free_port()
    words = " ".join(map(str, arguments))
    terminal = Tmux(stage, f"{RELAIS} listen {port} udp://127.0.0.1:{port} --as talk {words}; echo exit $?; stty -a | grep -o '.icanon'; sleep 60")
    terminal.sees("listen dialogue")
    return terminal, port


@test
def a_person_answers_callers_by_number(stage):
    terminal, port = talking(stage)
    try:
        terminal.type("too early", "Enter")
        terminal.sees("> too early\n(nobody is here yet)")
        one, two = call(port, b"bonjour\n"), None
        terminal.sees("@1: bonjour")
        terminal.sees("\n@1>")
        two = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        two.settimeout(10)
        two.sendto("été \x1b[31m\n".encode(), ("127.0.0.1", port))
        terminal.sees("@2: été \\u{1b}[31m")
        terminal.type("hello one", "Enter")
        equal(one.recv(100), b"hello one\n")
        # A message that comes while somebody types goes above the line, which stays.
        terminal.type("@2 hal")
        terminal.sees("@1> @2 hal")
        one.sendall(b"in between\n")
        terminal.sees("@1: in between")
        terminal.sees("@1> @2 hal")
        terminal.type("x", "BSpace", "lo two", "Enter")
        equal(two.recv(100), b"hallo two\n")
        terminal.sees("\n@2>")
        # History: the line before comes back.
        terminal.type("Up", "Enter")
        equal(two.recv(100), b"hallo two\n")
        one.close()
        terminal.sees("@1 is gone")
        terminal.type("@7 you", "Enter")
        terminal.sees("(no @7 is here)")
        # The terminal is left as it was found.
        terminal.type("C-c")
        terminal.sees("exit 0")
        terminal.sees(" icanon")
    finally:
        terminal.end()


@test
def what_was_begun_for_who_is_gone_goes_to_nobody_else(stage):
    terminal, port = talking(stage)
    try:
        one = call(port, b"hello\n")
        terminal.sees("@1: hello")
        two = call(port, b"and me\n")
        terminal.sees("@2: and me")
        terminal.type("my secret")
        terminal.sees("@1> my secret")
        one.close()
        terminal.sees("@1 is gone")
        terminal.sees("@2> my secret")
        terminal.type("Enter")
        terminal.sees("(@1 is gone: not sent)")
        # Whoever means it sends it again.
        terminal.type("hello two", "Enter")
        equal(two.recv(100), b"hello two\n")
    finally:
        terminal.end()


@test
def in_turns_it_is_shown_who_waits_and_all_can_be_answered(stage):
    terminal, port = talking(stage, "--turns")
    try:
        callers = [call(port) for _ in range(2)]
        terminal.sees(f", at tcp://127.0.0.1:{port}\n")
        for caller in callers:
            caller.sendall(b"well?\n")
        terminal.sees("(@2 waits) @1>")
        terminal.type("@all yes", "Enter")
        terminal.sees("(sent to 2)")
        for caller in callers:
            equal(caller.recv(100), b"yes\n")
        terminal.sees("\n@1…")
    finally:
        terminal.end()


@test
def in_turns_who_is_early_waits(stage):
    terminal, port = talking(stage, "--turns")
    try:
        caller = call(port)
        terminal.sees("@1 is here")
        terminal.sees("\n@1…")
        terminal.type("early", "Enter")
        terminal.sees("(waits until @1 has spoken)")
        caller.sendall(b"one\ntwo\nthree\n")
        equal(caller.recv(100), b"early\n")
        terminal.sees("@1: two")
        terminal.sees("\n@1>")
        time.sleep(0.3)
        assert "@1: three" not in terminal.screen(), terminal.screen()
        terminal.type("answer", "Enter")
        equal(caller.recv(100), b"answer\n")
        terminal.sees("@1: three")
        # Ctrl-D at an empty line ends it.
        terminal.type("C-d")
        terminal.sees("exit 0")
        terminal.sees(" icanon")
    finally:
        terminal.end()


@test
def a_terminal_that_stands_still_keeps_nobody(stage):
    port = free_port()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(RELAIS, [str(RELAIS), "listen", str(port), "--as", "talk"], stage.env() | {"TERM": "xterm"})
    try:
        eventually("it listens", lambda: connectable(port))
        # Nobody reads what it shows.
        with call(port) as caller:
            caller.settimeout(1)
            with contextlib.suppress(TimeoutError):
                for _ in range(10_000):
                    caller.sendall(b"x" * 1000 + b"\n")
            os.kill(pid, 15)
            eventually("its end", lambda: os.waitpid(pid, os.WNOHANG)[0] == pid)
            pid = None
    finally:
        os.close(terminal)
        if pid:
            os.kill(pid, 9)
            os.waitpid(pid, 0)


@test
def a_pipe_may_talk(stage):
    port = free_port()
    line = f"printf 'one\\ntwo\\n' | {RELAIS} listen {port} --as talk"
    relais = stage.start(["sh", "-c", line], "listen")
    # No call to see whether it listens: the first caller is whom the pipe talks to.
    relais.await_that("it listens", lambda: f":{port} " in relais.said())
    with call(port, b"hello\n") as caller:
        got = b""
        while got.count(b"\n") < 2:
            got += caller.recv(100)
        equal(got, b"one\ntwo\n")
    eventually("it shown", lambda: ": hello" in relais.said())


@test
def a_pipe_waits_for_who_takes_its_lines(stage):
    lines = [str(line) for line in range(1, 1001)]
    for arguments in ["", "--turns"]:
        port = free_port()
        line = f"seq 1000 | {RELAIS} listen {port} --as talk {arguments}"
        relais = stage.start(["sh", "-c", line], "listen")
        relais.await_that("it listens", lambda: f":{port} " in relais.said())
        with call(port) as caller, caller.makefile("rb") as heard:
            got = []
            for line in lines:
                if arguments:
                    caller.sendall(b"next\n")
                got.append(heard.readline().decode().strip())
            equal(got, lines)
        relais.stop()
