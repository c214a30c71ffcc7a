"""What tests stand on: scratch folders, free ports, and programs that are ended with the test."""

import contextlib
import dataclasses
import hashlib
import importlib
import itertools
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import typing

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
RELAIS = os.path.abspath(os.environ.get("RELAIS", REPOSITORY / "target/debug/relais"))

# How long a server may take to listen; a machine under load is slow.
START_SECONDS = 60
# What a test has that asks for no more: what takes 10 s alone takes a minute beside others.
TEST_SECONDS = 180
# Below those that the system gives to whoever asks for any: nobody gets one of these by chance before
# the program has it that is told it, or while that program is down.
PORTS = range(12_000, 32_000)

TESTS = []


class Skip(Exception):
    """A test that cannot run here."""


class Late(Exception):
    """A test that is not done in its time. No `TimeoutError`: sockets raise those, and tests expect them."""


@dataclasses.dataclass
class Test:
    function: typing.Callable
    seconds: int

    @property
    def title(self):
        return self.function.__name__.replace("_", " ")

    @property
    def module(self):
        return self.function.__module__


def test(function=None, *, seconds=TEST_SECONDS):
    """Makes a function a test, whose name is its sentence."""
    if function is None:
        return lambda function: test(function, seconds=seconds)
    TESTS.append(Test(function, seconds))
    return function


@contextlib.contextmanager
def deadline(seconds):
    def late(_signal, _frame):
        raise Late(f"not done after {seconds} s")

    signal.signal(signal.SIGALRM, late)
    # And again, should something take it for a fault of its own.
    signal.setitimer(signal.ITIMER_REAL, seconds, 10)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def need(*programs):
    """Skips the test if one of these programs is not here."""
    for program in programs:
        if not shutil.which(program):
            raise Skip(f"{program} is not installed")


