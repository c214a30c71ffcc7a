"""The hub's page in a real browser: two people, networks that go, and texts that want to be more than text."""

import json
import os
import signal
import time
import urllib.request

from browsing import ALT, CTRL, Browser
from stage import RELAIS, REPOSITORY, equal, eventually, free_port, holds, need, test
from with_a_hub import Bot

# Unacknowledged words say so for people, but what is acknowledged within this never did.
FAST = ["--burst", "10000", "--messages-a-second", "0"]


class Hub:
    """A hub whose page is at `url`. Killed and begun again it is at the same ports, with the same store."""

    def __init__(self, stage, pace=FAST):
        self.stage, self.pace, self.http, self.tcp = stage, pace, free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.http}/"
        self.begin()

    def begin(self):
        listen = [f"127.0.0.1:{self.tcp}", f"http://127.0.0.1:{self.http}"]
        self.program = self.stage.start([RELAIS, "hub", *listen, *self.pace, "--store", self.stage.path("hub.db")], "relais")
        self.program.await_port(self.tcp)
        self.program.await_port(self.http)

    def kill(self):
        os.kill(self.program.pid, signal.SIGKILL)
        self.program.end()

    def bot(self, name):
        """Somebody who has an account, and speaks by a program."""
        bot = Bot(self.tcp)
        bot.done("LOGIN", user=name, password="secret-pass")
        return bot


def come_in(browser, hub, name, *rooms):
    """A window in which somebody made an account, and came into rooms."""
    window = browser.window(hub.url)
    window.click(".other-way button")
    window.until("document.querySelector('input[name=password]').autocomplete === 'new-password'")
    window.fill("input[name=user]", name)
    window.fill("input[name=password]", "secret-pass")
    window.press("Enter")
    window.has(".inside")
    for room in rooms:
        join(window, room)
    return window


def join(window, room):
    """By the dialogue, as people would: into the room, or making it."""
    window.click('.part [aria-label="Find or make a room"]')
    window.has(".window .finds")
    time.sleep(0.3)
    row = f"[...document.querySelectorAll('.finds li')].find((one) => one.innerText.includes({json.dumps(room)}))"
    if window.js(f"!!{row}"):
        window.js(f"{row}.querySelector('button').click()")
    else:
        window.click(".window .buttons .main")
        window.fill(".window input[name=name]", room.removeprefix("#"))
        window.press("Enter")
    window.has(f'.row[data-room="{room}"][aria-current]')
    window.until("!document.querySelector('.window')")
    window.has("#composer")


def say(window, text):
    window.fill("#composer", text)
    window.press("Enter")


def texts(window):
    """What is to be read in the room, of what the hub has."""
    return window.js("[...document.querySelectorAll('.message[data-seq] .text')].map((one) => one.textContent)")


def await_texts(window, expected, seconds=30):
    eventually(f"{expected}, not {texts(window)}", lambda: texts(window) == expected, seconds)


def expect_quiet(*windows):
    """Nothing went wrong in the page, and nothing was asked of anybody else."""
    for window in windows:
        # That a socket could not be opened the browser says itself.
        loud = [one for one in window.complaints if "WebSocket connection" not in one and "ERR_" not in one]
        equal(loud, [], "complaints")


@test
def the_core_of_the_page_holds_without_a_browser(stage):
    need("node")
    said = stage.run(["node", "--test", REPOSITORY / "tests/page"]).decode()
    holds(said, "# fail 0")


