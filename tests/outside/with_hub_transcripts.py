"""The transcripts of docs/reference/hub-protocol.md, each held with a hub that is new."""

import json
import re
import socket
import time

from stage import REPOSITORY, equal, test
from with_a_hub import hub, somebody

PAGE = REPOSITORY / "docs/reference/hub-protocol.md"
PASSWORD = "correct horse battery"

# How long an answer or an event may take; a machine under load is slow.
HEARD_SECONDS = 20

# On the page, what varies.
ANY = "…"


def transcripts():
    """Each block: its line on the page, whether both are in `#lab`, and its lines."""
    text = PAGE.read_text()
    for block in re.finditer(r"^```transcript( lab)?\n(.*?)^```", text, re.M | re.S):
        line = text.count("\n", 0, block.start()) + 1
        yield line, bool(block[1]), block[2].splitlines()


def fits(pattern, value):
    """Whether `value` is as the page has it: the same fields in the same order."""
    if pattern == ANY:
        return True
    if isinstance(pattern, dict):
        same = isinstance(value, dict) and list(pattern) == list(value)
        return same and all(fits(pattern[name], value[name]) for name in pattern)
    if isinstance(pattern, list):
        same = isinstance(value, list) and len(pattern) == len(value)
        return same and all(map(fits, pattern, value))
    if isinstance(pattern, str) and ANY in pattern:
        parts = map(re.escape, pattern.split(ANY))
        return isinstance(value, str) and bool(re.fullmatch(".+".join(parts), value))
    return type(pattern) is type(value) and pattern == value


def spelled(line):
    """A line of the page as a value; what varies alone stands there as a text."""
    return json.loads(re.sub(f"(?<=:){ANY}", f'"{ANY}"', line))


class Heard:
    """What one client heard of a kind, answers or events, and how far the page has it."""

    def __init__(self):
        self.all, self.told = [], 0

    def find(self, pattern):
        for place in range(self.told, len(self.all)):
            if fits(pattern, self.all[place]):
                self.told = place + 1
                return self.all[place]
        return None


class Speaker:
    """One of those who talk in a transcript."""

    def __init__(self, port):
        self.conn = socket.create_connection(("127.0.0.1", port), HEARD_SECONDS)
        self.pending = b""
        self.answers, self.events, self.last = Heard(), Heard(), {}

    def send(self, line):
        """Says a line of the page, with what came last for what varies."""
        def filled(field):
            value = self.last.get(field[1], self.last.get("seq"))
            return f'"{field[1]}":{json.dumps(value)}'

        line = re.sub(f'"([^"]+)":(?:"[^"]*{ANY}"|{ANY})', filled, line)
        self.conn.sendall(line.encode() + b"\n")

    def hear(self, line):
        """Waits for what fits a line of the page."""
        pattern = spelled(line)
        heard = self.events if "ev" in pattern else self.answers
        end = time.monotonic() + HEARD_SECONDS
        while (found := heard.find(pattern)) is None:
            rest = heard.all[heard.told:]
            assert self.listen(end), f"not heard: {line}\n    but: {rest}"
        self.note(found)

    def listen(self, end):
        """Hears some more, until `end`; nothing, if the hub hung up."""
        self.conn.settimeout(max(end - time.monotonic(), 0.01))
        try:
            came = self.conn.recv(65536)
        except TimeoutError:
            return False
        *lines, self.pending = (self.pending + came).split(b"\n")
        for line in lines:
            if not line.startswith(b"# "):
                told = json.loads(line)
                (self.events if "ev" in told else self.answers).all.append(told)
        return came != b""

    def note(self, value):
        """Remembers what came last under each name."""
        for name, inner in value.items() if isinstance(value, dict) else []:
            self.last[name] = inner
            self.note(inner)
        for inner in value if isinstance(value, list) else []:
            self.note(inner)

    def done(self, **frame):
        """Asks something that is on no page, and is answered with `ok`."""
        self.send(json.dumps(frame | {"id": 0}))
        self.hear(f'{{"re":0,"ok":true,{fields_of(frame["cmd"])}}}')


