"""`relais send`, against the programs that people listen with."""

import asyncio
import base64
import contextlib
import hashlib
import os
import pathlib
import re
import resource
import socket
import ssl
import struct
import subprocess
import threading
import time

from certificates import papers
from listening import Listening
from stage import RELAIS, Skip, equal, eventually, free_port, holds, need, sum_of, test
from terminals import Tmux, on_a_terminal


def send(stage, *words, status=0, text=None, seconds=20):
    """What it prints, and what it says beside that."""
    options = {} if text is None else {"input": text}
    done = stage.finish([RELAIS, "send", *map(str, words)], seconds, **options)
    said = done.stderr.decode(errors="replace")
    if status is not None:
        equal(done.returncode, status, f"send {words} said {said!r}, printed {done.stdout[-500:]!r}")
    return done.stdout, said


def echo(stage, *address, port=None):
    """socat, which echoes to whoever comes, half-closes included; its port."""
    need("socat")
    port = port or free_port()
    address = address or (f"TCP-LISTEN:{port},bind=127.0.0.1,fork,reuseaddr",)
    program = stage.start(["socat", "-b", "65536", *address, "EXEC:cat"], "socat")
    if address[0].startswith("TCP"):
        program.await_port(port)
    return port


class Serving(Listening):
    """Does `act(stream)` for each that comes."""

    def __init__(self, act):
        self.act = act

    def serve(self, stream):
        with stream:
            self.act(stream)


def begin_web_socket(stream):
    head = b""
    while b"\r\n\r\n" not in head:
        head += stream.recv(4096)
    key = re.search(rb"(?i)sec-websocket-key: *(\S+)", head)[1]
    proof = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    stream.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   b"Sec-WebSocket-Accept: " + base64.b64encode(proof) + b"\r\n\r\n")  # fmt: skip


def without_end(frames, pause=0):
    """Begins a WebSocket, sends `frames` for ever, and reads nothing."""

    def act(stream):
        begin_web_socket(stream)
        with contextlib.suppress(OSError):
            while True:
                stream.sendall(frames)
                time.sleep(pause)

    return act


