"""relais chat on a terminal: the screen, looked at and typed into, through a hub that is killed and a size that changes."""

import os
import re
import signal

from stage import RELAIS, equal, eventually, free_port, holds, test
from terminals import Tmux
from with_a_hub import hub
from with_chat import PASSWORD, chat, registered


def at_screen(stage, port, name, *arguments, size=(80, 24)):
    """Somebody who has an account, at a terminal."""
    words = " ".join(map(str, arguments))
    return Tmux(stage, f"{RELAIS} chat {port} --user {name} {words}", size)


def in_rooms(stage, port, *rooms, names=("ana", "bob")):
    registered(stage, port, *names)
    for name in names:
        typed = "".join(f"/join {room}\n" for room in rooms)
        chat(stage, port, "--user", name, input=typed.encode())


def says(tmux, text):
    tmux.run("send-keys", "-t", "s", "-l", text)
    tmux.type("Enter")


@test
def two_at_their_screens_talk_through_a_hub_that_is_killed_and_lose_nothing(stage):
    port = free_port()
    program = hub(stage, f"127.0.0.1:{port}")
    in_rooms(stage, port, "lab")
    with at_screen(stage, port, "ana") as ana, at_screen(stage, port, "bob", size=(100, 30)) as bob:
        for one in (ana, bob):
            one.sees("#lab")
        for round in range(2):
            says(ana, f"before {round}")
            bob.sees(f"ana before {round}")
            program.kill()
            ana.sees("not connected")
            # Said to nobody, for now; and the terminal has another size meanwhile.
            says(ana, f"ana-{round}.")
            ana.sees("not with the hub yet")
            says(bob, f"bob-{round}.")
            ana.resize(60 + 30 * round, 20)
            program = hub(stage, f"127.0.0.1:{port}", store=program.store)
            for one in (ana, bob):
                one.sees(f"ana-{round}.")
                one.sees(f"bob-{round}.")
                eventually("all is with the hub", lambda: "…  " not in one.screen(), 20)
        for one in (ana, bob):
            screen = one.screen()
            said = [word for word in screen.split() if word.startswith(("ana-", "bob-"))]
            equal(sorted(said), ["ana-0.", "ana-1.", "bob-0.", "bob-1."], screen)
            assert "not connected" not in screen, screen
        for one in (ana, bob):
            says(one, "quit")
            one.sees("end 0")


@test
def who_says_no_name_is_asked_for_one_and_which_of_several_it_is(stage):
    program = hub(stage, "127.0.0.1:0")
    command = f"{RELAIS} chat {program.at}"
    known_at = f"your name at tcp://127.0.0.1:{program.at}"
    with Tmux(stage, command) as first:
        first.sees(f"{known_at}:")
        first.type("a b", "Enter")
        first.sees("will not do")
        first.type("ana", "Enter")
        first.sees("make an account for ana? [Y/n]")
        first.type("Enter")
        first.sees("password of ana, 8 characters or more:")
        first.type(PASSWORD, "Enter")
        first.sees("once more:")
        first.type(PASSWORD, "Enter")
        first.sees("You are in no room yet.")
    registered(stage, program.at, "bob")
    with Tmux(stage, command) as second:
        second.sees(f"{known_at} (ana, bob, or another):")
        second.type("bob", "Enter")
        second.sees("You are in no room yet.")
        second.sees("bob")
    # Who has an account elsewhere shows its password.
    stage.run([RELAIS, "chat", str(program.at), "--user", "bob"], env=stage.env(), input=b"/logout\n")
    stage.run([RELAIS, "chat", str(program.at), "--user", "ana"], env=stage.env(), input=b"/logout\n")
    with Tmux(stage, command, size=(100, 24)) as third:
        third.sees(f"{known_at}:")
        third.type("bob", "Enter")
        third.sees("[Y/n]")
        third.type("n", "Enter")
        third.sees("password of bob:")
        third.type(PASSWORD, "Enter")
        third.sees("You are in no room yet.")
    # And nobody is asked at the end of what is typed.
    with Tmux(stage, f"{command} --data {stage.path('other')}") as fourth:
        fourth.sees(f"{known_at}:")
        fourth.type("C-d")
        fourth.sees("it is not said who you are")
        fourth.sees("end 2")


