"""curl: what a careful client sees of HTTP/1.1 and HTTP/2."""

import re
import time

from stage import RELAIS, equal, eventually, fields, holds, need, test

TEXT = "".join(f"Line {number} of a text that compresses well.\n" for number in range(2000))


def site(stage):
    stage.write("site/index.html", "<!doctype html><title>Start</title>")
    stage.write("site/text.txt", TEXT)
    stage.random_file("site/big.bin", 3_000_000)
    return stage.relais("serve", "site", "-l", "http://127.0.0.1:0", "-l", "https://127.0.0.1:0", urls=2)


def head_of(stage, *arguments):
    return stage.curl("--head", *arguments).decode()


@test
def curl_gets_files_over_http_1_1(stage):
    relais = site(stage)
    equal(stage.curl("--http1.1", f"{relais.http}/text.txt").decode(), TEXT)
    equal(stage.curl("--http1.1", f"{relais.http}/").decode(), "<!doctype html><title>Start</title>")
    got = stage.curl("--http1.1", f"{relais.http}/big.bin")
    equal(got == stage.path("site/big.bin").read_bytes(), True, "the same bytes")


@test
def curl_is_told_that_a_port_is_for_https(stage):
    relais = site(stage)
    url = relais.https.replace("https://", "http://")
    for arguments in [], ["--data-binary", TEXT[:40_000]]:
        said = stage.curl("--include", *arguments, url).decode()
        holds(said, "HTTP/1.1 400 Bad Request")
        holds(said, "The plain HTTP request was sent to an HTTPS port")


@test
def curl_trusts_the_local_authority_and_speaks_http_2(stage):
    relais = site(stage)
    arguments = ["--cacert", stage.authority(), "--http2", "-w", "\n%{http_version} %{ssl_verify_result}"]
    *text, last = stage.curl(*arguments, f"{relais.https}/text.txt").decode().split("\n")
    equal("\n".join(text), TEXT)
    equal(last, "2 0")
    got = stage.curl("--cacert", stage.authority(), "--http2", f"{relais.https}/big.bin")
    equal(got == stage.path("site/big.bin").read_bytes(), True, "the same bytes")
    got = stage.curl("--cacert", stage.authority(), "--http1.1", f"{relais.https}/big.bin")
    equal(got == stage.path("site/big.bin").read_bytes(), True, "the same bytes")


@test
def curl_without_the_authority_trusts_nobody(stage):
    relais = site(stage)
    # 60: the certificate cannot be verified.
    stage.curl(f"{relais.https}/", status=60)


@test
def one_connection_serves_many_requests(stage):
    relais = site(stage)
    urls = [f"{relais.http}/text.txt"] * 50
    sinks = [word for _ in urls for word in ("-o", "/dev/null")]
    opened = stage.curl(*sinks, "-w", "%{num_connects}\n", *urls).decode().split()
    equal(sum(map(int, opened)), 1, "connections")


@test
def parts_of_a_file_are_the_parts_asked_for(stage):
    relais = site(stage)
    whole = stage.path("site/big.bin").read_bytes()
    for asked, expect in [("0-0", whole[:1]), ("100-299", whole[100:300]), ("-7", whole[-7:]), ("2999990-", whole[2_999_990:])]:
        for base in [relais.http, relais.https]:
            got = stage.curl("-r", asked, "--cacert", stage.authority(), "-w", "%{http_code}", f"{base}/big.bin")
            equal(got, expect + b"206", f"range {asked}")
    many = stage.curl("-r", "0-9,100-109", "-i", f"{relais.http}/big.bin")
    holds(many, b"multipart/byteranges; boundary=")
    holds(many, whole[:10])
    holds(many, whole[100:110])
    beyond = stage.curl("-r", "9000000-", "-i", f"{relais.http}/big.bin").decode()
    holds(beyond, "HTTP/1.1 416 ")
    equal(fields(beyond.split("\r\n\r\n")[0])["content-range"], "bytes */3000000")


