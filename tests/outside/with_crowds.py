"""h2load, nginx and wget: many requests at once, a proxy in front, a whole tree."""

import html
import json
import random
import re
import urllib.parse

from stage import equal, free_port, need, sum_of, test


def h2load(stage, *words):
    """Runs h2load; its numbers by name."""
    need("h2load")
    said = stage.run(["h2load", *words]).decode()
    line = re.search(r"^requests: .*$", said, re.M).group()
    numbers = {name: int(number) for number, name in re.findall(r"(\d+) (\w+)", line)}
    codes = {name: int(number) for number, name in re.findall(r"(\d+) (\dxx)", said)}
    return numbers | codes


def all_good(numbers, count):
    equal({name: numbers[name] for name in ("succeeded", "failed", "errored", "timeout", "2xx")},
          {"succeeded": count, "failed": 0, "errored": 0, "timeout": 0, "2xx": count})


@test
def thousands_of_requests_fail_not_once(stage):
    stage.write("site/small.txt", "x" * 1000)
    stage.random_file("site/big.bin", 300_000)
    relais = stage.relais("serve", "site", "-l", "http://127.0.0.1:0", "-l", "https://127.0.0.1:0", urls=2)
    # HTTP/1.1 in the clear, HTTP/1.1 and HTTP/2 over TLS; small and larger than a socket's buffer.
    all_good(h2load(stage, "--h1", "-n", "4000", "-c", "20", f"{relais.http}/small.txt"), 4000)
    all_good(h2load(stage, "--h1", "-n", "2000", "-c", "20", f"{relais.https}/small.txt"), 2000)
    all_good(h2load(stage, "-n", "4000", "-c", "10", "-m", "20", f"{relais.https}/small.txt"), 4000)
    all_good(h2load(stage, "-n", "400", "-c", "5", "-m", "10", f"{relais.https}/big.bin"), 400)
    equal(relais.stop(), 0, "exit code")


@test
def many_connections_come_and_go(stage):
    stage.write("site/small.txt", "x" * 1000)
    relais = stage.relais("serve", "site", "-l", "http://127.0.0.1:0")
    descriptors = stage.path(f"/proc/{relais.pid}/fd")
    before = len(list(descriptors.iterdir()))
    for _ in range(5):
        all_good(h2load(stage, "--h1", "-n", "400", "-c", "200", f"{relais.http}/small.txt"), 400)
    from stage import eventually

    eventually("descriptors given back", lambda: len(list(descriptors.iterdir())) <= before + 3)


NGINX = """\
{user}daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path {folder}/nginx-body;
    proxy_temp_path {folder}/nginx-proxy;
    fastcgi_temp_path {folder}/nginx-fastcgi;
    uwsgi_temp_path {folder}/nginx-uwsgi;
    scgi_temp_path {folder}/nginx-scgi;
    upstream relais {{ server 127.0.0.1:{upstream}; keepalive 16; }}
    log_format upstream "$upstream_addr $upstream_status $status $uri";
    server {{
        listen 127.0.0.1:{port};
        access_log {folder}/nginx-access.log upstream;
        location / {{
            proxy_pass http://relais;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
        }}
    }}
}}
"""


@test
def nginx_in_front_passes_everything_on(stage):
    import os

    need("nginx")
    stage.write("site/index.html", "from relais")
    stage.random_file("site/big.bin", 40_000_000)
    relais = stage.relais("serve", "site", "-l", "http://127.0.0.1:0", "--access-log", "access.json", "--log-format", "json")
    port = free_port()
    user = "user root;\n" if os.geteuid() == 0 else ""
    stage.write("nginx.conf", NGINX.format(user=user, folder=stage.folder, upstream=relais.port, port=port))
    nginx = stage.start(["nginx", "-c", stage.path("nginx.conf"), "-p", stage.folder, "-e", "stderr"], "nginx")
    nginx.await_port(port)
    base = f"http://127.0.0.1:{port}"
    equal(stage.curl(f"{base}/"), b"from relais")
    whole = stage.path("site/big.bin").read_bytes()
    equal(sum_of(stage.curl(f"{base}/big.bin")), sum_of(whole), "the same bytes")
    equal(stage.curl("-r", "1000000-1999999", f"{base}/big.bin") == whole[1_000_000:2_000_000], True, "the same part")
    equal(stage.curl("-o", "/dev/null", "-w", "%{http_code}", f"{base}/missing"), b"404")
    all_good(h2load(stage, "--h1", "-n", "2000", "-c", "8", f"{base}/"), 2000)
    statuses = {line.split()[1] for line in stage.path("nginx-access.log").read_text().splitlines()}
    equal(statuses, {"200", "206", "404"}, "what relais answered nginx")
    equal(relais.stop(), 0, "exit code")
    # Kept alive: far fewer callers than requests.
    lines = [json.loads(line) for line in stage.path("access.json").read_text().splitlines()]
    assert len(lines) >= 2004, len(lines)
    callers = {(line["peer"], line["port"]) for line in lines}
    assert len(callers) <= 60, f"{len(callers)} callers for {len(lines)} requests"


