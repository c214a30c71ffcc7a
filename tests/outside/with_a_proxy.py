"""`relais proxy` between curl, nginx, h2load and Python's http.client on one side, and relais, nginx and
Python's http.server on the other."""

import hashlib
import http.client
import json
import os
import re
import time

from origin import Origin
from stage import Raw, equal, fields, free_port, holds, need, sum_of, test
from with_crowds import all_good, h2load

TEXT = "".join(f"Line {number} of a text that compresses well.\n" for number in range(2000))
BOTH = ["http://127.0.0.1:0", "--listen", "https://127.0.0.1:0"]


def before(stage, upstream, *words):
    """A proxy in the clear and over TLS."""
    first, *rest = BOTH
    return stage.relais("proxy", first, upstream, *rest, "--name", "front", *words, urls=2)


def site(stage):
    stage.write("site/index.html", "<!doctype html><title>Start</title>")
    stage.write("site/text.txt", TEXT)
    stage.random_file("site/big.bin", 30_000_000)
    return stage.relais("serve", "site", "-l", "http://127.0.0.1:0")


@test
def curl_gets_through_a_proxy_what_it_gets_without(stage):
    server = site(stage)
    proxy = before(stage, server.http)
    same_by_all_ways(stage, server, proxy, CASES)
    for base, *way in ways(proxy):
        told = fields(stage.curl("--head", base + "/text.txt", *way).decode())
        expect = fields(stage.curl("--head", server.http + "/text.txt").decode())
        via = told.pop("via")
        equal(via, "1.1 front")
        told.pop("date"), expect.pop("date")
        equal(told, expect, "fields")
        tag = ["-H", f"If-None-Match: {told['etag']}"]
        equal(stage.curl(base + "/text.txt", *way, *tag, "-w", "%{http_code} %{size_download}"), b"304 0")
    equal(proxy.stop(), 0, "exit code")


@test
def curl_gets_from_a_cache_what_it_gets_without(stage):
    server = site(stage)
    # So that a tenth of their age is a while.
    for path in stage.path("site").iterdir():
        os.utime(path, (time.time() - 86400,) * 2)
    proxy = before(stage, server.http, "--cache", "--sniff", "front.jsonl")
    # Several ranges at once a cache may answer with the whole (RFC 9110 §14.2).
    cases = [case for case in CASES if "," not in case[-1]]
    for _ in range(2):
        same_by_all_ways(stage, server, proxy, cases)
    equal(proxy.stop(), 0, "exit code")
    lines = [json.loads(line) for line in stage.path("front.jsonl").read_text().splitlines()]
    hits = [line for line in lines if line.get("cache") == "hit"]
    assert len(hits) >= len(lines) / 4, f"{len(hits)} of {len(lines)} from the cache"


CASES = [
    ["/"], ["/text.txt"], ["/text.txt", "--compressed"], ["/big.bin"], ["/big.bin", "-r", "1000-1999"],
    ["/text.txt", "-r", "0-9,100-109"], ["/no/such/file"], ["/text.txt", "-X", "DELETE"], ["/text.txt?a=b%20c"],
]


def ways(proxy):
    return [[proxy.http, "--http1.1"], [proxy.https, "--http1.1", "-k"], [proxy.https, "--http2", "-k"]]


def same_by_all_ways(stage, server, proxy, cases):
    for path, *words in cases:
        show = ["-w", "\n%{http_code} %{content_type}"]
        expect = sum_of(parts_alike(stage.curl(server.http + path, *words, *show)))
        for base, *way in ways(proxy):
            equal(sum_of(parts_alike(stage.curl(base + path, *way, *words, *show))), expect, f"{path} {words} {way}")


def parts_alike(content):
    """Without the boundary between ranges, which differs each time."""
    return re.sub(rb"(?<=boundary=)\w+|(?<=--)[\w-]{8,}(?=(--)?\r\n)|[\w-]{16,}(?=(--)?\r\n)", b"B", content)


@test
def what_is_sent_arrives_whole(stage):
    content = stage.random_file("upload.bin", 10_000_000)
    expect = (10_000_000, hashlib.sha256(content.read_bytes()).hexdigest())
    chunked = ["-H", "Transfer-Encoding: chunked"]
    with Origin() as origin:
        proxy = before(stage, origin.url)
        for base, *way in [[proxy.http], [proxy.https, "-k", "--http1.1"], [proxy.https, "-k", "--http2"]]:
            for words in [["-H", "Expect:"], ["-H", "Expect: 100-continue"], chunked, ["-T", "-", *chunked]]:
                if way[-1:] == ["--http2"] and chunked[0] in words and chunked[1] in words:
                    continue
                sending = [] if "-T" in words else ["--data-binary", f"@{content}"]
                options = {"input": content.read_bytes()} if "-T" in words else {}
                told = json.loads(stage.curl(base + "/upload?x", *way, *words, *sending, **options))
                equal((told["bytes"], told["sha256"]), expect, f"{way} {words}")
                equal(told["target"], "/upload?x")
        equal(proxy.stop(), 0, "exit code")


