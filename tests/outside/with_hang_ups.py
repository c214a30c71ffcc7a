"""Terminals that are closed: what was started in one ends with it, unless it was to stay."""

import contextlib
import os
import pty
import re
import signal
import time

from stage import RELAIS, connects, equal, eventually, free_port, need, test


class OnTerminal:
    """A program that was started in a terminal, which can be closed. Both end with the test."""

    def __init__(self, stage, *command):
        command = [str(word) for word in command]
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(stage.folder)
            os.execvpe(command[0], command, stage.env() | {"TERM": "dumb"})
        self.code, self.others = None, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
        for pid in self.others:
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if os.path.samefile(f"/proc/{pid}/exe", RELAIS):
                    os.kill(pid, signal.SIGKILL)
        if not self.has_ended():
            os.kill(self.pid, signal.SIGKILL)
        eventually("the program's end", self.has_ended)

    def close(self):
        if self.terminal is not None:
            os.close(self.terminal)
            self.terminal = None

    def type(self, line):
        os.write(self.terminal, f"{line}\n".encode())

    def await_port(self, port):
        eventually(f"port {port} open", lambda: connects(port) or self.must_run())

    def must_run(self):
        assert not self.has_ended(), f"ended with {self.code}"

    def has_ended(self):
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code is not None

    def keep_children(self):
        """Has the program that it runs ended with the test, too."""
        with open(f"/proc/{self.pid}/task/{self.pid}/children") as children:
            self.others = [int(pid) for pid in children.read().split()]


def is_closed(port):
    return not connects(port)


def await_ready(port, pid):
    """Until the port is open, and the program listens for SIGHUP, which is a moment later."""

    def is_ready():
        with open(f"/proc/{pid}/status") as status:
            caught = re.search(r"^SigCgt:\s*(\w+)", status.read(), re.M)
        return connects(port) and int(caught[1], 16) & 1

    eventually(f"port {port} open", is_ready)


def site(port, root="one"):
    return f'[serve.site]\nlisten = "http://127.0.0.1:{port}"\nroot = "{root}"\n'


def shows(port, stage, expect):
    eventually(f"{expect} after a reload", lambda: stage.curl(f"http://127.0.0.1:{port}/") == expect.encode())


@test
def who_closes_the_terminal_ends_what_was_started_in_it(stage):
    stage.write("one/index.html", "one")
    for words in ["listen {}", "listen {} --as echo", "relay {} 9", "serve one -l 127.0.0.1:{}", "proxy {} 9", "up relais.toml"]:
        port = free_port()
        stage.write("relais.toml", site(port))
        with OnTerminal(stage, RELAIS, *words.format(port).split()) as relais:
            await_ready(port, relais.pid)
            relais.close()
            eventually(f"the end of `{words}`", relais.has_ended)
            equal(relais.code, 0, words)
            equal(connects(port), False, "whether the port is taken")


@test
def so_it_is_behind_a_shell(stage):
    need("bash")
    for line in [f"{RELAIS} listen {{}}; true", f"{RELAIS} listen {{}} & wait"]:
        port = free_port()
        with OnTerminal(stage, "bash", "--norc", "-ic", line.format(port)) as shell:
            shell.await_port(port)
            shell.keep_children()
            shell.close()
            eventually(f"the port of `{line}` free", lambda port=port: is_closed(port))


@test
def a_shell_that_is_told_before_its_terminal_is_gone_ends_it_too(stage):
    need("bash")
    port = free_port()
    with OnTerminal(stage, "bash", "--norc", "-i") as shell:
        shell.type(f"{RELAIS} listen {port} &")
        shell.await_port(port)
        shell.keep_children()
        # As some terminals do it. The shell tells its jobs, and ends; what is in the background is told no more.
        os.kill(shell.pid, signal.SIGHUP)
        eventually("the shell's end", shell.has_ended)
        eventually("the port free", lambda: is_closed(port))


@test
def a_signal_at_a_terminal_that_stays_is_a_reload(stage):
    stage.write("one/index.html", "one")
    stage.write("two/index.html", "two")
    port = free_port()
    stage.write("relais.toml", site(port))
    with OnTerminal(stage, RELAIS, "up", "relais.toml") as relais:
        await_ready(port, relais.pid)
        for root in ["two", "one"]:
            stage.write("relais.toml", site(port, root))
            os.kill(relais.pid, signal.SIGHUP)
            shows(port, stage, root)
        # GONE_WITHIN of run/hang_up.rs, and a little: then it looks for the terminal once more.
        time.sleep(1.2)
        relais.must_run()
        os.kill(relais.pid, signal.SIGTERM)
        eventually("its end", relais.has_ended)
        equal(relais.code, 0, "exit code")


@test
def who_is_left_behind_in_a_terminal_reloads(stage):
    need("bash")
    stage.write("one/index.html", "one")
    stage.write("two/index.html", "two")
    port = free_port()
    stage.write("relais.toml", site(port))
    with OnTerminal(stage, "bash", "--norc", "-i") as shell:
        shell.type(f"{RELAIS} up relais.toml 2>told &")
        shell.await_port(port)
        shell.keep_children()
        # It tells its jobs nothing.
        shell.type("exit")
        eventually("the shell's end", shell.has_ended)
        told = stage.path("told")
        eventually("a word of it", lambda: "SIGHUP is a reload from now on" in told.read_text())
        for root in ["two", "one"]:
            stage.write("relais.toml", site(port, root))
            os.kill(shell.others[0], signal.SIGHUP)
            shows(port, stage, root)
        os.kill(shell.others[0], signal.SIGTERM)
        eventually("the port free", lambda: is_closed(port))


@test
def who_is_to_outlive_the_terminal_does_and_reloads(stage):
    need("nohup", "setsid")
    stage.write("one/index.html", "one")
    stage.write("two/index.html", "two")
    for before in [["nohup"], ["setsid", "--wait"]]:
        port = free_port()
        stage.write("relais.toml", site(port))
        pid_file = stage.path("pid")
        line = f"echo $$ >pid; exec {RELAIS} up relais.toml"
        with OnTerminal(stage, *before, "sh", "-c", line) as relais:
            eventually(f"port {port} open", lambda port=port: connects(port))
            pid = int(pid_file.read_text())
            await_ready(port, pid)
            relais.others = [pid]
            relais.close()
            for root in ["two", "one"]:
                stage.write("relais.toml", site(port, root))
                os.kill(pid, signal.SIGHUP)
                shows(port, stage, root)
            os.kill(pid, signal.SIGTERM)
            eventually("the port free", lambda port=port: is_closed(port))