def kept(stage, *words, seconds=30):
    """How many mebibytes it took at most, and how long."""
    begin = time.monotonic()
    program = subprocess.Popen([RELAIS, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    most = 0
    # Not as the system tells of who has ended: that begins with what whoever started it had.
    while program.poll() is None and time.monotonic() - begin < seconds:
        status = pathlib.Path(f"/proc/{program.pid}/status").read_text()
        most = max(most, *map(int, re.findall(r"VmHWM:\s+(\d+)", status)), 0)
        time.sleep(0.02)
    program.kill()
    program.wait()
    return most / 1024, time.monotonic() - begin


@test
def pings_for_ever_take_neither_memory_nor_time(stage):
    with Serving(without_end((b"\x89\x7d" + b"p" * 125) * 500)) as server:
        at = f"ws://127.0.0.1:{server.port}"
        for words in [["send", at, "--wait", "2s", "x"], ["load", at, "-d", "2s", "-c", "2", "--timeout", "1s"]]:
            mebibytes, seconds = kept(stage, *words)
            assert mebibytes < 100 and seconds < 15, f"{words}: {mebibytes} MiB, {seconds} s"


@test
def who_talks_for_ever_is_heard_for_as_long_as_is_said(stage):
    answer = b"\x81\x04spam"
    # Without a pause, of so many messages at once that each is there before it is waited for; and with.
    for act, times in [(without_end(answer * 20_000), 2), (without_end(answer, 0.1), 1)]:
        with Serving(act) as server:
            relais = f"{RELAIS} send ws://127.0.0.1:{server.port}"
            for shell, status in [
                (f"echo hi | {relais} >/dev/null", 0),
                (f"echo hi | {relais} --verify", 3),
                (f"echo hi | {relais} | head -1 >/dev/null; exit ${{PIPESTATUS[1]}}", 0),
                (f"{relais} hi >/dev/null", 0),
                (f"{relais} --verify hi", 3),
            ]:
                # Where it hangs, it does not do so each time.
                for _ in range(times):
                    done = stage.finish(["bash", "-c", shell], 10)
                    equal((done.returncode, done.stderr), (status, b""), shell)


@test
def a_message_comes_to_netcat_as_a_line(stage):
    need("nc")
    for words, expect in [(["hello", "world"], b"hello world\n"), (["--line-end", "crlf", "a"], b"a\r\n")]:
        port = free_port()
        netcat = stage.start(["nc", "-l", "127.0.0.1", port], "nc")
        eventually("netcat listens", lambda: f":{port:04X} 00000000:0000 0A" in open_sockets())
        printed, said = send(stage, port, *words, "--wait", "100ms")
        equal(printed, b"")
        holds(said, "no answer within 100ms")
        equal(netcat.end(), 0)
        equal(netcat.output.read_bytes(), expect)


@test
def what_cannot_be_written_is_no_success(stage):
    port = echo(stage)
    for words in [(port, "hello"), (port, "--verify", "hello"), (port,)]:
        with open("/dev/full", "wb") as full:
            done = subprocess.run([RELAIS, "send", *map(str, words)], stdout=full, stderr=subprocess.PIPE, input=b"a\n", timeout=20)
        equal((done.returncode, words), (1, words))
        holds(done.stderr.decode(), "error: writing to standard output: no space left on device")
    # Who read enough is no failure.
    shell = f"head -c 5000000 /dev/zero | {RELAIS} send {port} | head -c 3 >/dev/null; exit ${{PIPESTATUS[1]}}"
    done = stage.finish(["bash", "-c", shell])
    assert done.returncode in (0, 141), done


@test
def a_reader_that_has_enough_ends_it(stage):
    port = echo(stage)
    for shell in [
        f"yes | {RELAIS} send {port} | head -1",
        f"{RELAIS} send {port} y --repeat 1000 --every 50ms | head -1",
    ]:
        done = stage.finish(["bash", "-c", f"{shell}; exit ${{PIPESTATUS[-2]}}"], 10)
        equal((done.returncode, done.stdout, done.stderr), (0, b"y\n", b""), shell)


def open_sockets():
    return pathlib.Path("/proc/net/tcp").read_text()


@test
def an_echo_is_identical(stage):
    port = echo(stage)
    equal(send(stage, port, "--verify", "coucou"), (b"identical\n", ""))
    equal(send(stage, f"tcp://localhost:{port}", "coucou")[0], b"coucou\n")
    equal(send(stage, port, "--repeat", "3", "--every", "10ms", "x")[0], b"x\nx\nx\n")
    equal(send(stage, port, "--source", "127.0.0.9", "--verify", "x")[0], b"identical\n")


@test
def what_is_piped_in_comes_back_behind_a_half_close(stage):
    port = echo(stage)
    equal(send(stage, port, text=b"1\n2\n3\n"), (b"1\n2\n3\n", ""))
    much = os.urandom(8_000_000)
    equal(sum_of(send(stage, port, text=much)[0]), sum_of(much))
    equal(send(stage, port, "--verify", text=much)[0], b"identical\n")
    equal(send(stage, port, "--line-end", "crlf", text=b"a\nb")[0], b"a\r\nb\r\n")
    equal(send(stage, port, "--hex", text=b"00 ff\n7a\n")[0].replace(b"\n", b" ").split(), [b"00", b"ff", b"7a"])


@test
def the_first_difference_is_shown_in_hexadecimal_and_text(stage):
    def change(stream):
        while came := stream.recv(65536):
            stream.sendall(came.replace(b"o", b"0"))

    with Serving(change) as server:
        printed, _ = send(stage, server.port, "--verify", "coucou", status=3)
        holds(printed.decode(), "different at byte 1, counted from 0\n  expected  6f 75 63 6f 75 0a")
        holds(printed.decode(), "oucou.\n  got       30 75 63 30 75 0a")
        printed, _ = send(stage, server.port, "--verify", text=b"aaa\n" * 1000 + b"o", status=3)
        holds(printed.decode(), "different at byte 4000,")
    with Serving(lambda stream: stream.sendall(stream.recv(64)[:3])) as server:
        printed, _ = send(stage, server.port, "--verify", "coucou", status=3)
        holds(printed.decode(), "different at byte 3, counted from 0")
        holds(printed.decode(), "got       nothing more")
    with Serving(lambda stream: stream.sendall(stream.recv(64) + b"more")) as server:
        printed, _ = send(stage, server.port, "--verify", "coucou", status=3)
        holds(printed.decode(), "different at byte 7, counted from 0\n  expected  nothing more")


@test
def datagrams_are_answered_one_by_one(stage):
    port = free_port()
    echo(stage, f"UDP4-RECVFROM:{port},bind=127.0.0.1,fork", port=port)
    at = f"udp://127.0.0.1:{port}"
    eventually("socat answers", lambda: send(stage, at, "x", status=None)[0] == b"x\n")
    equal(send(stage, "--udp", port, "--verify", "coucou"), (b"identical\n", ""))
    equal(send(stage, at, text=b"1\n2\n3\n")[0], b"1\n2\n3\n")
    big = b"x" * 60_000
    equal(send(stage, at, "--verify", text=big)[0], b"identical\n")
    _, said = send(stage, at, text=b"a\n" + b"x" * 70_000, status=2)
    holds(said, "line 2: longer than a message may be")


@test
def a_datagram_without_an_answer_proves_nothing(stage):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        at = f"udp://127.0.0.1:{silent.getsockname()[1]}"
        printed, said = send(stage, at, "x", "--wait", "200ms")
        equal(printed, b"")
        holds(said, "no answer within 200ms, which proves nothing")
        _, said = send(stage, at, "--wait", "100ms", text=b"1\n2\n")
        equal(said.count("no answer"), 2)
        # Who is to tell nothing but errors tells no more.
        equal(send(stage, "-q", at, "x", "--wait", "100ms"), (b"", ""))
        printed, _ = send(stage, at, "x", "--wait", "200ms", "--verify", status=3)
        holds(printed.decode(), "different at byte 0, counted from 0: nothing came back to message 1")
    _, said = send(stage, f"udp://127.0.0.1:{free_port()}", "x", status=1)
    holds(said, "nobody listens at udp://127.0.0.1:")


@test
def a_unix_socket_is_talked_to(stage):
    need("ncat")
    path = stage.path("s")
    stage.start(["ncat", "-lkU", path, "--exec", "/bin/cat"], "ncat")
    eventually("ncat listens", path.exists)
    equal(send(stage, f"unix://{path}", "--verify", "x")[0], b"identical\n")
    _, said = send(stage, f"unix://{stage.path('nowhere')}", "x", status=1)
    holds(said, "there is no socket of that name")


@test
def tls_is_believed_by_signature_by_pin_or_by_insecurity(stage):
    key, cert, fingerprint = papers(stage)
    port = free_port()
    words = ["-accept", port, "-key", key, "-cert", cert, "-rev", "-quiet"]
    server = stage.start(["openssl", "s_server", *map(str, words)], "openssl")
    server.await_port(port)
    at = f"tls://localhost:{port}"
    _, said = send(stage, at, "abc", status=1)
    holds(said, f"the certificate of {at} (127.0.0.1:{port}) is not believed: its ")
    holds(said, "relais cert show")
    equal(send(stage, at, "--ca", cert, "abc")[0], b"cba\n")
    equal(send(stage, at, "--pin", fingerprint, "abc")[0], b"cba\n")
    equal(send(stage, at, "--pin", fingerprint.replace(":", "").lower(), "abc")[0], b"cba\n")
    _, said = send(stage, at, "--pin", "ab" * 32, "abc", status=1)
    holds(said, fingerprint)
    printed, said = send(stage, f"tls://127.0.0.1:{port}", "--insecure", "abc")
    equal(printed, b"cba\n")
    holds(said, "INSECURE")
    _, said = send(stage, f"tls://127.0.0.1:{port}", "--ca", cert, "abc", status=1)
    holds(said, "it is not for \"127.0.0.1\"")
    _, said = send(stage, at, "-v", "--ca", cert, "abc")
    holds(said, "* TLS 1.3, TLS_AES_")
    holds(said, "* certificate 1: CN=localhost, signed by CN=localhost")
    holds(said, "(2 days left)")
    holds(said, f"sha-256 {fingerprint}")


@test
def a_client_shows_its_certificate(stage):
    key, cert, _ = papers(stage)
    port = free_port()
    words = ["-accept", port, "-key", key, "-cert", cert, "-rev", "-quiet", "-Verify", "1", "-CAfile", cert, "-tls1_2"]
    stage.start(["openssl", "s_server", *map(str, words)], "openssl").await_port(port)
    at = f"tls://localhost:{port}"
    equal(send(stage, at, "--ca", cert, "--cert", cert, "--key", key, "abc")[0], b"cba\n")
    _, said = send(stage, at, "--ca", cert, "abc", status=1)
    holds(said, f"cannot shake hands with {at}")
    # By TLS 1.3 it is wanted behind the handshake, when a WebSocket is asked for already.
    words = ["tls://127.0.0.1:0", "wss://127.0.0.1:0", "--as", "echo", "--cert", cert, "--key", key, "--client-ca", cert]
    listen = stage.start([RELAIS, "listen", *words], "listen")
    told = r"^(tls|wss)://127.0.0.1:([1-9][0-9]*)"
    listen.await_that("two endpoints told", lambda: len(re.findall(told, listen.said(), re.M)) == 2)
    for scheme, listens in re.findall(told, listen.said(), re.M):
        _, said = send(stage, f"{scheme}://localhost:{listens}", "--ca", cert, "abc", status=1)
        holds(said, f"{scheme}://localhost:{listens} (127.0.0.1:{listens}) broke off: it wants a certificate of the client\n")
        holds(said, "hint: `--cert` and `--key` show one")
    # Whose fault it is.
    no_key = stage.write("no-key.pem", "no key")
    for cert_file, key_file, flag in [(cert, no_key, "--key"), (no_key, key, "--cert")]:
        _, said = send(stage, at, "--ca", cert, "--cert", cert_file, "--key", key_file, "abc", status=2)
        holds(said, f"{flag}")
        holds(said, "no-key.pem")


@test
def ncat_under_tls_is_an_echo(stage):
    need("ncat")
    port = free_port()
    stage.start(["ncat", "--ssl", "-lk", "127.0.0.1", str(port), "--exec", "/bin/cat"], "ncat").await_port(port)
    equal(send(stage, f"tls://127.0.0.1:{port}", "--insecure", "--verify", "coucou")[0], b"identical\n")


@test
def who_ends_its_side_is_told_the_rest(stage):
    came = []

    def half_close(stream):
        stream.shutdown(socket.SHUT_WR)
        parts = []
        while part := stream.recv(65536):
            parts.append(part)
        came.append(sum_of(b"".join(parts)))

    much = os.urandom(8_000_000)
    with Serving(half_close) as server:
        equal(send(stage, server.port, text=much), (b"", ""))
        eventually("all came", lambda: came)
        equal(came[0], sum_of(much))
    # Who takes not all of it.
    with Serving(lambda stream: stream.recv(10)) as server:
        _, said = send(stage, server.port, text=much, status=None)
        assert "ended before all was said" in said or "reset the connection" in said, said
        equal(stage.finish([RELAIS, "send", str(server.port)], 10, input=much).returncode, 1)


@test
def a_connection_that_a_third_cuts_off_is_no_end(stage):
    key, cert, _ = papers(stage)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)

    def cut(stream):
        with tls.wrap_socket(stream, server_side=True, suppress_ragged_eofs=True) as secure:
            secure.recv(100)
            secure.sendall(b"the first half, and")
            with socket.socket(fileno=secure.detach()) as bare:
                bare.shutdown(socket.SHUT_WR)
                while bare.recv(100):
                    pass

    with Serving(cut) as server:
        at = f"tls://localhost:{server.port}"
        for options in [{"text": b"hello\n"}, {}]:
            words = [] if options else ["hello"]
            printed, said = send(stage, at, "--ca", cert, *words, status=1, **options)
            equal(printed, b"the first half, and")
            holds(said, f"{at} (127.0.0.1:{server.port}) ended without a word for it")
        # Beside a difference, too, which it may be the reason of.
        message = "the first half, and the second"
        for words, options in [([message], {}), ([], {"text": message.encode()})]:
            printed, said = send(stage, at, "--ca", cert, "--verify", *words, status=3, **options)
            holds(printed.decode(), "different at byte 19,")
            holds(said, "ended without a word for it")


@test
def who_ends_early_or_answers_wrong_is_asked_no_more(stage):
    asked = []

    def once(stream):
        asked.append(stream.recv(100))
        stream.sendall(b"hi\n")

    with Serving(once) as server:
        printed, said = send(stage, server.port, "--repeat", "3", "--every", "10ms", "hello", status=1)
        equal(printed, b"hi\n")
        holds(said, "ended after 1 of 3")

    def wrong(stream):
        while message := stream.recv(100):
            asked.append(message)
            stream.sendall(message.upper())

    with Serving(wrong) as server:
        asked.clear()
        send(stage, server.port, "--verify", "--repeat", "3", "--every", "10ms", "hello", status=3)
        equal(len(asked), 1)


class WebSockets:
    """Python's `websockets`, which answers each message with the path and the message."""

    def __init__(self, **options):
        try:
            from websockets.legacy import server
        except ImportError:
            try:
                from websockets import server
            except ImportError:
                raise Skip("python3-websockets is not installed") from None
        self.module, self.options, self.ready = server, options, threading.Event()

    def __enter__(self):
        threading.Thread(target=lambda: asyncio.run(self.run()), daemon=True).start()
        assert self.ready.wait(10), "websockets does not listen"
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.stop.set)

    async def run(self):
        self.loop, self.stop = asyncio.get_running_loop(), asyncio.Event()

        async def talk(socket_, path=None):
            async for message in socket_:
                if message == "path":
                    message = path or socket_.path
                elif message == "ping":
                    await socket_.ping()
                elif message == "cut":
                    # The connection alone is closed.
                    return socket_.transport.abort()
                await socket_.send(message)

        async with self.module.serve(talk, "127.0.0.1", 0, **self.options) as server:
            self.port = server.sockets[0].getsockname()[1]
            self.ready.set()
            await self.stop.wait()