@test
def a_broken_download_goes_on_where_it_broke(stage):
    relais = site(stage)
    whole = stage.path("site/big.bin").read_bytes()
    stage.write("part.bin", whole[:1_234_567])
    told = stage.curl("-C", "-", "-o", "part.bin", "-w", "%{http_code} %{size_download}", f"{relais.http}/big.bin")
    equal(told.decode(), f"206 {3_000_000 - 1_234_567}")
    equal(stage.path("part.bin").read_bytes() == whole, True, "the same bytes")


@test
def what_has_not_changed_is_not_sent_again(stage):
    relais = site(stage)
    url = f"{relais.http}/text.txt"
    stage.curl("--etag-save", "tag", "-o", "copy.txt", url)
    told = stage.curl("--etag-compare", "tag", "-o", "copy2.txt", "-w", "%{http_code} %{size_download}", url)
    equal(told.decode(), "304 0")
    told = stage.curl("-z", "copy.txt", "-R", "-o", "dated.txt", "-w", "%{http_code}", url)
    equal(told.decode(), "304", "a copy younger than the file")
    time.sleep(0.01)
    stage.write("site/text.txt", TEXT + "One more line.\n")
    told = stage.curl("--etag-compare", "tag", "-o", "copy3.txt", "-w", "%{http_code}", url)
    equal(told.decode(), "200", "after a change")
    holds(stage.path("copy3.txt").read_text(), "One more line.")


@test
def what_changed_is_seen_at_once(stage):
    relais = site(stage)
    for number in range(20):
        stage.write("site/text.txt", f"version {number}")
        equal(stage.curl(f"{relais.http}/text.txt").decode(), f"version {number}")


@test
def each_coding_unpacks_to_the_same_text(stage):
    need("brotli", "zstd", "gzip")
    relais = site(stage)
    tools = {"br": ["brotli", "-dc"], "zstd": ["zstd", "-dcq"], "gzip": ["gzip", "-dc"]}
    for coding, tool in tools.items():
        url = f"{relais.http}/text.txt"

        def packed():
            answer = stage.curl("-i", "-H", f"Accept-Encoding: {coding}", url)
            head, _, body = answer.partition(b"\r\n\r\n")
            told = fields(head.decode())
            return (told, body) if told.get("content-encoding") == coding else None

        # The first may come as it is, while it is being packed for the next.
        told, body = eventually(f"an answer in {coding}", packed)
        holds(told["vary"].lower(), "accept-encoding")
        assert len(body) < len(TEXT) / 10, f"{coding}: {len(body)} bytes"
        equal(stage.run(tool, input=body).decode(), TEXT, coding)
    plain = head_of(stage, "-H", "Accept-Encoding: identity", f"{relais.http}/text.txt")
    equal(fields(plain).get("content-encoding"), None)


@test
def pictures_are_not_packed(stage):
    stage.random_file("site/picture.jpg", 50_000)
    relais = site(stage)
    told = fields(head_of(stage, "-H", "Accept-Encoding: br, gzip, zstd", f"{relais.http}/picture.jpg"))
    equal(told.get("content-encoding"), None)
    equal(told["content-type"], "image/jpeg")


@test
def a_head_is_a_get_without_its_body(stage):
    relais = site(stage)
    for base in [relais.http, relais.https]:
        for path in ["/", "/text.txt", "/big.bin", "/missing"]:
            both = []
            for words in [["--head"], ["-D", "-", "-o", "/dev/null"]]:
                told = stage.curl("--cacert", stage.authority(), *words, base + path).decode()
                told_fields = fields(told)
                told_fields.pop("date")
                both.append((told.split("\r\n")[0], told_fields))
            equal(both[0], both[1], path)


# Each with a body but the deletion.
CHANGES = [["-X", "DELETE"], ["-T", "site/index.html"], ["-T", "site/big.bin"], ["-d", "field=value"], ["-X", "PATCH", "-d", "x"]]


def refused(stage, version, url, changes):
    before = stage.path("site/text.txt").read_bytes()
    for words in changes:
        words = [version, "--cacert", stage.authority(), *words, "-D", "-", "-o", "/dev/null"]
        told = stage.curl(*words, f"{url}/text.txt").decode().replace("HTTP/1.1 100 Continue\r\n\r\n", "")
        holds(told.split("\r\n")[0], " 405")
        holds(fields(told)["allow"], "GET")
    equal(stage.path("site/text.txt").read_bytes() == before, True, "untouched")
    stage.curl("--fail", "-o", "/dev/null", "--cacert", stage.authority(), f"{url}/text.txt")


