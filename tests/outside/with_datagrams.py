"""UDP: relais relay between programs that know nothing of it, on networks good and bad."""

import contextlib
import json
import os
import random
import re
import select
import signal
import socket
import struct
import textwrap
import threading
import time

from stage import RELAIS, Skip, equal, eventually, free_port, holds, need, test


def told(program, count=1):
    """The ports that it tells, once there are so many."""

    def ports():
        found = re.findall(r"^(?:tcp|udp)://\S*?:([1-9][0-9]*)\b", program.said(), re.M)
        return found if len(found) >= count else None

    program.await_that(f"{count} addresses told", ports)
    return [int(port) for port in ports()]


def relay(stage, *arguments):
    """Starts a relay and waits for the port it tells."""
    program = stage.start([RELAIS, "relay", *map(str, arguments)], "relais")
    (program.at,) = told(program)
    return program


def echo(stage):
    """The port of an echo of our own."""
    program = stage.start([RELAIS, "listen", "udp://127.0.0.1:0", "--as", "echo"], "echo")
    return told(program)[0]


def client(at=None, seconds=5):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(seconds)
    if at:
        sock.connect(at if isinstance(at, tuple) else ("127.0.0.1", at))
    return sock


def ask(sock, question):
    sock.send(question)
    return sock.recv(70_000)


class Server:
    """A server of our own: `answer` is called with each datagram, and says nothing by None."""

    def __init__(self, answer):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.senders = set()
        threading.Thread(target=self.run, args=(answer,), daemon=True).start()

    def run(self, answer):
        with contextlib.suppress(OSError):
            while True:
                said, sender = self.socket.recvfrom(70_000)
                self.senders.add(sender)
                if (answered := answer(said)) is not None:
                    self.socket.sendto(answered, sender)


@test
def datagrams_of_every_length_come_back_whole(stage):
    port = echo(stage)
    program = relay(stage, "udp://127.0.0.1:0", f"udp://127.0.0.1:{port}")
    for at in [port, program.at]:
        sock = client(at)
        for length in [0, 1, 2, 64, 1472, 1473, 8192, 65_506, 65_507]:
            question = random.Random(length).randbytes(length)
            assert ask(sock, question) == question, f"{length} bytes"


@test
def nc_and_socat_talk_through_it(stage):
    need("nc", "socat")
    port = free_port()
    stage.start(["socat", f"UDP4-LISTEN:{port},bind=127.0.0.1,fork", "EXEC:cat"], "socat")
    program = relay(stage, "udp://127.0.0.1:0", f"udp://127.0.0.1:{port}")
    server = Server(bytes.upper)
    second = relay(stage, "udp://127.0.0.1:0", f"udp://localhost:{server.port}")
    for at, words, expected in [
        (second.at, ["nc", "-u", "-w", "1"], b"BONJOUR\n"),
        (second.at, ["socat", "-t", "1", "-"], b"BONJOUR\n"),
        (program.at, ["socat", "-t", "1", "-"], b"bonjour\n"),
    ]:
        where = ["127.0.0.1", at] if words[0] == "nc" else [f"UDP4:127.0.0.1:{at}"]
        said = stage.run([*words, *where], status=None, input=b"bonjour\n")
        equal(said, expected, f"{words[0]} through {at}")


@test
def each_sender_has_a_socket_of_its_own_and_gets_its_own_answers(stage):
    server = Server(lambda said: b"<" + said)
    program = relay(stage, "udp://127.0.0.1:0", f"udp://127.0.0.1:{server.port}")
    clients = [client(program.at) for _ in range(200)]
    for turn in range(3):
        for number, sock in enumerate(clients):
            sock.send(b"%d of %d" % (turn, number))
        for number, sock in enumerate(clients):
            equal(sock.recv(100), b"<%d of %d" % (turn, number))
    equal(len(server.senders), 200, "senders that the server saw")


