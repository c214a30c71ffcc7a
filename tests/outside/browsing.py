"""A real browser, driven over a pipe by Chromium's DevTools protocol: nothing but the standard library."""

import contextlib
import itertools
import json
import os
import queue
import threading

from stage import eventually, need

CHROMIUM = os.environ.get("CHROMIUM", "chromium")

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--remote-debugging-pipe",
]

KEYS = {
    "Enter": (13, "\r"), "Escape": (27, None), "Tab": (9, None), "ArrowUp": (38, None), "ArrowDown": (40, None), "F6": (117, None),
}

CTRL, ALT = 2, 1


class Browser:
    """Chromium, ended with the stage. Each of its windows is somebody else's: they share nothing."""

    def __init__(self, stage):
        need(CHROMIUM, "bash")
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        # It reads what it is to do from 3, and tells what happened on 4; the rest is about buses that are not there.
        shell = f'exec "$@" 3<&{theirs_in} 4>&{theirs_out} 2>/dev/null'
        command = ["bash", "-c", shell, "bash", CHROMIUM, *FLAGS, f"--user-data-dir={stage.path('browser')}", "about:blank"]
        stage.start(command, "chromium", pass_fds=(theirs_in, theirs_out))
        os.close(theirs_in)
        os.close(theirs_out)
        self.out, self.heard = os.fdopen(ours_out, "wb", buffering=0), os.fdopen(ours_in, "rb", buffering=0)
        self.numbers, self.answers, self.windows = itertools.count(1), {}, {}
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        left = b""
        while part := self.heard.read(1 << 16):
            *messages, left = (left + part).split(b"\0")
            for message in map(json.loads, messages):
                if "id" in message:
                    self.answers.pop(message["id"]).put(message)
                elif window := self.windows.get(message.get("sessionId")):
                    window.note(message["method"], message["params"])

    def ask(self, method, session=None, **params):
        number = next(self.numbers)
        answer = self.answers[number] = queue.Queue()
        message = {"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {})
        self.out.write(json.dumps(message).encode() + b"\0")
        told = answer.get(timeout=30)
        assert "error" not in told, f"{method}: {told['error']}"
        return told["result"]

    def window(self, url):
        """A window with storage of its own."""
        return self.open(self.ask("Target.createBrowserContext")["browserContextId"], url)

    def another(self, window, url):
        """Another window of the same person: what the one keeps, the other has."""
        return self.open(window.context, url)

    def open(self, context, url):
        target = self.ask("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        window = Window(self, self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"], context)
        self.windows[window.session] = window
        for domain in ("Page", "Runtime", "Log", "Network"):
            window.ask(f"{domain}.enable")
        # As if each window were the one that has the person's attention.
        window.ask("Emulation.setFocusEmulationEnabled", enabled=True)
        window.size(1280, 800)
        window.ask("Page.navigate", url=url)
        return window


class Window:
    def __init__(self, browser, session, context):
        self.browser, self.session, self.context = browser, session, context
        self.complaints, self.asked = [], []

    def ask(self, method, **params):
        return self.browser.ask(method, self.session, **params)

    def note(self, method, params):
        if method == "Network.requestWillBeSent":
            self.asked.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(params["exceptionDetails"].get("exception", {}).get("description", str(params)))
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.complaints.append(str([one.get("value", one.get("description")) for one in params["args"]]))

    def js(self, expression):
        told = self.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, f"{expression}: {told['exceptionDetails'].get('exception', {}).get('description')}"
        return told["result"].get("value")

    def until(self, expression, seconds=15):
        """Asks until it is so: pages change on their own, and go away under a question."""

        def asked():
            with contextlib.suppress(AssertionError):
                return self.js(expression)
            return None

        return eventually(expression, asked, seconds)

    def has(self, selector, seconds=15):
        return self.until(f"!!document.querySelector({json.dumps(selector)})", seconds)

    def click(self, selector):
        self.has(selector)
        self.js(f"document.querySelector({json.dumps(selector)}).click()")

    def focus(self, selector):
        self.has(selector)
        self.js(f"document.querySelector({json.dumps(selector)}).focus()")

    def type(self, text):
        self.ask("Input.insertText", text=text)

    def fill(self, selector, text):
        self.focus(selector)
        self.type(text)

    def press(self, key, modifiers=0):
        number, text = KEYS[key] if key in KEYS else (ord(key.upper()), None)
        what = {"key": key, "code": f"Key{key.upper()}" if len(key) == 1 else key, "windowsVirtualKeyCode": number, "modifiers": modifiers}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **what, **({"text": text} if text else {}))
        self.ask("Input.dispatchKeyEvent", type="keyUp", **what)

    def size(self, width, height):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def network(self, is_there):
        speed = -1 if is_there else 0
        self.ask("Network.emulateNetworkConditions", offline=not is_there, latency=0, downloadThroughput=speed, uploadThroughput=speed)

    def names(self):
        """What a screen reader is told of all that can be used: role and name."""
        nodes = self.ask("Accessibility.getFullAXTree")["nodes"]
        return [(one["role"]["value"], one.get("name", {}).get("value", "")) for one in nodes if not one.get("ignored") and "role" in one]
