"""The hub's page: its list of rooms, windows of one browser, and what is told where."""

import json
import socket
import time

from browsing import CTRL, Browser
from stage import equal, eventually, holds, test
from with_a_hub import Bot, somebody
from with_chat_page import Hub, await_texts, come_in, expect_quiet, pick, say


@test
def whose_turn_it_is_stands_in_the_list_of_rooms(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    bob, eve = somebody(hub.tcp, "bob"), somebody(hub.tcp, "eve")
    row = "document.querySelector('.row[data-room=\"@{}\"]')?.innerText ?? ''"
    bob.done("DIALOGUE", **{"with": "ana", "mode": "turns"})
    ana.until(f"({row.format('bob')}).includes('The turn of bob')")
    bob.done("MESSAGE", to="ana", body="and you?")
    ana.until(f"({row.format('bob')}).includes('Your turn')")
    eve.done("DIALOGUE", **{"with": "ana", "mode": "free"})
    ana.until(f"({row.format('eve')}).includes('A dialogue without turns')")
    # Also of what is open: on a narrow screen it is not in sight beside the list.
    ana.size(390, 800)
    ana.click(".to-list")
    ana.click('.row[data-room="@bob"]')
    ana.click(".to-list")
    ana.until(f"({row.format('bob')}).includes('Your turn')")
    eve.done("DIALOGUE", **{"with": "ana", "mode": "end"})
    ana.until(f"!({row.format('eve')}).includes('dialogue')")
    expect_quiet(ana)


@test
def what_is_told_in_a_room_is_told_there_alone(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab", "#tea")
    ana.size(390, 800)
    told = "[...document.querySelectorAll('.passing p')].filter((one) => one.checkVisibility()).length"
    say(ana, "/kick nobody")
    ana.until(f"{told} === 1")
    ana.click(".to-list")
    ana.until("document.querySelector('.rooms').checkVisibility()")
    equal(ana.js(told), 0)
    ana.click(".me")
    ana.has(".window")
    equal(ana.js(told), 0)
    ana.press("Escape")
    ana.click('.row[data-room="#lab"]')
    ana.has('.row[data-room="#lab"][aria-current]')
    equal(ana.js(told), 0)
    ana.click(".to-list")
    ana.click('.row[data-room="#tea"]')
    ana.until(f"{told} === 1")
    # What is told in a window is to be read behind it when it is closed.
    ana.click('.room-head [aria-label="About this room"]')
    pick(ana, "Invite…")
    somebody(hub.tcp, "bob")
    ana.fill(".window input[name=user]", "bob")
    ana.press("Enter")
    ana.until("!document.querySelector('.window') && document.querySelector('.foot .passing').innerText.includes('bob is invited')")
    expect_quiet(ana)


@test
def rooms_that_others_make_stand_in_the_list_without_a_reload(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    bob = somebody(hub.tcp, "bob")
    # On a narrow screen it is asked for where the list comes into view.
    ana.size(390, 800)
    bob.done("CREATE", room="#one")
    ana.click(".to-list")
    ana.until("document.querySelector('.rooms-list').innerText.includes('1 other room')")
    # On a wide one it is always in view: where somebody turns to it.
    ana.size(1280, 800)
    bob.done("CREATE", room="#two")
    ana.ask("Input.dispatchMouseEvent", type="mouseMoved", x=900, y=400)
    ana.ask("Input.dispatchMouseEvent", type="mouseMoved", x=100, y=400)
    ana.until("document.querySelector('.rooms-list').innerText.includes('2 other rooms')")
    # A window that lists them goes on asking.
    ana.click('.part [aria-label="Find or make a room"]')
    ana.until("document.querySelectorAll('.finds li').length === 2")
    bob.done("CREATE", room="#three")
    ana.until("document.querySelectorAll('.finds li').length === 3")
    ana.js("[...document.querySelectorAll('.finds li')].find((one) => one.innerText.includes('#three')).querySelector('button').click()")
    ana.has('.row[data-room="#three"][aria-current]')
    # What one leaves may be come into again.
    ana.click('.room-head [aria-label="About this room"]')
    pick(ana, "Leave the room")
    ana.until("document.querySelector('.rooms-list').innerText.includes('3 other rooms')")
    expect_quiet(ana)


@test
def the_list_of_rooms_is_asked_for_now_and_then_however_much_is_done_there(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    ana.js("window.asked = 0, WebSocket.prototype.send = ((send) => function (text) { window.asked += text.includes('\"ROOMS\"'); return send.call(this, text); })(WebSocket.prototype.send)")
    for turn in range(60):
        ana.ask("Input.dispatchMouseEvent", type="mouseMoved", x=900 if turn % 2 else 100, y=400)
        time.sleep(0.05)
    asked = ana.js("window.asked")
    assert asked <= 2, asked
    expect_quiet(ana)


@test
def all_that_one_did_is_saved_as_a_file_as_the_hub_exports_it(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    bot = hub.bot("ana")
    for number in range(450):
        bot.done("MESSAGE", room="#lab", body=f"hers {number}")
    somebody(hub.tcp, "bob", "#lab").done("MESSAGE", room="#lab", body="his")
    folder = stage.path("saved")
    browser.ask("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder), browserContextId=ana.context)
    ana.click(".me")
    download = "[...document.querySelectorAll('.window button')].find((one) => one.innerText === 'Download')"
    ana.until(f"!!{download}")
    ana.js(f"{download}.click()")
    saved = eventually("a file", lambda: folder.is_dir() and next(folder.glob("ana*.jsonl"), None))
    lines = [json.loads(line) for line in saved.read_text().splitlines()]
    equal(lines[0], {"is": "account", "user": "ana"})
    equal([line["device"] for line in lines if line.get("is") == "device"].count("Chromium, Linux"), 1)
    equal([(line["room"], line["role"]) for line in lines if line.get("is") == "member"], [("#lab", "owner")])
    equal([line["body"] for line in lines if line.get("ev") == "message"], [f"hers {number}" for number in range(450)])
    equal(lines[-1], {"is": "end", "lines": len(lines) - 1})
    assert not any("prev" in line for line in lines)
    ana.until("!document.querySelector('.window').innerText.includes('until now')")
    expect_quiet(ana)


@test
def who_logs_out_leaves_nothing_to_who_comes_next_in_the_same_window(stage):
    hub, browser = Hub(stage), Browser(stage)
    somebody(hub.tcp, "bob", "#lab")
    ana = come_in(browser, hub, "ana", "#lab")
    say(ana, "/calc 40 + 2")
    ana.has(".aside-line")
    say(ana, "/kick nobody")
    ana.has(".passing .bad")
    ana.js("document.querySelector('#composer').value = ''")
    say(ana, "/search salut")
    ana.has(".beside .search")
    ana.click(".me")
    ana.click(".window .buttons .bad")
    ana.has(".entrance")
    equal(ana.js("JSON.stringify(localStorage)"), "{}")
    ana.fill("input[name=user]", "bob")
    ana.fill("input[name=password]", "secret-pass")
    ana.press("Enter")
    ana.has(".inside .lines")
    ana.until("document.querySelector('.me').innerText.includes('bob')")
    time.sleep(0.3)
    equal(ana.js("document.querySelectorAll('.aside-line, .passing p, .beside').length"), 0)
    expect_quiet(ana)


@test
def windows_of_one_browser_are_one_person(stage):
    hub, browser = Hub(stage), Browser(stage)
    somebody(hub.tcp, "bob", "#lab")
    ana = come_in(browser, hub, "ana", "#lab")
    say(ana, "by one")
    await_texts(ana, ["by one"])
    other = browser.another(ana, hub.url)
    await_texts(other, ["by one"])
    say(other, "by the other")
    await_texts(ana, ["by one", "by the other"])
    await_texts(other, ["by one", "by the other"])
    # What both would say is said once each, also by a hub that is back.
    hub.kill()
    say(ana, "one without")
    say(other, "other without")
    other.has(".unsent")
    other.ask("Page.reload")
    other.has(".no-line")
    hub.begin()
    for window in (ana, other):
        window.until("!document.querySelector('.unsent, .no-line')")
        eventually("both", lambda: sorted(one for one in lines(window) if "without" in one) == ["one without", "other without"])
    # Somebody else comes in by the one while the other has no network: it is theirs, too, with nothing of who was there.
    ana.network(False)
    other.click(".me")
    other.click(".window .buttons .bad")
    other.has(".entrance")
    other.fill("input[name=user]", "bob")
    other.fill("input[name=password]", "secret-pass")
    other.press("Enter")
    other.until("document.querySelector('.me')?.innerText.includes('bob')")
    ana.network(True)
    ana.until("document.querySelector('.me')?.innerText.includes('bob')", 30)
    say(ana, "as bob")
    await_texts(other, [*lines(other)[:4], "as bob"])
    equal(other.js("[...document.querySelectorAll('.author')].at(-1).innerText"), "bob")
    expect_quiet(ana, other)


def lines(window):
    return window.js("[...document.querySelectorAll('.message[data-seq] .text')].map((one) => one.textContent)")


@test
def of_whom_one_talks_with_it_is_seen_at_once_whether_they_are_there(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    bob, eve = somebody(hub.tcp, "bob"), somebody(hub.tcp, "eve")
    for bot in (bob, eve):
        bot.done("MESSAGE", to="ana", body="hello")
    eve.conn.shutdown(socket.SHUT_RDWR)
    ana.has('.row[data-room="@eve"]')
    ana.ask("Page.reload")
    ana.has('.row[data-room="@bob"] .dot.online')
    ana.has('.row[data-room="@eve"] .dot.offline')
    holds(" ".join(name for role, name in ana.names() if role == "button"), "bob here")
    # Who writes for the first time, too.
    zoe = somebody(hub.tcp, "zoe")
    zoe.done("MESSAGE", to="ana", body="hello")
    ana.has('.row[data-room="@zoe"] .dot.online')
    # And who begins a dialogue, before a word is said.
    leo = somebody(hub.tcp, "leo")
    leo.done("DIALOGUE", **{"with": "ana", "mode": "turns"})
    ana.has('.row[data-room="@leo"] .dot.online')
    expect_quiet(ana)


@test
def the_log_stays_at_its_end_however_its_height_changes(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    bot = hub.bot("ana")
    for number in range(60):
        bot.done("MESSAGE", room="#lab", body=f"line {number}")
    ana.until("[...document.querySelectorAll('.text')].at(-1)?.textContent === 'line 59'")
    left = "(box => Math.round(box.scrollHeight - box.clientHeight - box.scrollTop))(document.querySelector('.log'))"
    # As a keyboard on glass comes up, and goes.
    for height in (760, 700, 560, 470, 430, 640, 800, 500):
        ana.size(390, height)
        ana.until(f"{left} === 0")
    equal(ana.js("!!document.querySelector('.to-end')"), False)
    ana.js("document.querySelector('#composer').value = 'x\\n'.repeat(9), document.querySelector('#composer').dispatchEvent(new Event('input'))")
    ana.until(f"{left} === 0")
    expect_quiet(ana)


@test
def who_writes_is_told_in_one_line_however_long_their_names_are(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    for name in ("bob", "a-name-as-long-as-names-may-be-32", "eve"):
        somebody(hub.tcp, name[:32], "#lab").done("TYPING", room="#lab", on=True)
    ana.size(320, 600)
    ana.until("document.querySelectorAll('.typing .name').length === 3")
    holds(ana.js("document.querySelector('.typing').innerText"), "bob, a-name")
    box = "document.querySelector('.typing > span:last-child').getBoundingClientRect()"
    equal(ana.js(f"[document.querySelector('.typing > span:last-child').innerText, {box}.right <= innerWidth]"), ["write", True])
    expect_quiet(ana)


WRONG_CLOCK = """((right) => {
  globalThis.Date = class extends right {
    constructor(...given) { given.length > 0 ? super(...given) : super(right.now() + BY); }
    static now() { return right.now() + BY; }
  };
})(Date)"""


@test
def a_machine_whose_clock_is_wrong_goes_by_the_hubs(stage):
    hub, browser = Hub(stage), Browser(stage)
    somebody(hub.tcp, "ana", "#lab").done("MESSAGE", room="#lab", body="hello")
    for hours in (30, -50):
        ana = browser.window("about:blank")
        ana.ask("Page.addScriptToEvaluateOnNewDocument", source=WRONG_CLOCK.replace("BY", str(hours * 3_600_000)))
        ana.ask("Page.navigate", url=hub.url)
        ana.fill("input[name=user]", "ana")
        ana.fill("input[name=password]", "secret-pass")
        ana.press("Enter")
        ana.until("document.querySelector('.day')?.innerText === 'Today'")
        ana.click(".bell")
        pick(ana, "Do not disturb for an hour")
        ana.until("document.querySelector('.bell').getAttribute('aria-pressed') === 'true'")
        ana.click(".bell")
        pick(ana, "Notifications are on")
        ana.until("document.querySelector('.bell').getAttribute('aria-pressed') === 'false'")
        say(ana, "by my clock")
        ana.until("!document.querySelector('.unsent')")
        equal(ana.js("document.querySelectorAll('.day').length"), 1)
        expect_quiet(ana)


@test
def however_a_window_is_closed_the_keyboard_is_where_it_was(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    for opener in (".me", '.part [aria-label="Find or make a room"]', '.rooms-head [aria-label="Go to"]'):
        for close in (lambda: ana.press("Escape"), lambda: ana.js("document.querySelector('.window header button').click()")):
            ana.focus(opener)
            ana.press("Enter")
            ana.has(".window")
            close()
            ana.until(f"!document.querySelector('.window') && document.activeElement === document.querySelector({json.dumps(opener)})")
    # Who goes to the room that is open is there.
    ana.focus("#composer")
    ana.press("k", CTRL)
    ana.has("#places")
    ana.type("lab")
    ana.press("Enter")
    ana.until("!document.querySelector('.window') && document.activeElement.id === 'composer'")
    expect_quiet(ana)


@test
def what_is_further_up_in_a_long_list_is_told_whole_and_names_stand_at_one_edge(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    own, bob = hub.bot("ana"), somebody(hub.tcp, "bob")
    for room in ["#aa", "#\u05d7\u05d3\u05e8", *(f"#room-{number:02}" for number in range(30))]:
        bob.done("CREATE", room=room)
        own.done("JOIN", room=room)
    bob.done("MESSAGE", room="#aa", body="are you there, @ana?")
    ana.until("document.querySelectorAll('.row[data-room]').length === 33")
    edges = "new Set([...document.querySelectorAll('.row-name')].map((one) => Math.round((range => (range.selectNodeContents(one), range.getBoundingClientRect().left))(new Range()))))"
    equal(ana.js(f"{edges}.size"), 1)
    ana.js("document.querySelector('.rooms-list').scrollTop = 9999")
    ana.has(".further.above")
    # Its sign, its words and its edge follow one another.
    places = "['.icon', 'span'].map((one) => document.querySelector('.further.above ' + one).getBoundingClientRect())"
    ana.until(f"(([sign, words]) => sign.right <= words.left && words.right <= document.querySelector('.further.above').getBoundingClientRect().right)({places})")
    expect_quiet(ana)


@test
def who_came_in_is_told_in_french_as_french_has_it(stage):
    hub, browser = Hub(stage), Browser(stage)
    somebody(hub.tcp, "bob", "#lab").done("MESSAGE", room="#lab", body="bonjour")
    ana = come_in(browser, hub, "ana", "#lab")
    ana.until("document.querySelector('.lines').innerText.includes('you came in')")
    say(ana, "/lang fr")
    ana.until("document.querySelector('.lines').innerText.includes('vous êtes entré ')")
    somebody(hub.tcp, "eve", "#lab")
    ana.until("document.querySelector('.lines').innerText.includes('vous, eve êtes entrés')")
    expect_quiet(ana)


@test
def a_window_about_a_room_ends_with_the_room(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#tea")
    bob = somebody(hub.tcp, "bob", "#lab")
    own = hub.bot("ana")
    for about in ("Say what it is about", "Invite…", "Rules…"):
        own.done("JOIN", room="#lab")
        bob.done("ROLE", room="#lab", user="ana", role="moderator")
        ana.click('.row[data-room="#lab"]')
        ana.has('.row[data-room="#lab"][aria-current]')
        ana.until("!!document.querySelector('button.topic')")
        ana.click('.room-head [aria-label="About this room"]')
        pick(ana, about)
        ana.has(".window input")
        bob.done("KICK", room="#lab", user="ana")
        ana.until("!document.querySelector('.window') && !document.querySelector('.row[data-room=\"#lab\"]')")
        ana.until("document.querySelector('.passing').innerText.includes('bob sent you out of #lab')")
        # What is typed goes on to work.
        ana.click('.row[data-room="#tea"]')
        ana.has("#composer")
    say(ana, "still here")
    await_texts(ana, ["still here"])
    expect_quiet(ana)


@test
def who_leaves_a_private_room_is_asked_whether_they_mean_it(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    bob = somebody(hub.tcp, "bob")
    bob.done("CREATE", room="#den", private=True)
    bob.done("INVITE", room="#den", user="ana")
    ana.click(".invitation button")
    ana.has('.row[data-room="#den"][aria-current]')
    for buttons, is_in in (("button:not(.bad)", True), (".bad", False)):
        ana.click('.room-head [aria-label="About this room"]')
        pick(ana, "Leave the room")
        ana.until("document.querySelector('.window')?.innerText.includes('only if somebody invites you again')")
        ana.click(f".window .buttons {buttons}")
        ana.until("!document.querySelector('.window')")
        ana.until(f"!!document.querySelector('.row[data-room=\"#den\"]') === {str(is_in).lower()}")
    expect_quiet(ana)


@test
def who_logs_out_while_the_hub_is_away_is_forgotten_at_once_and_the_hub_hears_of_it_later(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    ana.fill("#composer", "half a thought")
    other = browser.another(ana, hub.url)
    other.has(".inside")
    hub.kill()
    ana.has(".no-line")
    ana.click(".me")
    ana.click(".window .buttons .bad")
    ana.has(".entrance .told")
    equal(ana.js("JSON.stringify(localStorage)"), "{}")
    holds(ana.js("document.querySelector('.entrance .told').innerText"), "cannot be reached")
    # Its other windows are logged out, too, though the hub cannot tell them.
    other.has(".entrance")
    hub.begin()
    ana.until("document.querySelector('.entrance .told').innerText.includes('has heard')", 30)
    equal([one["this"] for one in hub.bot("ana").done("SESSIONS")["sessions"]], [True])
    ana.fill("input[name=user]", "ana")
    ana.fill("input[name=password]", "secret-pass")
    ana.press("Enter")
    ana.has(".inside")
    equal(ana.js("document.querySelector('.me').innerText.includes('ana') && document.querySelector('#composer').value"), "")
    expect_quiet(ana, other)


def out_everywhere_and_in(stage, name):
    """Ana logs out all her devices while the hub is away, and `name` comes in on her page as soon as it is there."""
    hub, browser = Hub(stage), Browser(stage)
    somebody(hub.tcp, "bob")
    ana = come_in(browser, hub, "ana")
    phone = Bot(hub.tcp).done("LOGIN", user="ana", password="secret-pass")["token"]
    hub.kill()
    ana.has(".no-line")
    ana.click(".me")
    ana.has(".window .buttons .bad")
    ana.js("document.querySelector('.window .buttons .bad').previousElementSibling.click()")
    ana.has(".entrance .told")
    # By now the page calls rarely: mostly after somebody came in.
    time.sleep(10)
    hub.begin()
    ana.fill("input[name=user]", name)
    ana.fill("input[name=password]", "secret-pass")
    ana.press("Enter")
    ana.has(".inside", 30)

    def is_out():
        time.sleep(0.5)
        return Bot(hub.tcp).ask("LOGIN", token=phone).get("err", {}).get("code") == "TOKEN_EXPIRED"

    eventually("her phone is logged out", is_out)
    equal(ana.js("!!document.querySelector('.inside')"), True)
    equal(len(hub.bot("ana").done("SESSIONS")["sessions"]), 1 + (name == "ana"))
    expect_quiet(ana)


@test
def who_logs_out_everywhere_while_the_hub_is_away_is_out_there_though_somebody_else_comes_in(stage):
    out_everywhere_and_in(stage, "bob")


@test
def who_logs_out_everywhere_while_the_hub_is_away_and_comes_in_again_is_in_there_alone(stage):
    out_everywhere_and_in(stage, "ana")


def badge(name):
    return f"document.querySelector('.row[data-room=\"{name}\"] .badge [aria-hidden]')?.innerText"


@test
def what_is_new_is_so_on_all_devices_until_it_was_seen_on_one_and_moves_nobody(stage):
    hub, browser = Hub(stage), Browser(stage)
    bob = somebody(hub.tcp, "bob", "#lab")
    ana = come_in(browser, hub, "ana", "#tea", "#lab")
    other = browser.window(hub.url)
    other.fill("input[name=user]", "ana")
    other.fill("input[name=password]", "secret-pass")
    other.press("Enter")
    other.click('.row[data-room="#tea"]')
    for number in range(40):
        bob.done("MESSAGE", room="#lab", cid=f"line-{number}", body=f"line {number}")
    ana.until("[...document.querySelectorAll('.message .text')].at(-1)?.textContent === 'line 39'")
    for window in (ana, other):
        window.until(f"!{badge('#lab')}")
    # Who reads further back has not seen it, and stays there.
    ana.js("document.querySelector('.log').scrollTop = 100")
    ana.has(".to-end")
    bob.done("MESSAGE", room="#lab", cid="new", body="@ana new")
    for window in (ana, other):
        window.until(f"{badge('#lab')} === '1'")
    time.sleep(1)
    equal(ana.js("document.querySelector('.log').scrollTop"), 100)
    ana.click(".to-end")
    for window in (ana, other):
        window.until(f"!{badge('#lab')} && !document.title.includes('(')")
    # Nor has who looks at the list, where that has the whole screen.
    ana.size(320, 640)
    ana.until("!document.querySelector('.rooms').checkVisibility()")
    ana.click(".to-list")
    ana.until("document.querySelector('.inside').dataset.list === 'true'")
    bob.done("MESSAGE", room="#lab", cid="newer", body="@ana newer")
    time.sleep(1)
    for window in (ana, other):
        window.until(f"{badge('#lab')} === '1'")
    ana.click('.row[data-room="#lab"]')
    for window in (ana, other):
        window.until(f"!{badge('#lab')} && !document.title.includes('(')")
    expect_quiet(ana, other)


@test
def an_invitation_is_declined_in_the_list_and_the_keyboard_stays_there(stage):
    hub, browser = Hub(stage), Browser(stage)
    ana = come_in(browser, hub, "ana", "#lab")
    bob = somebody(hub.tcp, "bob")
    for room in ("#den", "#nook"):
        bob.done("CREATE", room=room, private=True)
        bob.done("INVITE", room=room, user="ana")
    ana.until("document.querySelectorAll('.invitation').length === 2")
    holds([name for _, name in ana.names()], "Decline: #nook")
    # Both buttons stand side by side, however narrow it is.
    tops = "new Set([...document.querySelectorAll('.invitation:first-child button')].map((one) => one.offsetTop)).size"
    for width in (320, 768, 1280):
        ana.size(width, 700)
        ana.js("document.querySelector('.to-list')?.click()")
        ana.until(f"document.querySelector('.rooms').checkVisibility() && {tops} === 1")
    for left, there in ((1, ".invitation button"), (0, ".rooms-list .row")):
        ana.focus(".invitation button:last-child")
        ana.press("Enter")
        ana.until(f"document.querySelectorAll('.invitation').length === {left} && document.activeElement.matches('{there}')")
    equal([one for one in hub.bot("ana").done("ROOMS")["rooms"] if "invited" in one], [])
    expect_quiet(ana)