@test
def an_answer_comes_from_the_address_that_was_asked(stage):
    port = echo(stage)
    for on in ["udp://:0", "udp://0.0.0.0:0"]:
        program = relay(stage, on, f"udp://127.0.0.1:{port}")
        # A connected socket hears nobody else.
        equal(ask(client(("127.0.0.5", program.at)), b"hi"), b"hi", on)


@test
def iperf3_measures_datagrams_through_it(stage):
    need("iperf3")
    port = free_port()
    stage.start(["iperf3", "-s", "-B", "127.0.0.1", "-p", port], "iperf3").await_port(port)
    # It speaks TCP about what it sends by UDP, at the same port.
    own = free_port()
    listen = [f"tcp://127.0.0.1:{own}", "--listen", f"udp://127.0.0.1:{own}"]
    upstreams = [f"tcp://127.0.0.1:{port}", f"udp://127.0.0.1:{port}"]
    program = stage.start([RELAIS, "relay", *listen, *upstreams], "relais")
    told(program, 2)
    for words in [["-b", "50M"], ["-b", "50M", "-R"], ["-b", "20M", "-P", "4", "-l", "1400"], ["-b", "2M", "-l", "64"]]:
        said = stage.run(["iperf3", "-u", "-c", "127.0.0.1", "-p", own, "-t", "1", "-J", *words])
        total = json.loads(said)["end"]["sum"]
        assert total["packets"] > 100, (words, total)
        # What is lost, iperf3 was too slow to hear: so it is without a relay, too.
        assert total["lost_percent"] < 50, (words, total)


@test
def a_flood_of_senders_is_turned_away_and_the_known_are_served(stage):
    port = echo(stage)
    log = stage.path("log.jsonl")
    program = relay(
        stage, "udp://127.0.0.1:0", f"udp://127.0.0.1:{port}", "--senders-max", 400, "--log", log
    )
    known = client(program.at)
    equal(ask(known, b"first"), b"first")
    descriptors = lambda: len(os.listdir(f"/proc/{program.pid}/fd"))
    before = descriptors()
    draw = random.Random(1)
    for _ in range(40):
        # From anywhere in a network, as those who lie about who they are.
        for _ in range(100):
            with client() as sock:
                sock.bind((f"127.{draw.randrange(1, 250)}.{draw.randrange(250)}.{draw.randrange(1, 250)}", 0))
                sock.sendto(b"flood", ("127.0.0.1", program.at))
        equal(ask(known, b"still"), b"still")
    assert descriptors() <= before + 400, descriptors()
    memory = int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{program.pid}/status").read()).group(1))
    assert memory < 60_000, f"{memory} KiB"
    equal(program.stop(), 0, "exit code")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    equal(len(lines), 400, "flows")


@test
def an_upstream_that_is_not_there_costs_nobody_else(stage):
    nowhere = client()
    nowhere.bind(("127.0.0.1", 0))
    port = nowhere.getsockname()[1]
    nowhere.close()
    program = relay(stage, "udp://127.0.0.1:0", f"udp://127.0.0.1:{port}")
    sock = client(program.at, 0.2)
    for _ in range(20):
        sock.send(b"nobody")
        time.sleep(0.01)
    server = client()
    server.bind(("127.0.0.1", port))
    sock.send(b"somebody")
    said = {server.recv(100)}
    equal(said, {b"somebody"})


@test
def of_two_upstreams_the_one_that_is_there_is_taken(stage):
    nowhere = client()
    nowhere.bind(("127.0.0.1", 0))
    port = nowhere.getsockname()[1]
    nowhere.close()
    there = echo(stage)
    upstreams = [f"udp://127.0.0.1:{port}", f"udp://127.0.0.1:{there}"]
    program = relay(stage, "udp://127.0.0.1:0", *upstreams, "--balance", "round")
    for _ in range(10):
        sock = client(program.at, 0.2)

        def answered(sock=sock):
            with contextlib.suppress(TimeoutError):
                return ask(sock, b"hi") == b"hi"

        eventually("an answer", answered)


