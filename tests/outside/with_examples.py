"""Each folder in examples/ checks, runs, and answers as its README says."""

import re
import shutil
import socket
import ssl

from stage import RELAIS, REPOSITORY, equal, free_port, holds, need, test
from with_a_hub import Bot
from with_signals import activated

EXAMPLES = REPOSITORY / "examples"
TRIED = ["static-site", "spa", "virtual-hosts", "https-with-client-certificates", "proxy", "cache", "dialogues", "hub", "relay", "behind-systemd"]


def copy(stage, name):
    """The example in the scratch folder, on free ports."""
    folder = stage.path(name)
    # Without what somebody made by running it in place.
    made = shutil.ignore_patterns("*.key", "*.pem", "*.log", "*.jsonl*", "hub.db*", "var", "bot")
    shutil.copytree(EXAMPLES / name, folder, ignore=made)
    text = (folder / "relais.toml").read_text()
    ports = {port: str(free_port()) for port in dict.fromkeys(re.findall(r"(?<=:)\d{4}(?=\")", text))}
    for port, free in ports.items():
        text = text.replace(f":{port}\"", f":{free}\"")
    (folder / "relais.toml").write_text(text)
    return folder, [int(port) for port in ports.values()]


def checked_and_up(stage, folder, urls):
    told = stage.run([RELAIS, "check"], cwd=folder).decode()
    holds(told, "serve ")
    return stage.relais("up", urls=urls, cwd=folder)


def status_of(stage, url, *words):
    return stage.curl("-o", "/dev/null", "-w", "%{http_code}", *words, url).decode()


@test
def every_example_is_tried_and_told_of(stage):
    found = sorted(path.name for path in EXAMPLES.iterdir() if path.is_dir())
    equal(found, sorted(TRIED))
    told = (EXAMPLES / "README.md").read_text()
    for name in found:
        holds(told, f"({name}/README.md)")
        lines = (EXAMPLES / name / "README.md").read_text().splitlines()
        assert len(lines) <= 20, f"{name}: {len(lines)} lines"


@test
def the_static_site_answers(stage):
    folder, (port,) = copy(stage, "static-site")
    relais = checked_and_up(stage, folder, 1)
    base = f"http://127.0.0.1:{port}"
    told = stage.curl("-i", f"{base}/").decode()
    holds(told, "<h1>A static site</h1>")
    holds(told.lower(), "cache-control: no-cache")
    holds(stage.curl("-I", f"{base}/sign.svg").decode().lower(), "cache-control: max-age=86400")
    missing = stage.curl("-i", f"{base}/no/such/page").decode()
    holds(missing, "HTTP/1.1 404 ")
    holds(missing, "<h1>Not here</h1>")
    equal(relais.stop(), 0, "exit code")
    equal(len((folder / "access.log").read_text().splitlines()), 3, "lines in the log")


@test
def the_single_page_application_answers(stage):
    folder, (port,) = copy(stage, "spa")
    relais = checked_and_up(stage, folder, 1)
    base = f"http://127.0.0.1:{port}"
    told = stage.curl("-i", f"{base}/users/42").decode()
    holds(told, "HTTP/1.1 200 ")
    holds(told, "<h1>An application</h1>")
    holds(stage.curl("-I", f"{base}/assets/app-1f3a.js").decode(), "immutable")
    equal(status_of(stage, f"{base}/assets/missing.js"), "404")
    equal(relais.stop(), 0, "exit code")


@test
def the_relays_pass_a_site_on_at_once_and_slowly(stage):
    need("curl")
    folder, (_, front, far) = copy(stage, "relay")
    relais = checked_and_up(stage, folder, 1)
    holds(stage.curl(f"http://127.0.0.1:{front}/").decode(), "Behind a relay")
    took = stage.curl("-o", "/dev/null", "-w", "%{time_total}", f"http://127.0.0.1:{far}/").decode()
    # There and back, at 50 ms less 10 each.
    assert float(took) >= 0.08, took
    equal(relais.stop(), 0, "exit code")
    equal(len((folder / "relay.jsonl").read_text().splitlines()), 1, "lines in the log")