@test
def a_terminal_is_given_back_however_the_screen_ends(stage):
    program = hub(stage, "127.0.0.1:0")
    in_rooms(stage, program.at, "lab", names=("ana",))
    for ending in ("/bye", "Ctrl-C", "SIGTERM", "SIGHUP", "the account's end"):
        with at_screen(stage, program.at, "ana") as ana:
            ana.sees("#lab")
            equal(ana.shown("#{alternate_on} #{mouse_any_flag}"), "1 1")
            shell = ana.shown("#{pane_pid}")
            with open(f"/proc/{shell}/task/{shell}/children") as children:
                process = int(children.read().split()[0])
            if ending == "/bye":
                says(ana, "/bye")
            elif ending == "Ctrl-C":
                ana.type("C-c")
            elif ending == "the account's end":
                says(ana, "/logout")
            else:
                os.kill(process, getattr(signal, ending))
            ana.sees("end 0")
            equal(ana.shown("#{alternate_on} #{mouse_any_flag} #{cursor_flag}"), "0 0 1")


@test
def a_screen_rests_and_goes_on(stage):
    program = hub(stage, "127.0.0.1:0")
    in_rooms(stage, program.at, "lab")
    shell = f"bash --norc -ic '{RELAIS} chat {program.at} --user ana; echo rests; read -r line; fg; echo over'"
    with Tmux(stage, shell) as tmux:
        tmux.sees("#lab")
        tmux.type("C-z")
        tmux.sees("rests")
        equal(tmux.shown("#{alternate_on}"), "0")
        chat(stage, program.at, "--user", "bob", "--send", "lab", "said meanwhile")
        tmux.type("Enter")
        tmux.sees("bob said meanwhile")
        says(tmux, "quit")
        tmux.sees("over")


@test
def what_was_said_before_is_scrolled_to_searched_and_answered(stage):
    program = hub(stage, "127.0.0.1:0", "--messages-a-second", "0")
    in_rooms(stage, program.at, "lab")
    typed = "/join lab\nthe needle\n" + "".join(f"hay {nth}.\n" for nth in range(300))
    chat(stage, program.at, "--user", "bob", input=typed.encode())
    with at_screen(stage, program.at, "ana") as ana:
        ana.sees("hay 299.")
        # Until the first that was said, page by page.
        for _ in range(30):
            if "hay 0." in ana.screen():
                break
            ana.type("PPage")
        ana.sees("the needle")
        ana.type("Escape")
        ana.sees("hay 299.")
        says(ana, "/search needle")
        ana.sees("found (1): needle")
        ana.type("Enter")
        ana.sees("the needle")
        assert "hay 299." not in ana.screen(), ana.screen()
        ana.type("r")
        ana.sees("reply to bob")
        says(ana, "found it")
        ana.sees("bob: the needle")
        ana.sees("ana found it")
        ana.resize(40, 12)
        ana.sees("ana: found it")


@test
def a_name_is_completed_a_room_is_clicked_and_help_is_in_french(stage):
    program = hub(stage, "127.0.0.1:0")
    in_rooms(stage, program.at, "lab", "tea")
    with at_screen(stage, program.at, "ana") as ana:
        ana.sees("#tea")
        ana.run("send-keys", "-t", "s", "-l", "hi b")
        # Who is there comes a moment later than the rooms, and nothing shows when.
        eventually("a name completed", lambda: ana.type("Tab") or "> hi @bob" in ana.screen())
        chat(stage, program.at, "--user", "bob", "--send", "tea", "tea for @ana")
        ana.sees("@1")
        # A press of the left button in the third row.
        ana.run("send-keys", "-t", "s", "-l", "\x1b[<0;3;3M")
        ana.sees("bob tea for @ana")
        says(ana, "/lang fr")
        ana.sees("en français désormais")
        ana.type("F1")
        ana.sees("Échap ferme")