@test
def each_sender_is_a_line_of_the_log(stage):
    port = echo(stage)
    log = stage.path("log.jsonl")
    program = relay(
        stage, "udp://127.0.0.1:0", f"udp://127.0.0.1:{port}", "--idle-max", "1s", "--log", log
    )
    sock = client(program.at)
    ask(sock, b"four")
    ask(sock, b"more")
    (line,) = eventually("a line", lambda: log.exists() and log.read_text().splitlines())
    line = json.loads(line)
    equal(line["client"], f"127.0.0.1:{sock.getsockname()[1]}")
    equal((line["by"], line["why"]), ("relais", "idle for 1s"))
    equal((line["to_server"], line["to_client"]), (8, 8))


@test
def a_bad_network_is_played_and_the_same_each_time(stage):
    port = echo(stage)
    answered = []
    for _ in range(2):
        program = relay(
            stage, "udp://127.0.0.1:0", f"udp://127.0.0.1:{port}", "--loss", "30%", "--seed", 5
        )
        # Long enough for an answer that comes at all: one that came late would be taken for the next.
        sock, came = client(program.at, 0.5), []
        for number in range(50):
            with contextlib.suppress(TimeoutError):
                came.append(ask(sock, b"%d" % number))
        # Both ways: about half.
        assert 15 <= len(came) <= 35, came
        answered.append(came)
    equal(answered[0], answered[1])
    program = relay(stage, "udp://127.0.0.1:0", f"udp://127.0.0.1:{port}", "--delay", "100ms")
    start = time.monotonic()
    ask(client(program.at), b"late")
    assert 0.2 <= time.monotonic() - start < 5


# Asks until it is answered, for each of so many questions; prints how often it asked.
PERSISTENT = """
import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(0.05)
sock.connect(("127.0.0.1", int(sys.argv[1])))
asked = 0
for number in range(100):
    question = b"question %d" % number
    while True:
        sock.send(question)
        asked += 1
        try:
            while sock.recv(100) != question:
                pass
            break
        except TimeoutError:
            assert asked < 5000, "never answered"
print(asked)
"""


@test
def where_the_network_loses_datagrams_who_repeats_gets_through(stage):
    need("ip", "nft")
    if os.geteuid():
        need("a program that only root has")
    name = f"relais-{os.getpid()}"
    within = ["ip", "netns", "exec", name]
    stage.run(["ip", "netns", "add", name])
    try:
        stage.run([*within, "ip", "link", "set", "lo", "up"])
        server = stage.start([*within, RELAIS, "listen", "udp://127.0.0.1:0", "--as", "echo"], "echo")
        (port,) = told(server)
        program = stage.start(
            [*within, RELAIS, "relay", "udp://127.0.0.1:0", f"udp://127.0.0.1:{port}"], "relais"
        )
        (at,) = told(program)
        rules = stage.write(
            "rules",
            textwrap.dedent("""
                table ip lossy {
                    chain input {
                        type filter hook input priority 0;
                        meta l4proto udp numgen random mod 100 < 20 counter drop
                    }
                }
            """),
        )
        stage.run([*within, "nft", "-f", rules])
        asked = int(stage.run([*within, "python3", "-c", PERSISTENT, str(at)]))
        # Four ways, of which each loses a fifth: two in five questions are answered.
        assert asked > 130, asked
        dropped = stage.run([*within, "nft", "list", "ruleset"]).decode()
        assert int(re.search(r"packets (\d+)", dropped).group(1)) > 30, dropped
        equal(program.stop(), 0, "exit code")
    finally:
        stage.run(["ip", "netns", "delete", name])


@test
def what_makes_no_sense_is_told(stage):
    for words, expected in [
        (["udp://:0", "tcp://127.0.0.1:9"], "no upstream takes datagrams"),
        (["0", "udp://127.0.0.1:9"], "nothing listens for datagrams"),
        (["0", "9", "--loss", "1%"], "`--loss` is for datagrams"),
        (["udp://:0", "udp://127.0.0.1:9", "--slice", "9"], "`--slice` is for streams"),
        (["udp://:0", "udp://127.0.0.1:9", "--senders-max", "0"], "`--senders-max` is 0"),
    ]:
        done = stage.finish([RELAIS, "relay", *words])
        equal(done.returncode, 2, "exit code")
        assert expected in done.stderr.decode(), done.stderr