@test
def a_web_socket_is_talked_to(stage):
    with WebSockets() as server:
        at = f"ws://127.0.0.1:{server.port}"
        equal(send(stage, at, "--verify", "coucou")[0], b"identical\n")
        equal(send(stage, f"{at}/chat?room=1", "path")[0], b"/chat?room=1\n")
        equal(send(stage, at, text=b"1\nping\n3\n")[0], b"1\nping\n3\n")
        equal(send(stage, at, "--hex", "ff 00")[0], b"ff 00\n")
        equal(send(stage, at, "--verify", text=b"x" * 900_000)[0], b"identical\n")
    key, cert, _ = papers(stage)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(cert, key)
    with WebSockets(ssl=tls) as server:
        at = f"wss://localhost:{server.port}"
        equal(send(stage, at, "--ca", cert, "--verify", "coucou")[0], b"identical\n")
        holds(send(stage, at, "--ca", cert, "cut", status=1)[1], "ended without a word for it")
    # Who waits until it says the next answers pings meanwhile.
    with WebSockets(ping_interval=0.5, ping_timeout=0.5) as server:
        at = f"ws://127.0.0.1:{server.port}"
        equal(send(stage, at, "x", "--repeat", 2, "--every", "3s"), (b"x\nx\n", ""))


@test
def a_web_socket_that_is_closed_before_all_was_said_is_told_with_its_code(stage):
    listen = stage.start([RELAIS, "listen", "ws://127.0.0.1:0", "--as", "echo"], "listen")
    at = eventually("where it listens", lambda: re.search(r"^ws://\S+", listen.said(), re.M))[0]
    came, said = send(stage, at, text=b"1\n" + b"x" * 70_000 + b"\n4\n5\n6\n", status=1)
    equal(came, b"1\n")
    holds(said, "ended before all was said: code 1009")
    _, said = send(stage, at, "x" * 70_000, status=1)
    holds(said, "ended without an answer: code 1009")
    # Beside a difference, too.
    for words, text, why in [
        ([], b"x" * 70_000, "ended before all was said: code 1009"),
        (["x" * 70_000], None, "ended without an answer: code 1009"),
    ]:
        came, said = send(stage, at, "--verify", *words, text=text, status=3)
        holds(came.decode(), "nothing came back to message 1\n")
        holds(said, why)
    # Its last word is a good end, unless an answer is missed.
    _, said = send(stage, at, "fin")
    holds(said, "the other side ended without an answer: code 1000")
    came, said = send(stage, at, "--verify", "fin", status=3)
    holds(came.decode(), "nothing came back to message 1\n")
    holds(said, "the other side ended without an answer: code 1000")
    _, said = send(stage, at, "--repeat", 2, "fin", status=1)
    holds(said, "ended after 0 of 2: code 1000")
    came, said = send(stage, at, "--verify", text=b"1\nfin\n", status=3)
    holds(came.decode(), "nothing came back to message 2\n")
    holds(said, "ended before all was answered: code 1000")
    equal(send(stage, at, text=b"1\nfin\n")[0], b"1\n")
    came, said = send(stage, at, text=b"1\nfin\n2\n", status=1)
    equal(came, b"1\n")
    holds(said, "ended before all was said: code 1000")
    # Who writes a pipe may be waiting for who reads it to end.
    read, write = os.pipe()
    os.write(write, b"1\nfin\n")
    done = stage.finish([RELAIS, "send", "--wait", "1s", at], 20, stdin=read)
    equal((done.returncode, done.stdout), (0, b"1\n"))
    os.close(read)
    os.close(write)


