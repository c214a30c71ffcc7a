"""`relais listen --as calc`, and who would have it calculate for ever."""

import contextlib
import os
import re
import socket
import subprocess
import time

from stage import equal, eventually, holds, need, test
from with_dialogues import ask, ask_by_datagram, call, listen, rest


@test
def three_expressions_have_three_answers(stage):
    need("nc")
    relais = listen(stage, "tcp://127.0.0.1:0", "udp://127.0.0.1:0", "--as", "calc")
    tcp, udp = relais.ports
    answers = stage.run(["nc", "-N", "127.0.0.1", tcp], input=b"2^200\n1/0\n3 km in miles\n").decode().splitlines()
    equal(answers[0], "1606938044258990275541962092341162602522202993782792835301376")
    equal(answers[1], "error: division by zero, at character 2")
    holds(answers[2], "1.864")
    holds(answers[2], "miles")
    equal(ask_by_datagram(udp, b"6 * 7\n"), b"42\n")


@test
def many_addresses_that_ask_at_once_by_datagrams_are_all_answered(stage):
    relais = listen(stage, "udp://127.0.0.1:0", "--as", "calc")
    with contextlib.ExitStack() as stack:
        callers = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(200)]
        for number, caller in enumerate(callers, 1):
            caller.bind((f"127.0.7.{number}", 0))
            caller.settimeout(10)
        for number, caller in enumerate(callers, 1):
            caller.sendto(b"%d + 1" % number, ("127.0.0.1", relais.ports[0]))
        for number, caller in enumerate(callers, 1):
            equal(caller.recv(100), b"%d" % (number + 1))


# What has ended calculators, and what may. Each is to be answered, and so is the next.
HOSTILE = [
    "1<<10^9",
    "10d1000",
    "(" * 1200,
    "(" * 255,
    "-" * 255,
    "1" + "+1" * 127,
    "2^2^2^2^2^2^2^2",
    "9^9^9^9",
    "1000000!",
    "x = x = x",
    "\\x.x x",
    "(\\x.x x) (\\x.x x)",
    "1/" * 120 + "0",
    "0.1 to base 36 to base 2",
    "roll 1000d1000",
    "10^400 to words",
    "pi to 100000 dp",
    "'" + "a" * 250,
    "\u202e1+1",
    "@debug 1",
    "today",
    "1 EUR to USD",
    "\x00",
    "\x1b[31m",
    "",
    "   ",
]


@test
def no_expression_ends_the_calculator(stage):
    relais = listen(stage, "tcp://127.0.0.1:0", "--as", "calc")
    (port,) = relais.ports
    for expression in HOSTILE:
        with call(port, expression.encode() + b"\n21 * 2\n") as caller:
            caller.shutdown(socket.SHUT_WR)
            lines = rest(caller).decode().splitlines()
        equal(len(lines), 2, f"answers to {expression[:40]!r}")
        equal(lines[1], "42", f"what follows {expression[:40]!r}, which was answered {lines[0]!r}")
        assert len(lines[0]) <= 510, lines[0]
        assert not re.search(r"[\x00-\x1f\x7f]", lines[0]), lines[0]
    holds(ask(port, b"\xff\xfe\n").decode(), "error: no UTF-8 at byte 1")
    # What a child may have is next to nothing, and there are no more of them than cores.
    children = subprocess.run(["pgrep", "-P", str(relais.pid)], capture_output=True, check=False).stdout.split()
    assert 1 <= len(children) <= os.cpu_count(), children
    limits = open(f"/proc/{int(children[0])}/limits").read()
    for name, most in [("Max processes", 0), ("Max open files", 3), ("Max core file size", 0), ("Max file size", 0)]:
        assert re.search(rf"{name}\s+{most}\s+{most}\s", limits), limits
    equal(relais.stop(), 0, "exit code")
    for child in children:
        eventually("the child gone", lambda: not os.path.exists(f"/proc/{int(child)}"))


@test
def what_takes_long_holds_up_nobody_for_long(stage):
    relais = listen(stage, "tcp://127.0.0.1:0", "--as", "calc")
    (port,) = relais.ports
    slow = [call(port, b"1000000!\n" * 3) for _ in range(6)]
    began = time.monotonic()
    equal(ask(port, b"1 + 1\n"), b"2\n")
    assert time.monotonic() - began < 6, "an honest caller waited too long"
    for caller in slow:
        caller.close()


@test
def who_floods_the_calculator_waits_alone(stage):
    relais = listen(stage, "tcp://127.0.0.1:0", "--as", "calc")
    (port,) = relais.ports
    flood = [call(port, b"1000000!\n" * 50) for _ in range(100)]
    time.sleep(0.5)
    caller = socket.create_connection(("127.0.0.1", port), 10, source_address=("127.0.0.2", 0))
    for number in range(3):
        began = time.monotonic()
        caller.sendall(f"{number} + 1\n".encode())
        equal(caller.recv(100), f"{number + 1}\n".encode())
        took = time.monotonic() - began
        assert took < 3, f"another client waited {took:.1f} s"
    for one in flood:
        one.close()
