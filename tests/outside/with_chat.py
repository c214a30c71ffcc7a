"""relais chat: people at pipes and terminals, and scripts, through a hub that is killed now and then."""

import json
import os
import signal
import stat
import subprocess

from stage import RELAIS, equal, eventually, free_port, holds, test
from terminals import Tmux
from with_a_hub import Bot, hub

PASSWORD = "secret-pass"


class Chat:
    """Somebody at a pipe, who reads along."""

    def __init__(self, stage, port, *arguments, password=PASSWORD):
        self.name = f"chat-{len(stage.programs)}"
        self.output = stage.path(f"{self.name}.log")
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                [RELAIS, "chat", str(port), *arguments],
                stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
                env=stage.env() | {"RELAIS_PASSWORD": password}, cwd=stage.folder,
            )
        stage.programs.append(self)

    def type(self, *lines):
        self.process.stdin.write("".join(f"{line}\n" for line in lines).encode())
        self.process.stdin.flush()

    def said(self):
        return self.output.read_text(errors="replace")

    def sees(self, text, seconds=20):
        eventually(f"{self.name} sees {text!r}: {self.said()}", lambda: text in self.said(), seconds)

    def end(self):
        self.process.stdin.close()
        return self.process.wait(20)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)


def chat(stage, port, *arguments, status=0, password=PASSWORD, **options):
    """A client that runs to its end."""
    env = stage.env() | {"RELAIS_PASSWORD": password}
    done = stage.finish([RELAIS, "chat", str(port), *arguments], env=env, **options)
    equal(done.returncode, status, done.stderr.decode())
    return done.stdout.decode(), done.stderr.decode()


def registered(stage, port, *names):
    for name in names:
        chat(stage, port, "--user", name, "--register")


@test
def two_people_talk_through_a_hub_that_is_killed_and_lose_nothing(stage):
    port = free_port()
    program = hub(stage, f"127.0.0.1:{port}")
    ana, bob = (Chat(stage, port, "--user", name, "--register") for name in ("ana", "bob"))
    ana.type("/join lab")
    ana.sees("#lab")
    bob.type("/join lab")
    ana.sees("bob came into #lab")
    for round in range(3):
        ana.type(f"before {round}")
        bob.sees(f"<ana> before {round}")
        program.kill()
        ana.sees("# the connection is lost")
        # Said to nobody, for now.
        ana.type(*(f"ana-{round}-{nth}." for nth in range(3)))
        bob.type(f"bob-{round}.")
        program = hub(stage, f"127.0.0.1:{port}", store=program.store)
        for one in (ana, bob):
            one.sees(f"<ana> ana-{round}-2.")
            one.sees(f"<bob> bob-{round}.")
    equal((ana.end(), bob.end()), (0, 0))
    for one in (ana, bob):
        for round in range(3):
            equal(one.said().count(f"<ana> before {round}"), 1)
            equal(one.said().count(f"<bob> bob-{round}."), 1)
            said = [line.split("> ")[1] for line in one.said().splitlines() if f"<ana> ana-{round}-" in line]
            equal(said, [f"ana-{round}-{nth}." for nth in range(3)])
        holds(one.said(), "# connected again")


@test
def in_a_dialogue_the_hub_holds_the_turn_and_fin_ends_it_and_not_the_chat(stage):
    port = free_port()
    program = hub(stage, f"127.0.0.1:{port}")
    ana, bob = (Chat(stage, port, "--user", name, "--register") for name in ("ana", "bob"))
    bob.sees("you are bob")
    ana.type("/dialogue bob", "hello")
    bob.sees("-ana→ hello")
    bob.type("/join @ana")
    bob.sees("a dialogue each in turn, your turn")
    ana.type("and?")
    ana.sees("it is not your turn")
    program.kill()
    ana.sees("# the connection is lost")
    program = hub(stage, f"127.0.0.1:{port}", store=program.store)
    bob.type("hi", "fin")
    for one in (ana, bob):
        one.sees("# bob ended the dialogue: fin")
    ana.type("good", "fin")
    bob.sees("-ana→ good")
    equal((ana.end(), bob.end()), (0, 0))