@test
def who_is_no_web_socket_is_told(stage):
    stage.write("site/index.html", "hello")
    served = stage.relais("serve", "site", "-l", "http://127.0.0.1:0")
    _, said = send(stage, f"ws://127.0.0.1:{served.port}/nowhere", "x", status=1)
    holds(said, "answers 404\n  = expected 101")
    with Serving(lambda stream: stream.sendall(b"220 mail\r\n")) as server:
        _, said = send(stage, f"ws://127.0.0.1:{server.port}", "x", status=1)
        holds(said, "speaks no WebSocket: no answer in HTTP/1")

    def another(stream):
        stream.recv(4096)
        stream.sendall(b"HTTP/1.1 101 Switching\r\nSec-WebSocket-Accept: AAAA\r\n\r\n")

    with Serving(another) as server:
        _, said = send(stage, f"ws://127.0.0.1:{server.port}", "x", status=1)
        holds(said, "its answer is to another request")


def reset(stream):
    stream.recv(16)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@test
def each_failure_says_which_and_what_to_try(stage):
    port = free_port()
    for at, what, hint in [
        (f"tcp://127.0.0.1:{port}", "refused the connection", "is the server running"),
        (f"tcp://localhost:{port}", f"tcp://localhost:{port} (", "is the server running"),
        ("tcp://nowhere.invalid:1", "no address of tcp://nowhere.invalid:1 is known", "spelled right"),
        ("tcp://:9000", "there is no host to call", "say whom to call"),
    ]:
        # Where there is nobody to be called, the arguments are wrong.
        _, said = send(stage, at, "x", status=2 if at == "tcp://:9000" else 1)
        holds(said, what)
        holds(said, "hint: ")
        holds(said, hint)
    with Serving(reset) as server:
        _, said = send(stage, server.port, "x", status=1)
        holds(said, "reset the connection")
    with Serving(lambda stream: stream.sendall(b"220 mail.example\r\n")) as server:
        _, said = send(stage, f"tls://127.0.0.1:{server.port}", "--insecure", "x", status=1)
        holds(said, "no TLS is spoken at tls://127.0.0.1")
        holds(said, "in the clear it is tcp://127.0.0.1")
    with Serving(lambda stream: time.sleep(3)) as server:
        _, said = send(stage, f"tls://127.0.0.1:{server.port}", "--timeout", "200ms", "x", status=1)
        holds(said, "shaking hands with tls://127.0.0.1")
        holds(said, "took longer than 200ms")
    _, said = send(stage, "--source", "203.0.113.9", port, "x", status=1)
    holds(said, "`--source` has to be an address of this machine")


