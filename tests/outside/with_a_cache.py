"""What is stored, looked after: `PURGE` by curl, and `relais cache` through the control socket."""

import collections
import http.server
import json
import re
import time

from serving import Serving
from stage import RELAIS, equal, holds, need, test

TOKEN = "a-token-that-nobody-guesses"


class Answers(http.server.BaseHTTPRequestHandler):
    """Answers with the fields that the path has in its query, and counts how often it is asked."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.asked[f"{self.command} {self.path}"] += 1
        fields = dict(
            part.split("=", 1) for part in self.path.partition("?")[2].replace("%20", " ").replace("%22", '"').split("&") if "=" in part
        )
        body = f"{self.server.asked[f'{self.command} {self.path}']}\n".encode()
        status = int(fields.pop("status", 200))
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        # Or it would go on answering when it is gone.
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    do_PURGE = do_GET

    def log_message(self, *_):
        pass


class Server(Serving):
    """The server, and what it was asked how often."""

    handler = Answers

    def __enter__(self):
        super().__enter__()
        self.asked = self.server.asked = collections.Counter()
        return self


def proxy(stage, server, purge="", more=""):
    stage.write("purge.token", TOKEN + "\n")
    cache = f"{{ purge = {purge} }}" if purge else "true"
    config = f"""
