"""Beginning and end: signals, reloads, sockets from outside, ports that are taken."""

import fcntl
import re
import signal
import socket
import sys
import threading
import time

from stage import RELAIS, Raw, equal, eventually, free_port, holds, need, test
from with_crowds import all_good, h2load


def config(port, text="one", root="site"):
    return f"""\
[serve.{text}]
listen = "http://127.0.0.1:{port}"
root = "{root}"
"""


@test
def a_slow_download_is_finished_before_the_end(stage):
    # Much more than the sockets between them hold.
    stage.random_file("site/big.bin", 30_000_000)
    relais = stage.relais("serve", "site", "-l", "http://127.0.0.1:0")
    words = ["curl", "-sS", "--limit-rate", "8M", "-o", "copy.bin", f"{relais.http}/big.bin"]
    curl = stage.start(words, "curl")
    eventually("a part of the file", lambda: stage.path("copy.bin").exists() and stage.path("copy.bin").stat().st_size > 100_000)
    relais.signal(signal.SIGTERM)
    # Nobody new is let in meanwhile.
    eventually("the port closed", lambda: refused(relais.port))
    equal(relais.process.poll(), None, "running while one is inside")
    equal(curl.end(), 0, "curl")
    equal(stage.path("copy.bin").read_bytes() == stage.path("site/big.bin").read_bytes(), True, "the same bytes")
    equal(relais.end(), 0, "exit code")


