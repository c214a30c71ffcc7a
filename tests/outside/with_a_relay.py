"""relais relay: streams passed on as they are, before and behind programs that know nothing of it."""

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import struct
import textwrap
import threading
import time

from stage import RELAIS, equal, eventually, free_port, holds, need, test


def relay(stage, *arguments):
    """Starts a relay and waits for the port it tells."""
    program = stage.start([RELAIS, "relay", *map(str, arguments)], "relais")

    def told():
        return re.search(r"^(?:tcp|tls)://\S*?:([1-9][0-9]*)\b|^(unix)://", program.said(), re.M)

    program.await_that("an address told", told)
    program.at = int(told().group(1) or 0)
    return program


def connect(port, seconds=15, own="127.0.0.1"):
    conn = socket.create_connection(("127.0.0.1", port), seconds, (own, 0))
    conn.settimeout(seconds)
    return conn


def rest(conn):
    """All that comes, and how it ends: closed or reset."""
    parts = []
    try:
        while part := conn.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        return b"".join(parts), "reset"
    return b"".join(parts), "closed"


def called(port, own="127.0.0.1"):
    """All that comes to who calls and says nothing, and how it ends, be it before we know that it began."""
    try:
        return rest(connect(port, own=own))
    except ConnectionResetError:
        return b"", "reset"


def reset(conn):
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


class Server:
    """A server of our own: `serve` is called with each connection, on a thread of its own."""

    def __init__(self, serve):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port = self.socket.getsockname()[1]
        self.serve, self.taken = serve, 0
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                conn, _ = self.socket.accept()
                self.taken += 1
                threading.Thread(target=self.one, args=(conn,), daemon=True).start()

    def one(self, conn):
        with contextlib.suppress(OSError), conn:
            conn.settimeout(30)
            self.serve(conn)

    def close(self):
        # A thread that accepts would hold the socket open.
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def echo(conn):
    while part := conn.recv(65536):
        conn.sendall(part)


def upper(conn):
    """Answers only once the client has said that this was all."""
    said, _ = rest(conn)
    conn.sendall(said.upper())


def lines(stage, name, count):
    """The lines of a log, once there are so many."""

    def there():
        path = stage.path(name)
        text = path.read_text() if path.exists() else ""
        return text.splitlines() if text.count("\n") >= count else None

    return [json.loads(line) for line in eventually(f"{count} lines in {name}", there)]


def papers(stage):
    """A certificate for localhost, its key, and whom to believe: itself."""
    need("openssl")
    cert, key = stage.path("cert.pem"), stage.path("key.pem")
    names = "subjectAltName=DNS:localhost,DNS:a.example,DNS:b.example,IP:127.0.0.1"
    words = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"]
    words += ["-subj", "/CN=localhost", "-addext", names, "-keyout", key, "-out", cert]
    words += ["-addext", "basicConstraints=critical,CA:FALSE"]
    stage.run(["openssl", "req", "-x509", *words])
    return cert, key


def s_server(stage, cert, key, *words):
    port = free_port()
    words = ["-accept", f"127.0.0.1:{port}", "-cert", cert, "-key", key, *words]
    server = stage.start(["openssl", "s_server", "-quiet", *words], "s_server")
    server.await_port(port)
    return port


# What passes


@test
def nc_ncat_and_socat_talk_through_it(stage):
    need("nc", "ncat", "socat")
    server = Server(upper)
    program = relay(stage, "0", server.port)
    for client in [
        ["nc", "-N", "127.0.0.1", program.at],
        ["ncat", "127.0.0.1", program.at],
        ["socat", "-t", "10", "-", f"TCP:127.0.0.1:{program.at}"],
    ]:
        equal(stage.run(client, input=b"coucou"), b"COUCOU", client[0])


@test
def an_end_is_passed_on_as_one_and_the_answer_still_comes(stage):
    server = Server(upper)
    conn = connect(relay(stage, "0", server.port).at)
    conn.sendall(b"question")
    conn.shutdown(socket.SHUT_WR)
    equal(rest(conn), (b"QUESTION", "closed"))