[proxy.front]
listen = "http://127.0.0.1:0"
upstream = "{server.url}"
cache = {cache}
access_log = {{ file = "access.log" }}
sniff = {{ log = "sniff.jsonl" }}
{more}
"""
    return stage.up(config)


ALLOWED = '{ token_file = "purge.token", from = ["127.0.0.1"] }'
BEARER = ["-H", f"Authorization: Bearer {TOKEN}"]


def purge(stage, url, *words):
    told = stage.curl("-X", "PURGE", url, "-w", "|%{http_code}", *words).decode()
    body, _, status = told.rpartition("|")
    return int(status), body


def get(stage, url, *words):
    return stage.curl(url, *words).decode()


def verb(stage, *words, status=0, **options):
    """`relais cache` with these words: what it prints, and what it says beside that."""
    command = [RELAIS, "cache", "--file", stage.path("relais.toml"), *words]
    done = stage.finish(command, **options)
    said = done.stderr.decode()
    if done.returncode != status:
        raise AssertionError(f"{words} ended with {done.returncode}, expected {status}: {said}{done.stdout}")
    return done.stdout.decode(), said


@test
def who_may_not_purge_is_told_why_and_nobody_is_asked(stage):
    need("curl")
    for rules, words, status in [
        ("", BEARER, 405),
        ('{ token_file = "purge.token", from = "192.0.2.0/24" }', BEARER, 403),
        (ALLOWED, [], 401),
        (ALLOWED, ["-H", "Authorization: Bearer " + TOKEN[:-1]], 401),
        (ALLOWED, ["-H", "Authorization: Basic " + TOKEN], 401),
        (ALLOWED, ["-H", "X-Forwarded-For: 127.0.0.1"], 401),
    ]:
        with Server() as server:
            relais = proxy(stage, server, rules)
            url = relais.http + "/a?cache-control=max-age=60"
            equal(get(stage, url), "1\n")
            equal(purge(stage, url, *words)[0], status, f"{rules} {words}")
            equal(get(stage, url), "1\n", "it is stored still")
            equal([path for path in server.asked if "PURGE" in path], [], "passed on")
            equal(relais.stop(), 0, "exit code")
            said = relais.said() + stage.path("access.log").read_text() + stage.path("sniff.jsonl").read_text()
            assert TOKEN not in said, "the token is told"


@test
def what_is_named_is_purged_with_curl(stage):
    need("curl")
    with Server() as server:
        relais = proxy(stage, server, ALLOWED)
        one = relais.http + "/1?cache-control=max-age=60&surrogate-key=news%20sport"
        two = relais.http + "/2?cache-control=max-age=60&cache-tag=news,%20weather&cache-groups=%22g%22"
        for url in [one, two, one, two]:
            equal(get(stage, url), "1\n")
        equal(purge(stage, one, *BEARER), (200, "200 OK: purged 1 object\n"))
        equal((get(stage, one), get(stage, two)), ("2\n", "1\n"))
        told = purge(stage, relais.http, *BEARER, "-H", "Surrogate-Key: weather none")
        equal(told, (200, "200 OK: purged 1 object\n"))
        equal((get(stage, one), get(stage, two)), ("2\n", "2\n"))
        equal(purge(stage, relais.http, *BEARER, "-H", "Cache-Tag: NEWS")[1], "200 OK: purged 2 objects\n")
        equal((get(stage, one), get(stage, two)), ("3\n", "3\n"))
        # A bad field is none of a group, and what is bad is told.
        status, told = purge(stage, relais.http, *BEARER, "-H", "Cache-Groups: g")
        equal(status, 400)
        holds(told, "expected `Surrogate-Key: a b`")
        equal(relais.stop(), 0, "exit code")


@test
def what_does_not_count_of_a_query_is_purged_all_the_same(stage):
    need("curl")
    with Server() as server:
        rules = '[{ path = "/b", key = { query_drop = "utm_*" } }]'
        relais = proxy(stage, server, f"{ALLOWED}, rules = {rules}")
        kept = "cache-control=max-age=60&no-vary-search=params=(%22x%22)"
        for url in [relais.http + "/a?" + kept + "&x=", relais.http + "/b?cache-control=max-age=60&utm_x="]:
            path = url.rpartition("/")[2][0]

            def asked():
                return sum(count for target, count in server.asked.items() if target.startswith(f"GET /{path}"))

            for number in range(3):
                get(stage, f"{url}{number}")
            equal(asked(), 1, url)
            equal(purge(stage, f"{url}3", *BEARER), (200, "200 OK: purged 1 object\n"), url)
            get(stage, f"{url}4")
            equal(asked(), 2, url)
            holds(verb(stage, "show", f"{url}5")[0], "200", url)
            equal(verb(stage, "purge", f"{url}6")[0], "purged 1 object\n", url)
            verb(stage, "show", f"{url}5", status=3)
        equal(relais.stop(), 0, "exit code")


@test
def what_is_purged_softly_is_asked_about_and_stands_in_for_who_is_gone(stage):
    need("curl")
    with Server() as server:
        relais = proxy(stage, server, ALLOWED)
        url = relais.http + "/?cache-control=max-age=60"
        kept = relais.http + "/kept?cache-control=max-age=60"
        strict = relais.http + "/strict?cache-control=s-maxage=60"
        for each in [url, kept, strict]:
            equal(get(stage, each), "1\n")
        soft = [*BEARER, "-H", "Relais-Soft-Purge: 1"]
        equal(purge(stage, url, *soft), (200, "200 OK: purged 1 object\n"))
        equal(get(stage, url), "2\n")
        for each in [kept, strict]:
            purge(stage, each, *soft)
    # The server is gone: what may be sent stale, is.
    equal(get(stage, kept), "1\n")
    holds(stage.curl("-si", kept).decode(), "; hit; ttl=")
    holds(stage.curl("-si", strict).decode(), "HTTP/1.1 502 ")
    equal(relais.stop(), 0, "exit code")


@test
def a_password_before_the_site_does_not_keep_the_token_out(stage):
    need("curl")
    with Server() as server:
        line = stage.run([RELAIS, "password", "anna"], input=b"secret\n")
        stage.write("users.txt", line)
        relais = proxy(stage, server, ALLOWED, 'auth = { file = "users.txt" }')
        url = relais.http + "/?cache-control=max-age=60,public"
        equal(stage.curl("-o", "/dev/null", "-w", "%{http_code}", url), b"401")
        equal(get(stage, url, "-u", "anna:secret"), "1\n")
        equal(purge(stage, url, *BEARER)[0], 200)
        equal(get(stage, url, "-u", "anna:secret"), "2\n")
        equal(relais.stop(), 0, "exit code")


@test
def a_change_takes_out_the_groups_that_its_answer_names(stage):
    need("curl")
    with Server() as server:
        relais = proxy(stage, server)
        one = relais.http + "/1?cache-control=max-age=60&cache-groups=%22g%22"
        equal([get(stage, one), get(stage, one)], ["1\n", "1\n"])
        stage.curl("-d", "x", relais.http + "/change?cache-group-invalidation=%22x%22,%22g%22")
        equal(get(stage, one), "2\n")
        equal(relais.stop(), 0, "exit code")


@test
def hostile_purges_are_refused_or_cost_little(stage):
    need("curl")
    with Server() as server:
        relais = proxy(stage, server, ALLOWED)
        for number in range(50):
            get(stage, relais.http + f"/{'a' * 2000}{number}?cache-control=max-age=60")
        tags = " ".join(f"t{number}" for number in range(2000))
        began = time.monotonic()
        equal(purge(stage, relais.http, *BEARER, "-H", f"Surrogate-Key: {tags}"), (200, "200 OK: purged 0 objects\n"))
        status, _ = purge(stage, relais.http + "/" + "a" * 60_000, *BEARER)
        assert status in (200, 414, 431), status
        equal(purge(stage, relais.http, "-H", "Authorization: Bearer " + "x" * 10_000)[0], 401)
        bomb = "*".join(["a"] * 2000)
        for pattern in [bomb + "b", "*" + bomb + "*b", "*" * 4096]:
            verb(stage, "purge", "--glob", pattern, "--soft")
        told, _ = verb(stage, "ls", bomb)
        equal(told, "")
        assert time.monotonic() - began < 20, "too long"
        for words, part in [
            (["--glob", "*" * 4097], "a pattern of 4097 bytes"),
            (["--prefix", ""], "an empty pattern"),
            (["--tag", ""], "an empty tag"),
            (["no url"], 'bad URL "no url"'),
            (["--group", "g"], 'no URL in "g"'),
        ]:
            _, said = verb(stage, "purge", *words, status=2)
            holds(said, part)
            holds(said, "expected")
        equal(relais.stop(), 0, "exit code")


@test
def a_token_that_is_none_is_refused_before_anything_listens(stage):
    for text, part in [("short", "which has 5 bytes"), ("", "which has 0 bytes"), (None, "No such file")]:
        path = stage.path("purge.token")
        path.unlink(missing_ok=True)
        if text is not None:
            stage.write("purge.token", text)
        config = '[proxy.a]\nlisten = "9"\nupstream = "8"\ncache = { purge = ' + ALLOWED + " }\n"
        done = stage.finish([RELAIS, "check", stage.write("relais.toml", config)])
        equal(done.returncode, 2)
        holds(done.stderr.decode().lower(), part.lower())


@test
def what_is_stored_is_listed_shown_and_purged_by_the_verb(stage):
    need("curl")
    with Server() as server:
        relais = proxy(stage, server)
        urls = [relais.http + f"/{name}?cache-control=max-age=600&surrogate-key=all%20{name}" for name in ["a", "b", "c"]]
        for url in urls:
            get(stage, url)
        listed, said = verb(stage, "ls")
        equal(sorted(re.findall(r"/(.)\?", listed)), ["a", "b", "c"])
        holds(listed, "age      ttl code  size url\n")
        holds(said, "3 objects")
        rows = [json.loads(line) for line in verb(stage, "ls", "*/b?*", "--json")[0].splitlines()]
        equal([(row["url"], row["status"], row["tags"]) for row in rows], [(urls[1], 200, 2)])
        equal(len(verb(stage, "ls", "--tag", "all", "--json")[0].splitlines()), 3)
        equal(len(verb(stage, "ls", relais.http + "/c", "--json")[0].splitlines()), 1)
        shown, _ = verb(stage, "show", urls[0])
        for part in [urls[0], "  cache-control: max-age=600\n", "600 s by max-age", "a body of 2 B"]:
            holds(shown, part)
        _, said = verb(stage, "show", relais.http + "/none", status=3)
        holds(said, "nothing is stored for")
        stats = json.loads(verb(stage, "stats", "--json")[0])
        equal((stats["proxy"], stats["keys"], stats["tags"], stats["memory"]), ("front", 3, 4, 256 << 20))
        equal(verb(stage, "purge", "--tag", "b")[0], "purged 1 object\n")
        equal(verb(stage, "purge", "--prefix", relais.http + "/c")[0], "purged 1 object\n")
        equal(verb(stage, "purge", urls[0], "--soft")[0], "made 1 object stale\n")
        equal(get(stage, urls[0]), "2\n")
        equal(verb(stage, "purge", "--all")[0], "purged 1 object\n")
        equal(verb(stage, "ls")[0], "")
        equal(relais.stop(), 0, "exit code")


@test
def a_long_list_comes_bit_by_bit(stage):
    need("curl")
    with Server() as server:
        relais = proxy(stage, server)
        stage.write("urls", "".join(f"{relais.http}/{number}?cache-control=max-age=600\n" for number in range(3000)))
        told, said = verb(stage, "warm", "urls", "--jobs", "8")
        equal(told.count("stored "), 3000)
        holds(said, "3,000 of 3,000 stored")
        equal(verb(stage, "ls")[0].count("\n"), 3001)
        # Who reads slowly, as in a pager, gets all of it.
        line = f"{RELAIS} cache --file relais.toml ls --json | (sleep 4; wc -l)"
        equal(stage.finish(["bash", "-c", line]).stdout.strip(), b"3000")
        # Who reads no further ends it, and is not told of an error.
        line = f"{RELAIS} cache --file relais.toml ls | head -2"
        done = stage.finish(["bash", "-c", line])
        equal((done.stdout.count(b"\n"), done.stderr), (2, b""))
        told, _ = verb(stage, "warm", "-", "--json", input=f"# again\n\n{relais.http}/1?cache-control=max-age=600\n".encode())
        equal(json.loads(told)["outcome"], "hit")
        equal(relais.stop(), 0, "exit code")


@test
def what_cannot_be_warmed_says_why(stage):
    need("curl")
    with Server() as server:
        relais = proxy(stage, server)
        base = relais.http
        lines = [
            f"{base}/ok?cache-control=max-age=60",
            f"{base}/never?cache-control=no-store",
            f"{base}/moved?status=302",
            "not-a-url",
        ]
        told, said = verb(stage, "warm", "-", "--jobs", "1", status=3, input="\n".join(lines).encode())
        for part in [
            f"stored 200      2 {base}/ok?",
            f"not    200      2 {base}/never?cache-control=no-store: the response says no-store",
            ": no lifetime is given, and the status allows no guess",
            'bad URL "not-a-url": expected a whole one',
        ]:
            holds(told, part)
        holds(said, "1 of 4 stored, 0 there before, 2 not stored, 1 failed")
        _, said = verb(stage, "warm", "no-such-list", status=2)
        holds(said, "no-such-list")
        _, said = verb(stage, "warm", "-", "--jobs", "99", status=2)
        holds(said, 'bad number "99": expected 1 to 16')
        equal(relais.stop(), 0, "exit code")
        _, said = verb(stage, "ls", status=1)
        holds(said, "no relais runs")


@test
def explanations_tell_reasons_numbers_and_sections(stage):
    need("curl")
    with Server() as server:
        relais = proxy(stage, server)
        fresh = relais.http + "/fresh?cache-control=max-age=60,stale-while-revalidate=30&age=5"
        get(stage, fresh)
        cases = [
            (fresh, [], ["`max-age` says so  [RFC 9111 §5.2.2.1]", "5 s of that before it came", "while its server is asked",
                         "=> It is answered from what is stored, and nobody is asked  [RFC 9111 §4]"]),
            (fresh, ["-H", "Cache-Control: max-age=1"], ["`max-age=1`", "=> The server is asked: older than the max-age"]),
            (relais.http + "/no?cache-control=no-store", [], ["asked now, with HEAD", "`cache-control: no-store`",
             "=> An answer like that is not stored: the response says no-store  [RFC 9111 §5.2.2.5]"]),
            (relais.http + "/new", ["--no-fetch"], ["=> The server is asked: nothing is stored for this URL"]),
            (relais.http + "/cookie", ["-H", "Cookie: a=b"], ["The request has cookies", "may be somebody's own"]),
            (relais.http + "/head?status=405", [], ["asked now, with GET", "status 405"]),
        ]
        for url, words, parts in cases:
            told, _ = verb(stage, "explain", url, *words)
            for part in parts:
                holds(told, part)
        equal(server.asked["GET /new"] + server.asked["HEAD /new"], 0, "asked though it was not to be")
        told = json.loads(verb(stage, "explain", fresh, "--json")[0])
        steps = {step["step"]: step for step in told["steps"]}
        equal((told["verdict"]["is"], steps["lifetime"]["seconds"], steps["lifetime"]["basis"]), ("hit", 60, "max-age"))
        equal(steps["age"]["initial"], 5)
        verb(stage, "purge", fresh, "--soft")
        told, _ = verb(stage, "explain", fresh)
        holds(told, "But it was purged softly")
        for words, part in [(["/fresh"], 'bad URL "/fresh"'), ([fresh, "-H", "x"], 'bad field "x"'), ([fresh, "-H", "Host: b"], '"host" is not')]:
            _, said = verb(stage, "explain", *words, status=2)
            holds(said, part)
        equal(relais.stop(), 0, "exit code")


@test
def of_several_caches_one_is_to_be_named(stage):
    need("curl")
    with Server() as server:
        one = "[proxy.{}]\nlisten = \"http://127.0.0.1:0\"\nupstream = \"{}\"\ncache = {}\n"
        config = one.format("a", server.url, "true") + one.format("b", server.url, "true") + one.format("c", server.url, "false")
        relais = stage.up(config, urls=3)
        for url in relais.urls:
            get(stage, url + "/?cache-control=max-age=60")
        equal(verb(stage, "ls", "--json")[0].count("\n"), 2)
        equal(verb(stage, "ls", "--json", "--proxy", "b")[0].count("\n"), 1)
        # The port of a URL says whose cache it means.
        for url, name in zip(relais.urls, "ab"):
            holds(verb(stage, "explain", url + "/?cache-control=max-age=60")[0], f'through the proxy "{name}"')
        for words, part in [
            ([relais.urls[2]], "is answered by `proxy c`, which has no cache"),
            ([relais.urls[2], "--proxy", "c"], 'no proxy with a cache is called "c"'),
            (["http://zz.example/"], "does not listen at port 80: it listens at http://127.0.0.1:"),
        ]:
            _, said = verb(stage, "explain", *words, status=2)
            holds(said, part)
        holds(verb(stage, "explain", "http://zz.example/", "--proxy", "b")[0], 'through the proxy "b"')
        _, said = verb(stage, "warm", "-", input=b"http://zz.example/", status=2)
        holds(said, "does not listen at port 80")
        _, said = verb(stage, "purge", "http://zz.example/", status=3)
        holds(said, "does not listen at port 80")
        _, said = verb(stage, "show", "http://zz.example/", status=3)
        holds(said, "does not listen at port 80")
        holds(verb(stage, "ls", "http://zz.example/")[1], "does not listen at port 80")
        _, said = verb(stage, "ls", "--proxy", "c", status=2)
        holds(said, 'no proxy with a cache is called "c"')
        equal(verb(stage, "purge", "--all")[0], "purged 2 objects\n")
        # A reload that takes the cache away takes its handle with it.
        stage.write("relais.toml", config.replace("cache = true", "cache = false"))
        stage.run([RELAIS, "reload", "relais.toml"])
        _, said = verb(stage, "ls", status=2)
        holds(said, "no proxy has a cache")
        equal(relais.stop(), 0, "exit code")


@test
def what_a_block_list_refuses_is_explained_so_and_nobody_is_asked(stage):
    with Server() as server:
        stage.write("blocked.txt", "# ours\nsecret\n")
        relais = proxy(stage, server, more='block.list = "blocked.txt"')
        url = relais.http + "/secret?cache-control=max-age=60"
        for words in [[], ["--no-fetch"]]:
            told, _ = verb(stage, "explain", url, *words)
            holds(told, ' 1. The rule "secret" in line 2 of "')
            holds(told, 'blocked.txt" blocks it\n=> It is refused, and neither the cache nor its server is asked\n')
        told = json.loads(verb(stage, "explain", url, "--json")[0])
        equal((told["verdict"]["is"], told["blocked"]["line"]), ("blocked", 2))
        told, _ = verb(stage, "warm", "-", status=3, input=url.encode())
        holds(told, "blocks it")
        equal(sum(server.asked.values()), 0, "the server was asked for what is blocked")
        told, _ = verb(stage, "explain", relais.http + "/open?cache-control=max-age=60")
        holds(told, "=> An answer like that is stored")
        relais.stop()


@test
def what_is_explained_is_what_is_done_where_rules_count(stage):
    need("curl")
    with Server() as server:
        rules = """[
    { path = "/account", bypass = true },
    { path = "/all", ttl = "1d", ignore_origin = true },
    { path = "/two", ttl = "2h" },
    { path = "/q", key = { query_drop = "utm_*" } },
]"""
        stage.write("relais.toml", "")
        config = f"""