@test
def a_server_learns_who_asked_and_no_more(stage):
    with Origin() as origin:
        proxy = before(stage, origin.url, "--request-set", "x-set=1", "--request-remove", "x-removed")
        words = ["-H", "Host: a.localhost", "-H", "X-Forwarded-For: 192.0.2.1", "-H", "Connection: x-mine", "-H", "X-Mine: 1"]
        words += ["-H", "X-Removed: 1", "-H", "Proxy-Authorization: Basic eDp5", "-H", "Cookie: a=b"]
        told = json.loads(stage.curl(proxy.http + "/a/../b?c", "--path-as-is", *words))
        equal(told["target"], "/a/../b?c")
        got = dict(told["fields"])
        expect = {
            "host": "a.localhost", "x-forwarded-for": "127.0.0.1", "x-forwarded-host": "a.localhost", "x-forwarded-proto": "http",
            "forwarded": 'for=127.0.0.1;proto=http;host="a.localhost"', "via": "1.1 front", "cookie": "a=b", "x-set": "1",
            "user-agent": got["user-agent"], "accept": "*/*",
        }
        equal(got, expect)
        head = stage.curl("--head", proxy.http).decode().lower()
        assert "x-hop" not in head, head
        secure = dict(json.loads(stage.curl("-k", proxy.https))["fields"])
        equal((secure["x-forwarded-proto"], secure["via"]), ("https", "2.0 front"))
        equal(proxy.stop(), 0, "exit code")


@test
def a_proxy_that_leads_to_itself_is_found_out(stage):
    ports = [free_port(), free_port()]
    table = '[proxy.{name}]\nlisten = "{listen}"\nupstream = "{upstream}"\n'
    config = table.format(name="one", listen=ports[0], upstream=ports[1]) + table.format(name="two", listen=ports[1], upstream=ports[0])
    stage.up(config, urls=2)
    equal(stage.curl("-o", "/dev/null", "-w", "%{http_code}", f"http://127.0.0.1:{ports[0]}/"), b"508")


@test
def a_websocket_passes(stage):
    with Origin() as origin:
        proxy = before(stage, origin.url)
        raw = Raw(proxy.port)
        asked = "GET /socket HTTP/1.1\r\nHost: a.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        raw.send(asked + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        head = raw.head()
        holds(head, "HTTP/1.1 101 ")
        holds(head.lower(), "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=")
        for size in [1, 1000, 300_000]:
            frame, got = os.urandom(size), b""
            raw.send(frame)
            while len(got) < size:
                got += raw.socket.recv(65536)
            equal(got == frame, True, f"{size} bytes back")
        raw.close()
        equal(proxy.stop(), 0, "exit code")


@test
def python_keeps_its_connection(stage):
    server = site(stage)
    proxy = before(stage, server.http)
    client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
    local = None
    for _ in range(5):
        for method, path in [("GET", "/text.txt"), ("HEAD", "/big.bin"), ("GET", "/nowhere"), ("POST", "/text.txt"), ("GET", "/big.bin")]:
            client.request(method, path, body=b"x" * 1000 if method == "POST" else None)
            answer = client.getresponse()
            content = answer.read()
            if method == "GET" and answer.status == 200:
                equal(sum_of(content), sum_of(stage.path("site" + path).read_bytes()), path)
            local = local or client.sock.getsockname()
            equal(client.sock.getsockname(), local, "one connection")
    with Origin() as origin:
        proxy = before(stage, origin.url)
        client = http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)
        client.request("PUT", "/", body=iter([b"a" * 70_000, b"b", b"c" * 100]), encode_chunked=True)
        equal(json.loads(client.getresponse().read())["bytes"], 70_101)


@test
def curl_is_led_to_whom_it_names(stage):
    stage.write("site/index.html", "named")
    server = stage.relais("serve", "site", "-l", "http://127.0.0.1:0", "-l", "https://127.0.0.1:0", urls=2)
    open_to = ["--private", "--connect-port", server.tls_port, "--sniff", "front.jsonl"]
    proxy = stage.relais("proxy", "http://127.0.0.1:0", "--forward", *open_to)
    through = ["--proxy", proxy.http, "-w", " %{http_code}"]
    equal(stage.curl(*through, server.http), b"named 200")
    equal(stage.curl(*through, "--cacert", stage.authority(), "--http2", server.https), b"named 200")
    done = stage.finish(["curl", "-sS", *through, "--proxytunnel", server.http])
    holds(done.stderr.decode(), "403", "a tunnel to another port")
    holds(stage.curl(*through, proxy.http).decode(), "403", "itself")
    done = stage.finish(["curl", "-sS", *through, "http://no-such-host.invalid/"])
    holds(done.stdout.decode(), "502")
    equal(proxy.stop(), 0, "exit code")
    urls = [json.loads(line)["url"] for line in stage.path("front.jsonl").read_text().splitlines()]
    equal(urls[:2], [f"{server.http}/", f"127.0.0.1:{server.tls_port}"])
    closed = stage.relais("proxy", "http://127.0.0.1:0", "--forward")
    holds(stage.curl("--proxy", closed.http, "-w", " %{http_code}", server.http).decode(), "403", "a neighbour")