@test
def the_cache_keeps_what_it_was_asked_for_over_a_restart(stage):
    need("curl")
    folder, (_, port) = copy(stage, "cache")
    relais = checked_and_up(stage, folder, 2)
    page = f"http://127.0.0.1:{port}/"
    said = [stage.curl("-i", page + query).decode() for query in ["", "?utm_source=letter"]]
    holds(said[0], "cache-status: relais; fwd=uri-miss; fwd-status=200; ttl=600; stored")
    holds(said[1], "cache-status: relais; hit; ")
    equal(relais.stop(), 0, "exit code")
    relais = stage.relais("up", urls=2, cwd=folder)
    holds(stage.curl("-i", page).decode(), "cache-status: relais; hit; ")
    equal(relais.stop(), 0, "exit code")


@test
def the_virtual_hosts_answer(stage):
    folder, (clear, tls) = copy(stage, "virtual-hosts")
    relais = checked_and_up(stage, folder, 2)
    cases = [("garden.localhost", "Garden"), ("kitchen.localhost", "Kitchen"), ("pastry.kitchen.localhost", "Kitchen")]
    for host, title in cases:
        to_us = ["--resolve", f"{host}:{clear}:127.0.0.1", "--resolve", f"{host}:{tls}:127.0.0.1"]
        holds(stage.curl(*to_us, f"http://{host}:{clear}/").decode(), f"<h1>{title}</h1>")
        told = stage.curl(*to_us, "--cacert", stage.authority(), f"https://{host}:{tls}/").decode()
        holds(told, f"<h1>{title}</h1>")
    equal(status_of(stage, f"http://127.0.0.1:{clear}/"), "421")
    equal(relais.stop(), 0, "exit code")


@test
def client_certificates_are_asked_for(stage):
    need("openssl")
    folder, (port,) = copy(stage, "https-with-client-certificates")
    stage.run(["sh", "make-certificates"], cwd=folder)
    relais = checked_and_up(stage, folder, 1)
    words = ["--cacert", stage.authority(), f"https://localhost:{port}/"]
    told = stage.curl("--cert", "anna.pem", "--key", "anna.key", *words, cwd=folder).decode()
    holds(told, "<h1>For members</h1>")
    done = stage.finish(["curl", "-s", *words])
    assert done.returncode != 0 and done.stdout == b"", done
    equal(relais.stop(), 0, "exit code")


@test
def the_proxy_answers_refuses_and_writes_down(stage):
    folder, (behind, clear, tls) = copy(stage, "proxy")
    told = stage.run([RELAIS, "check"], cwd=folder).decode()
    holds(told, "proxy front")
    relais = stage.relais("up", urls=3, cwd=folder)
    told = stage.curl("-i", f"http://127.0.0.1:{clear}/").decode()
    holds(told, "<h1>Behind a proxy</h1>")
    holds(told.lower(), "\r\nx-front: relais\r\n")
    equal(status_of(stage, f"http://127.0.0.1:{clear}/casino"), "403")
    holds(stage.curl("--cacert", stage.authority(), f"https://localhost:{tls}/").decode(), "Behind")
    equal(status_of(stage, f"http://127.0.0.1:{behind}/casino"), "404")
    equal(relais.stop(), 0, "exit code")
    equal(len(stage.run([RELAIS, "flows", "--json"], cwd=folder).splitlines()), 3, "exchanges")
    equal(len(stage.run([RELAIS, "flows", "--json", "casino"], cwd=folder).splitlines()), 1, "refused")


@test
def the_dialogues_are_held(stage):
    folder, (echo, calc, board) = copy(stage, "dialogues")
    holds(stage.run([RELAIS, "check"], cwd=folder).decode(), "listen board")
    relais = stage.start([RELAIS, "up"], "relais", cwd=folder)
    relais.await_that("five endpoints told", lambda: relais.said().count("  listen ") == 5)

    def said(port, text):
        with socket.create_connection(("127.0.0.1", port), 10) as caller:
            caller.sendall(text)
            caller.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: caller.recv(65536), b""))

    equal(said(echo, b"coucou\n"), b"coucou\n")
    holds(said(calc, b"2^10\n1/0\n").decode(), "1024\nerror: division by zero")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as subscriber:
        subscriber.settimeout(10)
        subscriber.connect(("127.0.0.1", board))
        subscriber.send(b"subscribe")
        equal(subscriber.recv(100), b"subscribed for 60 s")
        equal(said(board, b"dinner is ready\n"), b"sent to 1\n")
        equal(subscriber.recv(100), b"dinner is ready")
    equal(relais.stop(), 0, "exit code")


