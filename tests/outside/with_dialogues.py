"""`relais listen`, with the programs that people talk to ports with."""

import asyncio
import contextlib
import json
import os
import pty
import re
import select
import socket
import ssl
import struct
import subprocess
import time

from stage import RELAIS, Skip, equal, eventually, free_port, holds, need, sum_of, test
from terminals import Tmux


def listen(stage, *arguments):
    """Starts `relais listen` and waits for its endpoints; each as (scheme, port or path)."""
    relais = stage.start([RELAIS, "listen", *map(str, arguments)], "listen")
    wanted = sum("://" in str(word) for word in arguments)

    def told():
        relais.on = re.findall(r"^(tcp|tls|udp|unix|wss?)://(\S+?)(?::(\d+))? ", relais.said(), re.M)
        return len(relais.on) >= wanted

    relais.await_that(f"{wanted} endpoints told", told)
    relais.ports = [int(port or 0) for _, _, port in relais.on]
    return relais


def call(port, text=b"", seconds=10):
    caller = socket.create_connection(("127.0.0.1", port), seconds)
    caller.sendall(text)
    return caller


def rest(caller):
    parts = []
    while part := caller.recv(65536):
        parts.append(part)
    return b"".join(parts)


def ask(port, text, **options):
    """All that is answered to somebody who says this and no more."""
    with call(port, text, **options) as caller:
        caller.shutdown(socket.SHUT_WR)
        return rest(caller)


def ask_by_datagram(port, datagram, seconds=5):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        caller.settimeout(seconds)
        caller.sendto(datagram, ("127.0.0.1", port))
        return caller.recvfrom(65536)[0]


