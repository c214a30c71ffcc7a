"""What the papers say, compared with what is."""

import json
import re
import urllib.parse

from stage import RELAIS, REPOSITORY, equal, holds, test

REFERENCE = REPOSITORY / "docs/reference"


def papers():
    skipped = {"target", "node_modules", ".git"}
    return [path for path in REPOSITORY.rglob("*.md") if not skipped & set(path.relative_to(REPOSITORY).parts)]


@test
def links_between_papers_lead_somewhere(stage):
    broken = []
    for paper in papers():
        for link in re.findall(r"\]\(([^)\s]+)\)", paper.read_text()):
            if re.match(r"[a-z]+:", link):
                continue
            path = urllib.parse.unquote(link.partition("#")[0])
            if path and not (paper.parent / path).exists():
                broken.append(f"{paper.relative_to(REPOSITORY)}: {link}")
    equal(broken, [], "broken links")


@test
def the_readme_is_short(stage):
    lines = (REPOSITORY / "README.md").read_text().splitlines()
    assert len(lines) <= 150, f"{len(lines)} lines"


@test
def files_that_papers_name_are_there(stage):
    missing = []
    for name in ["ARCHITECTURE.md", "CONTRIBUTING.md", "README.md"]:
        for path in re.findall(r"`((?:crates|tests|scripts|web|docs|examples|bench)/[\w./-]*)`", (REPOSITORY / name).read_text()):
            if not (REPOSITORY / path).exists():
                missing.append(f"{name}: {path}")
    equal(missing, [], "files that are not there")


def keys_of(section):
    """The keys in the table under a heading of the reference."""
    text = (REFERENCE / "configuration.md").read_text()
    part = re.split(r"^#+ ", text, flags=re.M)
    (body,) = [body for body in part if body.startswith(section + "\n")]
    return re.findall(r"^\| `(\w+)` \|", body, re.M)


def keys_known(stage, config):
    """The keys that relais says it would have expected."""
    stage.write("relais.toml", config)
    stage.path("site").mkdir(exist_ok=True)
    done = stage.finish([RELAIS, "check", "--json"])
    equal(done.returncode, 2, "exit code")
    told = json.loads(done.stdout)["complaints"]
    (expected,) = [one["expected"] for one in told if "zzz" in one["problem"]]
    return re.findall(r"`(\w+)`", expected)


PROXY = '[proxy.front]\nlisten = "http://127.0.0.1:0"\nupstream = "https://127.0.0.1:8081"\n'


@test
def the_reference_has_every_key_and_no_other(stage):
    site = '[serve.site]\nlisten = "http://127.0.0.1:0"\nroot = "site"\n'
    cases = {
        "`[serve.NAME]`": site + "zzz = 1\n",
        "`access_log`": site + 'access_log = { file = "log", zzz = 1 }\n',
        "`auth`": site + 'auth = { file = "users", zzz = 1 }\n',
        "`tls`": site.replace("http:", "https:") + "tls = { zzz = 1 }\n",
        "`[limits]`": site + "[limits]\nzzz = 1\n",
        "`[proxy.NAME]`": PROXY + "zzz = 1\n",
        "`routes`": PROXY + 'routes = [{ path = "/a", upstream = "8081", zzz = 1 }]\n',
        "`upstream_tls`": PROXY + "upstream_tls.zzz = 1\n",
        "`health`": PROXY + 'health = { path = "/", zzz = 1 }\n',
        "`forward`": PROXY + "forward.zzz = 1\n",
        "`cache`": PROXY + "cache.zzz = 1\n",
        "`sniff`": PROXY + 'sniff = { log = "log", zzz = 1 }\n',
        "`block`": PROXY + 'block = { list = "list", zzz = 1 }\n',
        "`request`, `response`": PROXY + "request.zzz = 1\n",
        "`limits` of a proxy": PROXY + "limits.zzz = 1\n",
        "`[hub.NAME]`": '[hub.main]\nlisten = "0"\nzzz = 1\n',
    }
    for section, config in cases.items():
        equal(keys_of(section), keys_known(stage, config), section)


@test
def the_reference_has_the_right_defaults(stage):
    stage.write("relais.toml", '[serve.site]\nlisten = "http://127.0.0.1:0"\nroot = "site"\n')
    stage.path("site").mkdir()
    told = json.loads(stage.run([RELAIS, "check", "--json"]))["limits"]
    told |= told.pop("http")
    text = (REFERENCE / "configuration.md").read_text().split("## `[limits]`")[1]
    written = dict(re.findall(r"^\| `(\w+)` \|[^|]*\| `([^`]+)` \|", text, re.M))
    for key, value in written.items():
        number = re.fullmatch(r"(\d+)(KiB|B)?", value)
        spelled = int(number[1]) * (1024 if number[2] == "KiB" else 1) if number else value
        equal(told[key], spelled, key)
    equal(sorted(told.keys() - written.keys()), ["connections_a_client_max", "connections_max"], "keys without a number")