def forge(source, to):
    """A datagram that says it comes from another place than ours."""
    data = b"who are you?"
    udp = struct.pack("!HHHH", source[1], to[1], 8 + len(data), 0) + data
    ends = socket.inet_aton(source[0]) + socket.inet_aton(to[0])
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0) + ends
    try:
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    except PermissionError as error:
        raise Skip("only root can forge datagrams") from error
    with raw:
        raw.sendto(head + udp, (to[0], 0))


def ticks(program):
    """How much of a processor it has used, in hundredths of seconds."""
    stat = open(f"/proc/{program.pid}/stat").read().rsplit(")", 1)[1].split()
    return int(stat[11]) + int(stat[12])


@test
def nobody_answers_itself(stage):
    for words in [["relay", "udp://127.0.0.1:0", f"udp://127.0.0.1:{echo(stage)}"]] + [
        ["listen", on, "--as", role]
        for role in ["echo", "upper", "calc", "ack"]
        for on in ["udp://127.0.0.1:0", "udp://:0"]
    ]:
        program = stage.start([RELAIS, *words], "relais")
        (port,) = told(program)
        at = ("127.0.0.1", port)
        forge(at, at)
        if words[1] == "udp://:0":
            forge(("127.0.0.2", port), at)
        program.await_that("a word of it", lambda: "come from where we listen ourselves" in program.said())
        before = ticks(program)
        time.sleep(0.3)
        assert ticks(program) - before < 10, f"{words}: it is busy with itself"
        equal(ask(client(port), b"1"), {"ack": "Message reçu".encode()}.get(words[-1], b"1"))


@test
def an_upstream_is_not_set_on_itself(stage):
    program = relay(stage, "udp://127.0.0.1:0", f"udp://127.0.0.1:{(port := echo(stage))}")
    forge(("127.0.0.1", port), ("127.0.0.1", program.at))
    program.await_that("a word of it", lambda: "come from an upstream" in program.said())


@test
def two_endpoints_of_a_program_do_not_answer_each_other(stage):
    for ons in [["udp://127.0.0.1:0", "udp://127.0.0.1:0"], ["udp://127.0.0.1:0", "udp://:0"]]:
        program = stage.start([RELAIS, "listen", *ons, "--as", "upper"], "relais")
        one, other = told(program)
        forge(("127.0.0.1", other), ("127.0.0.1", one))
        program.await_that("a word of it", lambda: "come from where we listen ourselves" in program.said())
        equal(ask(client(one), b"a"), b"A")
        equal(ask(client(other), b"a"), b"A")


@test
def a_group_is_heard_and_all_of_a_network_is_called(stage):
    group = stage.start([RELAIS, "listen", "udp://239.255.77.1:0", "--as", "print"], "group")
    try:
        (port,) = told(group)
    except AssertionError:
        holds(group.said(), "no interface hears the group")
        raise Skip("no network with groups") from None
    with client() as sock:
        sock.sendto(b"to all of you", ("239.255.77.1", port))
    group.await_that("the message", lambda: "to all of you" in group.said())
    every = stage.start([RELAIS, "listen", "udp://0.0.0.0:0", "--as", "print"], "every")
    (port,) = told(every)
    stage.finish([RELAIS, "send", f"udp://127.255.255.255:{port}", "coucou"])
    every.await_that("the message", lambda: "coucou" in every.said())


@test
def each_sender_is_a_line_when_it_begins_and_one_when_it_ends(stage):
    port = echo(stage)
    program = relay(stage, "udp://127.0.0.1:0", f"udp://127.0.0.1:{port}", "-v", "--idle-max", "1s")
    sock = client(program.at)
    equal(ask(sock, b"abc"), b"abc")
    ends = f"127.0.0.1:{sock.getsockname()[1]} ▸ udp://127.0.0.1:{port}: "
    program.await_that("its end", lambda: program.said().count(ends) == 2)
    holds(program.said(), f"{ends}open\n")
    assert re.search(re.escape(ends) + r"idle for 1s, by relais; \S+, 3 B there, 3 B back", program.said())
    assert "relais_" not in program.said(), program.said()