def ask_with(stage, command, said, length):
    """What a program shows that does not end by itself, until it is so much."""
    program = subprocess.Popen([str(word) for word in command], env=stage.env(), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        program.stdin.write(said)
        program.stdin.flush()
        return program.stdout.read(length)
    finally:
        program.kill()
        program.communicate()


def web_sockets():
    try:
        from websockets.asyncio import client
    except ImportError:
        raise Skip("the package websockets is not installed") from None
    return client


def resident(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{pid}/status").read())[1]) * 1024


@test
def a_session_of_the_lab_is_as_courses_have_it(stage):
    need("nc")
    port = free_port()
    # As it is typed, with what is shown apart from what is told.
    line = f"exec {RELAIS} listen {port} --as print --style lab >shown.txt"
    relais = stage.start(["sh", "-c", line], "listen")
    relais.await_port(port)
    for word in ["bonjour", "quit"]:
        stage.run(["nc", "-N", "127.0.0.1", port], input=f"{word}\n".encode())
    equal(relais.end(), 0, "exit code")
    shown = stage.path("shown.txt").read_text()
    ports = re.findall(r"\d{4,}", shown)
    expect = f"Waiting...\nReceived bonjour\n  from ('127.0.0.1', {ports[0]})\nReceived quit\n  from ('127.0.0.1', {ports[1]})\nQuitting\n"
    equal(shown, expect)


@test
def an_acknowledgement_ends_as_what_was_said(stage):
    need("nc", "ncat")
    relais = listen(stage, "tcp://127.0.0.1:0", "udp://127.0.0.1:0", "--as", "ack", "--until", "bye")
    tcp, udp = relais.ports
    equal(stage.run(["nc", "-N", "127.0.0.1", tcp], input=b"a\nb\n").decode(), "Message reçu\nMessage reçu\n")
    # Python's programs often send no line ends.
    with call(tcp, b"a") as caller:
        equal(caller.recv(100).decode(), "Message reçu")
    expect = "Message reçu\n".encode()
    equal(ask_with(stage, ["ncat", "-u", "127.0.0.1", udp], b"quit\n", len(expect)), expect)
    equal(ask_by_datagram(udp, b"bye").decode(), "Message reçu")
    equal(relais.end(), 0, "exit code")
    shown = relais.said()
    for part in [f"tcp 127.0.0.1:", "1B  a", "udp 127.0.0.1:", "4B  quit", "3B  bye"]:
        holds(shown, part)


@test
def echo_answers_on_every_transport(stage):
    need("nc", "ncat", "socat", "openssl")
    path = stage.path("echo.sock")
    relais = listen(stage, "tcp://127.0.0.1:0", "udp://127.0.0.1:0", "tls://127.0.0.1:0", f"unix://{path}", "--as", "echo")
    tcp, udp, tls, _ = relais.ports
    said = "coucou\nété\n".encode()
    for command in [
        ["nc", "-N", "127.0.0.1", tcp],
        ["ncat", "127.0.0.1", tcp],
        ["nc", "-NU", path],
        ["ncat", "-U", path],
        ["socat", "-t5", "-", f"TCP:127.0.0.1:{tcp}"],
        ["socat", "-t5", "-", f"UNIX:{path}"],
        ["ncat", "--ssl", "127.0.0.1", tls],
        ["ncat", "--ssl-verify", "--ssl-trustfile", stage.authority(), "localhost", tls],
        ["socat", "-t5", "-", f"OPENSSL:127.0.0.1:{tls},cafile={stage.authority()}"],
    ]:
        equal(stage.run(command, input=said), said, f"{command[0]}'s answer")
    # Ends by the word, as it would wait for more.
    done = stage.run(["openssl", "s_client", "-quiet", "-CAfile", stage.authority(), "-verify_return_error", "-connect", f"127.0.0.1:{tls}"], input=said + b"fin\n")
    equal(done, said, "openssl's answer")
    for command in [["nc", "-u", "127.0.0.1", udp], ["ncat", "-u", "127.0.0.1", udp], ["socat", "-", f"UDP:127.0.0.1:{udp}"]]:
        equal(ask_with(stage, command, said, len(said)), said, f"{command[0]}'s answer by UDP")
    equal(relais.stop(), 0, "exit code")
    assert not path.exists(), "the socket's file is left"


@test
def fin_ends_a_dialogue_and_no_other(stage):
    relais = listen(stage, "tcp://127.0.0.1:0", "--as", "echo")
    (port,) = relais.ports
    with call(port) as other:
        for text, expect in [(b"a\nfin\nb\n", b"a\n"), (b"fin", b""), (b"a\r\nfin\r\n", b"a\r\n")]:
            with call(port, text) as caller:
                equal(rest(caller), expect)
        other.sendall(b"final\n")
        equal(other.recv(100), b"final\n")


@test
def much_comes_back_as_it_was(stage):
    relais = listen(stage, "tcp://127.0.0.1:0", "tls://127.0.0.1:0", "--as", "echo")
    content = stage.random_file("much", 30_000_000).read_bytes()
    tls = ssl.create_default_context(cafile=stage.authority())
    for secure in [False, True]:
        caller = call(relais.ports[secure], seconds=30)
        if secure:
            caller = tls.wrap_socket(caller, server_hostname="127.0.0.1")

        came = swap(caller, content)
        assert came == content, f"{len(came)} bytes came back, or others"
        caller.close()


def swap(caller, content):
    """Sends content and reads as much, both at once; in one thread, as OpenSSL wants it."""
    waits = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
    caller.setblocking(False)
    sent, came = 0, bytearray()
    while len(came) < len(content):
        moved = 0
        try:
            part = caller.recv(1 << 20)
            assert part, f"it ended after {len(came)} bytes"
            moved += len(part)
            came += part
        except waits:
            pass
        try:
            count = caller.send(content[sent : sent + 65536]) if sent < len(content) else 0
            moved, sent = moved + count, sent + count
        except waits:
            pass
        if not moved:
            writing = [caller] if sent < len(content) else []
            assert any(select.select([caller], writing, [], 30)), f"nothing more after {len(came)} bytes"
    return bytes(came)


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
def who_cannot_print_serves_on_and_says_so_once(stage):
    relais = stage.start(["sh", "-c", f"exec {RELAIS} listen tcp://127.0.0.1:0 --as ack 2>&1 >/dev/full"], "listen")
    relais.await_that("it listens", lambda: re.search(r"tcp://127.0.0.1:[1-9]", relais.said()))
    port = int(re.search(r"tcp://127.0.0.1:(\d+)", relais.said())[1])
    for _ in range(3):
        equal(ask(port, b"hello\n").decode(), "Message reçu\n")
    eventually("it said", lambda: "cannot write to standard output" in relais.said())
    equal(relais.said().count("ERROR"), 1, relais.said())


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


@test
def a_reader_that_stops_holds_up_nobody(stage):
    port = free_port()
    # Nobody reads what is shown.
    reader, writer = os.pipe()
    relais = subprocess.Popen([RELAIS, "listen", str(port), "--as", "ack"], env=stage.env(), stdout=writer, stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        eventually("it listens", lambda: relais.poll() is None and connectable(port))
        before, line = resident(relais.pid), b"x" * 1000 + b"\n"
        with call(port, seconds=30) as caller:
            for _ in range(200):
                caller.sendall(line * 100)
                answer = b""
                while answer.count(b"\n") < 100:
                    answer += caller.recv(65536)
            # 20 MB were shown, of which 4 MiB may wait.
            grown = resident(relais.pid) - before
            assert grown < 16 << 20, f"grew by {grown} bytes"
            caller.sendall(b"quit\n")
            holds(caller.recv(100).decode(), "Message")
        equal(relais.wait(10), 0, "exit code")
    finally:
        relais.kill()
        os.close(reader)


def connectable(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@test
def notify_tells_everyone_who_asked(stage):
    relais = listen(stage, "tcp://127.0.0.1:0", "udp://127.0.0.1:0", "--as", "notify", "--subscribers-max", "2", "--lease", "1m")
    tcp, udp = relais.ports
    equal(ask(tcp, b"anybody?\n"), b"sent to 0\n")
    subscribers = []
    for expect in [b"subscribed for 60 s", b"subscribed for 60 s", b"error: no place left"]:
        subscriber = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        subscriber.settimeout(5)
        subscriber.connect(("127.0.0.1", udp))
        subscriber.send(b"subscribe")
        equal(subscriber.recv(100), expect)
        subscribers.append(subscriber)
    equal(ask(tcp, "à table\nencore\n".encode()), b"sent to 2\nsent to 2\n")
    for subscriber in subscribers[:2]:
        equal([subscriber.recv(100).decode() for _ in range(2)], ["à table", "encore"])
    # Any datagram renews, and nothing but the two words is answered: two servers could go on for ever.
    subscribers[0].send(b"x")
    subscribers[2].send(b"error: what?")
    subscribers[0].send(b"unsubscribe\n")
    equal(subscribers[0].recv(100), b"unsubscribed\n")
    equal(ask(tcp, b"once more\n"), b"sent to 1\n")
    long = ask(tcp, b"x" * 70_000 + b"\nnext\n").decode().splitlines()
    holds(long[0], "error: the line has more than 65536 bytes")
    equal(long[1], "sent to 1")


@test
def strangers_bytes_are_shown_escaped(stage):
    relais = listen(stage, "tcp://127.0.0.1:0", "--as", "print")
    (port,) = relais.ports
    ask(port, b"\x1b[2J\x1b]0;title\x07\xff\xe2\x80\xae\ttext\n")
    eventually("it shown", lambda: "text" in relais.said())
    holds(relais.said(), r"\u{1b}[2J\u{1b}]0;title\u{7}\xff\u{202e}\ttext")
    assert b"\x1b" not in relais.output.read_bytes(), "an escape got to the terminal"


@test
def messages_are_shown_as_json_and_as_bytes(stage):
    relais = listen(stage, "udp://127.0.0.1:0", "--as", "print", "--json")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        for datagram in [b"", b"h\xc3\xa9\"\n", b"\xff", b"x" * 65_507]:
            caller.sendto(datagram, ("127.0.0.1", relais.ports[0]))
            time.sleep(0.05)
    lines = eventually("four objects", lambda: [l for l in relais.said().splitlines() if l.startswith("{") and l.endswith("}")][3:] and relais.said().splitlines()[1:])
    found = [json.loads(line) for line in lines]
    equal([one["bytes"] for one in found], [0, 5, 1, 65_507])
    equal([one.get("end") for one in found], [None, "\n", None, None])
    equal([one.get("text", "")[:5] for one in found], ["", 'hé"', "", "xxxxx"])
    equal(found[2]["hex"], "ff")
    equal(relais.stop(), 0, "exit code")
    relais = listen(stage, "tcp://127.0.0.1:0", "--as", "print", "--hex")
    ask(relais.ports[0], b"bonjour\x00\r\n")
    eventually("the bytes", lambda: "62 6f 6e 6a 6f 75 72 00  0d 0a " in relais.said())


def receiving(stage, *arguments):
    """`relais listen` whose standard output goes to a file; what it tells goes to its log."""
    copy = stage.path(f"copy-{len(stage.programs)}")
    words = " ".join(map(str, arguments))
    relais = stage.start(["sh", "-c", f"exec {RELAIS} listen {words} 2>&1 >{copy}"], "listen")
    relais.await_that("it listens", lambda: "://" in relais.said())
    return relais, copy


@test
def what_is_received_raw_is_what_was_sent(stage):
    need("nc")
    much = b"quit\n\x00\r" + os.urandom(20_000_000)
    port = free_port()
    relais, copy = receiving(stage, port, f"udp://127.0.0.1:{port}", "--style", "raw")
    stage.run(["nc", "-N", "127.0.0.1", port], input=much)
    eventually("all of it", lambda: copy.stat().st_size >= len(much))
    assert copy.read_bytes() == much
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
        for datagram in [b"quit\r\n", b"", b"\xff"]:
            caller.sendto(datagram, ("127.0.0.1", port))
    eventually("the datagrams", lambda: copy.read_bytes()[len(much) :] == b"quit\r\n\xff")
    equal(relais.stop(), 0, relais.said())


@test
def who_receives_slowly_is_waited_for_and_ends_all_the_same(stage):
    all_is_read(stage, "(sleep 2; sha256sum)", 30_000_000)


def all_is_read(stage, reader, count):
    """Whoever reads what is received gets all of it, though relais is to end before."""
    port = free_port()
    line = f"{RELAIS} listen {port} --style raw | {reader}"
    relais = stage.start(["sh", "-c", line], "listen")
    relais.await_that("it listens", lambda: "://" in relais.said())
    much = os.urandom(count)
    ask(port, much)
    pid = int(stage.run(["pgrep", "-s", str(relais.pid), "-x", "relais"]))
    os.kill(pid, 15)
    eventually("all of it", lambda: sum_of(much) in relais.said())


@test
def an_upload_over_tls_that_broke_off_is_told_from_one_that_is_whole(stage):
    copy = stage.path("copy")
    line = f"exec {RELAIS} listen tls://127.0.0.1:0 --style raw -v 2>&1 >{copy}"
    relais = stage.start(["sh", "-c", line], "listen")
    relais.await_that("it listens", lambda: re.search(r"tls://127.0.0.1:(\d+) ", relais.said()))
    port = int(re.search(r"tls://127.0.0.1:(\d+) ", relais.said())[1])
    tls = ssl.create_default_context(cafile=stage.authority())
    for says_goodbye, told in [(True, ": closed, by client"), (False, ": closed without a goodbye, by client")]:
        caller = tls.wrap_socket(socket.create_connection(("127.0.0.1", port), 10), server_hostname="localhost")
        caller.sendall(b"x" * 1000)
        # Without TLS's own end, the socket's alone.
        caller.unwrap() if says_goodbye else caller.shutdown(socket.SHUT_WR)
        relais.await_that("how it ended", lambda told=told: told in relais.said())
        caller.close()


SLOWLY = """
import hashlib, sys, time
sum = hashlib.sha256()
while part := sys.stdin.buffer.read1(65536):
    sum.update(part)
    time.sleep(0.05)
print(sum.hexdigest())
"""


@test
def at_the_end_what_is_read_slowly_is_read_to_the_end(stage):
    all_is_read(stage, f"python3 -c '{SLOWLY}'", 8_000_000)


@test
def what_nobody_reads_at_the_end_is_a_failure(stage):
    port = free_port()
    reader, writer = os.pipe()
    relais = subprocess.Popen(
        [RELAIS, "listen", str(port), "--style", "raw"], env=stage.env(), stdout=writer, stderr=subprocess.PIPE
    )
    os.close(writer)
    try:
        eventually("it listens", lambda: relais.poll() is None and connectable(port))
        ask(port, b"x" * 1_000_000)
        relais.send_signal(15)
        told = relais.communicate(timeout=20)[1].decode()
        equal(relais.returncode, 1, told)
        holds(told, "what came last is not written: nobody reads standard output")
    finally:
        relais.kill()
        os.close(reader)


@test
def what_was_lost_of_what_was_to_be_whole_is_a_failure(stage):
    for style, code in [("raw", 1), ("json", 0)]:
        port = free_port()
        line = f"exec {RELAIS} listen {port} --style {style} 2>&1 >/dev/full"
        relais = stage.start(["sh", "-c", line], "listen")
        relais.await_that("it listens", lambda relais=relais: "://" in relais.said())
        ask(port, b"hello\n")
        relais.await_that("a word of it", lambda relais=relais: "cannot write to standard output" in relais.said())
        equal(relais.stop(), code, relais.said())
        equal("a part of what came is not written" in relais.said(), code == 1, relais.said())


@test
def what_comes_behind_a_message_that_a_full_disk_tore_is_whole(stage):
    disk = stage.path("disk")
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        raise Skip("mounting a tmpfs is not allowed here")
    stage.mounts.append(disk)
    fill = disk / "fill"
    fill.write_bytes(b"x" * (60 << 10))
    port = free_port()
    relais = stage.start(["sh", "-c", f"exec {RELAIS} listen {port} --json 2>&1 >disk/shown"], "listen")
    relais.await_that("it listens", lambda: "://" in relais.said())
    ask(port, b"".join(b"line %d\n" % number for number in range(100)))
    relais.await_that("a word of it", lambda: "cannot write to standard output" in relais.said())
    fill.unlink()
    ask(port, b"after\n")
    eventually("it is written", lambda: b'"after"' in (disk / "shown").read_bytes())
    equal(relais.stop(), 0, relais.said())
    whole = [line for line in (disk / "shown").read_text().splitlines() if line.endswith("}")]
    equal(json.loads(whole[-1])["text"], "after")
    # What was torn is among the lost, and nothing else is in its line.
    lost = sum(int(count) for count in re.findall(r"lost=(\d+)", relais.said()))
    equal(len([json.loads(line) for line in whole]) + lost, 101, relais.said())


@test
def what_would_go_to_a_terminal_as_it_is_is_refused(stage):
    with Tmux(stage, f"{RELAIS} listen 127.0.0.1:{free_port()} --style raw") as terminal:
        terminal.sees("standard output is a terminal, which would obey what strangers send")
        terminal.sees("end 2")


@test
def a_file_is_answered_whole(stage):
    need("nc")
    content = os.urandom(3_000_000)
    stage.write("file", content)
    relais = listen(stage, "tcp://127.0.0.1:0", "udp://127.0.0.1:0", "--as", "ack", "--reply", "@file")
    equal(sum_of(stage.run(["nc", "127.0.0.1", relais.ports[0]], input=b"\n")), sum_of(content))
    equal(sum_of(stage.run([RELAIS, "send", relais.ports[0]], input=b"\n")), sum_of(content))
    equal(ask_by_datagram(relais.ports[1], b"x"), b"error: the answer is too long")
    refused = stage.finish([RELAIS, "listen", "0", "--as", "ack", "--reply", "@nowhere"])
    equal(refused.returncode, 2, refused.stderr)
    holds(refused.stderr.decode(), 'cannot read "nowhere": ')


@test
def of_a_file_that_is_not_answered_whole_the_end_is_a_reset(stage):
    stage.write("file", os.urandom(64 << 20))
    relais = listen(stage, "tcp://127.0.0.1:0", "--as", "ack", "--reply", "@file", "--idle-max", "1s")
    # Who takes nothing for so long; and who is cut off by the end, in the middle.
    for end in [lambda: time.sleep(3), lambda: (relais.signal(15), time.sleep(0.5), relais.signal(15), relais.end())]:
        with call(relais.ports[0], b"x\n") as caller:
            assert caller.recv(1000)
            end()
            try:
                came = len(rest(caller))
                raise AssertionError(f"an end behind {came} bytes")
            except ConnectionResetError:
                pass


@test
def who_takes_a_file_slowly_gets_all_of_it(stage):
    content = os.urandom(24 << 20)
    stage.write("file", content)
    relais = listen(stage, "tcp://127.0.0.1:0", "--as", "ack", "--reply", "@file", "--idle-max", "1s")
    with call(relais.ports[0], b"x\n") as caller:
        came = bytearray()
        while part := caller.recv(1 << 16):
            came += part
            time.sleep(0.01)
    assert bytes(came) == content, len(came)


@test
def a_line_without_an_end_takes_no_memory(stage):
    for role, arguments in [("print", []), ("upper", []), ("calc", []), ("echo", [])]:
        relais = listen(stage, "tcp://127.0.0.1:0", "--as", role, *arguments)
        with call(relais.ports[0], b"x" * 1000, seconds=60) as caller:
            time.sleep(0.3)
            before, part = resident(relais.pid), b"x" * (1 << 20)
            caller.setblocking(False)
            sent, deadline = 0, time.monotonic() + 60
            while sent < 200 << 20 and time.monotonic() < deadline:
                try:
                    sent += caller.send(part)
                except BlockingIOError:
                    time.sleep(0.001)
                try:
                    # Echo wants to be rid of it again.
                    caller.recv(1 << 20)
                except BlockingIOError:
                    pass
            assert sent >= 200 << 20, f"only {sent} bytes taken by {role}"
            grown = resident(relais.pid) - before
            assert grown < 8 << 20, f"{role} grew by {grown} bytes"
            # Others are served meanwhile.
            equal(ask(relais.ports[0], b"fin\n"), b"", f"what {role} answers another")
        if role == "print":
            holds(relais.said(), "xxx… (cut at 65536 bytes)")
        equal(relais.stop(), 0, f"exit code of {role}")


@test
def a_crowd_of_silent_callers_are_let_go_and_others_served(stage):
    relais = listen(stage, "tcp://127.0.0.1:0", "--as", "upper", "--idle-max", "3s")
    (port,) = relais.ports
    before = resident(relais.pid)
    silent = [call(port, seconds=30) for _ in range(900)]
    grown = resident(relais.pid) - before
    assert grown / 900 < 16 << 10, f"{grown // 900} bytes for each"
    began = time.monotonic()
    equal(ask(port, b"honest\n"), b"HONEST\n")
    assert time.monotonic() - began < 2
    for caller in silent:
        equal(caller.recv(10), b"", "what a silent caller hears")
        caller.close()


@test
def resets_anywhere_end_nothing_else(stage):
    text = b"2 + 2\nfin\n"
    for role in ["print", "ack", "echo", "upper", "calc"]:
        relais = listen(stage, "tcp://127.0.0.1:0", "--as", role)
        for offset in range(len(text) + 1):
            caller = call(relais.ports[0], text[:offset])
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            caller.close()
        expect = {"print": b"", "ack": "Message reçu\n".encode(), "echo": b"2 + 2\n", "upper": b"2 + 2\n", "calc": b"4\n"}
        equal(ask(relais.ports[0], b"2 + 2\n"), expect[role], role)
        equal(relais.stop(), 0, f"exit code of {role}")
        assert "panic" not in relais.said() and "bug" not in relais.said(), relais.said()


@test
def datagrams_of_no_bytes_and_of_all_they_may_have(stage):
    relais = listen(stage, "udp://127.0.0.1:0", "--as", "echo")
    for size in [0, 1, 65_507]:
        equal(len(ask_by_datagram(relais.ports[0], b"x" * size)), size)
    relais = listen(stage, "udp://127.0.0.1:0", "--as", "upper")
    equal(ask_by_datagram(relais.ports[0], b""), b"")
    equal(ask_by_datagram(relais.ports[0], "ß".encode()), b"SS")
    # Three bytes become four or more: the answer would not fit.
    holds(ask_by_datagram(relais.ports[0], "ΐ".encode() * 30_000).decode(), "error: the answer is too long")


@test
def small_services_that_answer_everything_are_not_answered(stage):
    """One forged datagram would have both answer each other for ever."""
    for role in ["echo", "upper", "ack", "calc"]:
        server = listen(stage, "udp://127.0.0.1:0", "--as", role)
        with contextlib.ExitStack() as small:
            callers = [small.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(5)]
            for caller, port in zip(callers, [7, 13, 17, 19, 37]):
                try:
                    caller.bind(("127.0.7.7", port))
                except PermissionError:
                    raise Skip("small ports are not for everyone here") from None
                caller.sendto(b"1", ("127.0.0.1", server.ports[0]))
            # Whoever comes behind them is: they were heard.
            for _ in range(2):
                assert ask_by_datagram(server.ports[0], b"2")
            equal(select.select(callers, [], [], 0)[0], [])
        if role == "ack":
            eventually("they are shown", lambda: server.said().count(" 127.0.7.7:") >= 5)
        server.kill()


@test
def web_sockets_hold_dialogues_too(stage):
    client = web_sockets()
    relais = listen(stage, "ws://127.0.0.1:0", "wss://127.0.0.1:0", "--as", "echo")
    ws, wss = relais.ports
    tls = ssl.create_default_context(cafile=stage.authority())

    async def talk(url, **options):
        async with client.connect(url, **options) as socket:
            for message in ["coucou", "", b"\x00\xff", "x" * 60_000, "é\n"]:
                await socket.send(message)
                equal(await socket.recv(), message)
            # In frames.
            await socket.send(iter(["a", "b", "c"]))
            equal(await socket.recv(), "abc")
            await (await socket.ping())
            await socket.send("fin")
            await socket.wait_closed()
            equal(socket.close_code, 1000, "code")

    asyncio.run(talk(f"ws://127.0.0.1:{ws}/any?path"))
    asyncio.run(talk(f"wss://127.0.0.1:{wss}/", ssl=tls))

    async def too_much():
        async with client.connect(f"ws://127.0.0.1:{ws}/") as socket:
            await socket.send("x" * 70_000)
            await socket.wait_closed()
            equal(socket.close_code, 1009, "code for too much")

    asyncio.run(too_much())

    # Far too much, so that it is still on its way when the answer comes, which no reset takes away.
    asked = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    with call(ws, b"GET / HTTP/1.1\r\nHost: a.localhost\r\n" + asked + b"\r\n\r\n") as caller:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += caller.recv(1)
        caller.sendall(b"\x82\xff" + struct.pack(">Q", 8_000_000) + b"\0" * 4 + b"x" * 8_000_000)
        answer = rest(caller)
        equal((answer[0], struct.unpack(">H", answer[2:4])[0]), (0x88, 1009))
    # A page of another site is turned away; nor is a body taken for frames.
    for words, status in [
        (["-H", f"Origin: http://127.0.0.1:{ws}"], "101 "),
        (["-H", "Origin: http://evil.example"], "403 "),
        (["-H", "Origin: null"], "403 "),
        # Of the same origin, as its name was made to lead here.
        (["-H", "Host: evil.example", "-H", "Origin: http://evil.example"], "403 "),
        (["-H", "Host: evil.example"], "101 "),
        (["-d", "body", "-X", "GET"], "400 "),
    ]:
        asked = ["-H", "Upgrade: websocket", "-H", "Connection: Upgrade", "-H", "Sec-WebSocket-Version: 13", "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
        words = ["curl", "-sS", "-i", "-m", "2", "--http1.1", *asked, *words, f"http://127.0.0.1:{ws}/"]
        got = subprocess.run(words, env=stage.env(), capture_output=True, check=False).stdout
        holds(got.decode(), f"HTTP/1.1 {status}")
    # Who is no client of one is told so, and who stops half-way holds up nobody.
    half = call(ws, b"GET / HTTP/1.1\r\nUpgrade")
    head = stage.curl("-i", f"http://127.0.0.1:{ws}/").decode()
    holds(head, "426 Upgrade Required")
    holds(head, "this is a WebSocket")
    holds(ask(ws, b"coucou\n").decode(), "400 Bad Request")
    holds(ask(ws, b"GET / HTTP/1.1\r\nA: " + b"x" * 9000).decode(), "431 ")
    half.close()
    equal(relais.stop(), 0, "exit code")


@test
def who_called_before_a_reload_is_shown_to_the_end(stage):
    port = free_port()
    table = f'[listen.print]\non = "tcp://127.0.0.1:{port}"\nas = "print"\n'
    config = stage.write("relais.toml", table)
    relais = stage.start([RELAIS, "up", config], "up")
    relais.await_port(port)
    with call(port, b"before\n") as caller:
        eventually("it shown", lambda: "before" in relais.said())
        stage.write("relais.toml", table + 'style = "json"\n')
        relais.signal(1)
        eventually("a reload", lambda: ask(port, b"new\n") is not None and '"text":"new"' in relais.said())
        caller.sendall(b"after\n")
        eventually("it shown as before", lambda: re.search(r"  6B  after|  5B  after", relais.said()))
    equal(relais.stop(), 0, "exit code")


@test
def told_to_stop_everyone_is_let_go(stage):
    client = web_sockets()
    relais = listen(stage, "tcp://127.0.0.1:0", "ws://127.0.0.1:0", "--as", "upper")
    tcp, ws = relais.ports

    async def talk():
        async with client.connect(f"ws://127.0.0.1:{ws}/") as socket:
            await socket.send("été")
            equal(await socket.recv(), "ÉTÉ")
            with call(tcp, b"a\n") as caller:
                equal(caller.recv(10), b"A\n")
                relais.signal(15)
                equal(await asyncio.to_thread(caller.recv, 10), b"")
            await socket.wait_closed()
            equal(socket.close_code, 1001, "code")

    asyncio.run(talk())
    equal(relais.end(), 0, "exit code")


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
def who_comes_and_goes_is_told_round_what_it_says(stage):
    relais = listen(stage, "tcp://127.0.0.1:0", "--as", "ack", "-v")
    equal(ask(relais.ports[0], b"hello\n").decode(), "Message reçu\n")
    end = r"▸ tcp://127.0.0.1:\d+: closed, by client; 6 B there, 14 B back"
    relais.await_that("it is gone", lambda: re.search(end, relais.said()))
    assert re.search(r": open\n.*  hello\n.*" + end, relais.said()), relais.said()


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


@test
def a_file_may_ask_for_dialogues(stage):
    relais = stage.start([RELAIS, "up", stage.write("relais.toml", """\
[listen.echo]
on = ["tcp://127.0.0.1:0", "udp://127.0.0.1:0"]
as = "echo"

[listen.shout]
on = "tcp://127.0.0.1:0"
as = "upper"
until = "bye"
""")], "relais")
    relais.await_that("three endpoints told", lambda: relais.said().count("listen ") == 3)
    ports = [int(port) for port in re.findall(r":(\d+) ", relais.said())]
    equal(ask(ports[2], b"fin\nbye\nmore\n"), b"FIN\n")
    with call(ports[0], b"a\n") as caller:
        equal(caller.recv(10), b"a\n")
        # What is planned alike stays, and so do those who talk.
        relais.signal(1)
        eventually("a reload", lambda: "reloaded" in relais.said())
        caller.sendall(b"b\n")
        equal(caller.recv(10), b"b\n")
    equal(relais.stop(), 0, "exit code")
    done = stage.finish([RELAIS, "listen", "1", "--as", "echo", "--reply", "x"])
    equal(done.returncode, 2, "exit code")
    holds(done.stderr.decode(), "`--reply` means nothing to `echo`")