@test
def much_comes_through_whole_both_ways(stage):
    need("socat")
    content = os.urandom(30_000_000)
    stage.write("big", content)
    port = free_port()
    stage.start(["socat", f"TCP-LISTEN:{port},fork,bind=127.0.0.1", "EXEC:cat"], "socat").await_port(port)
    unix = stage.path("s")
    program = relay(stage, f"unix://{unix}", f"127.0.0.1:{port}")
    outer = relay(stage, "0", f"unix://{unix}")
    done = stage.run(["socat", "-t", "20", "-", f"TCP:127.0.0.1:{outer.at}"], input=content)
    assert done == content, f"{len(done)} bytes of {len(content)}, or others"
    equal((program.stop(), outer.stop()), (0, 0), "exit codes")


@test
def iperf3_measures_through_it(stage):
    need("iperf3")
    port = free_port()
    stage.start(["iperf3", "-s", "-B", "127.0.0.1", "-p", port], "iperf3").await_port(port)
    program = relay(stage, "0", port)
    for words in [[], ["-R"], ["-P", "8"]]:
        command = ["iperf3", "-c", "127.0.0.1", "-p", program.at, "-t", "1", "-J", *words]

        def measured():
            told = json.loads(stage.run(command))
            # It serves one at a time, and may have to hear yet that the one before is done.
            return None if "busy" in told.get("error", "") else told

        told = eventually("a measurement", measured)
        assert told["end"]["sum_received"]["bytes"] > 1_000_000, (words, told)


def pipes(program):
    """The descriptors of pipes that a program has."""
    folder = f"/proc/{program.pid}/fd"
    return [fd for fd in os.listdir(folder) if os.readlink(f"{folder}/{fd}").startswith("pipe:")]


@test
def idle_connections_hold_no_buffer_and_wake_up(stage):
    server = Server(echo)
    program = relay(stage, "0", server.port)
    conns = [connect(program.at) for _ in range(100)]

    def ask(conn):
        conn.sendall(b"x" * 300_000)
        got = 0
        while got < 300_000:
            got += len(conn.recv(65536))

    for _ in range(3):
        ask(conns[0])
    one, memory = len(pipes(program)), resident(program.pid)
    for _ in range(3):
        for conn in conns:
            ask(conn)
    # Those that each core keeps for the next, not some for each connection; and so with memory.
    cores = os.cpu_count()
    assert len(pipes(program)) <= one + 2 * 8 * cores, (one, pipes(program))
    assert resident(program.pid) - memory < 8 << 20, (memory, resident(program.pid))


# TLS


@test
def tls_begins_ends_or_both_at_it(stage):
    cert, key = papers(stage)
    secure = s_server(stage, cert, key, "-rev")
    heard = []

    def end_heard(conn):
        heard.append(rest(conn))
        conn.sendall(b"ANSWER")

    clear = Server(end_heard)
    begin = relay(stage, "0", f"tls://localhost:{secure}", "--ca", cert)
    said = stage.run(["nc", "-q", "2", "127.0.0.1", begin.at], input=b"abc\n")
    equal(said, b"cba\n")
    both = relay(stage, "tls://127.0.0.1:0", f"tls://localhost:{secure}", "--ca", cert, "--cert", cert, "--key", key)
    client = ["openssl", "s_client", "-quiet", "-no_ign_eof", "-verify_quiet", "-verify_return_error", "-CAfile", cert]
    said = stage.run(["sh", "-c", f"(echo abc; sleep 1) | {' '.join(map(str, client))} -connect 127.0.0.1:{both.at}"])
    equal(said, b"cba\n")
    end = relay(stage, "tls://127.0.0.1:0", clear.port, "--cert", cert, "--key", key)
    context = ssl.create_default_context(cafile=cert)
    # Its end of TLS is passed on as an end, and no more than that: the answer comes, and an end of TLS.
    whole = ask_and_end(connect(end.at), context, b"abc")
    equal(heard, [(b"abc", "closed")])
    equal(whole, b"ANSWER")