@test
def a_flood_of_bytes_is_passed_on_and_not_kept(stage):
    def flood(stream):
        block = b"x" * 1_000_000
        for _ in range(100):
            stream.sendall(block)

    with Serving(flood) as server:
        command = ["prlimit", f"--as={400 << 20}", RELAIS, "send", str(server.port)]
        need("prlimit")
        done = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=stage.env())
        count = 0
        while piece := done.stdout.read(1 << 20):
            count += len(piece)
        equal(done.wait(20), 0)
        equal(count, 100_000_000)


@test
def a_terminal_is_shown_escapes_and_never_given_them(stage):
    def evil(stream):
        stream.recv(64)
        stream.sendall(b"\x1b]0;owned\x07\x1b[2J\xff\xc2\x9b\n")

    with Serving(evil) as server:
        shown, status = on_a_terminal([RELAIS, "send", str(server.port), "x"], stage.env())
        equal(status, 0)
        equal(shown, b"\\u{1b}]0;owned\\u{7}\\u{1b}[2J\\xff\\u{9b}\r\n")
        printed, _ = send(stage, server.port, "x")
        equal(printed, b"\x1b]0;owned\x07\x1b[2J\xff\xc2\x9b\n")


@test
def the_protocol_is_asked_for(stage):
    port = echo(stage)
    printed, said = send(stage, "--choose", port, text=b"sctp\n\nhello\n")
    equal(printed, b"hello\n")
    holds(said, "which protocol: tcp, udp, tls, ws, wss? [tcp] not one of them: \"sctp\"")
    _, said = send(stage, "--choose", port, text=b"udp\nhello\n", status=1)
    holds(said, "nobody listens at udp://")
    send(stage, "--choose", port, text=b"", status=2)