def refused(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except ConnectionRefusedError:
        return True
    return False


@test
def a_second_signal_ends_at_once(stage):
    stage.random_file("site/big.bin", 30_000_000)
    relais = stage.relais("serve", "site", "-l", "http://127.0.0.1:0")
    caller = Raw(relais.port).send("GET /big.bin HTTP/1.1\r\nHost: a.localhost\r\n\r\n")
    caller.head()
    relais.signal(signal.SIGINT)
    time.sleep(0.5)
    equal(relais.process.poll(), None, "running while one is inside")
    relais.signal(signal.SIGINT)
    began = time.monotonic()
    relais.end()
    assert time.monotonic() - began < 4, "at once"


@test
def a_second_signal_ends_a_reload_that_waits_for_the_disk(stage):
    stage.write("site/index.html", "x")
    port = free_port()
    relais = stage.up(config(port))
    stage.write("data/authority/.lock", "")
    with open(stage.path("data/authority/.lock"), "w") as lock:
        # Who needs a certificate waits until nobody else makes one.
        fcntl.flock(lock, fcntl.LOCK_EX)
        stage.write("relais.toml", config(port).replace("http:", "https:").replace(str(port), str(free_port())))
        relais.signal(signal.SIGHUP)
        time.sleep(0.3)
        relais.signal(signal.SIGTERM)
        relais.await_that("the first signal heard", lambda: "while the reload waits for the disk" in relais.said())
        equal(stage.curl(f"http://127.0.0.1:{port}/"), b"x", "answered until then")
        # Two at once are one.
        time.sleep(0.2)
        relais.signal(signal.SIGTERM)
        equal(relais.end(4), 1, "exit code")
    holds(relais.said(), "error: callers were cut off: told to stop twice")


@test
def idle_callers_do_not_hold_up_the_end(stage):
    stage.write("site/index.html", "x")
    relais = stage.relais("serve", "site", "-l", "http://127.0.0.1:0")
    callers = [Raw(relais.port) for _ in range(20)]
    for caller in callers[:10]:
        caller.send("GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n").head()
    began = time.monotonic()
    equal(relais.stop(), 0, "exit code")
    assert time.monotonic() - began < 4, f"took {time.monotonic() - began:.1f} s"


class Asking:
    """Asks without pause, a new connection each time, and keeps what went wrong."""

    def __init__(self, port, paths=("/",)):
        self.port, self.paths, self.wrong, self.count, self.over = port, paths, [], 0, False
        self.thread = threading.Thread(target=self.ask)

    def ask(self):
        while not self.over:
            for path in self.paths:
                try:
                    got = Raw(self.port).send(f"GET {path} HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n\r\n").rest()
                except OSError as error:
                    got = repr(error).encode()
                self.count += 1
                if not got.startswith(b"HTTP/1.1 200 "):
                    self.wrong.append(got[:200])

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()


def reload_under_load(stage, reload):
    stage.write("one/index.html", "one")
    stage.write("two/index.html", "two")
    port = free_port()
    relais = stage.up(config(port, root="one"))
    load = stage.start(["h2load", "--h1", "-n", "60000", "-c", "8", "-D", "6", f"http://127.0.0.1:{port}/"], "h2load")
    with Asking(port) as asking:
        for number in range(10):
            root = ("one", "two")[(number + 1) % 2]
            stage.write("relais.toml", config(port, root=root))
            reload(relais)
            eventually(f"{root} after a reload", lambda root=root: stage.curl(f"http://127.0.0.1:{port}/") == root.encode())
            # On a busy machine, too, some are asked before the next.
            before = asking.count
            eventually("requests between reloads", lambda before=before: asking.count > before + 5)
    equal(asking.wrong, [], "lost requests")
    equal(load.end(30), 0, "h2load")
    said = load.said()
    holds(said, " 0 failed, 0 errored, 0 timeout")
    equal(relais.stop(), 0, "exit code")


@test
def a_reload_by_signal_loses_no_request(stage):
    need("h2load")
    reload_under_load(stage, lambda relais: relais.signal(signal.SIGHUP))


@test
def a_reload_by_command_loses_no_request(stage):
    need("h2load")
    reload_under_load(stage, lambda relais: stage.run([RELAIS, "reload", "relais.toml"]))


@test
def a_reload_opens_and_closes_ports(stage):
    stage.write("site/index.html", "x")
    first, second = free_port(), free_port()
    relais = stage.up(config(first))
    stage.write("relais.toml", config(second))
    stage.run([RELAIS, "reload", "relais.toml"])
    equal(stage.curl(f"http://127.0.0.1:{second}/"), b"x")
    eventually("the first port closed", lambda: refused(first))
    equal(relais.stop(), 0, "exit code")


@test
def a_file_that_does_not_check_changes_nothing(stage):
    stage.write("site/index.html", "x")
    port = free_port()
    relais = stage.up(config(port))
    stage.write("relais.toml", config(port).replace("root", "rot"))
    done = stage.finish([RELAIS, "reload", "relais.toml"])
    equal(done.returncode in (1, 2, 3), True, f"refused, but ended with {done.returncode}")
    holds(done.stderr.decode() + done.stdout.decode(), "rot")
    relais.signal(signal.SIGHUP)
    eventually("a word about it", lambda: "rot" in relais.said())
    equal(stage.curl(f"http://127.0.0.1:{port}/"), b"x")
    # A port that is taken is no reason to stop, either.
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        stage.write("relais.toml", config(port) + config(taken, "other"))
        done = stage.finish([RELAIS, "reload", "relais.toml"])
        assert done.returncode != 0, "a taken port is told"
        holds(done.stderr.decode() + done.stdout.decode(), str(taken))
    equal(stage.curl(f"http://127.0.0.1:{port}/"), b"x")
    equal(relais.stop(), 0, "exit code")


@test
def reload_says_so_when_nobody_listens(stage):
    stage.write("site/index.html", "x")
    stage.write("relais.toml", config(free_port()))
    done = stage.finish([RELAIS, "reload", "relais.toml"])
    equal(done.returncode, 1, "exit code")
    assert done.stderr.strip(), "a word about it"


@test
def killed_and_started_again_it_listens_at_once(stage):
    stage.write("site/index.html", "x")
    port = free_port()
    stage.write("relais.toml", config(port) + 'access_log = { file = "access.log" }\n')
    for _ in range(5):
        relais = stage.relais("up", "relais.toml")
        callers = [Raw(port) for _ in range(5)]
        for caller in callers:
            caller.send("GET / HTTP/1.1\r\nHost: a.localhost\r\n\r\n").head()
        relais.signal(signal.SIGKILL)
        relais.end()
    began = time.monotonic()
    relais = stage.relais("up", "relais.toml")
    equal(stage.curl(f"http://127.0.0.1:{port}/"), b"x")
    assert time.monotonic() - began < 4, f"took {time.monotonic() - began:.2f} s"
    # What the killed ones left behind is not in the way of the control socket.
    stage.run([RELAIS, "reload", "relais.toml"])
    for line in stage.path("access.log").read_text().splitlines():
        assert re.match(r"127\.0\.0\.1 .*\" 200 ", line), line
    equal(relais.stop(), 0, "exit code")


@test
def a_taken_port_is_named(stage):
    stage.write("site/index.html", "x")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        stage.write("relais.toml", config(port))
        for words in [["up", "relais.toml"], ["serve", "site", "-l", f"127.0.0.1:{port}"]]:
            done = stage.finish([RELAIS, *words])
            equal(done.returncode in (1, 2), True, f"exit code {done.returncode}")
            said = done.stderr.decode()
            holds(said, str(port))
            holds(said, "cannot listen on")
            assert "panicked" not in said, said


@test
def what_does_not_check_is_told_with_its_place(stage):
    stage.write("relais.toml", '[serve.site]\nlisten = "http://127.0.0.1:0"\nrot = "site"\n')
    for words in [["check", "relais.toml"], ["up", "relais.toml"]]:
        done = stage.finish([RELAIS, *words])
        equal(done.returncode, 2, "exit code")
        said = done.stderr.decode() + done.stdout.decode()
        for part in ["relais.toml:3", "rot", "root", "hint: "]:
            holds(said, part)
    for words in [["serve", "no-such-folder"], ["up", "no-such-file.toml"], ["serve", "--no-such-flag"], ["nonsense"]]:
        equal(stage.finish([RELAIS, *words]).returncode, 2, f"exit code of {words}")


@test
def a_socket_that_a_supervisor_bound_is_taken_over(stage):
    stage.write("site/index.html", "activated")
    with socket.create_server(("127.0.0.1", 0), backlog=64) as bound:
        port = bound.getsockname()[1]
        stage.write("relais.toml", config(port))
        # Callers queue up before there is anybody to answer.
        early = Raw(port).send("GET / HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n\r\n")
        for _ in range(2):
            relais = activated(stage, bound, stage.folder)
            relais.await_urls(1)
            holds(stage.curl(f"http://127.0.0.1:{port}/").decode(), "activated")
            equal(relais.stop(), 0, "exit code")
        holds(early.rest(), b"activated")


# As systemd does it: the socket is descriptor 3, and the environment names its reader.
ACTIVATE = """\
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""


def activated(stage, bound, folder):
    """Starts a relais that inherits the socket `bound`."""
    command = [sys.executable, "-c", ACTIVATE, bound.fileno(), RELAIS, "up", "relais.toml"]
    return stage.start(command, "relais", cwd=folder, pass_fds=[bound.fileno()])


@test
def systemd_socket_activate_hands_its_socket_over(stage):
    need("systemd-socket-activate")
    stage.write("site/index.html", "activated")
    port = free_port()
    stage.write("relais.toml", config(port))
    words = ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", "-E", f"RELAIS_DATA={stage.path('data')}"]
    relais = stage.start([*words, RELAIS, "up", "relais.toml"], "relais")
    relais.await_that("listening", lambda: "istening on" in relais.said())
    equal(stage.curl("--retry", "3", f"http://127.0.0.1:{port}/"), b"activated")
    equal(relais.stop(), 0, "exit code")


@test
def a_supervisor_is_told_when_it_is_ready(stage):
    stage.write("site/index.html", "x")
    stage.write("relais.toml", config(0))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(str(stage.path("notify")))
        notify.settimeout(10)
        env = stage.env() | {"NOTIFY_SOCKET": str(stage.path("notify"))}
        relais = stage.relais("up", "relais.toml", env=env)
        holds(notify.recv(4096), b"READY=1")
        equal(relais.stop(), 0, "exit code")
        holds(notify.recv(4096), b"STOPPING=1")


@test
def the_demo_answers_where_it_says(stage):
    relais = stage.relais("up", urls=2)
    clear, tls = (url.replace("127.0.0.1", "localhost") for url in (relais.http, relais.https))
    holds(stage.curl(f"{clear}/").decode(), "<title>relais")
    holds(stage.curl("--cacert", stage.authority(), f"{tls}/learn.html").decode(), "Learn in the terminal")
    stage.curl("--fail", "--cacert", stage.authority(), f"{relais.https}/requests.html")
    equal(relais.stop(), 0, "exit code")


@test
def hosts_are_told_apart_on_one_port(stage):
    stage.write("red/index.html", "red")
    stage.write("blue/index.html", "blue")
    port = free_port()
    sites = "".join(
        f'[serve.{name}]\nlisten = ["http://127.0.0.1:{port}"]\nroot = "{name}"\nhosts = ["{host}"]\n'
        for name, host in [("red", "red.test"), ("blue", "*.blue.test")]
    )
    relais = stage.up(sites)
    for host, expect in [("red.test", b"red200"), ("RED.test", b"red200"), ("a.blue.test", b"blue200"), (f"red.test:{port}", b"red200")]:
        equal(stage.curl("-H", f"Host: {host}", "-w", "%{http_code}", f"http://127.0.0.1:{port}/"), expect, host)
    unknown = stage.curl("-H", "Host: green.test", "-o", "/dev/null", "-w", "%{http_code}", f"http://127.0.0.1:{port}/")
    holds([b"421", b"404"], unknown)
    equal(relais.stop(), 0, "exit code")