def ask_and_end(conn, context, said):
    """Says that under TLS, and the end of TLS, which is of its own half alone (RFC 8446, section 6.1). Gives all
    that comes up to the other's. By hand: an `SSLSocket` takes one half's end for both."""
    come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(come, go, server_hostname="localhost")

    def driven(step):
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                conn.sendall(go.read())
                part = conn.recv(65536)
                come.write(part) if part else come.write_eof()

    driven(tls.do_handshake)
    tls.write(said)
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.unwrap()
    parts = []
    with contextlib.suppress(ssl.SSLZeroReturnError):
        while True:
            parts.append(driven(lambda: tls.read(65536)))
    conn.close()
    return b"".join(parts)


@test
def a_certificate_that_nobody_vouches_for_is_told(stage):
    cert, key = papers(stage)
    program = relay(stage, "0", f"tls://localhost:{s_server(stage, cert, key)}", "--log", "log")
    equal(called(program.at), (b"", "reset"))
    [line] = lines(stage, "log", 1)
    equal(line["by"], "server")
    holds(line["why"], "certificate")


@test
def tls_is_passed_through_by_the_name_that_is_asked_for(stage):
    cert, key = papers(stage)
    ports = [s_server(stage, cert, key, "-rev"), s_server(stage, cert, key, "-www")]
    routes = ["--sni", f"a.example={ports[0]}", "--sni", f"*.example={ports[1]}"]
    program = relay(stage, "0", *routes, "--log", "log", "--hello-max", "1s")
    context = ssl.create_default_context(cafile=cert)
    with context.wrap_socket(connect(program.at), server_hostname="a.example") as conn:
        conn.sendall(b"abc\n")
        equal(conn.recv(100), b"cba\n")
    with context.wrap_socket(connect(program.at), server_hostname="b.example") as conn:
        conn.sendall(b"GET / HTTP/1.0\r\n\r\n")
        holds(conn.recv(1000).decode(), "HTTP/1.0 200")
    with contextlib.suppress(OSError), context.wrap_socket(connect(program.at), server_hostname="localhost"):
        raise AssertionError("a name that is nobody's was passed on")
    stranger = connect(program.at)
    stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
    equal(rest(stranger), (b"", "reset"))
    # Says nothing.
    equal(called(program.at), (b"", "reset"))
    why = [line["why"] for line in lines(stage, "log", 5)]
    why = [words for words in why if words.startswith("no ")]
    equal(sorted(why), ["no TLS hello in 1s", "no TLS hello: no TLS client hello", "no upstream of that name"])


# Ends, and who made them


@test
def a_reset_is_passed_on_at_every_byte(stage):
    heard = []

    def hear(conn):
        heard.append(rest(conn))

    server = Server(hear)
    program = relay(stage, "0", server.port, "--log", "resets")
    for count in range(130):
        conn = connect(program.at)
        conn.sendall(b"x" * count)
        eventually("the server called", lambda: server.taken == count + 1)
        if count % 2:
            time.sleep(0.02)
        reset(conn)
        eventually("the end heard", lambda: len(heard) == server.taken)
        came, end = heard[-1]
        # What had time to pass before the reset was heard, and never more than was said.
        assert came == b"x" * (count if count % 2 else len(came)) and len(came) <= count, (count, came)
        equal(end, "reset", f"end after {count} bytes")
    told = [(line["by"], line["why"]) for line in lines(stage, "resets", 130)]
    equal(told, [("client", "reset")] * 130)

    def cut(conn):
        conn.recv(1)
        conn.sendall(b"abc")
        time.sleep(0.02)
        reset(conn)

    program = relay(stage, "0", Server(cut).port, "--log", "log")
    conn = connect(program.at)
    conn.sendall(b"x")
    equal(rest(conn)[1], "reset")
    [line] = lines(stage, "log", 1)
    equal((line["by"], line["why"]), ("server", "reset"))