@test
def a_person_has_a_dialogue_and_edits_lines(stage):
    port = echo(stage)
    with Tmux(stage, f"{RELAIS} send {port}") as terminal:
        terminal.sees(">")
        terminal.type("helo", "Left", "l", "Enter")
        terminal.sees("> hello\nhello\n")
        terminal.type("Up", "Enter")
        terminal.sees("> hello\nhello\n> hello\nhello\n")
        terminal.type("C-d")
        terminal.sees("end 0")
        assert "the other side ended" not in terminal.screen(), "who ended it is told so"


@test
def a_line_longer_than_the_terminal_is_left_there_whole(stage):
    port = echo(stage)
    line = "".join(f"{number:03}," for number in range(50))
    with Tmux(stage, f"{RELAIS} send {port}") as terminal:
        terminal.sees(">")
        terminal.type(line)
        terminal.sees("> …")
        terminal.type("Enter")
        terminal.sees(f"> {line[:78]}\n{line[78:158]}\n{line[158:]}")


@test
def whoever_compares_at_a_terminal_is_told_above_the_prompt(stage):
    with Serving(lambda stream: stream.sendall(stream.recv(100))) as server:
        with Tmux(stage, f"{RELAIS} send {server.port} --verify") as terminal:
            terminal.sees(">")
            terminal.type("hello", "Enter")
            terminal.sees("> hello\nthe other side ended\nidentical\nend 0")