def defaults_of(section):
    """The defaults in the table under a heading of the reference, where they are values."""
    text = (REFERENCE / "configuration.md").read_text()
    (body,) = [body for body in re.split(r"^#+ ", text, flags=re.M) if body.startswith(section + "\n")]
    return dict(re.findall(r"^\| `(\w+)` \|[^|]*\| `\"?([^`\"]+)\"?` \|", body, re.M))


@test
def the_reference_has_the_right_defaults_of_a_proxy(stage):
    stage.write("relais.toml", '[proxy.front]\nlisten = "9000"\nupstream = "https://a.example"\nhealth.path = "/"\n')
    told = json.loads(stage.run([RELAIS, "check", "--json"]))["listeners"][0]["proxy"][0]
    limits = {key: str(value) for key, value in told["limits"].items() if value is not None}
    equal(defaults_of("`limits` of a proxy"), limits)
    equal(defaults_of("`health`")["every"], told["health"]["every"])
    equal(told["health"]["answer_max"], "5s")
    equal(defaults_of("`[proxy.NAME]`")["balance"], told["balance"])


@test
def the_reference_has_the_right_defaults_of_a_hub(stage):
    stage.write("relais.toml", '[hub.main]\nlisten = "6680"\n')
    told = json.loads(stage.run([RELAIS, "check", "--json"]))["listeners"][0]["service"]["hub"]
    spelled = {key: value if isinstance(value, str) else json.dumps(value) for key, value in told.items()}
    equal(defaults_of("`[hub.NAME]`"), spelled)


@test
def the_reference_has_the_right_bounds(stage):
    site = '[serve.site]\nlisten = "http://127.0.0.1:0"\nroot = "."\n[limits]\n'
    below = {"1": "0", "1s": '"999ms"', "1KiB": "1023"}
    above = {"1MiB": "1048577", "10000": "10001"}
    text = (REFERENCE / "configuration.md").read_text().split("## `[limits]`")[1]
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\|[^|]*\| (\w+) (or more|to (\w+))", text, re.M)
    equal(sorted(row[0] for row in rows), sorted(keys_of("`[limits]`")), "keys with bounds")

    def code_of(key, value):
        stage.write("relais.toml", f"{site}{key} = {value}\n")
        return stage.finish([RELAIS, "check"]).returncode

    for key, least, _, most in rows:
        equal(code_of(key, least if least.isdigit() else f'"{least}"'), 0, f"{key} = {least}")
        for value in [below.get(least), above.get(most)]:
            equal(code_of(key, value) if value else 2, 2, f"{key} = {value}")


@test
def the_manual_pages_are_those_of_the_program(stage):
    stage.run([RELAIS, "man", "--dir", "man"])
    made = {path.name: path.read_text() for path in stage.path("man").iterdir()}
    kept = {path.name: path.read_text() for path in (REFERENCE / "man").glob("*.1")}
    equal(sorted(kept), sorted(made), "manual pages (hint: relais man --dir docs/reference/man)")
    equal([name for name in made if made[name] != kept[name]], [], "changed (hint: relais man --dir docs/reference/man)")


def commands_of(text):
    """What stands behind `relais` where it is a command: in blocks and between backticks."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    between = re.findall(r"`(relais [^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    code = "\n".join([*blocks, *between])
    return re.findall(r"(?:^|\| )relais ([a-z][^#|\n]*)", code, re.M)


@test
def every_flag_and_command_in_the_papers_exists(stage):
    helps = {}

    def help_of(words):
        if words not in helps:
            helps[words] = stage.run([RELAIS, *words, "--help"]).decode()
        return helps[words]

    def commands_in(text):
        return set(re.findall(r"^  (\w+) ", text.split("Options:")[0], re.M))

    wrong = []
    commands = commands_in(help_of(()))
    planned = {"proxy", "relay", "listen", "send", "get", "load", "chat", "capture", "read"}
    for paper in papers():
        if paper.is_relative_to(REPOSITORY / "bench"):
            continue
        for line in commands_of(paper.read_text()):
            word = line.split()[0]
            if word in planned or word not in commands:
                if word not in planned:
                    wrong.append(f"{paper.name}: relais {word}")
                continue
            words = (word,)
            if word in ("cache", "cert", "hub"):
                for next_word in line.split()[1:3]:
                    if next_word in commands_in(help_of(words)):
                        words = (*words, next_word)
            for flag in re.findall(r"(?<= )--[a-z-]+", line):
                if flag not in help_of(words):
                    wrong.append(f"{paper.name}: {flag} of relais {' '.join(words)}")
    equal(wrong, [], "in the papers, not in the program")
    holds(help_of(()), "Exit codes: 0 done, 1 ")
