"""The hub as somebody hears it who types: what is wrong, and what was not done, in the words of the commands."""

import socket

from stage import equal, holds, need, test
from with_a_hub import hub


def typed(stage, program, *lines):
    """What is shown to somebody who types these lines with nc."""
    need("nc")
    said = "".join(f"{line}\n" for line in lines).encode()
    shown = stage.finish(["nc", "-N", "-w", "10", "127.0.0.1", str(program.at)], input=said)
    return shown.stdout.decode().splitlines()


@test
def what_is_typed_wrongly_is_told_with_the_usage_and_an_example_in_both_languages(stage):
    program = hub(stage, "127.0.0.1:0")
    shown = typed(stage, program, "salut", "/register ana secret-pass", "salut", "/join lab", "/kick", "/mute bob soon",
                  "/lang fr", "/kick", "/mute bob bientôt", "/fly", "/whois nobody", "/part nowhere")
    equal(shown, [
        "# this is for who has an account: /login NAME or /register NAME first",
        "# you are ana",
        "# you are in no room: /join ROOM comes into one, /msg NAME TEXT speaks to one person",
        "# ana made #lab",
        "# #lab (1), owner",
        "# NAME is missing: /kick NAME [REASON], as in /kick bob too loud",
        '# "soon" is not a time, such as 30s, 10m, 2h or 7d: /mute NAME [30s|10m|2h|7d], as in /mute bob 10m',
        "# en français désormais",
        "# il manque NOM : /kick NOM [RAISON], par exemple /kick bob trop de bruit",
        '# "bientôt" n\'est pas une durée, comme 30s, 10m, 2h ou 7j : /mute NOM [30s|10m|2h|7j], par exemple /mute bob 10m',
        '# aucune commande ne s\'appelle "/fly" : /help les donne toutes',
        '# personne ne s\'appelle "nobody"',
        '# ce salon n\'existe pas : /rooms les donne tous (aucun salon ne s\'appelle "#nowhere")',
    ])


@test
def who_is_invited_is_told_how_to_come_in_and_a_room_without_a_topic_says_so(stage):
    program = hub(stage, "127.0.0.1:0")
    typed(stage, program, "/register ana secret-pass")
    with somebody_typing(program) as ana:
        ana.types("/login ana secret-pass")
        ana.sees("# you are ana")
        shown = typed(stage, program, "/register bob secret-pass", "/create den private", "/join den", "/topic", "/invite ana")
        holds("\n".join(shown), "# #den has no topic")
        ana.sees("# bob invited you to #den: /join #den comes in, /leave #den declines")
        ana.types("/join #den")
        ana.sees("# #den (2), private")


@test
def what_was_shown_is_read_with_the_next_line_and_nobody_claims_to_speak_for_the_hub(stage):
    program = hub(stage, "127.0.0.1:0")
    typed(stage, program, "/register ana secret-pass", "/join lab")
    with somebody_typing(program) as ana:
        ana.types("/login ana secret-pass")
        ana.types("/join lab")
        ana.sees("# #lab (1), owner")
        for name in ("server1", "_hub_", "Adm1n2"):
            refused = typed(stage, program, f"/register {name} secret-pass")
            holds("\n".join(refused), f'"{name}" is for the hub and who runs it')
        typed(stage, program, "/register bob secret-pass", "/join lab", "one", "two")
        ana.sees("<bob> two")
        ana.types("/rooms")
        ana.sees("# #lab (2), owner\n")


class somebody_typing:
    """Somebody at nc, who sees what comes and types on."""

    def __init__(self, program):
        self.socket = socket.create_connection(("127.0.0.1", program.at), timeout=20)
        self.shown = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def types(self, line):
        self.socket.sendall(f"{line}\n".encode())

    def sees(self, text):
        while text not in self.shown:
            came = self.socket.recv(65536).decode(errors="replace")
            assert came, self.shown
            self.shown += came
        self.shown = self.shown.split(text, 1)[1]


@test
def what_was_typed_too_fast_is_named_and_a_device_says_where_it_is(stage):
    program = hub(stage, "127.0.0.1:0", "--messages-a-second", "1")
    lines = [f"line {nth}" for nth in range(20)]
    shown = typed(stage, program, "/register ana secret-pass", "/join lab", *lines, "/sessions", "/login bob")
    said = [line.split("> ")[1] for line in shown if "<ana>" in line]
    late = [line for line in shown if line.startswith("# not done: ")]
    equal(said + [line.split(": ")[1] for line in late], lines, shown)
    assert 1 <= len(late) <= 12, shown
    holds("\n".join(shown), " text 127.0.0.1, ")
    equal(shown[-1], "# you are logged in already: /logout first")