@test
def the_hub_has_people_a_bot_and_a_script_talk(stage):
    need("nc", "python3", "rustc")
    folder, (port, tls) = copy(stage, "hub")
    holds(stage.run([RELAIS, "check"], cwd=folder).decode(), "hub main")
    relais = stage.start([RELAIS, "up"], "relais", cwd=folder)
    relais.await_that("two endpoints told", lambda: relais.said().count("  hub main") == 2)
    ana = Bot(port)
    ana.done("REGISTER", user="ana", password="secret-pass")
    ana.done("JOIN", room="#lab")
    stage.start(["python3", "bot.py", str(port)], "bot", cwd=folder)
    equal(ana.event("join")["from"], "echo")
    ana.done("MESSAGE", room="#lab", body="hello @echo")
    heard = [ana.event("message") for _ in range(2)]
    equal((heard[1]["from"], heard[1]["body"]), ("echo", "ana said: hello @echo"))
    # With the environment of who runs the tests: it may say where the compiler is.
    stage.run(["rustc", "--edition", "2024", "-D", "warnings", "bot.rs"], cwd=folder, env=None)
    stage.start(["./bot", str(port)], "the other bot", cwd=folder)
    equal(ana.event("join")["from"], "crab")
    ana.done("MESSAGE", room="#lab", body="hello @crab and @echo")
    heard = sorted((event["from"], event["body"]) for event in (ana.event("message") for _ in range(3)))
    expect = [("ana", "hello @crab and @echo"), ("crab", "ana said: hello crab and echo"), ("echo", "ana said: hello @crab and @echo")]
    equal(heard[0], expect[0])
    equal(heard[1:], expect[1:], "and neither goes on for ever")
    far = Bot(tls, ssl.create_default_context(cafile=stage.authority()))
    equal(far.done("LOGIN", user="ana", password="secret-pass")["user"], "ana")
    script = stage.env() | {"NAME": "ana", "PASSWORD": "secret-pass"}
    said = stage.run(["./say", str(port)], cwd=folder, env=script, input=b"from a script\n").decode()
    holds(said, "<ana> from a script")
    equal(ana.event("message")["body"], "from a script")
    wrong = stage.finish(["./say", str(port)], cwd=folder, env=script | {"PASSWORD": "wrong-pass"}, input=b"lost\n")
    equal((wrong.returncode, wrong.stdout), (1, b""))
    holds(wrong.stderr.decode(), "# nobody has this name and password")
    slash = stage.finish(["./say", str(port)], cwd=folder, env=script, input=b"/nope\nsaid\n")
    holds(slash.stderr.decode(), "/nope")
    equal((slash.returncode, ana.event("message")["body"]), (1, "said"))
    for _ in range(5):
        late = stage.finish(["./say", str(port)], cwd=folder, env=script, input=b"too fast\n")
        if late.returncode:
            break
        equal(ana.event("message")["body"], "too fast")
    equal((late.returncode, late.stdout), (1, b""))
    holds(late.stderr.decode(), "# too fast")
    nobody = stage.finish(["./say", str(free_port())], cwd=folder, env=script, input=b"lost\n")
    equal((nobody.returncode, nobody.stderr), (1, b"the hub does not answer\n"))
    equal(relais.stop(), 0, "exit code")


@test
def the_service_takes_its_socket_over(stage):
    folder, (port,) = copy(stage, "behind-systemd")
    stage.run([RELAIS, "check"], cwd=folder)
    with socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64) as bound:
        relais = activated(stage, bound, folder)
        relais.await_urls(1)
        holds(stage.curl(f"http://127.0.0.1:{port}/").decode(), "<h1>Behind systemd</h1>")
        equal(relais.stop(), 0, "exit code")


@test
def the_units_are_well_formed(stage):
    need("systemd-analyze")
    folder, _ = copy(stage, "behind-systemd")
    service = (folder / "relais.service").read_text().replace("/usr/local/bin/relais", RELAIS)
    (folder / "relais.service").write_text(service)
    done = stage.finish(["systemd-analyze", "verify", "--man=no", folder / "relais.service", folder / "relais.socket"])
    ours = [line for line in done.stderr.decode().splitlines() if "relais." in line]
    equal(ours, [], "what systemd says of them")
