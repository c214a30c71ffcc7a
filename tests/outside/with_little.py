"""Where something runs out: disk, descriptors, places. Features may go, answers may not."""

import os
import re
import shutil
import subprocess
import time

from stage import RELAIS, Raw, Skip, equal, eventually, holds, need, test


def usual_file(stage, name):
    stage.write(f"site/{name}", "still here")


@test
def a_full_disk_under_the_access_log_costs_lines_not_answers(stage):
    if os.geteuid() != 0:
        raise Skip("needs root, to mount a small tmpfs")
    logs = stage.path("logs")
    logs.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", logs]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        raise Skip("mounting a tmpfs is not allowed here")
    stage.mounts.append(logs)
    usual_file(stage, "index.html")
    relais = stage.relais("serve", "site", "-l", "http://127.0.0.1:0", "--access-log", "logs/access.log")
    for number in range(6):
        need("h2load")
        said = stage.run(["h2load", "--h1", "-n", "500", "-c", "5", f"{relais.http}/?{number}"]).decode()
        holds(said, "500 succeeded, 0 failed, 0 errored")
    eventually("the disk full", lambda: shutil.disk_usage(logs).free == 0)
    loud = [line for line in relais.said().splitlines() if "access" in line and ("log" in line)]
    loud = [line for line in loud if "http://" not in line]
    assert 1 <= len(loud) <= 10, f"one loud line, or a few: {loud}"
    # Whole lines again once there is room, and nothing torn before.
    log = logs / "access.log"
    log.write_bytes(b"")
    eventually("a line after there is room", lambda: stage.curl(f"{relais.http}/again") and b"/again" in log.read_bytes(), 15)
    # The write that filled the disk may have left a part of a line; what follows it is whole.
    torn = [line for line in log.read_text().splitlines() if line.strip("\0") and not re.match(r'127\.0\.0\.1 .*".*" \d{3} ', line)]
    assert len(torn) <= 1, torn
    equal(relais.stop(), 0, "exit code")


@test
def running_out_of_descriptors_passes(stage):
    need("prlimit")
    usual_file(stage, "index.html")
    stage.random_file("site/big.bin", 5_000_000)
    stage.write("relais.toml", '[serve.site]\nlisten = "http://127.0.0.1:0"\nroot = "site"\n[limits]\nconnections_max = 1000\nconnections_a_client_max = 1000\n')
    relais = stage.relais("up", "relais.toml")
    # Fewer than it thought it had when it started.
    taken = len(os.listdir(f"/proc/{relais.pid}/fd"))
    stage.run(["prlimit", f"--pid={relais.pid}", f"--nofile={taken + 20}"])
    callers = [Raw(relais.port) for _ in range(60)]
    for caller in callers:
        caller.send("GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
    time.sleep(1)
    before = cpu_seconds(relais.pid)
    time.sleep(2)
    spent = cpu_seconds(relais.pid) - before
    assert spent < 0.5, f"{spent:.2f} s of CPU in 2 s of waiting"
    for caller in callers:
        caller.close()
    eventually("an answer again", lambda: stage.finish(["curl", "-s", "-m", "3", f"{relais.http}/"]).stdout == b"still here", 15)
    said = relais.said()
    assert "panicked" not in said, said
    assert len(said.splitlines()) < 40, f"{len(said.splitlines())} lines were logged"
    equal(relais.stop(), 0, "exit code")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        words = stat.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


@test
def who_finds_no_place_is_told_and_the_others_go_on(stage):
    usual_file(stage, "index.html")
    relais = stage.up('[serve.site]\nlisten = "http://127.0.0.1:0"\nroot = "site"\n[limits]\nconnections_max = 5\nconnections_a_client_max = 5\n')
    ask = "GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n"
    inside = [Raw(relais.port) for _ in range(5)]
    for caller in inside:
        holds(caller.send(ask).head(), " 200 ")
    holds(Raw(relais.port).rest(), b"HTTP/1.1 503 ")
    for caller in inside:
        caller.socket.recv(100)
        holds(caller.send(ask).head(), " 200 ")
    inside.pop().close()
    eventually("a place", lambda: b" 200 " in Raw(relais.port).send(ask.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")).rest())
    equal(relais.stop(), 0, "exit code")


@test
def who_lets_many_large_files_stand_leaves_some_to_others(stage):
    need("prlimit")
    names = [f"{number}.bin" for number in range(30)]
    for name in names:
        stage.write(f"site/{name}", "")
        os.truncate(stage.path(f"site/{name}"), 20_000_000)
    # 128 are kept, and a quarter of the rest is for files: 32, of which one client may have 24.
    words = ["prlimit", "--nofile=256:256", RELAIS, "serve", "site", "-l", "http://127.0.0.1:0"]
    relais = stage.start(words, "relais")
    relais.await_urls(1)
    greedy = [Raw(relais.port).send(f"GET /{name} HTTP/1.1\r\nHost: a.localhost\r\n\r\n") for name in names]
    statuses = [caller.head().split()[1] for caller in greedy]
    equal((statuses.count("200"), statuses.count("503")), (24, 6), "answers to one client")
    for name in [names[0], names[-1]]:
        other = ["--interface", "127.0.0.2", "-o", "/dev/null", "-w", "%{http_code} %{size_download}"]
        equal(stage.curl(*other, f"{relais.http}/{name}"), b"200 20000000", f"{name} for another")
    for caller in greedy:
        caller.close()
    equal(relais.stop(), 0, "exit code")


@test
def a_file_that_shrinks_while_it_is_sent_is_not_made_up(stage):
    stage.random_file("site/big.bin", 50_000_000)
    relais = stage.relais("serve", "site", "-l", "http://127.0.0.1:0", "-l", "https://127.0.0.1:0", urls=2)
    for base in [relais.http, relais.https]:
        stage.random_file("site/big.bin", 50_000_000)
        words = ["curl", "-sS", "--cacert", stage.authority(), "--limit-rate", "8M", "-o", "copy.bin", f"{base}/big.bin"]
        curl = stage.start(words, "curl")
        copy = stage.path("copy.bin")
        eventually("a part of the file", lambda copy=copy: copy.exists() and copy.stat().st_size > 1_000_000)
        os.truncate(stage.path("site/big.bin"), 10_000_000)
        assert curl.end() != 0, "curl took a cut file for whole"
        whole = stage.path("site/big.bin").read_bytes()
        got = copy.read_bytes()[:10_000_000]
        equal(got == whole[: len(got)], True, "what came is of the file")
        copy.unlink()
    equal(stage.curl("-o", "/dev/null", "-w", "%{http_code}", f"{relais.http}/big.bin"), b"200")