@test
def a_tail_goes_on_over_a_killed_hub_without_a_hole_or_a_double(stage):
    port = free_port()
    # As fast as scripts like.
    program = hub(stage, f"127.0.0.1:{port}", "--messages-a-second", "0")
    registered(stage, port, "ana", "bob")
    tail = Chat(stage, port, "--user", "bob", "--tail", "lab", "--json", "--create")
    frames = lambda: [json.loads(line) for line in tail.said().splitlines() if line.startswith("{")]
    said = lambda: [frame["body"] for frame in frames() if frame["ev"] == "message"]
    # It hears what is said once it is there.
    shown = lambda: chat(stage, port, "--user", "ana", input=b"/join lab\n/who\n")[0]
    eventually("the tail is in the room", lambda: "bob" in shown())
    chat(stage, port, "--user", "ana", "--send", "#lab", "0", "and", "more")
    eventually("the first message", lambda: said() == ["0 and more"])
    for round in range(1, 4):
        program.kill()
        program = hub(stage, f"127.0.0.1:{port}", "--messages-a-second", "0", store=program.store)
        chat(stage, port, "--user", "ana", "--send", "lab", str(round))
    eventually("all that was said", lambda: said()[1:] == ["1", "2", "3"], 40)
    # More than is told at once of what was missed: the rest is asked for.
    tail.process.send_signal(signal.SIGSTOP)
    program.kill()
    program = hub(stage, f"127.0.0.1:{port}", "--messages-a-second", "0", store=program.store)
    typed = "/join lab\n" + "".join(f"m{nth}\n" for nth in range(1200))
    chat(stage, port, "--user", "ana", input=typed.encode())
    tail.process.send_signal(signal.SIGCONT)
    eventually("all that was missed", lambda: len(said()) >= 1204, 60)
    equal(said()[4:], [f"m{nth}" for nth in range(1200)])
    seqs = [frame["seq"] for frame in frames()]
    equal(seqs, sorted(set(seqs)))


@test
def who_follows_a_hub_whose_backup_is_put_back_is_told_so_and_hears_all_that_is_said_from_there(stage):
    port = free_port()
    program = hub(stage, f"127.0.0.1:{port}")
    registered(stage, port, "eve")
    ana, bob = (Chat(stage, port, "--user", name, "--register") for name in ("ana", "bob"))
    for one in (ana, bob):
        one.type("/join lab")
        one.sees("# #lab")
    tail = Chat(stage, port, "--user", "eve", "--tail", "lab")
    ana.sees("eve came into #lab")
    ana.type("before")
    for one in (bob, tail):
        one.sees("<ana> before")
    stage.finish([RELAIS, "hub", "backup", "copy.db", "--at", str(port)])
    ana.type(*(f"lost {nth}" for nth in range(3)))
    for one in (bob, tail):
        one.sees("<ana> lost 2")
    for end in (ana.end, program.kill):
        end()
    for beside in ("", "-wal", "-shm", ".lock"):
        if os.path.exists(f"{program.store}{beside}"):
            os.remove(f"{program.store}{beside}")
    os.rename(os.path.join(stage.folder, "copy.db"), program.store)
    program = hub(stage, f"127.0.0.1:{port}", store=program.store)
    speaker = Bot(program.at)
    speaker.done("LOGIN", user="ana", password=PASSWORD)
    for nth in range(3):
        speaker.done("MESSAGE", room="#lab", body=f"new {nth}.")
    for one in (bob, tail):
        one.sees("the hub's log was set back")
        one.sees("<ana> new 2.")
        equal([one.said().count(f"<ana> new {nth}.") for nth in range(3)], [1, 1, 1])
    # A copy that was made otherwise ends before what they were told.
    told = speaker.done("RESUME", since=0)["cursor"] + 7
    speaker.done("RESUME", since=told)
    equal(speaker.event("rewound")["last"], told - 7)


@test
def who_is_sent_out_waits_for_nothing_more_of_the_room(stage):
    program = hub(stage, "127.0.0.1:0")
    ana = Bot(program.at)
    ana.done("REGISTER", user="ana", password=PASSWORD)
    ana.done("JOIN", room="#lab")
    registered(stage, program.at, "eve")
    for act in (lambda: ana.done("KICK", room="#lab", user="eve"), lambda: ana.done("BAN", room="#lab", user="eve")):
        tail = Chat(stage, program.at, "--user", "eve", "--tail", "lab")
        ana.event("join")
        act()
        equal(tail.process.wait(20), 1)
        tail.sees('you are no longer in "#lab"')
    ana.done("UNBAN", room="#lab", user="eve")
    eve = Chat(stage, program.at, "--user", "eve")
    eve.type("/join lab")
    eve.sees("# #lab")
    ana.done("KICK", room="#lab", user="eve")
    eve.sees("ana sent out eve")
    eve.type("hello?")
    eve.sees("/join")