@test
def a_reset_while_more_is_said_is_none_the_less_one(stage):
    """The half of an answer, and a reset that the relay hears of by writing."""

    def half(conn):
        conn.recv(1000)
        conn.sendall(b"half")
        reset(conn)

    cert, key = papers(stage)
    server = Server(half)
    clear = relay(stage, "0", server.port)
    secure = relay(stage, "tls://127.0.0.1:0", server.port, "--cert", cert, "--key", key)
    context = ssl.create_default_context(cafile=cert)
    for turn in range(50):
        for program in [clear, secure]:
            conn = connect(program.at)
            if program is secure:
                conn = context.wrap_socket(conn, server_hostname="localhost", suppress_ragged_eofs=False)
            try:
                # Some of these meet the reset at the relay, and some here.
                for _ in range(turn + 2):
                    conn.sendall(b"more")
                end = rest(conn)[1]
            except ConnectionResetError:
                end = "reset"
            except ssl.SSLEOFError:
                # The socket's end, where that of TLS is missing: the reset was met while writing.
                end = "reset"
            equal(end, "reset", "the end of half an answer")
            conn.close()


@test
def who_answers_before_all_is_said_is_heard(stage):
    """As HTTP servers do that have heard enough: all of the answer, the end, and nothing is read any more."""
    answer = os.urandom(3_000_000)

    def refuse(conn):
        conn.recv(1000)
        conn.sendall(answer)
        conn.shutdown(socket.SHUT_WR)
        time.sleep(0.05)

    program = relay(stage, "0", Server(refuse).port, "--log", "log")
    conn = connect(program.at)
    parts, over = [], threading.Event()

    def say():
        with contextlib.suppress(OSError):
            while not over.is_set():
                conn.sendall(b"x" * 10_000)

    saying = threading.Thread(target=say, daemon=True)
    saying.start()
    time.sleep(0.5)
    while part := conn.recv(20_000):
        parts.append(part)
        time.sleep(0.002)
    over.set()
    assert b"".join(parts) == answer, f"{sum(map(len, parts))} bytes of {len(answer)}, or others"
    conn.close()
    saying.join()
    [line] = lines(stage, "log", 1)
    equal((line["by"], line["to_client"]), ("server", len(answer)))


@test
def who_ended_it_and_why_is_told(stage):
    nobody = free_port()
    silent = Server(lambda conn: conn.recv(1))
    limits = ["--idle-max", "1s", "--connect-max", "300ms"]
    program = relay(stage, "0", silent.port, *limits, "--log", "log")
    conn = connect(program.at)
    began = time.monotonic()
    equal(rest(conn), (b"", "reset"))
    assert 1 <= time.monotonic() - began < 4, "idle for 1 s"
    refused = relay(stage, "0", nobody, "--log", "refused")
    equal(called(refused.at), (b"", "reset"))
    # A socket that listens, and whose queue is full: nobody answers.
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    crowd = [socket.socket() for _ in range(4)]
    for conn in crowd:
        conn.setblocking(False)
        conn.connect_ex(full.getsockname())
    deaf = relay(stage, "0", full.getsockname()[1], *limits, "--log", "deaf")
    equal(called(deaf.at), (b"", "reset"))
    total = relay(stage, "0", Server(echo).port, "--total-max", "1s", "--log", "total")
    equal(rest(connect(total.at)), (b"", "reset"))
    told = {name: lines(stage, name, 1)[0] for name in ["log", "refused", "deaf", "total"]}
    equal((told["log"]["by"], told["log"]["why"]), ("relais", "idle for 1s"))
    equal((told["refused"]["by"], told["refused"]["why"]), ("server", "refused"))
    equal((told["total"]["by"], told["total"]["why"]), ("relais", "open for 1s"))
    equal((told["deaf"]["by"], told["deaf"]["why"]), ("server", "timed out"))


