"""`relais listen`, with the programs that people talk to ports with."""

import asyncio
import contextlib
import json
import os
import re
import select
import socket
import ssl
import struct
import subprocess
import time

from stage import RELAIS, Skip, equal, eventually, free_port, holds, need, test


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


@test
def who_comes_and_goes_is_told_round_what_it_says(stage):
    relais = listen(stage, "tcp://127.0.0.1:0", "--as", "ack", "-v")
    equal(ask(relais.ports[0], b"hello\n").decode(), "Message reçu\n")
    end = r"▸ tcp://127.0.0.1:\d+: closed, by client; 6 B there, 14 B back"
    relais.await_that("it is gone", lambda: re.search(end, relais.said()))
    assert re.search(r": open\n.*  hello\n.*" + end, relais.said()), relais.said()


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