@test
def whether_anybody_answers_can_be_checked(stage):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        at = f"udp://127.0.0.1:{silent.getsockname()[1]}"
        send(stage, at, "x", "--wait", "100ms", "--check", status=3)
        send(stage, at, "--wait", "100ms", "--check", status=3, text=b"1\n")
        send(stage, at, "x", "--wait", "100ms", status=0)
    with Serving(lambda stream: stream.recv(100)) as mute:
        send(stage, mute.port, "x", "--check", status=3)
        send(stage, mute.port, "--check", status=3, text=b"x\n")
    port = echo(stage)
    equal(send(stage, port, "--check", "x")[0], b"x\n")
    equal(send(stage, port, "--check", text=b"x\n")[0], b"x\n")


@test
def escapes_stand_for_bytes(stage):
    port = echo(stage)
    equal(send(stage, "-e", port, "a\\r\\n\\x00\\\\")[0], b"a\r\n\x00\\")
    equal(send(stage, "--escapes", port, text=b"a\\t\nb\\n\n")[0], b"a\tb\n")
    _, said = send(stage, "-e", port, "\\q", status=2)
    holds(said, "bad escape")


@test
def who_subscribes_is_told_for_as_long_as_it_waits(stage):
    ports = free_port()
    relais = stage.start([RELAIS, "listen", ports, f"udp://127.0.0.1:{ports}", "--as", "notify"], "listen")
    relais.await_that("it listens", lambda: f"udp://127.0.0.1:{ports}" in relais.said())
    waiting = stage.start(["sh", "-c", f"echo subscribe | {RELAIS} send --wait 2s udp://127.0.0.1:{ports}"], "send")
    eventually("it is subscribed", lambda: waiting.output.read_bytes())
    for text in ["one", "two"]:
        equal(send(stage, ports, text)[0], b"sent to 1\n")
        eventually("it is told", lambda text=text: text.encode() in waiting.output.read_bytes())
    equal(waiting.end(), 0)