@test
def two_people_talk_in_two_windows(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    bob = come_in(browser, hub, "bob", "#lab")
    ana.fill("#composer", "salut @bob")
    bob.until("document.querySelector('.typing').innerText.includes('ana')")
    ana.press("Enter")
    await_texts(bob, ["salut @bob"])
    bob.has(".message.for-me .mention.mine")
    ana.until("!document.querySelector('.unsent')")
    # Up edits what was said last.
    ana.press("ArrowUp")
    ana.until("document.querySelector('#composer').value === 'salut @bob'")
    ana.js("document.querySelector('#composer').select()")
    ana.type("salut")
    ana.press("Enter")
    await_texts(bob, ["salut"])
    bob.has(".message .edited")
    # A sign, an answer, something done, and a word that is for the one who typed it alone.
    bob.focus(".message[data-seq]")
    bob.click(".tools .quick")
    ana.has(".signs-on button")
    bob.focus(".message[data-seq]")
    bob.press("r")
    bob.has(".about")
    say(bob, "bien ?")
    ana.until("document.querySelector('.answered')?.innerText.includes('salut')")
    say(ana, "/me hoche la tête")
    bob.has(".message.action")
    say(ana, "/calc 2^64")
    ana.until("document.querySelector('.aside-line').innerText.includes('18446744073709551616')")
    assert "18446744073709551616" not in bob.js("document.body.innerText")
    # Words between two are counted where they are not looked at.
    join(bob, "#tea")
    hub.bot("ana").done("MESSAGE", to="bob", body="entre nous")
    bob.until("document.title.startsWith('(1)')")
    bob.click('.row[data-room="@ana"]')
    await_texts(bob, ["entre nous"])
    bob.until("!document.title.startsWith('(')")
    expect_quiet(ana, bob)


@test
def a_hub_that_is_killed_and_comes_back_costs_no_word_and_no_reload(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    bob = come_in(browser, hub, "bob", "#lab")
    for window in (ana, bob):
        window.js("window.isTheSame = true")
    said = []
    for turn in range(3):
        for window, name in ((ana, "ana"), (bob, "bob")):
            said.append(f"{name} {turn}")
            say(window, said[-1])
            await_texts(ana, said)
        hub.kill()
        say(ana, f"ana without {turn}")
        ana.has(".unsent")
        ana.has(".no-line")
        hub.begin()
        said.append(f"ana without {turn}")
        for window in (ana, bob):
            await_texts(window, said)
            window.until("!document.querySelector('.unsent, .no-line')")
    page = hub.bot("bob").done("HISTORY", room="#lab", limit=100)["events"]
    equal([event["body"] for event in page if event["ev"] == "message"], said)
    for window in (ana, bob):
        assert window.js("window.isTheSame"), "it was loaded again"
    expect_quiet(ana, bob)


@test
def who_was_offline_has_all_that_was_missed_and_nothing_twice(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    bob = come_in(browser, hub, "bob", "#lab")
    say(ana, "before")
    await_texts(bob, ["before"])
    bob.network(False)
    say(ana, "while bob is away")
    say(bob, "of bob, without a network")
    await_texts(ana, ["before", "while bob is away"])
    bob.has(".unsent")
    equal(texts(bob), ["before"])
    bob.has(".no-line")
    bob.network(True)
    whole = ["before", "while bob is away", "of bob, without a network"]
    await_texts(bob, whole)
    await_texts(ana, whole)
    bob.until("!document.querySelector('.unsent, .no-line')")
    expect_quiet(ana, bob)


STRANGE = [
    "<img src=x onerror=\"document.title='broken'\">",
    "<script>document.title='broken'</script><svg/onload=alert(1)>",
    "javascript:alert(1) data:text/html,<script>alert(1)</script>",
    "a\u202egnp.exe\u202c b",
    "z\u200bero\u200dwidth\ufeff",
    "&lt;b&gt; ${1+1} {{7*7}} `<i>`",
    "https://evil.example/\"onmouseover=\"alert(1)",
]


@test
def strange_texts_are_texts_and_links_lead_where_they_say(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    bot = Bot(hub.tcp)
    bot.done("REGISTER", user="bob", password="secret-pass")
    bot.done("JOIN", room="#lab")
    for text in STRANGE:
        bot.done("MESSAGE", room="#lab", body=text)
    bot.done("MESSAGE", room="#lab", body="at https://bank.example@evil.example/ now")
    kept = [event["body"] for event in bot.done("HISTORY", room="#lab", limit=50)["events"] if event["ev"] == "message"]
    ana.until(f"document.querySelectorAll('.message[data-seq]').length === {len(kept)}")
    shown = texts(ana)
    for body, text in zip(kept[:-1], shown):
        equal(text, body.replace("`", ""))
    equal(ana.js("document.querySelectorAll('.lines img, .lines script, .lines [onerror], .lines [onmouseover], .lines i').length"), 0)
    links = ana.js("[...document.querySelectorAll('.lines a')].map((one) => [one.href, one.rel, one.textContent])")
    equal([link[:2] for link in links], [["https://evil.example/", "noopener noreferrer"], ["https://bank.example@evil.example/", "noopener noreferrer"]])
    holds(links[1][2], "leads to evil.example")
    # Each text and each name turns itself around alone.
    equal(ana.js("[...document.querySelectorAll('.lines .text')].every((one) => getComputedStyle(one).unicodeBidi === 'isolate')"), True)
    equal(ana.js("document.title.includes('broken')"), False)
    expect_quiet(ana)


@test
def what_is_further_back_is_read_without_the_view_moving(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    bot = hub.bot("ana")
    for number in range(400):
        bot.done("MESSAGE", room="#lab", body=f"line {number} " + "long " * (number % 40))
    ana.ask("Page.reload")
    ana.until("document.querySelectorAll('.message[data-seq]').length >= 30")
    time.sleep(0.5)
    equal(ana.js("(box => Math.round(box.scrollHeight - box.clientHeight - box.scrollTop))(document.querySelector('.log'))"), 0)
    moved = ana.js("""(async () => {
      const box = document.querySelector('.log');
      const wait = (ms) => new Promise((done) => setTimeout(done, ms));
      const moved = [];
      for (let turn = 0; turn < 20; turn += 1) {
        const many = box.querySelectorAll('.message[data-seq]').length;
        box.scrollTop = 40;
        box.dispatchEvent(new Event('scroll'));
        const top = box.getBoundingClientRect().top;
        const line = [...box.querySelectorAll('.message[data-seq]')].find((one) => one.getBoundingClientRect().bottom > top);
        const before = line.getBoundingClientRect().top;
        for (let waited = 0; waited < 40 && box.querySelectorAll('.message[data-seq]').length === many; waited += 1) await wait(50);
        await wait(100);
        if (box.querySelectorAll('.message[data-seq]').length === many) break;
        moved.push(Math.round(box.querySelector(`[data-seq="${line.dataset.seq}"]`).getBoundingClientRect().top - before));
      }
      return moved;
    })()""")
    assert len(moved) >= 3 and all(abs(one) <= 1 for one in moved), moved
    equal(texts(ana)[0].strip(), "line 0")
    equal(ana.js("document.querySelectorAll('.message[data-seq]').length"), 400)
    # What a search finds is gone to.
    ana.press("f", CTRL)
    ana.fill(".search input", "line 7")
    ana.until("[...document.querySelectorAll('.hit-body')].some((one) => one.innerText.startsWith('line 7 '))")
    ana.js("[...document.querySelectorAll('.hit')].find((one) => one.innerText.includes('line 7 ')).click()")
    ana.until("document.activeElement.matches('.message.focused') && document.activeElement.innerText.includes('line 7 ')")
    # Nothing of a message's tools is cut off, wherever it stands.
    time.sleep(0.3)
    first = "document.querySelectorAll('.piece')[1].querySelector('.message')"
    ana.js(f"{first}.scrollIntoView({{block: 'center'}}), {first}.focus({{preventScroll: true}})")
    box = f"{first}.querySelector('.tools').getBoundingClientRect()"
    ana.until(f"document.elementFromPoint({box}.left + 9, {box}.top + 3)?.closest('.tools') === {first}.querySelector('.tools')")
    # What is far away is not drawn, and what is not looked at any more is not kept.
    drawn = "[...document.querySelectorAll('.message[data-seq]')].filter((one) => one.checkVisibility({contentVisibilityAuto: true})).length"
    ana.until(f"{drawn} < 300")
    join(ana, "#tea")
    ana.click('.row[data-room="#lab"]')
    ana.until("document.querySelectorAll('.message[data-seq]').length === 120")
    expect_quiet(ana)


@test
def drafts_and_what_was_not_sent_outlive_a_reload_and_secrets_are_kept_nowhere(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab", "#tea")
    ana.fill("#composer", "half a thought")
    ana.click('.row[data-room="#lab"]')
    ana.until("document.querySelector('#composer').value === ''")
    ana.fill("#composer", "/password secret-pass another-pass")
    kept = ana.js("JSON.stringify(localStorage)")
    assert "secret-pass" not in kept and "another-pass" not in kept, kept
    ana.js("document.querySelector('#composer').value = ''")
    hub.kill()
    say(ana, "not sent yet")
    ana.has(".unsent")
    hub.begin()
    ana.ask("Page.reload")
    await_texts(ana, ["not sent yet"])
    ana.click('.row[data-room="#tea"]')
    ana.until("document.querySelector('#composer').value === 'half a thought'")
    # Who logs out leaves nothing behind, and its token is worth nothing.
    ana.click(".me")
    ana.click(".window .buttons .bad")
    ana.has(".entrance")
    left = ana.js("JSON.stringify(localStorage)")
    assert "token" not in left and "thought" not in left, left
    equal([one["this"] for one in hub.bot("ana").done("SESSIONS")["sessions"]], [True])
    expect_quiet(ana)


@test
def the_page_opens_without_its_hub_and_is_never_one_of_yesterday(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    say(ana, "hello")
    await_texts(ana, ["hello"])
    ana.until("navigator.serviceWorker.ready.then(() => !!navigator.serviceWorker.controller)")
    # Once more, through the worker, which keeps what it sees.
    ana.ask("Page.reload")
    await_texts(ana, ["hello"])
    ana.until("caches.open('relais-chat').then((kept) => kept.match('page.js')).then(Boolean)")
    hub.kill()
    ana.ask("Page.reload")
    ana.has(".inside", 30)
    ana.has(".no-line")
    # What is kept is older than what is served: what is served counts.
    ana.js("caches.open('relais-chat').then((kept) => kept.put('page.js', new Response('', {headers: {'content-type': 'text/javascript'}})))")
    hub.begin()
    ana.ask("Page.reload")
    await_texts(ana, ["hello"])
    equal(ana.js("document.querySelector('.part h2').innerText"), "Rooms")
    expect_quiet(ana)


def pick(window, text):
    """Something of the menu that is open."""
    its = f"[...document.querySelectorAll('.menu button')].find((one) => one.innerText.trim() === {json.dumps(text)})"
    window.until(f"!!{its}")
    window.js(f"{its}.click()")


@test
def who_keeps_a_room_invites_mutes_and_sends_out(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana")
    bob = come_in(browser, hub, "bob")
    ana.click('.part [aria-label="Find or make a room"]')
    ana.click(".window .buttons .main")
    ana.fill(".window input[name=name]", "den")
    ana.js("document.querySelector('.window input[value=private]').click()")
    ana.press("Enter")
    ana.has('.row[data-room="#den"][aria-current]')
    ana.until("!document.querySelector('.window')")
    ana.click('.room-head [aria-label="About this room"]')
    pick(ana, "Invite…")
    ana.fill(".window input[name=user]", "bob")
    ana.press("Enter")
    # It is shown to whom it is for, and gone once they are in.
    bob.click(".invitation button")
    bob.has('.row[data-room="#den"][aria-current]')
    bob.until("!document.querySelector('.invitation')")
    ana.click(".with-words")
    member = "[...document.querySelectorAll('.members .row')].find((one) => one.innerText.includes('bob'))"
    ana.until(f"!!{member}")
    ana.js(f"{member}.click()")
    pick(ana, "Mute for 10 minutes")
    ana.until("document.querySelector('.lines').innerText.includes('muted')")
    say(bob, "may I?")
    bob.has(".unsent.failed")
    holds(bob.js("document.querySelector('.unsent .fate').innerText"), "Try again")
    ana.js(f"{member}.click()")
    pick(ana, "Let speak again")
    ana.until("document.querySelector('.lines').innerText.includes('speak again')")
    bob.click(".unsent .fate button")
    await_texts(ana, ["may I?"])
    ana.js(f"{member}.click()")
    pick(ana, "Send out…")
    ana.fill(".window input[name=reason]", "noise")
    ana.press("Enter")
    bob.until("!document.querySelector('.row[data-room=\"#den\"]')")
    bob.until("document.querySelector('.passing').innerText.includes('sent you out')")
    ana.until(f"!{member}")
    expect_quiet(ana, bob)


@test
def a_device_that_is_logged_out_elsewhere_is_at_the_entrance(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    other = browser.window(hub.url)
    other.fill("input[name=user]", "ana")
    other.fill("input[name=password]", "wrong-pass")
    other.press("Enter")
    other.has(".wrong[role=alert]")
    other.fill("input[name=password]", "")
    other.js("document.querySelector('input[name=password]').value = 'secret-pass'")
    other.press("Enter")
    other.has(".inside")
    ana.click(".me")
    ana.until("document.querySelectorAll('.devices li').length === 2")
    # In French, too.
    ana.js("document.querySelector('.window input[value=fr]').click()")
    ana.until("document.querySelector('.window h2').innerText === 'Réglages' && document.documentElement.lang === 'fr'")
    ana.click(".devices button")
    other.has(".entrance")
    holds(other.js("document.querySelector('.entrance').innerText"), "log")
    equal(other.js("localStorage.getItem('relais-chat.token')"), None)
    expect_quiet(ana, other)


@test
def who_looks_elsewhere_is_called_for_what_is_for_them_and_finds_it_marked(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    bob = Bot(hub.tcp)
    bob.done("REGISTER", user="bob", password="secret-pass")
    bob.done("JOIN", room="#lab")
    # Notifications of the test's own: a browser without a desktop shows none.
    ana.js("""window.called = [];
      window.Notification = class {
        static permission = 'default';
        static async requestPermission() { return (this.permission = 'granted'); }
        constructor(title, { body }) { window.called.push([title, body]); }
      }""")
    ana.click(".me")
    ana.until("!!document.querySelector('.line-of button')")
    ana.click(".line-of button")
    ana.until("document.querySelector('.line-of').innerText.includes('notifies you when')")
    ana.press("Escape")
    ana.js("document.hasFocus = () => false; window.dispatchEvent(new Event('blur'))")
    bob.done("MESSAGE", room="#lab", body="nobody in particular")
    bob.done("MESSAGE", room="#lab", body="are you there, @ana?")
    bob.done("MESSAGE", to="ana", body="between us")
    ana.until("window.called.length === 2")
    equal(ana.js("window.called"), [["bob in #lab", "are you there, @ana?"], ["bob", "between us"]])
    ana.until("document.title.startsWith('(2)')")
    ana.until("document.querySelector('.new-line ~ .message .text')?.textContent === 'nobody in particular'")
    ana.js("delete document.hasFocus; window.dispatchEvent(new Event('focus'))")
    ana.until("document.title.startsWith('(1)')")
    expect_quiet(ana)


@test
def on_a_narrow_screen_the_way_back_leads_to_the_list(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab", "#tea")
    ana.size(360, 700)
    is_shown = "document.querySelector('{}').checkVisibility()"
    ana.until("!" + is_shown.format(".rooms"))
    ana.click(".to-list")
    ana.until(is_shown.format(".rooms") + " && !" + is_shown.format(".room"))
    ana.click('.row[data-room="#lab"]')
    ana.until(is_shown.format(".room") + " && document.querySelector('h1').innerText === '#lab'")
    ana.js("history.back()")
    ana.until(is_shown.format(".rooms") + " && !" + is_shown.format(".room"))
    expect_quiet(ana)


@test
def who_is_new_on_a_narrow_screen_is_told_what_there_is_to_do(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana")
    shown = "[...document.querySelectorAll('{}')].filter((one) => one.checkVisibility()).map((one) => one.innerText)"
    for width in (1280, 390, 320):
        ana.size(width, 800)
        ana.until(shown.format(".welcome button") + ".join() === 'Find or make a room,Write to somebody'")
        equal(len(ana.js(shown.format(".welcome :is(h1, h2)"))), 1, "headings")
        equal(len(ana.js(shown.format("h1"))), 1, "h1")
        assert ana.js("document.documentElement.scrollWidth") <= width, width
    ana.click(".rooms .welcome .main")
    ana.has(".window .finds")
    ana.press("Escape")
    join(ana, "#lab")
    ana.until("!document.querySelector('.welcome')")
    expect_quiet(ana)


@test
def enter_comes_into_the_room_that_is_called_so_or_makes_it(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana, eve = come_in(browser, hub, "ana", "#lab"), come_in(browser, hub, "eve")
    find = '.part [aria-label="Find or make a room"]'
    eve.click(find)
    eve.until("document.querySelector('.finds b')?.innerText === '#lab'")
    # What is found by a part of its name is not what was named.
    eve.fill(".window input[type=search]", "la")
    eve.press("Enter")
    eve.until("document.querySelector('.window input[name=name]')?.value === 'la'")
    eve.press("Escape")
    eve.until("!document.querySelector('.window')")
    eve.click(find)
    eve.has(".window .finds")
    eve.press("Enter")
    eve.fill(".window input[type=search]", "Lab")
    eve.press("Enter")
    eve.has('.row[data-room="#lab"][aria-current]')
    eve.until("!document.querySelector('.window')")
    # Who is there already is shown it.
    join(ana, "#tea")
    ana.click(find)
    ana.fill(".window input[type=search]", "#lab")
    ana.press("Enter")
    ana.has('.row[data-room="#lab"][aria-current]')
    ana.until("!document.querySelector('.window')")
    expect_quiet(ana, eve)


@test
def of_a_hub_that_is_not_there_it_is_said_so_and_nobody_is_said_to_be_here(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana, bob = come_in(browser, hub, "ana", "#lab"), come_in(browser, hub, "bob", "#lab")
    say(ana, "/msg bob hello")
    bob.has('.row[data-room="@ana"]')
    here = "!!document.querySelector('.topic .dot.online') && !!document.querySelector('.row[data-room=\"@bob\"] .dot.online')"
    ana.until(here)
    unknown = """!document.querySelector(':is(.room-head, .row) .dot.online')
      && document.querySelector('.room-head').innerText.includes('not known whether here')"""
    words = "document.querySelector('.foot .no-line p')?.innerText === 'The hub cannot be reached. What you write is kept, and sent when it is back.'"
    hub.kill()
    ana.until(words)
    ana.until(unknown)
    ana.click('.row[data-room="#lab"]')
    ana.click('.room-head [title="Members"]')
    ana.until("document.querySelector('.members h3')?.innerText === '2 members' && !document.querySelector('.members .dot.online')")
    # No network is needed where the hub is on the same machine.
    ana.network(False)
    ana.until("!navigator.onLine && " + words)
    ana.network(True)
    hub.begin()
    ana.until("document.querySelector('.members h3')?.innerText === 'Here: 2'")
    ana.click('.row[data-room="@bob"]')
    ana.until(here)
    expect_quiet(ana, bob)


@test
def all_can_be_done_by_keys_and_has_a_name(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab", "#tea")
    say(ana, "hello")
    await_texts(ana, ["hello"])
    ana.press("k", CTRL)
    ana.has("#places")
    ana.type("lab")
    ana.press("Enter")
    ana.has('.row[data-room="#lab"][aria-current]')
    # From the field, too, where Up alone edits what was said last.
    ana.press("ArrowUp", ALT)
    ana.has('.row[data-room="#tea"][aria-current]')
    ana.press("ArrowUp", ALT)
    ana.has('.row[data-room="#lab"][aria-current]')
    ana.press("ArrowDown", ALT)
    ana.has('.row[data-room="#tea"][aria-current]')
    ana.press("F6")
    ana.js("document.querySelector('.log').focus()")
    ana.press("ArrowUp")
    ana.until("document.activeElement.matches('.message[data-seq]')")
    ana.press("Enter")
    ana.until("document.activeElement.closest('[role=menu]') !== null")
    ana.press("Escape")
    ana.until("!document.querySelector('[role=menu]')")
    ana.press("e")
    ana.until("document.querySelector('#composer').value === 'hello'")
    ana.press("Escape")
    unnamed = [one for one in ana.names() if one[0] in ("button", "link", "textbox", "searchbox", "combobox", "radio") and not one[1].strip()]
    equal(unnamed, [])
    roles = {role for role, _ in ana.names()}
    for role in ("main", "navigation", "log", "heading"):
        assert role in roles, f"no {role} in {sorted(roles)}"
    # From 320 px on nothing is wider than the window.
    for width in (320, 480, 900, 1440):
        ana.size(width, 700)
        time.sleep(0.2)
        assert ana.js("document.documentElement.scrollWidth") <= width, width
    elsewhere = [url for url in ana.asked if not url.startswith(hub.url)]
    equal(elsewhere, [])
    expect_quiet(ana)


@test
def two_hold_a_dialogue_in_the_page_each_in_turn(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana, bob = come_in(browser, hub, "ana"), come_in(browser, hub, "bob")
    held = "document.querySelector('.held')?.innerText ?? ''"
    # From a talk, by its menu.
    ana.click('.part [aria-label="Write to somebody"]')
    ana.fill(".window input[name=user]", "bob")
    ana.press("Enter")
    ana.has('.row[data-room="@bob"][aria-current]')
    ana.click('.room-head [aria-label="About this room"]')
    pick(ana, "Hold a dialogue, each in turn")
    ana.until(f"({held}).includes('Your turn')")
    bob.click('.row[data-room="@ana"]')
    bob.until(f"({held}).includes('turn of ana')")
    # Who speaks too early is told so, and nothing that was typed is lost.
    say(bob, "I first")
    bob.until("document.querySelector('.passing').innerText.includes('ana is to speak first')")
    equal(bob.js("[document.querySelector('#composer').value, document.querySelectorAll('.unsent').length]"), ["I first", 0])
    say(ana, "where were we?")
    await_texts(bob, ["where were we?"])
    bob.until(f"({held}).includes('Your turn')")
    ana.until(f"({held}).includes('turn of bob')")
    bob.press("Enter")
    await_texts(ana, ["where were we?", "I first"])
    ana.until(f"({held}).includes('Your turn')")
    # It goes on after a reload, and after the hub was gone.
    ana.ask("Page.reload")
    ana.until(f"({held}).includes('Your turn')")
    hub.kill()
    bob.has(".no-line")
    hub.begin()
    bob.until("!document.querySelector('.no-line')")
    bob.until(f"({held}).includes('turn of ana')")
    ana.until("!document.querySelector('.no-line')")
    # The last word may be said by whoever likes, and is no message.
    bob.js("document.querySelector('#composer').value = ''")
    say(bob, "fin")
    for window in (ana, bob):
        window.until("!document.querySelector('.held') && document.querySelector('.lines').innerText.includes('bob ended the dialogue: fin')")
        await_texts(window, ["where were we?", "I first"])
    # By a command, freely; ended by a button.
    say(bob, "/dialogue free")
    ana.until(f"({held}).includes('without turns')")
    say(ana, "one")
    say(ana, "two")
    await_texts(bob, ["where were we?", "I first", "one", "two"])
    ana.click(".held button")
    bob.until("!document.querySelector('.held') && document.querySelector('.lines').innerText.includes('ana ended the dialogue')")
    expect_quiet(ana, bob)


@test
def what_calls_is_chosen_in_the_page_and_followed_on_all_devices(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab", "#tea")
    other = hub.bot("ana")
    bob = Bot(hub.tcp)
    bob.done("REGISTER", user="bob", password="secret-pass")
    for room in ("#lab", "#tea"):
        bob.done("JOIN", room=room)
    ana.js("""window.called = [];
      window.Notification = class {
        static permission = 'granted';
        static async requestPermission() { return this.permission; }
        constructor(title, { body }) { window.called.push(body); }
      }""")
    ana.click(".me")
    ana.click(".line-of button")
    ana.until("document.querySelector('.line-of').innerText.includes('notifies you when')")
    ana.press("Escape")
    ana.js("document.hasFocus = () => false; window.dispatchEvent(new Event('blur'))")
    # A word to look out for.
    ana.click(".bell")
    pick(ana, "Words to look out for…")
    ana.fill(".window input[name=words]", "Coffee, thé")
    ana.press("Enter")
    equal(other.event("keywords")["words"], ["coffee", "thé"])
    bob.done("MESSAGE", room="#lab", body="coffee?")
    bob.done("MESSAGE", room="#lab", body="or milk")
    ana.until("window.called.length === 1 && document.title.startsWith('(1)')")
    ana.until("document.querySelector('.row[data-room=\"#lab\"] .badge.for-me')?.innerText.includes('1')")
    # All of one room, nothing of the other, of which another device says so.
    ana.click('.row[data-room="#lab"]')
    ana.has('.row[data-room="#lab"][aria-current]')
    ana.click('.room-head [aria-label="About this room"]')
    pick(ana, "Notify me of all that is said")
    equal(other.event("notify"), {"ev": "notify", "room": "#lab", "level": "all"})
    other.done("NOTIFY", room="#tea", level="none")
    ana.has('.row[data-room="#tea"].muted .mute')
    bob.done("MESSAGE", room="#tea", body="@ana, coffee?")
    bob.done("MESSAGE", room="#lab", body="good night")
    ana.until("window.called.length === 2")
    ana.until("!!document.querySelector('.row[data-room=\"#tea\"] .badge') && !document.querySelector('.row[data-room=\"#tea\"] .badge.for-me')")
    # Nothing at all, for an hour.
    ana.click(".bell")
    pick(ana, "Do not disturb for an hour")
    assert other.event("quiet")["on"]
    ana.until("!document.title.startsWith('(') && document.querySelector('.bell').getAttribute('aria-pressed') === 'true'")
    bob.done("MESSAGE", room="#lab", body="are you there, @ana?")
    ana.until("document.querySelector('.lines').innerText.includes('are you there')")
    # After a reload it is as it was; another device ends it.
    ana.ask("Page.reload")
    ana.until("document.querySelector('.bell').title.startsWith('Do not disturb until')")
    ana.has('.row[data-room="#tea"].muted')
    ana.until("[...document.querySelectorAll('.message.for-me .text')].some((one) => one.textContent === 'coffee?')")
    other.done("QUIET", on=False)
    ana.until("document.querySelector('.bell').title === 'Notifications are on'")
    ana.click(".me")
    ana.until("document.querySelector('.window').innerText.includes('coffee, thé')")
    expect_quiet(ana)


TOLD = "document.querySelector('.passing').innerText.includes({})"
LOG = "document.querySelector('.lines').innerText.includes({})"
HERE = "document.querySelector('.row[data-room=\"{}\"][aria-current]')"


def told(words):
    return TOLD.format(json.dumps(words))


def in_log(words):
    return LOG.format(json.dumps(words))


# Each line that can be typed, and what is to be seen then; N is the number of the last message.
TYPED = [
    ("/help", "document.querySelector('.window h2').innerText === 'Help'"),
    ("/register eve", told("You are logged in as ana")),
    ("/login eve", told("You are logged in as ana")),
    ("/create cafe", "!!" + HERE.format("#cafe")),
    ("/invite bob", in_log("ana invited bob")),
    ("/join lab", "!!" + HERE.format("#lab")),
    ("/leave cafe", "!document.querySelector('.row[data-room=\"#cafe\"]')"),
    ("/rooms la", "document.querySelector('.window input[type=search]').value === 'la'"),
    ("/who", "!!document.querySelector('.beside .members')"),
    ("/whois bob", in_log("bob: here")),
    ("/me waves", "!!document.querySelector('.message.action')"),
    ("/reply N yes", "!!document.querySelector('.answered')"),
    ("/edit N better", "!!document.querySelector('.message .edited')"),
    ("/react N 👍", "!!document.querySelector('.signs-on')"),
    ("/unreact N 👍", "!document.querySelector('.signs-on')"),
    ("/history 3", "document.activeElement.matches('.message.focused')"),
    ("/search better", "[...document.querySelectorAll('.hit-body')].some((one) => one.innerText === 'better')"),
    ("/delete N", "!!document.querySelector('.message.gone')"),
    ("/topic tea", "document.querySelector('.topic').innerText === 'tea'"),
    ("/topic", in_log("#lab: tea")),
    ("/away lunch", "document.querySelector('.me-words').innerText.includes('lunch')"),
    ("/notify none", "!!document.querySelector('.row.muted')"),
    ("/keywords tea", told("Done: /keywords tea")),
    ("/quiet 1h", "document.querySelector('.bell').getAttribute('aria-pressed') === 'true'"),
    ("/hook build", "document.querySelector('.aside-line code').innerText.includes('/hook/hk_')"),
    ("/mute bob 10m", in_log("ana muted bob")),
    ("/unmute bob", in_log("ana lets bob speak again")),
    ("/slow 5", in_log("wait 5 s")),
    ("/role bob moderator", in_log("Moderator")),
    ("/keep 30", in_log("30 days")),
    ("/kick bob noise", in_log("ana sent bob out: noise")),
    ("/ban bob 1h", in_log("ana banned bob")),
    ("/unban bob", in_log("ana lets bob come again")),
    ("/all hello", "document.querySelector('.announced').innerText.includes('hello')"),
    ("/calc 2^3", in_log("2^3 = 8")),
    ("/nick eve", told("and stay ana")),
    ("/password", "document.querySelector('.window h2').innerText === 'Settings'"),
    ("/unregister", "document.querySelector('.window h2').innerText === 'Delete the account'"),
    ("/export mine.jsonl", told("Saved as mine.jsonl")),
    ("/sessions", "document.querySelector('.window h2').innerText === 'Settings'"),
    ("/revoke s_none", "!!document.querySelector('.passing .bad')"),
    ("/lang fr", "document.querySelector('.part h2').innerText === 'Salons'"),
    ("/lang en", "document.querySelector('.part h2').innerText === 'Rooms'"),
    ("/cert laptop", "!!document.querySelector('.passing .bad')"),
    ("/ping", told("The hub is there")),
    ("/bye", told("stays until it is closed")),
    ("/msg bob hello", "!!" + HERE.format("@bob")),
    ("/dialogue free", "!!document.querySelector('.held')"),
    ("/logout", "!!document.querySelector('.entrance')"),
]


@test
def what_can_be_typed_does_in_the_page_what_it_says_or_says_why_not(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    bob = Bot(hub.tcp)
    bob.done("REGISTER", user="bob", password="secret-pass")
    bob.done("JOIN", room="#lab")
    known = {one["line"].split()[0] for one in bob.done("HELP")["commands"]}
    equal(known - {line.split()[0] for line, _ in TYPED}, set())
    say(ana, "hello")
    await_texts(ana, ["hello"])
    # All are offered, but those that have no sense for who is here already.
    ana.fill("#composer", "/")
    offered = f"document.querySelectorAll('.choices li').length === {len(known) - 4}"
    ana.until(offered)
    ana.press("Escape")
    ana.js("document.querySelector('#composer').value = ''")
    for line, shown in [one for one in TYPED if one[0].split()[0] in known]:
        number = ana.js("[...document.querySelectorAll('.message.own[data-seq]')].at(-1)?.dataset.seq ?? ''")
        say(ana, line.replace("N", number) if " N" in line else line)
        try:
            ana.until(shown)
        except AssertionError as error:
            raise AssertionError(f"{line}: {error}\n{ana.js('document.body.innerText')}") from None
        # What it opened is closed again.
        ana.until("document.querySelector(':is(dialog, .beside) header button')?.click(), !document.querySelector('dialog, .beside')")
        if ana.js("!!document.querySelector('#composer')"):
            ana.js("document.querySelector('#composer').value = ''")
    expect_quiet(ana)


# Each line that is refused to who owns a room, alone there with bob, and why.
REFUSED = [
    ("/invite ana", "is in this room"),
    ("/invite bob", "is in this room"),
    ("/invite nobody", "nobody is called"),
    ("/kick nobody", "nobody is called"),
    ("/edit 9999 better", "nothing was said at that place"),
    ("/react 9999 👍", "nothing was said at that place"),
    ("/delete 9999", "nothing was said at that place"),
    ("/msg", "To whom?"),
    ("/msg ana hello", "somebody else"),
    ("/lang de", "no language"),
    ("/nick eve", "and stay ana"),
    ("/bye", "stays until it is closed"),
]


@test
def what_is_refused_says_why_above_the_composer_and_stays_typed(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#tea", "#lab")
    bob = Bot(hub.tcp)
    bob.done("REGISTER", user="bob", password="secret-pass")
    bob.done("JOIN", room="#lab")
    for line, why in REFUSED:
        say(ana, line)
        why = f"document.querySelector('.composer .passing .bad')?.innerText.includes({json.dumps(why)})"
        ana.until(f"{why} && document.querySelector('#composer').value === {json.dumps(line)}")
        ana.click(".passing button")
        ana.until("!document.querySelector('.passing p')")
        ana.js("document.querySelector('#composer').select()")
    # Once, and not in two sentences.
    say(ana, "/nope")
    ana.has(".composer .passing .bad")
    equal(ana.js("document.querySelector('.composer .passing .bad').innerText.trim()"), 'no command is called "/nope": /help lists them')
    ana.js("document.querySelector('#composer').select()")
    # Also for who looks at another room when it is refused.
    ana.type("/kick nobody")
    enter = "new KeyboardEvent('keydown', {key: 'Enter', bubbles: true, cancelable: true})"
    ana.js(f"document.querySelector('#composer').dispatchEvent({enter}), document.querySelector('.row[data-room=\"#tea\"]').click()")
    ana.has('.row[data-room="#tea"][aria-current]')
    time.sleep(0.5)
    ana.until("document.querySelector('#composer').value === ''")
    ana.click('.row[data-room="#lab"]')
    ana.until("document.querySelector('#composer').value === '/kick nobody'")
    holds(ana.js("document.querySelector('.composer .passing .bad').innerText"), "nobody is called")
    # A dialogue says it in itself.
    ana.click('.room-head [aria-label="About this room"]')
    pick(ana, "Invite…")
    ana.fill(".window input[name=user]", "bob")
    ana.press("Enter")
    ana.until("document.querySelector('.window .wrong')?.innerText.includes('is in this room')")
    expect_quiet(ana)


@test
def what_a_hook_says_has_a_name_and_a_face_of_its_own(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    hook = hub.bot("ana").done("HOOK", room="#lab", name="build")["hook"]
    ask = urllib.request.Request(hub.url.rstrip("/") + hook, json.dumps({"text": "done, @ana"}).encode())
    with urllib.request.urlopen(ask, timeout=10) as answer:
        equal(answer.status, 200)
    await_texts(ana, ["done, @ana"])
    equal(ana.js("['.author', '.tag'].map((one) => document.querySelector(`.by-hook ${one}`).innerText)"), ["build", "hook of ana"])
    holds(ana.js("document.querySelector('.by-hook').getAttribute('aria-label')"), "build, hook of ana")
    expect_quiet(ana)


def lines_of(window):
    """All that is said in the room, in its order: what is in the log, and what is not."""
    return window.js("[...document.querySelectorAll('.lines .said > .text')].map((one) => one.textContent)")


@test
def what_is_refused_stays_where_it_was_said_and_is_neither_lost_nor_said_twice(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    bob = come_in(browser, hub, "bob", "#lab")
    owner = hub.bot("ana")
    owner.done("MESSAGE", room="#lab", body="one")
    owner.done("MUTE", room="#lab", user="bob", seconds=600)
    await_texts(bob, ["one"])
    say(bob, "may I?")
    bob.has(".unsent.failed")
    owner.done("MESSAGE", room="#lab", body="two")
    await_texts(bob, ["one", "two"])
    equal(lines_of(bob), ["one", "may I?", "two"])
    # Nor after a reload is it sent by itself, or elsewhere.
    bob.ask("Page.reload")
    bob.has(".unsent.failed")
    await_texts(bob, ["one", "two"])
    equal(lines_of(bob), ["one", "may I?", "two"])
    bob.has(".row .failed")
    owner.done("SLOW", room="#lab", seconds=3600)
    owner.done("MUTE", room="#lab", user="bob", on=False)
    time.sleep(0.5)
    equal(texts(ana), ["one", "two"])
    bob.click(".unsent .fate button")
    await_texts(ana, ["one", "two", "may I?"])
    bob.until("!document.querySelector('.unsent')")
    equal(lines_of(bob), ["one", "two", "may I?"])
    # In a slow room one may have to wait for long; what was typed can be had back, and said otherwise.
    say(bob, "/me waits")
    bob.has(".unsent.failed")
    bob.js("[...document.querySelectorAll('.unsent .fate button')].find((one) => one.innerText === 'Take back').click()")
    bob.until("document.querySelector('#composer').value === '/me waits' && !document.querySelector('.unsent')")
    owner.done("SLOW", room="#lab", seconds=0)
    bob.press("Enter")
    await_texts(ana, ["one", "two", "may I?", "waits"])
    # What is too long by lines is refused for good.
    bob.js("document.querySelector('#composer').value = 'x\\n'.repeat(401) + 'y'; document.querySelector('#composer').dispatchEvent(new Event('input'))")
    bob.press("Enter")
    bob.has(".unsent.failed")
    equal(bob.js("[...document.querySelectorAll('.unsent .fate button')].map((one) => one.innerText)"), ["Take back"])
    said = [event["body"] for event in owner.done("HISTORY", room="#lab", limit=100)["events"] if event["ev"] == "message"]
    equal(said, ["one", "two", "may I?", "waits"])
    expect_quiet(ana, bob)


@test
def who_says_too_much_at_once_has_it_said_once_and_in_order(stage):
    hub, browser = Hub(stage, []), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab", "#tea")
    ana.click('.row[data-room="#lab"]')
    ana.has('.row[data-room="#lab"][aria-current]')
    said = [f"line {number}" for number in range(14)]
    for line in said:
        say(ana, line)
    # More than may be said at once: it says why it waits, and is said by itself.
    ana.until("[...document.querySelectorAll('.unsent .fate')].some((one) => one.innerText.includes('sent again soon'))")
    await_texts(ana, said)
    ana.until("!document.querySelector('.unsent')")
    page = hub.bot("ana").done("HISTORY", room="#lab", limit=50)["events"]
    equal([event["body"] for event in page if event["ev"] == "message"], said)
    expect_quiet(ana)


@test
def what_is_told_in_passing_covers_no_message_and_moves_nothing(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    bot = hub.bot("ana")
    for number in range(40):
        bot.done("MESSAGE", room="#lab", body=f"line {number}")
    ana.until("[...document.querySelectorAll('.text')].at(-1)?.textContent === 'line 39'")
    places = "JSON.stringify([...document.querySelectorAll('.message:last-child, .field')].map((one) => one.getBoundingClientRect()))"
    before = ana.js(places)
    say(ana, "/kick nobody")
    ana.has(".passing [role=alert] .bad")
    equal(ana.js(places), before)
    box = "document.querySelector('.passing p').getBoundingClientRect()"
    equal(ana.js(f"{box}.top >= [...document.querySelectorAll('.message')].at(-1).getBoundingClientRect().bottom"), True)
    equal(ana.js(f"{box}.bottom <= document.querySelector('.field').getBoundingClientRect().top"), True)
    # What went wrong stays until it is closed; what did not goes by itself.
    time.sleep(5)
    ana.has(".passing .bad")
    ana.click(".passing button")
    ana.until("!document.querySelector('.passing p')")
    ana.js("document.querySelector('#composer').value = ''")
    say(ana, "/ping")
    ana.has(".passing [role=status] p")
    ana.until("!document.querySelector('.passing p')")
    expect_quiet(ana)


@test
def a_long_list_says_what_calls_further_on(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#a")
    bot, bob = hub.bot("ana"), Bot(hub.tcp)
    bob.done("REGISTER", user="bob", password="secret-pass")
    for number in range(40):
        bot.done("CREATE", room=f"#room-{number:02}")
    bob.done("JOIN", room="#room-39")
    bob.done("MESSAGE", room="#room-39", body="are you there, @ana?")
    ana.until("document.querySelector('.further.below')?.innerText.includes('1 below mentions you')")
    ana.click(".further.below")
    ana.until("document.activeElement.dataset.room === '#room-39' && !document.querySelector('.further')")
    # The room one is in is in sight, however one came there.
    ana.press("ArrowUp", ALT)
    ana.press("ArrowUp", ALT)
    is_seen = "(row => row.top >= 0 && row.bottom <= innerHeight)(document.querySelector('.row[aria-current]').getBoundingClientRect())"
    ana.until(f"document.querySelector('.row[aria-current]').dataset.room !== '#a' && {is_seen}")
    expect_quiet(ana)