def eventually(what, question, seconds=40):
    """Asks `question` until the answer is true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


def equal(found, expected, what=""):
    assert found == expected, f"{what or 'found'}: {found!r}, expected {expected!r}"


def holds(text, part, what=""):
    assert part in text, f"{what or 'text'} without {part!r}: {text!r}"


def free_port():
    """A port of TCP and UDP that nobody has here, and that is given once."""
    for _ in PORTS:
        port = next(NEXT_PORTS)
        with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagram:
            with contextlib.suppress(OSError):
                stream.bind(("", port))
                datagram.bind(("", port))
                return port
    raise AssertionError(f"no port of {PORTS} is free")


def from_a_place_of_its_own(ports):
    """All of them in turn. Who runs at the same time begins elsewhere."""
    skipped = os.getpid() * 97 % len(ports)
    return itertools.islice(itertools.cycle(ports), skipped, None)


NEXT_PORTS = from_a_place_of_its_own(PORTS)


def connects(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


class Stage:
    """A scratch folder, and the programs running in it."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="relais-outside-"))
        # A worker of nginx that root starts is another user.
        self.folder.chmod(0o755)
        self.programs = []
        self.mounts = []

    def path(self, name):
        return self.folder / name

    def write(self, name, content):
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def random_file(self, name, size, seed=1):
        """A file that does not compress, the same each time."""
        return self.write(name, random.Random(seed).randbytes(size))

    def env(self):
        # Nothing of the one who runs the tests: no proxy, no data folder, no home.
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        return env | {"RELAIS_DATA": str(self.path("data")), "NO_COLOR": "1", "TMPDIR": str(self.folder)}

    def start(self, command, name, **options):
        program = Program(self, command, name, options)
        self.programs.append(program)
        return program

    def relais(self, *arguments, urls=1, **options):
        """Starts relais and waits until it has told `urls` addresses."""
        program = self.start([RELAIS, *map(str, arguments)], "relais", **options)
        program.await_urls(urls)
        return program

    def up(self, config, urls=1, **options):
        """Starts relais with the text of a configuration."""
        path = self.write("relais.toml", config)
        return self.relais("up", path, urls=urls, **options)

    def run(self, command, status=0, seconds=120, **options):
        """Runs a program to its end; what it printed, as text if it is text."""
        done = self.finish(command, seconds, **options)
        if status is not None and done.returncode != status:
            said = (done.stdout[-2000:] + done.stderr[-2000:]).decode(errors="replace")
            raise AssertionError(f"{command[0]} ended with {done.returncode}, expected {status}: {said}")
        return done.stdout

    def finish(self, command, seconds=120, **options):
        options = {"env": self.env(), "cwd": self.folder, "stdin": subprocess.DEVNULL} | options
        if "input" in options:
            del options["stdin"]
        return subprocess.run(
            [str(word) for word in command], capture_output=True, timeout=seconds, check=False, **options
        )

    def curl(self, *arguments, **options):
        return self.run(["curl", "--silent", "--show-error", "--max-time", "100", *arguments], **options)

    def authority(self):
        """The certificate of the local authority, once a relais has listened on https."""
        return self.path("data/authority/ca.pem")

    def told(self):
        """The last words of all programs."""
        return "\n".join(f"    {p.name} said:\n{indented(p.said()[-3000:])}" for p in self.programs if p.said())

    def clear(self):
        for program in reversed(self.programs):
            program.kill()
        for mount in reversed(self.mounts):
            subprocess.run(["umount", "-l", mount], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def library(stage, package, module):
    """A module of a library that knows nothing of relais, which `package` installs where it is not there."""
    try:
        return importlib.import_module(module)
    except ImportError:
        folder = str(stage.path("library"))
        get = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", folder, package]
        # With the environment of who runs the tests: the way to the registry may be told there.
        if stage.finish(get, env=None).returncode != 0:
            raise Skip(f"{package} is not installed, and pip did not get it") from None
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        return importlib.import_module(module)


def indented(text):
    return "\n".join(f"      {line}" for line in text.splitlines())


class Program:
    """A program running beside the test. Ended by its own process id or group, never by name."""

    def __init__(self, stage, command, name, options):
        self.name = name
        self.output = stage.path(f"{name}-{len(stage.programs)}.log")
        options = {"env": stage.env(), "cwd": stage.folder} | options
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A group of its own, so that its children can be ended with it.
                start_new_session=True,
                **options,
            )
        self.urls = []

    @property
    def pid(self):
        return self.process.pid

    def said(self):
        return self.output.read_text(errors="replace")

    def await_urls(self, count):
        def told():
            self.urls = re.findall(r"^https?://[^\s/]*:[1-9][0-9]*", self.said(), re.M)
            return len(self.urls) >= count

        self.await_that(f"{count} addresses told", told)

    def await_port(self, port):
        self.await_that(f"port {port} open", lambda: connects(port))

    def await_that(self, what, question):
        def asked():
            if question():
                return True
            ended = self.process.poll()
            assert ended is None, f"{self.name} ended with {ended} before: {what}"
            return False

        eventually(what, asked, START_SECONDS)

    @property
    def http(self):
        return next(url for url in self.urls if url.startswith("http:"))

    @property
    def https(self):
        return next(url for url in self.urls if url.startswith("https:"))

    @property
    def port(self):
        return int(self.urls[0].rsplit(":", 1)[1])

    @property
    def tls_port(self):
        return int(self.https.rsplit(":", 1)[1])

    def signal(self, number):
        self.process.send_signal(number)

    def end(self, seconds=60):
        """Waits for its end; the exit code."""
        return self.process.wait(seconds)

    def stop(self, seconds=60):
        """Asks it to end; the exit code."""
        self.signal(signal.SIGTERM)
        return self.end(seconds)

    def kill(self):
        if self.process.poll() is None:
            # nginx's workers would outlive a master that is killed alone.
            os.killpg(self.pid, signal.SIGKILL)
            self.process.wait(10)


class Raw:
    """A connection that says what it is told to, byte for byte."""

    def __init__(self, port, seconds=40):
        self.socket = socket.create_connection(("127.0.0.1", port), seconds)
        self.socket.settimeout(seconds)

    def send(self, text):
        self.socket.sendall(text.encode("latin-1") if isinstance(text, str) else text)
        return self

    def rest(self):
        """All that comes until the other side closes."""
        parts = []
        with contextlib.suppress(ConnectionResetError):
            while part := self.socket.recv(65536):
                parts.append(part)
        return b"".join(parts)

    def head(self):
        got = b""
        while b"\r\n\r\n" not in got:
            part = self.socket.recv(1)
            assert part, f"closed within a head: {got!r}"
            got += part
        return got.decode("latin-1")

    def close(self):
        self.socket.close()


def sum_of(content):
    return hashlib.sha256(content).hexdigest()


def fields(head):
    """The fields of an answer's head; the last of a name counts."""
    lines = head.replace("\r\n", "\n").strip().split("\n")[1:]
    return {name.strip().lower(): value.strip() for name, _, value in (l.partition(":") for l in lines)}