def fields_of(cmd):
    """What is told beside `ok`."""
    joined = ["room", "topic", "private", "last", "read", "role", "unread", "members"]
    fields = {"REGISTER": ["user", "session", "token", "cursor", "rooms"], "JOIN": joined, "PING": ["t"]}[cmd]
    return ",".join(f'"{name}":{ANY}' for name in fields)


def speakers(port, is_lab):
    """Those who talk, by what stands before their lines: accounts in `#lab`, or somebody new."""
    accounts = {}
    for who, name in [("", "ana"), ("bob ", "bob")]:
        # Who calls says something at once: else it would be greeted as a person.
        speaker = accounts[who] = Speaker(port)
        speaker.done(cmd="REGISTER", user=name, password=PASSWORD)
        if is_lab:
            speaker.done(cmd="JOIN", room="#lab")
    if is_lab:
        accounts[""].hear(f'{{"ev":"join","room":"#lab","seq":{ANY},"prev":{ANY},"ts":{ANY},"from":"bob"}}')
        return accounts
    for speaker in accounts.values():
        speaker.conn.close()
    return {"": Speaker(port)}


def hold(port, is_lab, lines):
    """Says and hears `lines`; what nobody is shown to be refused, nobody is."""
    talking = speakers(port, is_lab)
    refused = sum('"err"' in line for line in lines)
    for line in lines:
        who, sign, what = re.fullmatch(r"(bob )?(>>|<<) (.*)", line).groups()
        speaker = talking[who or ""]
        speaker.send(what) if sign == ">>" else speaker.hear(what)
    for speaker in talking.values():
        if "bye" not in speaker.last and speaker.last.get("ev") != "bye":
            speaker.done(cmd="PING", t=1)
    answers = [answer for speaker in talking.values() for answer in speaker.answers.all]
    errors = [answer for answer in answers if "err" in answer]
    equal(len(errors), refused, f"refused: {errors}")


@test(seconds=300)
def every_transcript_of_the_page_is_what_a_hub_says(stage):
    wrong, found = [], list(transcripts())
    assert found, "no transcripts on the page"
    for line, is_lab, lines in found:
        program = hub(stage, "127.0.0.1:0", "udp://127.0.0.1:0", store=stage.path(f"hub-{line}.db"))
        try:
            hold(program.at, is_lab, lines)
        except (AssertionError, OSError) as error:
            wrong.append(f"{PAGE.name}:{line}: {error}")
        equal(program.stop(), 0, "exit code")
    assert not wrong, "\n".join(wrong)


@test
def what_is_typed_on_the_page_shows_what_it_says(stage):
    (shown,) = re.findall(r"^\$ nc 127.0.0.1 \d+\n(.*?)^```", PAGE.read_text(), re.M | re.S)
    program = hub(stage, "127.0.0.1:0")
    bob = somebody(program.at, "bob")
    # What bob does, before each line that tells of it.
    acts = {
        "came into": ("JOIN", {"room": "#lab"}),
        "<bob>": ("MESSAGE", {"room": "#lab", "body": "salut"}),
        "made @bob": ("MESSAGE", {"to": "ana", "body": "between us"}),
        "* bob": ("MESSAGE", {"room": "#lab", "body": "laughs", "kind": "action"}),
    }
    conn = socket.create_connection(("127.0.0.1", program.at), HEARD_SECONDS)
    heard = conn.makefile(encoding="utf-8", newline="\n")
    for line in shown.splitlines():
        for cmd, fields in [act for sign, act in acts.items() if sign in line]:
            bob.done(cmd, **fields)
        if re.match(r"# |\d\d:\d\d ", line):
            told = heard.readline().removesuffix("\n")
            equal(re.sub(r"^\d\d:\d\d", "12:31", told), line)
        else:
            conn.sendall(line.encode() + b"\n")
    equal(heard.readline(), "", "after the last word")


@test
def a_transcript_that_differs_is_found(stage):
    program = hub(stage, "127.0.0.1:0")
    for wrong in ['{"re":1,"ok":true}', '{"re":1,"ok":true,"t":124}', '{"re":1,"t":123,"ok":true}']:
        speaker = Speaker(program.at)
        speaker.send('{"cmd":"PING","id":1,"t":123}')
        speaker.hear('{"re":1,"ok":true,"t":…}')
        speaker.answers.told = 0
        assert speaker.answers.find(spelled(wrong)) is None, wrong