@test
def uploads_and_deletions_are_refused(stage):
    relais = site(stage)
    for url in [relais.http, relais.https]:
        refused(stage, "--http1.1", url, CHANGES)
    refused(stage, "--http2", relais.https, CHANGES[:1])


@test
def uploads_are_refused_over_http_2(stage):
    relais = site(stage)
    # It depends on what comes first; often enough it is not the answer.
    for _ in range(5):
        refused(stage, "--http2", relais.https, CHANGES)


@test
def no_path_leads_out_of_the_root(stage):
    stage.write("secret.txt", "secret")
    stage.write("site/.hidden", "secret")
    stage.path("site/out").symlink_to("../secret.txt")
    stage.path("site/etc").symlink_to("/etc")
    relais = site(stage)
    paths = [
        "/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/x/../../secret.txt", "/..\\secret.txt",
        "/..%5csecret.txt", "/%2e%2e%2fsecret.txt", "//../secret.txt", "/.%2e/secret.txt", "/out", "/.hidden",
        "/%2ehidden", "/etc/passwd", "/text.txt%00.html", "/%252e%252e/secret.txt", "/./../secret.txt", "/....//secret.txt",
        f"/{stage.path('secret.txt')}", "/%c0%ae%c0%ae/secret.txt",
    ]
    for path in paths:
        for base in [relais.http, relais.https]:
            words = ["--path-as-is", "--cacert", stage.authority(), "-w", "\n%{http_code}"]
            *body, status = stage.curl(*words, base + path).decode(errors="replace").split("\n")
            assert status in ("400", "403", "404"), f"{path}: {status}"
            assert "secret\n" not in "\n".join(body) + "\n" and "root:" not in "".join(body), path


@test
def a_password_is_asked_for_and_checked(stage):
    line = stage.run([RELAIS, "password", "anna"], input=b"correct horse\n")
    stage.write("users.txt", line)
    stage.write("site/index.html", "for anna")
    relais = stage.relais("serve", "site", "-l", "http://127.0.0.1:0", "--auth", "users.txt", "--realm", "the attic")
    told = stage.curl("-i", f"{relais.http}/").decode()
    holds(told, "HTTP/1.1 401 ")
    holds(told, 'Basic realm="the attic"'.split(" ")[1])
    assert "for anna" not in told
    equal(stage.curl("-u", "anna:correct horse", f"{relais.http}/").decode(), "for anna")
    for user in ["anna:wrong", "anna:", "berta:correct horse", ":"]:
        equal(stage.curl("-u", user, "-o", "/dev/null", "-w", "%{http_code}", f"{relais.http}/"), b"401", user)


@test
def its_own_secrets_and_logs_are_served_to_nobody(stage):
    stage.write("site/users.txt", stage.run([RELAIS, "password", "anna"], input=b"secret\n"))
    words = ["--auth", "users.txt", "--access-log", "access.log", "--cert", "a.test.pem", "--key", "a.test-key.pem"]
    env = stage.env() | {"RELAIS_DATA": str(stage.path("site/data"))}
    stage.run([RELAIS, "cert", "issue", "a.test"], cwd=stage.path("site"), env=env)
    equal(stage.path("site/data/authority/ca-key.pem").exists(), True)
    relais = stage.relais("serve", ".", "--list", "-l", "https://127.0.0.1:0", *words, cwd=stage.path("site"), env=env)
    asked = ["-k", "-u", "anna:secret", "-o", "/dev/null", "-w", "%{http_code}"]
    equal(stage.curl(*asked, f"{relais.https}/a.test.pem"), b"200")
    older = ["access.log.1", "access.log.2.gz", "access.log-20261123"]
    for name in older:
        stage.write(f"site/{name}", b"as logrotate leaves it\n")
    for name in ["users.txt", "access.log", *older, "a.test-key.pem", "data/authority/ca-key.pem", "data/run/"]:
        equal(stage.curl(*asked, f"{relais.https}/{name}"), b"404", name)
    listed = stage.curl("-k", "-u", "anna:secret", f"{relais.https}/").decode()
    holds(listed, "a.test.pem")
    assert "users.txt" not in listed and "access.log" not in listed, listed
    said = re.search("WARN below .* and answered to nobody, lie our own files: .*", relais.said()).group()
    for name in ["users.txt", "access.log", "a.test-key.pem", "data/authority"]:
        holds(said, name)


