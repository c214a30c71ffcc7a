"""Programs that know nothing of relais, through `relais proxy`: a WebSocket client, git, curl with large
uploads, and a thousand callers at once."""

import asyncio
import json
import resource
import subprocess
import sys
import threading

from origin import Asked, Origin
from stage import Skip, equal, need, sum_of, test

TALK = """\
import asyncio, os, ssl, sys, websockets

async def talk(url):
    trust = ssl._create_unverified_context() if url.startswith("wss:") else None
    async with websockets.connect(url, ssl=trust, max_size=None, compression=None) as talk:
        for said in ["hello", "", "\\N{GREEK SMALL LETTER ALPHA}" * 1000, os.urandom(1), os.urandom(70_000), os.urandom(3_000_000)]:
            await talk.send(said)
            assert await asyncio.wait_for(talk.recv(), 20) == said, f"{len(said)} came back changed"
        await asyncio.wait_for(await talk.ping(b"here"), 20)
        await asyncio.gather(*[talk.send(str(number)) for number in range(500)])
        assert [await talk.recv() for _ in range(500)] == [str(number) for number in range(500)]
    assert talk.close_code == 1000, talk.close_code

async def main():
    await asyncio.gather(*[talk(url) for url in sys.argv[1:] for _ in range(10)])

asyncio.run(main())
"""
# The server is the same library's: what is between both may change nothing.
LISTEN = """\
import asyncio, websockets

async def echo(talk, *_):
    async for said in talk:
        await talk.send(said)

async def main():
    async with websockets.serve(echo, "127.0.0.1", 0, max_size=None) as server:
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await asyncio.Future()

asyncio.run(main())
"""


def with_websockets(stage):
    """A Python that has the library, and its environment."""
    for python in [sys.executable, "/usr/bin/python3"]:
        if subprocess.run([python, "-c", "import websockets"], capture_output=True, check=False).returncode == 0:
            return python, stage.env()
    folder = stage.path("library")
    get = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", folder, "websockets"]
    # With the environment of who runs the tests: the way to the registry may be told there.
    if stage.finish(get, env=None).returncode != 0:
        raise Skip("websockets is not installed, and pip did not get it")
    return sys.executable, stage.env() | {"PYTHONPATH": str(folder)}


@test
def a_websocket_library_talks_through_a_proxy(stage):
    python, env = with_websockets(stage)
    server = stage.start([python, "-c", LISTEN], "listen", env=env)
    server.await_urls(1)
    proxy = stage.relais("proxy", "http://127.0.0.1:0", server.http, "--listen", "https://127.0.0.1:0", urls=2)
    urls = [url.replace("http", "ws", 1) for url in (proxy.http, proxy.https)]
    stage.run([python, "-c", TALK, *urls], env=env)
    equal(proxy.stop(), 0, "exit code")


class Git(Asked):
    """`git http-backend` as a server."""

    def do_GET(self):
        body = self.body()
        path, _, query = self.path.partition("?")
        fields = {"CONTENT_TYPE": "Content-Type", "HTTP_CONTENT_ENCODING": "Content-Encoding", "HTTP_GIT_PROTOCOL": "Git-Protocol"}
        env = self.server.env | {name: self.headers.get(field, "") for name, field in fields.items()}
        env |= {"REQUEST_METHOD": self.command, "PATH_INFO": path, "QUERY_STRING": query, "CONTENT_LENGTH": str(len(body))}
        said = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True, check=True).stdout
        head, _, content = said.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_POST = do_GET