ODD = [
    "with space.txt", "two  spaces", "plus+sign", "hash#tag", "question?mark", "semi;colon",
    "quote'single", 'quote"double', "amp&lt;.txt", "<tag>.txt", "ünïcödé.txt", "日本語.txt", "emoji 🗼.txt", "e\u0301 decomposed",
    "colon:name", "a=b&c=d", "[brackets]", "{braces}", "~tilde", "at@sign", "star*", "pipe|", "caret^", "trailing.",
    "-dash", "_under", "(paren)", "comma,name", "exclaim!", "dollar$", "`tick`", "UPPER.TXT", "no-extension",
]


# Right in the listing, but wget decodes them twice.
TWICE = ["per%cent", "%41", "100%", "%", "%zz", "%2e%2e"]


def grow(stage, root, count):
    """A tree with odd names, empty files and depth."""
    dice = random.Random(7)
    folders = ["", "plain/", "with space/", "ünïcödé/", "deep/er/and/deeper/", "per%cent/", "hash#/", "quote'/"]
    for number, name in enumerate(ODD):
        stage.write(f"{root}/{folders[number % len(folders)]}{name}", dice.randbytes(dice.choice([0, 1, 100, 5000])))
    for number in range(len(ODD), count):
        stage.write(f"{root}/{dice.choice(folders)}file-{number}.bin", dice.randbytes(dice.choice([0, 10, 1000, 20_000])))
    stage.path(f"{root}/empty folder").mkdir()


def tree(root):
    return {path.relative_to(root).as_posix(): sum_of(path.read_bytes()) for path in root.rglob("*") if path.is_file()}


@test
def wget_brings_home_the_whole_tree(stage):
    need("wget")
    grow(stage, "site", 300)
    relais = stage.relais("serve", "site", "-l", "http://127.0.0.1:0", "--list")
    words = ["--recursive", "--level=inf", "--no-parent", "--no-host-directories", "--no-verbose", "--no-config", "-e", "robots=off"]
    # The listings themselves come as index.html, which no folder of the tree has.
    words += ["--directory-prefix", "copy", "--restrict-file-names=nocontrol", "--local-encoding=UTF-8", "--remote-encoding=UTF-8"]
    stage.run(["wget", *words, f"{relais.http}/"])
    found = {name: found for name, found in tree(stage.path("copy")).items() if not is_listing(name)}
    expect = tree(stage.path("site"))
    equal(sorted(expect.keys() - found.keys()), [], "missing")
    equal(sorted(found.keys() - expect.keys()), [], "too many")
    equal([name for name in expect if found[name] != expect[name]], [], "different")
    equal(len(expect), 300, "files")


@test
def every_name_in_a_listing_can_be_asked_for(stage):
    grow(stage, "site", 60)
    for name in TWICE:
        stage.write(f"site/twice/{name}", name)
    relais = stage.relais("serve", "site", "-l", "http://127.0.0.1:0", "--list")
    found, folders = {}, ["/"]
    while folders:
        folder = folders.pop()
        page = stage.curl("-H", "Accept: text/html", relais.http + folder).decode()
        links = [html.unescape(link) for link in re.findall(r'href="([^"]+)"', page)]
        for link in links:
            path = urllib.parse.urljoin(folder, link)
            if "?" in link or not path.startswith(folder) or path == folder:
                continue
            if path.endswith("/"):
                folders.append(path)
            else:
                name = urllib.parse.unquote(path[1:])
                found[name] = sum_of(stage.curl("--fail", "--path-as-is", relais.http + path))
    equal(found, tree(stage.path("site")), "files")


def is_listing(name):
    """Whether wget made this of a folder's page, or of the same page in another order."""
    return re.search(r"(^|/)index\.html(\?[^/]*)?$", name) is not None