@test
def two_thousand_who_say_nothing_hold_up_nobody(stage):
    server = Server(echo)
    cert, key = papers(stage)
    stage.write(
        "relais.toml",
        f"""
        [limits]
        connections_max = 5000
        connections_a_client_max = 5000
        [relay.clear]
        listen = "tcp://127.0.0.1:0"
        upstream = "tcp://127.0.0.1:{server.port}"
        [relay.named]
        listen = "tcp://127.0.0.1:0"
        sni = {{ "a.example" = "tcp://127.0.0.1:{server.port}" }}
        """,
    )
    program = stage.start([RELAIS, "up", "relais.toml"], "relais")

    def told():
        return re.findall(r"^tcp://127.0.0.1:([0-9]+)", program.said(), re.M)

    program.await_that("two addresses", lambda: len(told()) == 2)
    clear, named = map(int, told())
    crowd = [connect(port) for port in [clear, named] for _ in range(1000)]
    began = time.monotonic()
    honest = connect(clear)
    honest.sendall(b"hello")
    equal(honest.recv(100), b"hello")
    assert time.monotonic() - began < 6, "held up by the silent"
    for conn in crowd:
        conn.close()


@test
def lines_without_an_end_pass_and_are_held_nowhere(stage):
    need("socat")

    def swallow(conn):
        while conn.recv(1 << 20):
            pass
        conn.sendall(b"done")

    program = relay(stage, "0", Server(swallow).port)
    before = resident(program.pid)
    conn = connect(program.at, 60)
    block = b"x" * (1 << 20)
    for _ in range(1000):
        conn.sendall(block)
    conn.shutdown(socket.SHUT_WR)
    equal(rest(conn)[0], b"done")
    assert resident(program.pid) - before < 16 << 20, "a line was kept"


