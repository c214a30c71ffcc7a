"""Terminals: one that keeps all it is given, and one that is looked at and typed into."""

import itertools
import os
import pty

from stage import eventually, need


def on_a_terminal(command, env, keys=b"", after=0):
    """What a terminal is given. Keys are typed once it was given so many bytes."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(command[0], [str(word) for word in command], env | {"TERM": "xterm"})
    shown = b""
    while True:
        if keys and len(shown) >= after:
            os.write(terminal, keys)
            keys = b""
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    return shown, os.waitstatus_to_exitcode(status)


TERMINALS = itertools.count()


class Tmux:
    """A terminal of 80 columns, if nothing else is asked for, and a person who types. `command` is of a shell."""

    def __init__(self, stage, command, size=(80, 24)):
        need("tmux")
        self.base = ["tmux", "-S", str(stage.path(f"tmux-{next(TERMINALS)}")), "-f", "/dev/null"]
        self.stage = stage
        columns, rows = map(str, size)
        self.run("new-session", "-d", "-x", columns, "-y", rows, "-s", "s", f"{command}; echo end $?; sleep 60")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def run(self, *words):
        return self.stage.run([*self.base, *words], env=self.stage.env() | {"TERM": "xterm"})

    def type(self, *keys):
        self.run("send-keys", "-t", "s", *keys)

    def resize(self, columns, rows):
        self.run("resize-window", "-t", "s", "-x", str(columns), "-y", str(rows))

    def shown(self, what):
        """What tmux says of the terminal, such as `#{alternate_on}`."""
        return self.run("display-message", "-p", "-t", "s", what).decode().strip()

    def screen(self):
        return self.run("capture-pane", "-p", "-t", "s").decode()

    def sees(self, text):
        try:
            eventually(text, lambda: text in self.screen())
        except AssertionError:
            raise AssertionError(f"no {text!r} on the screen:\n{self.screen()}") from None

    def end(self):
        self.stage.finish([*self.base, "kill-server"])