@test
def what_is_said_too_fast_is_written_down_in_its_order(stage):
    program = hub(stage, "127.0.0.1:0", "--burst", "1", "--messages-a-second", "1")
    registered(stage, program.at, "ana")
    out, _ = chat(stage, program.at, "--user", "ana", input=b"/join lab\none\ntwo\nthree\n")
    said = [line.split("> ")[1] for line in out.splitlines() if "<ana>" in line]
    equal(said, ["one", "two", "three"])


@test
def what_a_pipe_says_is_written_down_once_while_the_hub_is_killed_again_and_again(stage):
    port = free_port()
    fast = ("--messages-a-second", "0")
    program = hub(stage, f"127.0.0.1:{port}", *fast)
    ana = Chat(stage, port, "--user", "ana", "--register")
    ana.type("/join lab", *(f"m{nth}" for nth in range(3000)))
    for nth in (100, 800, 1500, 2200):
        ana.sees(f"<ana> m{nth}\n")
        program.kill()
        program = hub(stage, f"127.0.0.1:{port}", *fast, store=program.store)
    equal(ana.end(), 0)
    bot = Bot(port)
    bot.done("LOGIN", user="ana", password=PASSWORD)
    said, last = [], 0
    while True:
        page = bot.done("HISTORY", room="#lab", after=last, limit=200)
        said += [event["body"] for event in page["events"] if event["ev"] == "message"]
        last = page["events"][-1]["seq"]
        if not page["more"]:
            break
    equal(said, [f"m{nth}" for nth in range(3000)])
    shown = [line.split("> ")[1] for line in ana.said().splitlines() if "<ana>" in line]
    equal(shown, said)


@test
def a_token_is_kept_for_its_owner_and_logging_out_ends_it(stage):
    program = hub(stage, "127.0.0.1:0")
    registered(stage, program.at, "ana")
    files = [path for path in stage.path("data/chat").rglob("*") if path.is_file()]
    equal([stat.S_IMODE(os.stat(path).st_mode) for path in files], [0o600])
    # Without a name, and whatever the password.
    out, _ = chat(stage, program.at, input=b"/join lab\nhello\n", password="wrong")
    holds(out, "you are ana")
    holds(out, "<ana> hello")
    chat(stage, program.at, input=b"/logout\n")
    equal([path for path in files if path.exists()], [])
    _, told = chat(stage, program.at, "--user", "ana", status=1, password="wrong")
    holds(told, "`--register` makes an account")
    chat(stage, program.at, "--user", "ana")


@test
def who_spells_a_name_otherwise_is_known_by_the_same_token(stage):
    program = hub(stage, "127.0.0.1:0")
    registered(stage, program.at, "ana")
    chat(stage, program.at, "--user", "ANA", "--create", "--send", "lab", "one", password="wrong")
    chat(stage, program.at, "--user", "Ana", password="wrong", input=b"/logout\n")
    _, told = chat(stage, program.at, "--user", "ana", "--send", "lab", "two", status=1, password="wrong")
    holds(told, "nobody has this name and password")


@test
def a_token_that_is_of_no_use_any_more_gives_way_to_the_password_at_once(stage):
    program = hub(stage, "127.0.0.1:0")
    registered(stage, program.at, "ana")
    [file] = [path for path in stage.path("data/chat").rglob("*") if path.is_file()]
    unknown = "rt_" + "A" * 43
    # Where nobody says it, and nobody can be asked, the token is forgotten.
    file.write_text(unknown)
    done = stage.finish([RELAIS, "chat", str(program.at), "--send", "lab", "x"])
    equal(done.returncode, 1)
    holds(done.stderr.decode(), "asks for the password, or reads RELAIS_PASSWORD")
    equal(file.exists(), False)
    # What is said in one's name is said, with what logs in from then on.
    file.write_text(unknown)
    _, told = chat(stage, program.at, "--create", "--send", "lab", "one")
    holds(told, "of no use any more: logging in with the password")
    _, told = chat(stage, program.at, "--send", "lab", "two", password="wrong")
    equal(told, "")
    file.write_text(unknown)
    out, _ = chat(stage, program.at, input=b"/join lab\n/history 2\n")
    for word in ("one", "two"):
        holds(out, f"<ana> {word}")
    file.write_text(unknown)
    _, told = chat(stage, program.at, "--user", "ana", status=1, password="wrong-pass")
    holds(told, "nobody has this name and password")
    # At a terminal it is asked for.
    for plain in ("--plain", ""):
        file.write_text(unknown)
        with Tmux(stage, f"{RELAIS} chat {program.at} {plain}") as tmux:
            tmux.sees("password of ana:")
            tmux.type(PASSWORD, "Enter")
            tmux.sees("#lab")
            tmux.type("/quit", "Enter")
            tmux.sees("end 0")