@test
def what_cannot_be_called_is_a_wrong_argument(stage):
    for endpoint in [":6666", "0", "udp://127.0.0.1:0"]:
        _, said = send(stage, endpoint, "x", status=2)
        holds(said, "nobody can be called at")
    _, said = send(stage, "/tmp/x.sock", "x", status=2)
    holds(said, "hint: a Unix socket is unix:///tmp/x.sock")


@test
def a_line_that_comes_in_parts_is_shown_once(stage):
    def ask_for_a_name(stream):
        stream.sendall(b"one li")
        time.sleep(0.2)
        stream.sendall(b"ne\nlogin: ")
        name = stream.recv(100)
        stream.sendall(b"hello " + name)
        stream.recv(100)

    with Serving(ask_for_a_name) as server:
        with Tmux(stage, f"{RELAIS} send {server.port}") as terminal:
            terminal.sees("one line\nlogin:")
            terminal.type("anna", "Enter")
            terminal.sees("one line\nlogin: anna\nhello anna\n>")
            terminal.type("C-d")
            terminal.sees("end 0")


@test
def ctrl_c_ends_it_where_nobody_takes_what_is_typed(stage):
    held = threading.Event()

    def take_nothing(stream):
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        held.wait(30)

    with Serving(take_nothing) as server:
        terminal = Tmux(stage, f"trap : INT; {RELAIS} send {server.port}")
        try:
            terminal.sees(">")
            text = stage.write("much", ("x" * 4_000 + "\n") * 1_200)
            terminal.run("load-buffer", text)
            terminal.run("paste-buffer", "-t", "s")
            time.sleep(1)
            terminal.type("C-c")
            eventually("its end", lambda: "end 130" in terminal.screen(), 30)
        finally:
            held.set()
            terminal.end()


@test
def the_echo_of_relais_listen_is_identical_by_tcp_udp_and_tls(stage):
    words = ["tcp://127.0.0.1:0", "udp://127.0.0.1:0", "tls://127.0.0.1:0", "ws://127.0.0.1:0"]
    server = stage.start([RELAIS, "listen", *words, "--as", "echo"], "listen")
    told = r"^(tcp|udp|tls|ws)://127.0.0.1:([1-9][0-9]*)"
    server.await_that("four endpoints told", lambda: len(re.findall(told, server.said(), re.M)) >= 4)
    for scheme, port in re.findall(told, server.said(), re.M):
        equal(send(stage, f"{scheme}://127.0.0.1:{port}", "--verify", "coucou"), (b"identical\n", ""))
        holds(send(stage, f"{scheme}://127.0.0.1:{port}", text=b"1\n2\n3\n")[0].decode(), "1\n2\n3\n")


@test
def the_calculator_of_relais_listen_answers_each_line(stage):
    server = stage.start([RELAIS, "listen", "tcp://127.0.0.1:0", "--as", "calc"], "listen")
    told = r"^tcp://127.0.0.1:([1-9][0-9]*)"
    server.await_that("an endpoint told", lambda: re.search(told, server.said(), re.M))
    port = re.search(told, server.said(), re.M)[1]
    for _ in range(2):
        printed, said = send(stage, f"tcp://127.0.0.1:{port}", text=b"2^200\n1/0\n3 km in miles\n")
        answers = printed.decode().splitlines()
        equal(len(answers), 3, said)
        equal(answers[0], str(2**200))
        holds(answers[1], "error: division by zero")
        holds(answers[2], "1.86411")


@test
def who_may_start_no_thread_is_told_so(stage):
    if os.getuid() == 0 and not others_may_run(RELAIS):
        raise Skip("the limit is none of root's, and nobody else may run relais")

    def alone():
        resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))

    limits = {"preexec_fn": alone, "user": 65534 if os.getuid() == 0 else None}
    with Serving(lambda stream: stream.recv(10)) as server:
        for words in [[f"tcp://127.0.0.1:{server.port}"], [f"tcp://localhost:{server.port}", "x"]]:
            done = stage.finish([RELAIS, "send", *words], 10, input=b"x\n", **limits)
            said = done.stderr.decode()
            equal(done.returncode, 1, said)
            holds(said, "starting a thread")


def others_may_run(program):
    """Whether everybody may go through all the folders above it."""
    path = pathlib.Path(program).resolve()
    return all(path.stat().st_mode & 0o001 for path in [path, *path.parents])