NGINX = """\
{user}daemon off;
worker_processes 1;
pid {folder}/{name}.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    client_max_body_size 0;
    client_body_temp_path {folder}/{name}-body;
    proxy_temp_path {folder}/{name}-proxy;
    fastcgi_temp_path {folder}/{name}-fastcgi;
    uwsgi_temp_path {folder}/{name}-uwsgi;
    scgi_temp_path {folder}/{name}-scgi;
    keepalive_requests 100000;
    log_format callers "$connection $status $uri";
    access_log {folder}/{name}.log callers;
    upstream behind {{ server 127.0.0.1:{upstream}; keepalive 16; }}
    server {{
        listen 127.0.0.1:{port};
        {locations}
    }}
}}
"""
PASSED_ON = """\
location {path} {{
            proxy_pass http://behind;
            proxy_http_version 1.1;
            proxy_request_buffering off;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
        }}
"""


def nginx(stage, name, upstream, locations):
    need("nginx")
    port = free_port()
    user = "user root;\n" if os.geteuid() == 0 else ""
    text = NGINX.format(user=user, folder=stage.folder, name=name, upstream=upstream, port=port, locations=locations)
    config = stage.write(f"{name}.conf", text)
    server = stage.start(["nginx", "-c", config, "-p", stage.folder, "-e", "stderr"], name)
    server.await_port(port)
    return port


def callers_of(stage, name):
    """Each connection that nginx had, and how many requests there were."""
    lines = stage.path(f"{name}.log").read_text().splitlines()
    return {line.split()[0] for line in lines}, len(lines)


@test
def connections_to_nginx_are_kept(stage):
    need("h2load")
    stage.write("site/small.txt", "x" * 1000)
    port = nginx(stage, "nginx", 1, f"root {stage.folder}/site;")
    proxy = before(stage, f"http://127.0.0.1:{port}")
    all_good(h2load(stage, "--h1", "-n", "4000", "-c", "8", f"{proxy.http}/small.txt"), 4000)
    all_good(h2load(stage, "-n", "4000", "-c", "4", "-m", "4", f"{proxy.https}/small.txt"), 4000)
    equal(proxy.stop(), 0, "exit code")
    callers, count = callers_of(stage, "nginx")
    equal(count, 8000, "requests")
    assert len(callers) <= 64, f"{len(callers)} connections for {count} requests"


@test
def nginx_stands_on_both_sides(stage):
    stage.write("site/index.html", "from nginx")
    stage.random_file("site/big.bin", 40_000_000)
    upload = stage.random_file("upload.bin", 10_000_000, seed=2)
    with Origin() as origin:
        behind = f"root {stage.folder}/site;\n" + PASSED_ON.format(path="/upload")
        behind = nginx(stage, "behind", origin.port, behind)
        proxy = before(stage, f"http://127.0.0.1:{behind}")
        base = f"http://127.0.0.1:{nginx(stage, 'front', proxy.port, PASSED_ON.format(path='/'))}"
        equal(stage.curl(f"{base}/"), b"from nginx")
        whole = stage.path("site/big.bin").read_bytes()
        equal(sum_of(stage.curl(f"{base}/big.bin")), sum_of(whole), "the same bytes")
        equal(stage.curl("-r", "1000000-1999999", f"{base}/big.bin") == whole[1_000_000:2_000_000], True, "the same part")
        equal(stage.curl("-o", "/dev/null", "-w", "%{http_code}", f"{base}/missing"), b"404")
        for words in [["-H", "Expect:"], ["-H", "Expect: 100-continue"], ["-H", "Transfer-Encoding: chunked"]]:
            told = json.loads(stage.curl("--data-binary", f"@{upload}", *words, f"{base}/upload"))
            equal(told["sha256"], hashlib.sha256(upload.read_bytes()).hexdigest(), f"{words}")
        all_good(h2load(stage, "--h1", "-n", "1000", "-c", "8", f"{base}/"), 1000)
        equal(proxy.stop(), 0, "exit code")


@test
def a_name_of_an_upstream_that_leads_nowhere_is_told_at_the_start(stage):
    proxy = stage.relais("proxy", "http://127.0.0.1:0", "nosuch.invalid:80")
    told = 'no address of "nosuch.invalid" is known'
    proxy.await_that("what is not known", lambda: told in proxy.said())
    equal(proxy.stop(), 0, "exit code")