[proxy.front]
listen = "http://127.0.0.1:0"
upstream = "{server.url}"

[proxy.front.cache]
set_cookie = "explicit"
rules = {rules}
"""
        relais = stage.up(config)
        cases = [
            ("/account?cache-control=max-age=9", False, ['The rule for "/account" counts', "`bypass`"]),
            ("/all?cache-control=no-store", True, ['The rule for "/all" counts', "86400 s"]),
            ("/all?cache-control=max-age=9&set-cookie=a%3Db", False, ["`set_cookie`"]),
            ("/two", True, ["7200 s (2 hours): `ttl` of a rule"]),
            ("/a/..%2fb", False, ["more than one way", "`bypass`"]),
            ("/q?b=1&utm_x=2", True, ["what the rule lets count", "all counts but `utm_*`"]),
        ]
        for path, is_stored, parts in cases:
            url = relais.http + path
            told, _ = verb(stage, "explain", url)
            holds(told, "An answer like that is " + ("stored" if is_stored else "not stored"), path)
            for part in parts:
                holds(told, part, path)
            row = json.loads(verb(stage, "warm", "-", "--json", input=url.encode())[0])
            equal(row["outcome"], "stored" if is_stored else "not_stored", path)
            equal("; stored" in row["cache_status"], is_stored, path)
        row = json.loads(verb(stage, "warm", "-", "--json", input=(relais.http + "/account").encode())[0])
        holds(row["why"], "`bypass` of a rule")
        # What others have got is no reason to say that this one's answer is stored.
        url = (relais.http + "/own").encode()
        equal(json.loads(verb(stage, "warm", "-", "--json", input=url)[0])["outcome"], "stored")
        row = json.loads(verb(stage, "warm", "-", "--json", "-H", "Cookie: a=b", input=url)[0])
        equal(row["outcome"], "not_stored")
        holds(row["why"], "somebody's own")
        equal(relais.stop(), 0, "exit code")


@test
def fields_for_caches_are_read_before_they_are_edited(stage):
    need("curl")
    with Server() as server:
        edits = 'remove = ["surrogate-key", "cache-status", "cdn-cache-control"], set = { cache-control = "no-cache" }'
        relais = proxy(stage, server, more=f"response = {{ {edits} }}")
        url = relais.http + "/?cdn-cache-control=max-age=60&surrogate-key=news&cache-control=private"
        for _ in ["miss", "hit"]:
            head, _, body = stage.curl("-si", url).decode().partition("\r\n\r\n")
            equal(body, "1\n")
            holds(head.lower(), "cache-control: no-cache")
            for name in ["surrogate-key", "cache-status", "cdn-cache-control", "private"]:
                assert name not in head.lower(), head
        holds(stage.curl("-sI", url).decode().lower(), "cache-control: no-cache")
        shown, _ = verb(stage, "show", url)
        holds(shown, "cdn-cache-control: max-age=60")
        equal(verb(stage, "purge", "--tag", "news")[0], "purged 1 object\n")
        equal(get(stage, url), "2\n")
        equal(relais.stop(), 0, "exit code")


@test
def what_clients_say_of_caching_may_be_ignored(stage):
    need("curl")
    with Server() as server:
        relais = proxy(stage, server, '{ token_file = "purge.token", from = "127.0.0.1" }, client_directives = "ignored"')
        url = relais.http + "/?cache-control=max-age=60"
        for words in [[], ["-H", "Cache-Control: no-cache"], ["-H", "Pragma: no-cache"]]:
            equal(get(stage, url, *words), "1\n")
        told, _ = verb(stage, "explain", url, "-H", "Cache-Control: no-cache")
        holds(told, "=> It is answered from what is stored")
        counted = json.loads(verb(stage, "stats", "--json")[0])["requests"]
        equal((counted["hits"], counted["misses"]), (2, 1))
        holds(verb(stage, "stats")[0], "66.6 % hits: 2 fresh")
        equal(purge(stage, relais.http + "/*", *BEARER), (200, "200 OK: purged 1 object\n"))
        equal(get(stage, url), "2\n")
        stage.write("relais.toml", stage.path("relais.toml").read_text().replace('"ignored"', '"honoured"'))
        holds(stage.run([RELAIS, "reload", "relais.toml"]).decode(), 'the cache of "front" starts empty')
        equal(relais.stop(), 0, "exit code")


@test
def of_a_purge_with_a_disk_no_more_is_said_than_is_known(stage):
    need("curl")
    with Server() as server:
        relais = proxy(stage, server, ALLOWED + ', disk = "kept"')
        url = relais.http + "/?cache-control=max-age=60"
        nothing = "nothing like that is in memory; any on disk alone is purged, and not counted\n"
        some = "purged 1 object in memory; any on disk alone is purged, too, and not counted\n"
        for expect in [some, nothing]:
            if expect == some:
                get(stage, url)
            equal(purge(stage, url, *BEARER), (200, f"200 OK: {expect}"))
        for expect in [some, nothing]:
            if expect == some:
                get(stage, url)
            equal(verb(stage, "purge", url)[0], expect)
        equal(relais.stop(), 0, "exit code")


@test
def what_is_stored_beside_is_hinted_at(stage):
    need("curl")
    with Server() as server:
        relais = proxy(stage, server)
        url = relais.http + "/v?cache-control=max-age=60&vary=accept-encoding"
        get(stage, url, "-H", "Accept-Encoding: gzip, br")
        told, _ = verb(stage, "explain", url, "--no-fetch")
        holds(told, "hint: ask as one of those did: -H 'accept-encoding: gzip, br'")
        holds(verb(stage, "explain", url, "-H", "accept-encoding: gzip, br")[0], "=> It is answered from what is stored")
        told, _ = verb(stage, "explain", url.replace("127.0.0.1", "localhost"), "--no-fetch")
        holds(told, f"hint: it is stored for another host or port: {url}")
        equal(relais.stop(), 0, "exit code")


@test
def a_proxy_without_a_file_is_asked_by_its_port(stage):
    need("curl")
    with Server() as server:
        empty = stage.write("empty/x", "").parent
        demo = stage.relais("up", urls=4, cwd=empty)
        alone = stage.relais("proxy", "0", server.url, "--cache", cwd=empty)
        port = alone.http.rpartition(":")[2]
        get(stage, alone.http + "/?cache-control=max-age=60")

        def cache(*words, status=0, list=b""):
            done = stage.finish([RELAIS, "cache", *words], cwd=empty, input=list)
            equal(done.returncode, status, f"{words}: {done.stderr}")
            return done.stdout.decode() + done.stderr.decode()

        holds(cache("ls", "--at", port), "1 object\n")
        # The port of the URL says who is asked, whoever else runs.
        holds(cache("show", alone.http + "/?cache-control=max-age=60"), "status")
        # So it does line by line, of a list.
        told = cache("warm", "-", list=f"{alone.http}/warm?cache-control=max-age=60\n{demo.urls[2]}/\n".encode())
        holds(told, "2 of 2 stored")
        told = cache("stats", status=2)
        for part in ["several relais run", "the demo", f"by flags (port {port})", "`--at PORT`"]:
            holds(told, part)
        holds(cache("ls", "--at", "1", status=1), "no relais of this user listens at port 1")
        equal(demo.stop(), 0, "exit code")
        # Who has no cache is not meant, whether it is a folder or a proxy.
        others = [stage.relais("serve", ".", "--listen", "127.0.0.1:0", cwd=empty), stage.relais("proxy", "0", server.url, cwd=empty)]
        holds(cache("ls"), "2 objects\n")
        holds(cache("purge", "--all"), "purged 2 objects\n")
        equal(alone.stop(), 0, "exit code")
        told = cache("stats", status=2)
        holds(told, "no relais that runs has a cache, of: ")
        holds(told, "--cache`, gives it one")
        for other in others:
            equal(other.stop(), 0, "exit code")
        # Of what was not even asked no sum is told.
        told = cache("warm", "-", status=1, list=server.url.encode())
        assert told.startswith("error: no relais runs: nobody listens"), told
        equal(list(stage.path("data/run").iterdir()), [], "sockets are left")


@test
def the_demo_explains_itself(stage):
    """Ten URLs, as a newcomer would ask for them: each explanation ends in a reason."""
    need("curl")
    relais = stage.relais("up", urls=4, cwd=stage.write("empty/x", "").parent)
    front = next(url for url in relais.urls[2:] if url.startswith("http:"))
    secure = next(url for url in relais.urls[2:] if url.startswith("https:"))
    for path in ["/", "/learn.html", "/nope"]:
        get(stage, front + path)
    get(stage, secure + "/", "-k")
    memory, asked = "=> It is answered from what is stored", "=> The server is asked: "
    cases = [
        ([front + "/"], [memory, "Last-Modified", "RFC 9111 §4.2.2"]),
        ([front + "/learn.html"], [memory]),
        ([secure + "/"], [memory]),
        ([front + "/nope"], [memory, "status 404", "`default_ttl`"]),
        ([front + "/requests.html"], [asked + "nothing is stored", "asked now, with HEAD", "is stored, and the next"]),
        ([front + "/", "-H", "Accept-Encoding: br"], [asked + "what is stored is for requests with other values there"]),
        ([front + "/", "-H", "Cache-Control: no-cache"], [asked + "the request says no-cache"]),
        ([front + "/", "-H", "Cache-Control: only-if-cached"], [memory]),
        ([front + "/css", "-H", "Cache-Control: only-if-cached", "--no-fetch"], ["=> It is answered with 504: nothing is stored"]),
        ([front + "/nope", "-H", "Cookie: a=b"], [asked, "somebody's own"]),
        ([front + "/?a=b", "--no-fetch"], [asked + "nothing is stored"]),
    ]
    for words, parts in cases:
        told = stage.run([RELAIS, "cache", "explain", *words], cwd=stage.path("empty")).decode()
        for part in parts:
            holds(told, part, str(words))
    equal(relais.stop(), 0, "exit code")
    done = stage.finish([RELAIS, "cache", "ls"], cwd=stage.path("empty"))
    equal(done.returncode, 1)
    holds(done.stderr.decode(), "no relais runs: nobody listens")


@test
def a_forward_proxy_is_looked_after_by_whole_urls(stage):
    need("curl")
    with Server() as server:
        stage.write("purge.token", TOKEN)
        config = f"""