@test
def the_configuration_and_what_a_hub_keeps_are_served_to_nobody(stage):
    stage.write("site/page.txt", "page")
    stage.write("site/relais.toml", """
[serve.site]
listen = "http://127.0.0.1:0"
root = "."
listing = true
[hub.hub]
listen = "tcp://127.0.0.1:0"
""")
    relais = stage.relais("up", cwd=stage.path("site"))
    asked = ["-o", "/dev/null", "-w", "%{http_code}"]
    equal(stage.curl(*asked, f"{relais.http}/page.txt"), b"200")
    for name in ["relais.toml", "hub.db", "hub.db-wal", "hub.db-shm", "hub.db.lock"]:
        assert stage.path(f"site/{name}").exists(), name
        equal(stage.curl(*asked, f"{relais.http}/{name}"), b"404", name)
    listed = stage.curl(f"{relais.http}/").decode()
    holds(listed, "page.txt")
    assert "relais.toml" not in listed and "hub.db" not in listed, listed
    holds(re.search("lie our own files: .*", relais.said()).group(), "relais.toml")


@test
def listings_come_as_pages_and_as_json(stage):
    import json

    stage.write("site/b & <c>.txt", "1")
    stage.write("site/folder/deep.txt", "22")
    relais = stage.relais("serve", "site", "-l", "http://127.0.0.1:0", "--list")
    page = stage.curl("-H", "Accept: text/html", f"{relais.http}/").decode()
    holds(page, "b &amp; &lt;c&gt;.txt")
    holds(page, "folder/")
    told = json.loads(stage.curl("-H", "Accept: application/json", f"{relais.http}/"))
    holds(str(told), "b & <c>.txt")
    stage.curl("--fail", f"{relais.http}/folder/")
    moved = head_of(stage, f"{relais.http}/folder")
    equal(fields(moved)["location"], "/folder/")


@test
def no_web_page_reads_what_is_served_to_this_machine_alone_under_its_own_names(stage):
    stage.write("site/secret.txt", "mine\n")
    stage.write("relais.toml", "")
    serving = stage.relais("serve", stage.path("site"), "--own-names", "--listen", "http://127.0.0.1:0")
    passing = stage.relais("proxy", "--own-names", "http://127.0.0.1:0", serving.http)
    for relais in (serving, passing):
        asked = ["-s", "-w", "|%{http_code}", relais.http + "/secret.txt"]
        for host in ["localhost", "a.localhost:1", "127.0.0.1", "[::1]"]:
            equal(stage.curl("-H", f"Host: {host}", *asked), b"mine\n|200", host)
        # As a page would whose own name leads here meanwhile.
        for host in ["evil.example", f"evil.example:{relais.port}", "localhost.evil.example"]:
            told = stage.curl("-H", f"Host: {host}", *asked).decode()
            holds(told, "is no name of this server, which is on this machine alone")
            holds(told, "|421")
        page = stage.curl("-i", "-H", "Host: evil.example", "-H", "Accept: text/html", relais.http).decode()
        holds(page, "<h1><b>421</b> Misdirected Request</h1>")
    # What a proxy of ours passes on says so: its own callers were judged there.
    config = f'[proxy.front]\nlisten = "http://127.0.0.1:0"\nhosts = "site.example"\nupstream = "{serving.http}"\n'
    named = stage.up(config)
    equal(stage.curl("-H", "Host: site.example", named.http + "/secret.txt"), b"mine\n")
    for words in ([], ["--host", "any.example"]):
        open_to_all = stage.relais("serve", stage.path("site"), *words, "--listen", "http://127.0.0.1:0")
        equal(stage.curl("-H", "Host: any.example", open_to_all.http + "/secret.txt"), b"mine\n")