@test
def who_has_an_account_comes_in_from_a_second_device_by_the_questions(stage):
    program = hub(stage, "127.0.0.1:0")
    registered(stage, program.at, "bob")

    def answers(device, password):
        tmux = Tmux(stage, f"RELAIS_DATA={stage.path(device)} {RELAIS} chat {program.at} --plain")
        tmux.sees("your name at")
        tmux.type("bob", "Enter")
        tmux.sees("make an account for bob? [Y/n]")
        # Who overlooks the question does not show it to who looks on.
        tmux.type(password * 8, "Enter")
        tmux.sees("expected y, to make one, or n")
        assert password not in tmux.screen(), tmux.screen()
        tmux.sees("your name at")
        tmux.type("Enter")
        tmux.sees("password of bob")
        tmux.type(password, "Enter")
        tmux.sees("once more")
        tmux.type(password, "Enter")
        tmux.sees("bob has an account here already: logging in with this password")
        return tmux

    with answers("second", PASSWORD) as tmux:
        tmux.sees("you are bob")
        tmux.type("/quit", "Enter")
        tmux.sees("end 0")
    with answers("third", "another-pass") as tmux:
        tmux.sees("nobody has this name and password")
        tmux.sees("`--user=bob` asks for the password")
        tmux.sees("end 1")


@test
def a_hub_is_talked_to_under_tls_and_over_a_socket_of_unix_as_well(stage):
    path = stage.path("hub.sock")
    program = hub(stage, "tls://localhost:0", f"unix://{path}")
    at = f"tls://localhost:{program.at}"
    out, _ = chat(stage, at, "--user", "ana", "--register", input=b"/join lab\n/help\nfin\n")
    holds(out, "#lab")
    holds(out, "/search")
    chat(stage, f"unix://{path}", "--user", "ana", "--send", "lab", "hello")
    out, _ = chat(stage, at, input=b"/join lab\n/history 1\n")
    holds(out, "<ana> hello")
    nobody = {"RELAIS_DATA": str(stage.path("other"))}
    done = stage.finish(
        [RELAIS, "chat", at, "--user", "ana", "--send", "lab", "x"],
        env=stage.env() | nobody | {"RELAIS_PASSWORD": PASSWORD},
    )
    equal(done.returncode, 1)
    holds(done.stderr.decode(), "`--pin`")
    done = stage.finish(
        [RELAIS, "chat", at, "--user", "ana", "--insecure", "--send", "lab", "x"],
        env=stage.env() | nobody | {"RELAIS_PASSWORD": PASSWORD},
    )
    equal((done.returncode, done.stdout), (0, b""))


@test
def what_comes_to_nothing_says_what_to_try(stage):
    port = free_port()
    _, told = chat(stage, port, "--user", "ana", status=1)
    holds(told, f"nobody listens at tcp://127.0.0.1:{port}")
    holds(told, "`relais hub 6680` runs one")
    # Nor is anybody asked who it is, where nobody is asked.
    _, told = chat(stage, port, status=1)
    holds(told, f"nobody listens at tcp://127.0.0.1:{port}")
    program = hub(stage, f"127.0.0.1:{port}")
    _, told = chat(stage, port, status=2)
    holds(told, "`--user NAME --register` makes an account")
    _, told = chat(stage, port, "--user", "ana", status=1)
    holds(told, "the hub refuses")
    registered(stage, port, "ana")
    _, told = chat(stage, port, "--user", "ana", "--register", status=1)
    holds(told, "without `--register` it logs in")
    _, told = chat(stage, port, "--user", "ana", "--send", "@nobody", "hello", status=1)
    holds(told, "the hub refuses")
    _, told = chat(stage, port, "--user", "ana", "--tail", "@nobody", status=1)
    holds(told, "nobody is called")
    _, told = chat(stage, f"udp://127.0.0.1:{program.at}", "--user", "ana", status=2)
    holds(told, "tcp, tls or unix")
    out = stage.finish([RELAIS, "chat", str(port), "--user", "eve"])
    equal(out.returncode, 2)
    holds(out.stderr.decode(), "RELAIS_PASSWORD")


@test
def a_script_whose_message_would_wait_for_long_is_told_so(stage):
    program = hub(stage, "127.0.0.1:0")
    ana = Bot(program.at)
    ana.done("REGISTER", user="ana", password=PASSWORD)
    ana.done("JOIN", room="#lab")
    ana.done("SLOW", room="#lab", seconds=21600)
    registered(stage, str(program.at), "bob")
    chat(stage, str(program.at), "--user", "bob", "--send", "#lab", "once")
    _, told = chat(stage, str(program.at), "--user", "bob", "--send", "#lab", "twice", status=1)
    holds(told, "this room is slow")
    ana.close()