[proxy.front]
listen = "http://127.0.0.1:0"
forward = {{ private = true }}
cache = {{ purge = {ALLOWED} }}
"""
        relais = stage.up(config)
        url = server.url + "/?cache-control=max-age=60"
        through = ["-x", relais.http, "--noproxy", ""]
        equal(get(stage, url, *through), "1\n")
        holds(verb(stage, "ls")[0], f" {url}\n")
        holds(verb(stage, "explain", url)[0], "=> It is answered from what is stored")
        equal(purge(stage, url, *through, *BEARER)[1], "200 OK: purged 1 object\n")
        holds(verb(stage, "warm", "-", input=url.encode())[0], "stored 200")
        equal(get(stage, url, *through), "2\n")
        equal(relais.stop(), 0, "exit code")


@test
def a_list_that_nobody_reads_does_not_hold_up_the_end(stage):
    need("curl")
    with Server() as server:
        relais = proxy(stage, server)
        lines = "".join(f"{relais.http}/{'x' * 900}{number}?cache-control=max-age=600\n" for number in range(800))
        verb(stage, "warm", "-", "--jobs", "8", input=lines.encode())
        # More than pipes and sockets hold.
        line = f"{RELAIS} cache --file relais.toml ls --json | sleep 50"
        stage.start(["bash", "-c", line], "ls")
        time.sleep(1)
        equal(relais.stop(), 0, "exit code")