@test
def the_same_number_is_another_port_by_tcp(stage):
    one = relay(stage, "udp://127.0.0.1:0", "udp://127.0.0.1:9", "-v")
    other = relay(stage, f"tcp://127.0.0.1:{one.at}", "tcp://127.0.0.1:9", "-v")
    equal(other.at, one.at)
    equal((one.stop(), other.stop()), (0, 0), "exit codes")
    assert "will not reach us" not in one.said() + other.said(), other.said()


@test
def a_reload_loses_no_datagram(stage):
    port = echo(stage)
    config = """
        [relay.front]
        listen = "udp://127.0.0.1:{own}"
        upstream = "udp://127.0.0.1:{port}"
        limits = {{ senders_max = {most} }}
    """
    own = free_port()
    path = stage.write("relais.toml", textwrap.dedent(config.format(own=own, port=port, most=100)))
    program = stage.start([RELAIS, "up", path], "relais")
    told(program)
    sock = client(own)
    for turn in range(200):
        if turn % 50 == 25:
            path.write_text(textwrap.dedent(config.format(own=own, port=port, most=100 + turn)))
            program.signal(signal.SIGHUP)
        equal(ask(sock, b"%d" % turn), b"%d" % turn)
        if turn % 50 == 45:
            count = turn // 50 + 1
            eventually("the reload", lambda: program.said().count("reloaded") == count)
    equal(program.stop(), 0, "exit code")


@test
def who_asks_two_of_its_addresses_hears_from_each(stage):
    port = echo(stage)
    program = relay(stage, "udp://0.0.0.0:0", f"udp://127.0.0.1:{port}")
    sock = client()
    for last in [2, 3, 2]:
        at = (f"127.0.0.{last}", program.at)
        sock.sendto(b"hello", at)
        equal(sock.recvfrom(100), (b"hello", at))


@test
def where_descriptors_run_out_the_silent_make_room(stage):
    need("prlimit")
    server = Server(lambda said: said if said == b"honest" else None)
    program = relay(stage, "udp://127.0.0.1:0", f"udp://127.0.0.1:{server.port}")
    # Fewer than it thought it had when it started.
    taken = len(os.listdir(f"/proc/{program.pid}/fd"))
    stage.run(["prlimit", f"--pid={program.pid}", f"--nofile={taken + 20}"])
    flood = [client(program.at) for _ in range(40)]
    for sock in flood:
        sock.send(b"flood")
    honest = client(program.at, 0.3)

    def answered():
        with contextlib.suppress(TimeoutError):
            return ask(honest, b"honest") == b"honest"

    eventually("an answer", answered)
    equal(program.stop(), 0, "exit code")


@test
def one_client_has_its_share_of_descriptors_and_no_more(stage):
    need("prlimit")
    listener = socket.create_server(("127.0.0.1", 0), backlog=200)
    words = ["relay", "tcp://127.0.0.1:0", f"tcp://127.0.0.1:{listener.getsockname()[1]}"]
    # Callers have 96 of these, and one client 72: two for each connection.
    program = stage.start(["prlimit", "--nofile=256:256", RELAIS, *words], "relais")
    (at,) = told(program)
    greedy = [socket.create_connection(("127.0.0.1", at)) for _ in range(50)]
    there = [listener.accept()[0] for _ in range(36)]

    def turned_away():
        return sum(bool(select.select([sock], [], [], 0)[0]) for sock in greedy)

    eventually("14 turned away", lambda: turned_away() == 14)
    with socket.create_connection(("127.0.0.1", at), 5, ("127.0.0.2", 0)) as other:
        other.send(b"other")
        there.append(listener.accept()[0])
        equal(there[-1].recv(5), b"other")
    equal(turned_away(), 14)
    for sock in greedy + there:
        sock.close()
    equal(program.stop(), 0, "exit code")