@test
def a_script_makes_no_room_unless_it_is_told_to(stage):
    program = hub(stage, "127.0.0.1:0")
    registered(stage, program.at, "ana", "bob")
    chat(stage, program.at, "--user", "ana", "--send", "general", "hello", "--create")
    for words in [("--send", "genral", "hello"), ("--tail", "genral")]:
        out, told = chat(stage, program.at, "--user", "bob", *words, status=1)
        equal(out, "")
        holds(told, 'there is no room called "#genral"')
        holds(told, "did you mean `#general`? `--create` makes it")
    # It is said in one that there is, however that is written.
    chat(stage, program.at, "--user", "bob", "--send", "#General", "hello")
    holds(chat(stage, program.at, "--user", "bob", input=b"/rooms\n")[0], "#general (2)")
    assert "genral" not in chat(stage, program.at, "--user", "ana", input=b"/rooms genral\n")[0]


@test
def what_one_did_is_written_to_a_new_file(stage):
    program = hub(stage, "127.0.0.1:0", "--messages-a-second", "0")
    registered(stage, program.at, "ana")
    typed = "/join lab\n" + "".join(f"m{nth}\n" for nth in range(400)) + "/export mine.jsonl\n"
    out, _ = chat(stage, program.at, "--user", "ana", input=typed.encode())
    holds(out, " lines written to mine.jsonl")
    path = stage.path("mine.jsonl")
    equal(stat.S_IMODE(os.stat(path).st_mode), 0o600)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    equal([line["body"] for line in lines if line.get("ev") == "message"], [f"m{nth}" for nth in range(400)])
    equal(lines[-1], {"is": "end", "lines": len(lines) - 1})
    before = path.read_bytes()
    out, _ = chat(stage, program.at, "--user", "ana", input=b"/export mine.jsonl\n/export no/mine.jsonl\n")
    holds(out, "there is something of that name already")
    holds(out, "there is no such folder")
    equal(path.read_bytes(), before)


@test
def a_device_that_logs_itself_out_by_name_is_out(stage):
    program = hub(stage, "127.0.0.1:0")
    registered(stage, program.at, "ana")
    for plain in ("--plain", ""):
        chat(stage, program.at, "--user", "ana")
        with Tmux(stage, f"{RELAIS} chat {program.at} --user ana {plain}") as tmux:
            tmux.sees("ana")
            tmux.type("/sessions", "Enter")
            tmux.sees("this one")
            line = next(line for line in tmux.screen().splitlines() if "this one" in line)
            session = next(word for word in line.split() if word.startswith("s_"))
            tmux.type(f"/revoke {session}", "Enter")
            tmux.sees("this device was logged out")
            if plain:
                tmux.sees("--user=ana")
                tmux.sees("end 1")
            else:
                tmux.sees("password of ana:")
                tmux.type(PASSWORD, "Enter")
                tmux.sees("You are in no room yet")
                tmux.type("/logout", "Enter")
                tmux.sees("end 0")
        password = stage.env() | {"RELAIS_PASSWORD": ""}
        done = stage.finish([RELAIS, "chat", str(program.at), "--user", "ana"], env=password)
        equal(done.returncode, 1, "the token is forgotten")


@test
def a_person_at_a_terminal_sees_messages_above_the_line_that_is_typed(stage):
    program = hub(stage, "127.0.0.1:0")
    registered(stage, program.at, "bob")
    with Tmux(stage, f"{RELAIS} chat {program.at} --user ana --register --plain") as tmux:
        tmux.sees("password of ana, 8 characters or more:")
        tmux.type("short", "Enter")
        tmux.sees("this password will not do: 5 characters")
        tmux.type("terminal-pass", "Enter")
        tmux.sees("once more")
        tmux.type("terminal-pass", "Enter")
        tmux.sees("you are ana")
        assert "terminal-pass" not in tmux.screen(), tmux.screen()
        tmux.type("/join lab", "Enter")
        tmux.sees("#lab>")
        tmux.type("half a li")
        chat(stage, program.at, "--user", "bob", "--send", "lab", "salut")
        tmux.sees("<bob> salut")
        tmux.sees("#lab> half a li")
        tmux.type("ne", "Enter")
        tmux.sees("<ana> half a line")
        tmux.type("quit", "Enter")
        tmux.sees("end 0")
