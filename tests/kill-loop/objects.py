"""A server of which every answer says which it is, and what it has answered."""

import http.server
import random
import threading

POOL = random.Random(4).randbytes(6 << 20)
TAGS = 7
LANGUAGES = ["en", "de"]


class Kind:
    """Objects that are alike: how many, of how many bytes, and what is said of them."""

    def __init__(self, name, count, bytes_min, bytes_max, *, varies=False, lasts=3600):
        self.name, self.count, self.varies, self.lasts = name, count, varies, lasts
        self.bytes_min, self.bytes_max = bytes_min, bytes_max


KINDS = [
    Kind("small", 120, 200, 4000),
    # Some go to segments, some to files of their own.
    Kind("middle", 60, 20_000, 200_000),
    Kind("varied", 30, 3000, 5000, varies=True),
    # Its server is asked whether it is good still, and mostly it is.
    Kind("asked", 20, 10_000, 300_000, lasts=1),
    # From the first byte on in a file.
    Kind("large", 12, 1_100_000, 3_000_000),
]
BY_NAME = {kind.name: kind for kind in KINDS}
PATHS = [f"/{kind.name}/{number}" for kind in KINDS for number in range(kind.count)]


def kind_of(path):
    return BY_NAME[path.split("/")[1]]


def languages_of(path):
    return LANGUAGES if kind_of(path).varies else [""]


def tag_of(path):
    return int(path.rsplit("/", 1)[1]) % TAGS


def body_of(path, language, version):
    """Other bytes at each place, for another object or version."""
    kind, seed = kind_of(path), random.Random(f"{path} {language} {version}")
    head = f"{path} {language} {version}\n".encode()
    start = seed.randrange(len(POOL) - kind.bytes_max)
    return head + POOL[start : start + seed.randint(kind.bytes_min, kind.bytes_max) - len(head)]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def do_GET(self):
        kind = kind_of(self.path)
        language = self.headers.get("Accept-Language", "") if kind.varies else ""
        serial, version = self.server.history.answer(self.path, language)
        is_known = self.headers.get("If-None-Match") == f'"{version}"'
        body = b"" if is_known else body_of(self.path, language, version)
        self.send_response(304 if is_known else 200)
        self.send_header("ETag", f'"{version}"')
        self.send_header("X-Serial", str(serial))
        self.send_header("Cache-Control", f"max-age={kind.lasts}")
        self.send_header("Surrogate-Key", f"t{tag_of(self.path)} all")
        if kind.varies:
            self.send_header("Vary", "Accept-Language")
        if not is_known:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        serial = self.server.history.change(self.path)
        self.send_response(204)
        self.send_header("X-Serial", str(serial))
        self.end_headers()

    def log_message(self, *_):
        pass


class History:
    """Which answers there were: each has a serial number, and a version that tells its bytes."""

    def __init__(self):
        self.lock = threading.Lock()
        self.serial = 0
        self.versions = {}
        self.latest = {}

    def answer(self, path, language):
        with self.lock:
            self.serial += 1
            of, version = (path, language), self.serial
            if kind_of(path).lasts < 60 and self.serial % 4:
                version = self.latest.get(of, version)
            self.latest[of] = version
            self.versions.setdefault(of, set()).add(version)
            return self.serial, version

    def change(self, path):
        """The answers up to the serial number that this gives are of before."""
        with self.lock:
            for language in languages_of(path):
                self.latest.pop((path, language), None)
            return self.serial

    def now(self):
        with self.lock:
            return self.serial

    def has(self, path, language, version):
        with self.lock:
            return version in self.versions.get((path, language), ())


class Origin:
    def __enter__(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        # Who is killed leaves many behind.
        self.server.handle_error = lambda *_: None
        self.history = self.server.history = History()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