@test
def git_clones_and_pushes_through_a_proxy(stage):
    need("git")
    mine = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}

    def git(*words):
        return stage.run(["git", *words], env=stage.env() | mine)

    git("init", "--quiet", "--initial-branch", "main", "work")
    for number in range(30):
        stage.random_file(f"work/file-{number}", 100_000, seed=number)
        git("-C", "work", "add", ".")
        git("-C", "work", "commit", "--quiet", "-m", f"Add {number}")
    git("clone", "--quiet", "--bare", "work", "repositories/work.git")
    git("-C", "repositories/work.git", "config", "http.receivepack", "true")
    git("-C", "repositories/work.git", "update-server-info")

    with Origin() as smart:
        smart.server.RequestHandlerClass = Git
        smart.server.env = stage.env() | mine | {"GIT_PROJECT_ROOT": str(stage.path("repositories")), "GIT_HTTP_EXPORT_ALL": "1"}
        plain = stage.relais("serve", "repositories", "-l", "http://127.0.0.1:0")
        for name, upstream in [("smart", smart.url), ("plain", plain.http)]:
            proxy = stage.relais("proxy", "http://127.0.0.1:0", upstream)
            git("clone", "--quiet", f"{proxy.http}/work.git", name)
            git("-C", name, "fsck", "--strict")
            equal(git("-C", name, "rev-parse", "HEAD"), git("-C", "work", "rev-parse", "HEAD"), name)
        # More than git says in one piece: it goes out in chunks.
        stage.random_file("smart/more", 5_000_000)
        git("-C", "smart", "add", ".")
        git("-C", "smart", "commit", "--quiet", "-m", "Add more")
        git("-C", "smart", "push", "--quiet", "origin", "main")
        equal(git("-C", "repositories/work.git", "rev-parse", "main"), git("-C", "smart", "rev-parse", "HEAD"), "pushed")


@test
def curl_uploads_a_hundred_megabytes(stage):
    upload = stage.random_file("upload.bin", 100_000_000)
    expect = sum_of(upload.read_bytes())
    with Origin() as origin:
        proxy = stage.relais("proxy", "http://127.0.0.1:0", origin.url, "--listen", "https://127.0.0.1:0", urls=2)
        ways = [[proxy.http], [proxy.http, "-H", "Expect:"], [proxy.http, "-H", "Transfer-Encoding: chunked"], [proxy.https, "-k", "--http2"]]
        for url, *words in ways:
            told = json.loads(stage.curl("-T", upload, *words, f"{url}/upload"))
            equal((told["bytes"], told["sha256"]), (100_000_000, expect), f"{words}")
        equal(proxy.stop(), 0, "exit code")


CROWD = 1000


async def gather(port):
    """As many callers as a crowd, each with a request that is answered once all are there."""

    async def ask(number):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET /{number} HTTP/1.1\r\nHost: a.localhost\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        body = await reader.readexactly(len(f"/{number}"))
        writer.close()
        return body.decode()

    return await asyncio.gather(*[ask(number) for number in range(CROWD)])


class Crowded:
    """A server that answers nobody before all have asked. Ended with the `with`."""

    def __enter__(self):
        self.loop = asyncio.new_event_loop()
        self.all, self.asked = asyncio.Event(), 0
        self.server = self.loop.run_until_complete(asyncio.start_server(self.answer, "127.0.0.1", 0, backlog=CROWD))
        self.port = self.server.sockets[0].getsockname()[1]
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self.leave(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    async def leave(self):
        self.server.close()
        talks = asyncio.all_tasks() - {asyncio.current_task()}
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)

    async def answer(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        if self.asked == CROWD:
            self.all.set()
        await self.all.wait()
        target = head.split()[1]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(target), target))
        await reader.read()
        writer.close()


@test
def a_thousand_callers_are_answered_at_once(stage):
    # Here are both ends of what relais has the middle of.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 4 * CROWD:
        raise Skip(f"no more than {hard} descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with Crowded() as server:
        proxy = stage.relais("proxy", "http://127.0.0.1:0", f"http://127.0.0.1:{server.port}")
        got = asyncio.run(gather(proxy.port))
        equal(got, [f"/{number}" for number in range(CROWD)], "answers")
        equal(proxy.stop(), 0, "exit code")