def resident(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# Several upstreams


@test
def several_upstreams_share_and_stand_in_for_each_other(stage):
    def named(name):
        return Server(lambda conn: conn.sendall(name))

    servers = [named(b"a"), named(b"b")]
    program = relay(stage, "0", *(server.port for server in servers), "--balance", "round", "--check-every", "200ms")
    equal(sorted(rest(connect(program.at))[0] for _ in range(6)), [b"a"] * 3 + [b"b"] * 3)
    servers[0].close()
    for _ in range(6):
        equal(rest(connect(program.at))[0], b"b")
    eventually("that it is told", lambda: "not well" in program.said() or "no answer" in program.said())
    sticky = relay(stage, "0", *(named(name).port for name in [b"c", b"d", b"e"]), "--balance", "source")
    equal(len({rest(connect(sticky.at))[0] for _ in range(6)}), 1)


@test
def callers_are_let_in_by_their_addresses(stage):
    server = Server(lambda conn: conn.sendall(b"in"))
    allowed = relay(stage, "0", server.port, "--allow", "127.0.0.0/8", "--deny", "127.0.0.2")
    equal(rest(connect(allowed.at)), (b"in", "closed"))
    equal(called(allowed.at, own="127.0.0.2"), (b"", "reset"))
    closed = relay(stage, "0", server.port, "--allow", "10.0.0.0/8")
    equal(called(closed.at), (b"", "reset"))


# PROXY


def haproxy(stage, listen, server):
    need("haproxy")
    port = free_port()
    text = f"""
        defaults
          mode tcp
          timeout connect 5s
          timeout client 10s
          timeout server 10s
        frontend f
          bind 127.0.0.1:{port} {listen}
          tcp-request content accept
          default_backend b
        backend b
          server s {server}
        """
    stage.write(f"haproxy-{port}.cfg", textwrap.dedent(text) + "\n")
    program = stage.start(["haproxy", "-db", "-f", f"haproxy-{port}.cfg"], "haproxy")
    program.await_port(port)
    return port


@test
def haproxy_tells_it_who_called_and_hears_it_from_it(stage):
    # From HAProxy, through two relays, to a HAProxy that tells what it believes.
    heard = []

    def hear(conn):
        heard.append(rest(conn)[0])

    server = Server(hear)
    for version, flag in [("v1", "send-proxy"), ("v2", "send-proxy-v2")]:
        last = haproxy(stage, "accept-proxy", f"127.0.0.1:{server.port} send-proxy")
        inner = relay(stage, "0", last, "--accept-proxy", "127.0.0.0/8", "--send-proxy", version, "--log", version)
        first = haproxy(stage, "", f"127.0.0.1:{inner.at} {flag}")
        conn = socket.create_connection(("127.0.0.1", first), 10, ("127.0.0.7", 0))
        conn.sendall(b"hello")
        conn.shutdown(socket.SHUT_WR)
        own = conn.getsockname()[1]
        eventually("the server told", lambda: any(b"hello" in said for said in heard))
        [said] = [said for said in heard if b"hello" in said]
        equal(said, f"PROXY TCP4 127.0.0.7 127.0.0.1 {own} {first}\r\nhello".encode(), version)
        ours = [line for line in lines(stage, version, 1) if line["client"] == f"127.0.0.7:{own}"]
        equal(len(ours), 1, "lines of the caller itself")
        heard.clear()


@test
def who_called_is_told_before_tls(stage):
    cert, key = papers(stage)
    both = stage.write("both.pem", cert.read_bytes() + key.read_bytes())
    heard = []

    def hear(conn):
        heard.append(rest(conn)[0])

    server = Server(hear)
    secure = haproxy(stage, f"ssl crt {both} accept-proxy", f"127.0.0.1:{server.port} send-proxy")
    for version in ["v1", "v2"]:
        words = ["--ca", cert, "--send-proxy", version, "--check-every", "200ms"]
        program = relay(stage, "0", f"tls://localhost:{secure}", *words)
        conn = connect(program.at)
        own = conn.getsockname()[1]
        conn.sendall(b"hello")
        conn.shutdown(socket.SHUT_WR)
        eventually("the server told", lambda: any(b"hello" in said for said in heard))
        equal([said for said in heard if b"hello" in said], [f"PROXY TCP4 127.0.0.1 127.0.0.1 {own} {program.at}\r\nhello".encode()])
        assert "not well" not in program.said(), program.said()
        heard.clear()


@test
def a_header_comes_before_tls_and_in_pieces_and_in_time(stage):
    cert, key = papers(stage)
    server = Server(upper)
    words = ["--cert", cert, "--key", key, "--accept-proxy", "127.0.0.1", "--log", "log"]
    program = relay(stage, "tls://127.0.0.1:0", server.port, *words)
    conn = connect(program.at)
    for piece in [b"PROXY TCP4 192.0.2", b".1 192.0.2.2 5", b"1000 443\r", b"\n"]:
        conn.sendall(piece)
        time.sleep(0.05)
    context = ssl.create_default_context(cafile=cert)
    with context.wrap_socket(conn, server_hostname="localhost") as secure:
        secure.sendall(b"abc")
        with contextlib.suppress(ssl.SSLError, OSError):
            secure.unwrap()
    [line] = lines(stage, "log", 1)
    equal(line["client"], "192.0.2.1:51000")
    # No header, one that never ends, and one that ends by halves.
    half = b"PROXY TCP4 192.0.2.1 192.0.2.2 51000 443\n"
    for said in [b"hello, world of many bytes", b"PROXY UNKNOWN " + b"x" * 600, half]:
        began = time.monotonic()
        conn = connect(program.at)
        conn.sendall(said)
        equal(rest(conn)[0], b"")
        assert time.monotonic() - began < 5, f"{said}: refused only when it was late"


@test
def who_never_came_in_is_a_line_of_the_log_too(stage):
    cert, key = papers(stage)
    server = Server(upper)
    words = ["--cert", cert, "--key", key, "--accept-proxy", "127.0.0.2", "--log", "log"]
    program = relay(stage, "tls://127.0.0.1:0", server.port, "-v", *words)
    # No TLS; somebody who does not believe us; a bad header; one that is not finished.
    conn = connect(program.at)
    conn.sendall(b"hello")
    rest(conn)
    with contextlib.suppress(ssl.SSLError):
        ssl.create_default_context().wrap_socket(connect(program.at), server_hostname="localhost")
    for said in [b"PROXY TCP4 nobody\r\n", b"PROXY TCP4 192.0.2.1 "]:
        conn = connect(program.at, own="127.0.0.2")
        conn.sendall(said)
        # Who is refused at once may be gone.
        with contextlib.suppress(OSError):
            conn.shutdown(socket.SHUT_WR)
            rest(conn)
    told = lines(stage, "log", 4)
    equal([line["by"] for line in told], ["client"] * 4)
    equal([line["client"].split(":")[0] for line in told], ["127.0.0.1"] * 2 + ["127.0.0.2"] * 2)
    for line, why in zip(told, ["expected TLS", "alert", "PROXY", ""]):
        assert line["why"].startswith("no handshake: ") and why in line["why"], line
    equal(server.taken, 0)
    # A line for each, too, and that is no trace of our modules.
    said = program.said()
    equal(said.count("shaking hands"), 4)
    assert "relais_" not in said and "sources" not in said, said


@test
def each_connection_is_a_line_when_it_begins_and_one_when_it_ends(stage):
    server = Server(upper)
    program = relay(stage, "0", server.port, "-v")
    conn = connect(program.at)
    own = conn.getsockname()[1]
    conn.sendall(b"abc")
    conn.shutdown(socket.SHUT_WR)
    equal(rest(conn)[0], b"ABC")
    ends = f"127.0.0.1:{own} ▸ tcp://127.0.0.1:{server.port}: "
    program.await_that("its end", lambda: "closed, by client" in program.said())
    told = [line.split(ends)[1] for line in program.said().splitlines() if ends in line]
    equal(told[0], "open")
    assert re.fullmatch(r"closed, by client; \S+s, 3 B there, 3 B back", told[1]), told
    # Nobody is there: told once.
    nobody = relay(stage, "0", free_port(), "-v", "--log", "log")
    equal(called(nobody.at), (b"", "reset"))
    lines(stage, "log", 1)
    equal(nobody.said().count("refused, by server"), 1)
    assert "relais_" not in nobody.said() and nobody.said().count("DEBUG") == 1, nobody.said()


@test
def of_several_that_are_not_there_the_log_names_none(stage):
    program = relay(stage, "0", free_port(), free_port(), "--log", "log")
    equal(called(program.at), (b"", "reset"))
    [line] = lines(stage, "log", 1)
    equal((line["server"], line["why"]), (None, "refused"))


@test
def who_has_ended_is_waited_for_a_minute_and_not_ten(stage):
    server = Server(lambda conn: (rest(conn), conn.recv(1), time.sleep(30)))
    program = relay(stage, "0", server.port, "--half-closed-max", "1s", "--log", "log")
    conn = connect(program.at)
    conn.shutdown(socket.SHUT_WR)
    began = time.monotonic()
    equal(rest(conn), (b"", "reset"))
    assert 0.9 < time.monotonic() - began < 4, "half closed for 1 s"
    equal(lines(stage, "log", 1)[0]["why"], "half closed and idle for 1s")


@test
def two_signals_at_once_are_one(stage):
    program = relay(stage, "0", Server(echo).port)
    conn = connect(program.at)
    conn.sendall(b"x")
    equal(conn.recv(1), b"x")
    # As `timeout` does: to the process, and to its group.
    program.signal(signal.SIGTERM)
    program.signal(signal.SIGTERM)
    time.sleep(0.3)
    conn.sendall(b"y")
    equal(conn.recv(1), b"y")
    conn.shutdown(socket.SHUT_WR)
    equal(rest(conn), (b"", "closed"))
    equal(program.end(), 0, "exit code")
    # Later, a second one is meant.
    program = relay(stage, "0", Server(echo).port)
    conn = connect(program.at)
    conn.sendall(b"x")
    equal(conn.recv(1), b"x")
    program.signal(signal.SIGTERM)
    time.sleep(0.3)
    program.signal(signal.SIGTERM)
    equal(program.end(), 1, "exit code")


@test
def what_uses_the_local_authority_and_who_is_believed_are_named(stage):
    program = relay(stage, "tls://127.0.0.1:0", "tls://127.0.0.1:9", "--insecure")
    program.await_that("a word on the authority", lambda: "authority" in program.said())
    holds(program.said(), "tls:// uses ")
    holds(program.said(), "INSECURE: `--insecure` believes whoever answers")


# A bad network


@test
def a_network_is_as_bad_as_asked_for(stage):
    server = Server(echo)
    slow = relay(stage, "0", server.port, "--delay", "50ms±10")
    conn = connect(slow.at)
    began = time.monotonic()
    for _ in range(4):
        conn.sendall(b"x")
        equal(conn.recv(1), b"x")
    took = time.monotonic() - began
    assert 0.3 <= took < 3, f"four times there and back took {took} s"

    narrow = relay(stage, "0", server.port, "--rate-down", "1Mbit")
    conn = connect(narrow.at)
    began = time.monotonic()
    conn.sendall(b"x" * 125_000)
    conn.shutdown(socket.SHUT_WR)
    equal(len(rest(conn)[0]), 125_000)
    took = time.monotonic() - began
    assert 0.8 <= took < 6, f"1 Mbit at 1 Mbit/s took {took} s"

    short = relay(stage, "0", server.port, "--reset-after", "10KiB", "--log", "log")
    conn = connect(short.at)
    with contextlib.suppress(OSError):
        conn.sendall(b"x" * 100_000)
    got, end = rest(conn)
    equal(end, "reset")
    assert len(got) <= 10 << 10
    equal(lines(stage, "log", 1)[0]["why"], "reset on purpose")

    noisy = [relay(stage, "0", server.port, "--corrupt", "1%", "--seed", "7") for _ in range(2)]
    heard = []
    for program in noisy:
        conn = connect(program.at)
        conn.sendall(b"\0" * 20_000)
        conn.shutdown(socket.SHUT_WR)
        heard.append(rest(conn)[0])
    changed = sum(byte != 0 for byte in heard[0])
    assert len(heard[0]) == 20_000 and 200 <= changed <= 600, changed
    assert heard[0] == heard[1], "the same seed, and not the same"


# What is typed


@test
def what_makes_no_sense_is_told_with_its_flag(stage):
    for words, told in [
        (["9000", "udp://127.0.0.1:1"], "expected one of tcp://, tls:// or unix://"),
        (["9000", "1", "--loss", "1%"], "expected `LISTEN` with udp:// beside it"),
        (["9000", "1", "--cert", "a", "--key", "b"], "expected an endpoint with `tls://` beside it"),
        (["9000", "1", "--reset-after", "1", "--close-after", "2"], "`--close-after`"),
        (["9000", "9000"], "it would call itself"),
        (["9000"], "UPSTREAM"),
        (["9000", "1", "--rate", "fast"], "bad rate"),
        (["9000", "1", "--corrupt", "1"], "bad share"),
        (["9000", "1", "--ca", "x"], "--ca"),
        (["9000", "--sni", "a b=1"], "--sni"),
        (["9000", "1", "--idle-max", "1ms"], "--idle-max"),
        (["9000", "1", "--log", "no/such/folder"], "--log"),
    ]:
        done = stage.finish([RELAIS, "relay", *words])
        equal(done.returncode, 2, f"{words}: {done.stderr.decode()}")
        holds(done.stderr.decode(), told, f"{words}")
