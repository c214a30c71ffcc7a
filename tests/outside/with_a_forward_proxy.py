"""`relais proxy --forward`, as the proxy in the settings of curl, Python, pip and apt, which ask this machine's
servers through it."""

import hashlib
import http.client
import io
import json
import os
import socket
import threading
import zipfile

from frames import DATA, END_HEADERS, END_STREAM, HEADERS, STATUSES, Frames, block, frame
from origin import Origin
from stage import RELAIS, Raw, connects, equal, eventually, fields, free_port, holds, need, test


def forward(stage, *words):
    return stage.relais("proxy", "http://127.0.0.1:0", "--forward", "--name", "front", *words)


def site(stage):
    stage.write("site/text.txt", "some text\n")
    stage.random_file("site/big.bin", 30_000_000)
    return stage.relais("serve", "site", "-l", "http://127.0.0.1:0", "-l", "https://127.0.0.1:0", urls=2)


@test
def curl_asks_http_and_https_servers_through_a_forward_proxy(stage):
    server = site(stage)
    proxy = forward(stage, "--private", "--connect-port", server.tls_port)
    through = ["-x", proxy.http, "--cacert", stage.authority()]
    big = hashlib.sha256(stage.path("site/big.bin").read_bytes()).hexdigest()
    for base, version, connect in [
        [server.http, "1.1", "000"], [server.https, "1.1", "200"], [server.https, "2", "200"],
    ]:
        words = [*through, "--http1.1" if version == "1.1" else "--http2"]
        show = ["-w", " %{http_code} %{http_version} %{http_connect}"]
        equal(stage.curl(*words, *show, f"{base}/text.txt"), f"some text\n 200 {version} {connect}".encode())
        got = stage.curl(*words, f"{base}/big.bin")
        equal(hashlib.sha256(got).hexdigest(), big, f"the bytes of {base} over HTTP/{version}")
    # A tunnel for what would do without.
    stage.curl(*through, "--proxytunnel", f"{server.https}/text.txt")
    equal(fields(stage.curl(*through, "--head", f"{server.http}/text.txt").decode())["via"], "1.1 front")
    equal(proxy.stop(), 0, "exit code")


@test
def the_server_is_told_nothing_of_the_client(stage):
    with Origin() as origin:
        proxy = forward(stage, "--private")
        words = ["-x", proxy.http, "-H", "X-Forwarded-For: 10.0.0.1", "--proxy-user", "me:secret"]
        told = json.loads(stage.curl(*words, "--data-binary", "abc", f"{origin.url}/a/../b?c", "--path-as-is"))
        equal((told["method"], told["target"], told["bytes"]), ("POST", "/a/../b?c", 3))
        got = dict(told["fields"])
        equal(got["host"], f"127.0.0.1:{origin.port}")
        equal(got["via"], "1.1 front")
        for name in ["forwarded", "x-forwarded-for", "proxy-authorization", "proxy-connection"]:
            equal(got.get(name), None, name)
        equal(proxy.stop(), 0, "exit code")


@test
def a_forward_proxy_reaches_no_private_address_unless_it_is_allowed(stage):
    server = site(stage)
    port, tls_port = server.port, server.tls_port
    proxy = forward(stage, "--connect-port", port, "--connect-port", tls_port)
    for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "127.0.0.2"]:
        said = stage.curl("-x", proxy.http, "--noproxy", "", "-w", "%{http_code}", f"http://{host}:{port}/").decode()
        holds(said, "where this proxy asks nobody", host)
        equal(said[-3:], "403", host)
        # 56: the tunnel was refused.
        stage.curl("-x", proxy.http, "--noproxy", "", f"https://{host}:{tls_port}/", status=56)
    said = stage.curl("-x", proxy.http, "http://169.254.169.254/latest/meta-data/").decode()
    holds(said, "169.254.169.254 is at a link-local address")
    # Eleven were refused: the log tells of the first, the second, the fourth and the eighth.
    told = [line for line in proxy.said().splitlines() if "refused requests: " in line]
    equal([line.split("refused requests: ")[1].split()[0] for line in told], ["1", "2", "4", "8"], told)
    holds(told[0], f"127.0.0.1:{port}", "where this proxy asks nobody")
    equal(proxy.stop(), 0, "exit code")
    # Itself it does not reach even then.
    proxy = forward(stage, "--private", "--connect-port", port)
    said = stage.curl("-x", proxy.http, f"{proxy.http}/").decode()
    holds(said, "an address of the proxy itself")
    stage.curl("-x", proxy.http, f"https://127.0.0.1:{tls_port}/", status=56)
    equal(proxy.stop(), 0, "exit code")