@test
def lines_are_there_for_who_wants_them_and_wrong_words_are_refused(stage):
    program = hub(stage, "127.0.0.1:0")
    registered(stage, program.at, "ana")
    with Tmux(stage, f"TERM=dumb {RELAIS} chat {program.at} --user ana") as tmux:
        tmux.sees("you are ana")
        says(tmux, "quit")
        tmux.sees("end 0")
    _, told = chat(stage, program.at, str(program.at), "--user", "ana", status=2)
    holds(told, "several hubs without a screen")
    _, told = chat(stage, program.at, "--theme", "pink", status=2)
    holds(told, "terminal")


@test
def an_invitation_outlives_a_restart_and_enter_comes_in(stage):
    program = hub(stage, "127.0.0.1:0")
    in_rooms(stage, program.at, "lab")
    chat(stage, program.at, "--user", "bob", input=b"/create den private\n/invite ana\nonly us\n")
    with at_screen(stage, program.at, "ana") as ana:
        ana.sees("you are invited to #den")
        ana.sees("+#den")
        # The first of the list.
        ana.type("C-p")
        ana.sees("Enter comes in")
        ana.type("Enter")
        ana.sees("bob only us")
        assert "+#den" not in ana.screen(), ana.screen()
    chat(stage, program.at, "--user", "bob", input=b"/create hut private\n/invite ana\n/invite bob\n")
    shown, _ = chat(stage, program.at, "--user", "ana", input=b"/ping\n")
    equal([line for line in shown.splitlines() if "invited" in line], ["# you are invited to #hut"])


@test
def what_is_longer_than_a_row_is_shown_bare_and_stays_where_the_shell_writes(stage):
    program = hub(stage, "127.0.0.1:0")
    in_rooms(stage, program.at, "lab", names=("ana",))
    with at_screen(stage, program.at, "ana", size=(40, 16)) as ana:
        ana.sees("#lab")
        says(ana, "/hook build")
        ana.sees("/hook/hk_")
        path = re.compile(r"/hook/hk_[A-Za-z0-9_-]{43}$", re.M)
        assert not path.search(joined(ana)), joined(ana)
        for _ in range(2):
            ana.type("F5")
            ana.sees("any key goes back")
            equal(ana.shown("#{alternate_on} #{mouse_any_flag}"), "0 0")
            assert path.search(joined(ana)), joined(ana)
            ana.type("Space")
            ana.sees("#lab  ")
            equal(ana.shown("#{alternate_on} #{mouse_any_flag}"), "1 1")
        # It may end there, too.
        ana.type("F5")
        ana.sees("any key goes back")
        program.kill()
        ana.type("Space", "C-c")
        ana.sees("end 0")
        assert path.search(joined(ana)), joined(ana)


def joined(tmux):
    """What is on the terminal, as it is copied: rows that go on in the next are one."""
    return tmux.run("capture-pane", "-J", "-p", "-t", "s").decode()


@test
def a_dialogue_ends_by_fin_and_the_screen_does_not(stage):
    program = hub(stage, "127.0.0.1:0")
    in_rooms(stage, program.at, "lab")
    with at_screen(stage, program.at, "ana") as ana, at_screen(stage, program.at, "bob", size=(40, 16)) as bob:
        ana.sees("#lab")
        bob.sees("#lab")
        says(ana, "/dialogue bob")
        ana.sees("@bob (dialogue: your turn)")
        bob.sees("ana began a dialogue")
        bob.type("C-p")
        bob.sees("the turn of ana")
        says(ana, "well?")
        bob.sees("your turn")
        says(bob, "fin")
        ana.sees("bob ended the dialogue")
        assert "end 0" not in bob.screen(), bob.screen()
        says(bob, "/quiet 2h")
        bob.sees("bob (quiet)")
        says(bob, "fin")
        bob.sees("end 0")
