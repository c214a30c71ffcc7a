"""The demo's pages give commands to type. Here they are typed."""

import html
import os
import re

from stage import RELAIS, REPOSITORY, equal, free_port, holds, need, test

DEMO = REPOSITORY / "web/demo"
CONFIG = """\
[serve.demo]
listen = ["http://127.0.0.1:0", "https://127.0.0.1:0"]
root = "relais:demo"
error_pages = { 404 = "404.html" }
"""
# Where the demo keeps its log and its list, which `relais flows` looks for.
PROXY = """[proxy.front]
listen = "http://127.0.0.1:0"
upstream = "http://127.0.0.1:{port}"
cache = true
sniff = {{ log = "data/demo/front.jsonl" }}
block = {{ list = "data/demo/blocked.txt" }}
"""
# What is seen, by the experiment's place in the page; the order is the page's.
SEEN = {
    "hand": ["HTTP/1.1 200 OK\r\n", "User-agent"],
    "versions": ["1.1\n2\n"],
    "alpn": ["ALPN protocol: h2"],
    "etag": ["304 0 bytes"],
    "range": ["206 ", "the same"],
    "packed": ["identity: ", "gzip: ", "br: ", "zstd: "],
    "escape": ["HTTP/1.1 40"],
    "write": ["HTTP/1.1 405 Method Not Allowed", "allow: "],
    "serve": ["serve files  (site)", "<h1>Mine</h1>"],
    "cert": ["ca.pem", "localhost"],
    "check": ["serve mine", "exit 0", "relais.toml:3", "exit 2"],
    "reload": ["reloaded", "HTTP/1.1 200 ", "<h1>Mine</h1>"],
    "proxy": ["via: ", "; stored", "; hit", "age: ", "403 ", "rule: casino", "blocked.txt"],
    "flows": ["/robots.txt\n", "/casino\n", '"blocked":"casino"'],
}
# What is typed behind one that does not end by itself: another port, and a look at it.
LASTING = {"serve": " --listen 8082 &\ncurl -s --retry 40 --retry-delay 1 --retry-connrefused http://127.0.0.1:8082/\n"}


def experiments():
    page = (DEMO / "learn.html").read_text()
    found = {}
    for article in re.findall(r"<article.*?</article>", page, re.S):
        name = re.search(r'<h2 id="([^"]+)"', article)[1]
        code = re.search(r"<pre><code>(.*?)</code></pre>", article, re.S)[1]
        found[name] = html.unescape(re.sub(r"<[^>]+>", "", code))
    return found


def ports_of(relais):
    """What stands for the ports in the pages."""
    return {"8081": relais.port, "8443": relais.tls_port, "8082": free_port(), "8083": free_port()}


def typed(stage, ports, code):
    """Runs what a person would type, with relais in the PATH; everything that is shown."""
    code = re.sub("|".join(ports), lambda usual: str(ports[usual[0]]), code)
    tools = stage.path("bin")
    if not tools.exists():
        tools.mkdir()
        (tools / "relais").symlink_to(RELAIS)
    env = stage.env() | {"PATH": f"{tools}:{os.environ['PATH']}"}
    # Ends what was left running, which is of this shell alone.
    code += "\nfor job in $(jobs -p); do kill $job; wait $job; done\n"
    done = stage.finish(["bash", "-c", code], env=env)
    return (done.stdout + done.stderr).decode(errors="replace")


@test
def the_experiments_of_the_demo_show_what_they_say(stage):
    need("curl", "openssl")
    port = free_port()
    stage.write("data/demo/blocked.txt", "casino\n")
    config = CONFIG.replace("127.0.0.1:0", f"127.0.0.1:{port}", 1) + PROXY.format(port=port)
    relais = stage.relais("up", stage.write("demo.toml", config), urls=3)
    found, ports = experiments(), ports_of(relais)
    ports["9000"] = int(relais.urls[2].rsplit(":", 1)[1])
    equal(sorted(found), sorted(SEEN), "experiments")
    wrong = []
    for name, parts in SEEN.items():
        told = typed(stage, ports, found[name] + LASTING.get(name, ""))
        wrong += [(name, part, told[-1500:]) for part in parts if part not in told]
        if "root:" in told:
            wrong.append((name, "a file of this machine", told))
    equal(wrong, [], "not seen")
    served = [path.name for path in stage.path("site").iterdir()]
    equal(served, ["index.html"], "what is served of what was written")
    equal(relais.stop(), 0, "exit code")


@test
def the_commands_under_the_panels_work(stage):
    relais = stage.up(CONFIG, urls=2)
    page = (DEMO / "requests.html").read_text()
    commands = re.findall(r'<div class="cmd"[^>]*><pre><code>(.*?)</code></pre>', page, re.S)
    equal(len(commands), 8, "commands")
    ports = ports_of(relais)
    shown = "".join(typed(stage, ports, html.unescape(re.sub(r"<[^>]+>", "", code))) for code in commands)
    for part in ["304\n", "HTTP/1.1 206 ", "multipart/byteranges", "HTTP/1.1 404 ", " bytes\n", "2\n"]:
        holds(shown, part)
    equal(relais.stop(), 0, "exit code")


@test
def a_second_demo_is_reached_at_the_ports_that_it_took(stage):
    demos = [stage.relais("up", urls=4, cwd=stage.write(f"{name}/x", "").parent) for name in ("one", "two")]
    for demo in demos:
        demo.await_that("the hints", lambda: "tells the rest" in demo.said())
        assert "will not reach us" not in demo.said(), demo.said()
    # By the hint as it stands there.
    hints = [re.search(r"^  relais (chat(?: [0-9]+)?) ", demo.said(), re.M)[1].split() for demo in demos]
    env = stage.env() | {"RELAIS_PASSWORD": "secret-pass"}
    for hint, name in zip(hints, ("ana", "bob")):
        stage.run([RELAIS, *hint, "--user", name, "--register", "--plain"], env=env)
    for [_, *port], name, other in zip(hints, ("ana", "bob"), ("bob", "ana")):
        told = stage.run([RELAIS, "hub", "user", "list", "--at", *(port or ["6680"])]).decode()
        holds(told, name)
        assert other not in told, told
    for demo in reversed(demos):
        equal(demo.stop(), 0, "exit code")
    equal(list(stage.path("data/run").iterdir()), [], "sockets are left")
