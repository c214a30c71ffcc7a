"""`relais listen` in the place of `nc -l`: what comes is kept to the last byte, and files are answered whole."""

import json
import os
import re
import socket
import ssl
import subprocess
import time

from stage import RELAIS, Skip, equal, eventually, free_port, holds, need, sum_of, test
from terminals import Tmux
from with_dialogues import ask, ask_by_datagram, call, connectable, listen, rest


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
def who_cannot_print_serves_on_and_says_so_once(stage):
    relais = stage.start(["sh", "-c", f"exec {RELAIS} listen tcp://127.0.0.1:0 --as ack 2>&1 >/dev/full"], "listen")
    relais.await_that("it listens", lambda: re.search(r"tcp://127.0.0.1:[1-9]", relais.said()))
    port = int(re.search(r"tcp://127.0.0.1:(\d+)", relais.said())[1])
    for _ in range(3):
        equal(ask(port, b"hello\n").decode(), "Message reçu\n")
    eventually("it said", lambda: "cannot write to standard output" in relais.said())
    equal(relais.said().count("ERROR"), 1, relais.said())


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