@test
def who_opens_a_forward_proxy_like_a_site_is_told_how_to_use_it(stage):
    proxy = forward(stage)
    said = stage.curl("-w", " %{http_code}", "-H", "Accept: text/html", proxy.http).decode()
    holds(said, "This is a proxy, not a site.")
    equal(said[-4:], " 400")
    equal(proxy.stop(), 0, "exit code")


@test
def python_talks_both_ways_through_a_tunnel(stage):
    def echo(listener):
        connection, _ = listener.accept()
        with connection:
            while part := connection.recv(65536):
                connection.sendall(part)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        threading.Thread(target=echo, args=(listener,), daemon=True).start()
        proxy = forward(stage, "--private", "--connect-port", port)
        with socket.create_connection(("127.0.0.1", proxy.port), 20) as tunnel:
            # With the first words for the other end, before there is an answer.
            tunnel.sendall(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\nearly".encode())
            said = bytearray()
            while not said.endswith(b"early"):
                said += tunnel.recv(65536)
            head = said.decode().lower()
            equal(head.startswith("http/1.1 200 ok\r\n"), True, "the start of " + head)
            equal("content-length" in head or "transfer-encoding" in head, False, "a length in " + head)
            blob = os.urandom(3_000_000)
            sending = threading.Thread(target=lambda: (tunnel.sendall(blob), tunnel.shutdown(socket.SHUT_WR)))
            sending.start()
            back = b"".join(iter(lambda: tunnel.recv(65536), b""))
            sending.join()
            equal(back == blob, True, "the same bytes")
        equal(proxy.stop(), 0, "exit code")


@test
def a_client_of_python_finds_a_server_behind_a_tunnel(stage):
    with Origin() as origin:
        proxy = forward(stage, "--private", "--connect-port", origin.port)
        client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
        client.set_tunnel("127.0.0.1", origin.port)
        for _ in range(3):
            client.request("POST", "/x", body=b"abc")
            equal(json.loads(client.getresponse().read())["bytes"], 3)
        client.close()
        client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
        client.set_tunnel("127.0.0.1", free_port())
        try:
            client.request("GET", "/")
            raise AssertionError("a tunnel to nobody")
        except OSError as error:
            holds(str(error), "Tunnel connection failed: 403 Forbidden")
        equal(proxy.stop(), 0, "exit code")


def wheel():
    """A package for pip that holds next to nothing."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        info = "demo-1.0.dist-info"
        archive.writestr("demo/__init__.py", "")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", f"demo/__init__.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return content.getvalue()


@test
def pip_and_apt_download_through_a_forward_proxy(stage):
    need("pip", "apt-get", "dpkg-deb")
    name = "demo-1.0-py3-none-any.whl"
    # Once: it has the time in it.
    ours = wheel()
    stage.write(f"mirror/simple/demo/{name}", ours)
    stage.write("mirror/simple/demo/index.html", f'<!doctype html><title>demo</title><a href="{name}">{name}</a>')
    package(stage)
    server = stage.relais("serve", "mirror", "-l", "http://127.0.0.1:0")
    log = stage.path("proxy.log")
    proxy = forward(stage, "--private", "--access-log", log)
    stage.run([
        "pip", "download", "--isolated", "--disable-pip-version-check", "--no-deps", "--no-cache-dir", "--dest", "got",
        "--proxy", proxy.http, "--index-url", f"{server.http}/simple", "--trusted-host", "127.0.0.1", "demo",
    ])
    equal(stage.path(f"got/{name}").read_bytes() == ours, True, "the wheel")
    apt = apt_get(stage, server, proxy)
    stage.run([*apt, "update"])
    stage.run([*apt, "download", "relais-demo"])
    equal(len(list(stage.folder.glob("relais-demo_1.0_all.deb"))), 1, "packages")
    equal(proxy.stop(), 0, "exit code")
    asked = log.read_text()
    for path in [f"/simple/demo/{name}", "/debs/./Packages", "/debs/./relais-demo.deb"]:
        holds(asked, f'"GET {server.http}{path} HTTP/1.1" 200', "the proxy's log")


def package(stage):
    """A repository for apt with one package."""
    control = "Package: relais-demo\nVersion: 1.0\nArchitecture: all\nMaintainer: t <t@example.org>\nDescription: t\n"
    stage.write("deb/DEBIAN/control", control)
    stage.path("mirror/debs").mkdir(parents=True)
    deb = stage.path("mirror/debs/relais-demo.deb")
    stage.run(["dpkg-deb", "--build", "--root-owner-group", stage.path("deb"), deb])
    content = deb.read_bytes()
    told = f"Filename: ./relais-demo.deb\nSize: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n"
    packages = control + told
    stage.write("mirror/debs/Packages", packages)
    entry = f" {hashlib.sha256(packages.encode()).hexdigest()} {len(packages)} Packages\n"
    stage.write("mirror/debs/Release", f"Date: Thu, 01 Jan 2026 00:00:00 UTC\nSHA256:\n{entry}")


def apt_get(stage, server, proxy):
    """apt with folders of its own, and no other repository."""
    stage.write("apt/sources.list", f"deb [trusted=yes] {server.http}/debs/ ./\n")
    for folder in ["state/lists/partial", "cache/archives/partial"]:
        stage.path(f"apt/{folder}").mkdir(parents=True)
    stage.write("apt/status", "")
    options = {
        "Dir::Etc::SourceList": stage.path("apt/sources.list"), "Dir::Etc::SourceParts": "/dev/null",
        "Dir::State": stage.path("apt/state"), "Dir::State::status": stage.path("apt/status"),
        "Dir::Cache": stage.path("apt/cache"), "Acquire::http::Proxy": proxy.http, "APT::Sandbox::User": "root",
        "Acquire::Languages": "none", "APT::Architecture": "amd64",
    }
    return ["apt-get", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]


@test
def a_tunnel_to_who_takes_no_calls_fails_at_once_and_others_go_on(stage):
    with Origin() as origin:
        dead = free_port()
        equal(connects(dead), False, "somebody at a free port")
        proxy = forward(stage, "--private", "--connect-port", dead)
        said = stage.finish(["curl", "-sS", "-x", proxy.http, "-v", f"https://127.0.0.1:{dead}/"])
        equal(said.returncode, 56, "exit code of curl")
        holds(said.stderr.decode().lower(), 'proxy-status: "front"; error=connection_refused')
        said = stage.curl("-x", proxy.http, "-w", "%{http_code}", f"http://127.0.0.1:{dead}/").decode()
        equal(said, f"502 Bad Gateway\n127.0.0.1:{dead} refused the connection.\n502")
        json.loads(stage.curl("-x", proxy.http, origin.url))
        equal(proxy.stop(), 0, "exit code")


@test
def a_stream_of_http_2_is_a_tunnel_beside_others(stage):
    server = site(stage)
    proxy = stage.relais("proxy", "https://127.0.0.1:0", "--forward", "--private", "--connect-port", server.port, "--sniff", stage.path("front.jsonl"))
    far = f"127.0.0.1:{server.port}"
    asked = b"GET /text.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    client = Frames(proxy.tls_port)
    client.send(frame(HEADERS, END_HEADERS, 1, block([(":method", "CONNECT"), (":authority", far)])))
    client.send(frame(DATA, 0, 1, asked[:10]))
    client.send(frame(DATA, END_STREAM, 1, asked[10:]))
    status, body, end = client.answer()
    equal((status, end), (200, "whole"))
    holds(body, b"\r\n\r\nsome text\n")
    client.close()
    # What may not be reached over HTTP/1.1, may not be reached so either; and what is no CONNECT is none.
    for fields_of, expect in [
        ([(":method", "CONNECT"), (":authority", "127.0.0.1:1")], 403),
        ([(":method", "CONNECT"), (":authority", "127.0.0.1")], 400),
        ([(":method", "CONNECT"), (":authority", far), ("host", "a:1")], 400),
        ([(":method", "CONNECT"), (":authority", far), ("content-length", "0")], 400),
    ]:
        client = Frames(proxy.tls_port)
        client.send(frame(HEADERS, END_HEADERS, 1, block(fields_of)))
        status, body, end = client.answer()
        # 403 stands in no table.
        equal((status, end), (expect if expect == 400 else 0, "whole"), str(fields_of))
        holds(body, str(expect).encode())
        client.close()
    proxy.stop()
    told = [json.loads(line) for line in stage.path("front.jsonl").read_text().splitlines()]
    equal([(line["method"], line["status"]) for line in told][:2], [("CONNECT", 200), ("CONNECT", 403)])
    equal(told[0]["upstream"], f"tcp://{far}")


@test
def who_opens_many_tunnels_in_one_connection_leaves_others_their_places(stage):
    need("prlimit")
    listener = socket.create_server(("127.0.0.1", 0), backlog=200)
    port = listener.getsockname()[1]
    words = ["proxy", "https://127.0.0.1:0", "--forward", "--private", "--connect-port", port]
    # Callers have 96 of these, and calls half of them; any one client 36.
    proxy = stage.start(["prlimit", "--nofile=256:256", RELAIS, *map(str, words)], "relais")
    proxy.await_urls(1)
    client = Frames(proxy.tls_port)
    connect = block([(":method", "CONNECT"), (":authority", f"127.0.0.1:{port}")])
    for number in range(100):
        client.send(frame(HEADERS, END_HEADERS, 2 * number + 1, connect))
    statuses = []
    while len(statuses) < 100:
        kind, _, _, content = client.next()
        if kind == HEADERS:
            statuses.append(STATUSES.get(content[0], 0))
    # 503 stands in no table.
    equal((statuses.count(200), statuses.count(0)), (36, 64))
    taken = len(os.listdir(f"/proc/{proxy.pid}/fd"))
    assert taken < 100, f"{taken} descriptors"
    with Origin() as origin:
        words = ["--proxy-insecure", "-x", proxy.https]
        equal(stage.curl(*words, "-w", "%{http_code}", origin.url)[-3:], b"503", "the same client")
        json.loads(stage.curl("--interface", "127.0.0.2", *words, origin.url))
    client.close()
    eventually("the places free again", lambda: len(os.listdir(f"/proc/{proxy.pid}/fd")) <= taken - 36)
    listener.close()
    proxy.stop()


@test
def tunnels_that_are_cut_off_at_the_end_are_in_the_logs(stage):
    listener = socket.create_server(("127.0.0.1", 0))
    far = f"127.0.0.1:{listener.getsockname()[1]}"
    stage.write("relais.toml", f"""\
[proxy.front]
listen = ["http://127.0.0.1:0", "https://127.0.0.1:0"]
forward = {{ private = true, ports = [{listener.getsockname()[1]}] }}
access_log = {{ file = "access.log" }}
sniff = {{ log = "front.jsonl" }}
[limits]
grace = "1s"
""")
    proxy = stage.relais("up", "relais.toml", urls=2)
    plain = Raw(proxy.port).send(f"CONNECT {far} HTTP/1.1\r\nHost: {far}\r\n\r\n")
    holds(plain.head(), "200")
    listener.accept()[0].sendall(b"12345")
    equal(plain.socket.recv(5), b"12345")
    framed = Frames(proxy.tls_port)
    framed.send(frame(HEADERS, END_HEADERS, 1, block([(":method", "CONNECT"), (":authority", far)])))
    server = listener.accept()[0]
    server.sendall(b"1234567")
    while framed.next()[0] != DATA:
        pass
    equal(proxy.stop(), 1, "exit code")
    lines = stage.path("access.log").read_text().splitlines()
    for version, passed in [("HTTP/1.1", 5), ("HTTP/2.0", 7)]:
        found = [line for line in lines if f'"CONNECT {far} {version}" 200 {passed} ' in line]
        equal(len(found), 1, lines)
    noted = [json.loads(line) for line in stage.path("front.jsonl").read_text().splitlines()]
    equal(sorted((note["bytes"], note["end"]) for note in noted), [(5, "relais"), (7, "relais")])
