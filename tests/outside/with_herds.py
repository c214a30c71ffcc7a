"""Many clients of `relais proxy --cache` that ask for the same, before a server that is slow or ill."""

import contextlib
import socket
import threading
import time

from listening import Listening
from stage import Raw, equal, eventually, holds, test

GET = "GET {} HTTP/1.1\r\nHost: a.localhost\r\nConnection: close\r\n{}\r\n"
FRESH = b"Cache-Control: max-age=60\r\n"


class Slow(Listening):
    """A server that notes what it is asked, and then does what `script` does with the stream."""

    def __init__(self, script):
        self.script = script
        self.asked = []

    def serve(self, stream):
        with contextlib.suppress(OSError), stream:
            came = b""
            while part := stream.recv(65536):
                came += part
                while b"\r\n\r\n" in came:
                    head, _, came = came.partition(b"\r\n\r\n")
                    self.asked.append(head.decode("latin-1").splitlines()[0])
                    if not self.script(stream, len(self.asked)):
                        return


def said(body, fields=FRESH):
    return b"HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n" % (fields, len(body)) + body


def answer(port, path, fields="", seconds=30):
    """All that comes back, and how long that took."""
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), seconds) as stream:
        stream.settimeout(seconds)
        stream.sendall(GET.format(path, fields).encode())
        came = b""
        with contextlib.suppress(ConnectionResetError):
            while part := stream.recv(1 << 20):
                came += part
    return came, time.monotonic() - began


def all_at_once(count, ask):
    came = [None] * count
    ready = threading.Barrier(count)

    def one(number):
        ready.wait()
        came[number] = ask(number)

    threads = [threading.Thread(target=one, args=[number]) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return came


@test
def three_hundred_who_ask_at_once_are_one_to_the_server(stage):
    body = stage.random_file("body", 1 << 20).read_bytes()

    def script(stream, _):
        time.sleep(1)
        stream.sendall(said(body))
        return True

    with Slow(script) as server:
        proxy = stage.relais("proxy", "http://127.0.0.1:0", server.url, "--cache")
        came = all_at_once(300, lambda _: answer(proxy.port, "/big"))
        equal(len(server.asked), 1, "requests")
        for head_and_body, _ in came:
            assert head_and_body.endswith(b"\r\n\r\n" + body), f"{len(head_and_body)} bytes"
        print(f"300 clients: all of 1 MiB after {max(took for _, took in came):.2f} s")
        equal(sum(b"; collapsed" in part[:1000] for part, _ in came) >= 290, True, "joined")


@test
def who_comes_late_streams_what_there_is(stage):
    go_on = threading.Event()

    def script(stream, _):
        whole = said(b"0" * 300_000 + b"1" * 300_000)
        stream.sendall(whole[:-300_000])
        go_on.wait(20)
        stream.sendall(whole[-300_000:])
        return True

    with Slow(script) as server:
        proxy = stage.relais("proxy", "http://127.0.0.1:0", server.url, "--cache")
        clients = []
        for fields in ["", "", "Range: bytes=299990-300009\r\n"]:
            raw = Raw(proxy.port, 20).send(GET.format("/a", fields))
            head = raw.head()
            expected = "206" if fields else "200"
            holds(str(head), expected)
            clients.append(raw)
        go_on.set()
        # A fetch ends with the last who waits for it.
        for client in clients:
            client.rest()
            client.close()
        came, _ = answer(proxy.port, "/a")
        assert came.endswith(b"1" * 300_000)
        equal(server.asked, ["GET /a HTTP/1.1"])


@test
def a_part_is_answered_from_what_comes(stage):
    go_on = threading.Event()

    def script(stream, _):
        whole = said(bytes(range(10)) * 10_000)
        stream.sendall(whole[:-50_000])
        go_on.wait(20)
        stream.sendall(whole[-50_000:])
        return True

    with Slow(script) as server:
        proxy = stage.relais("proxy", "http://127.0.0.1:0", server.url, "--cache")
        first = Raw(proxy.port, 20).send(GET.format("/a", ""))
        first.head()
        came, took = answer(proxy.port, "/a", "Range: bytes=10-19\r\n")
        holds(came, b"206")
        holds(came, b"content-range: bytes 10-19/100000")
        assert came.endswith(b"\r\n\r\n" + bytes(range(10))), came
        assert took < 5, f"{took} s"
        go_on.set()
        equal(len(server.asked), 1)


@test
def who_leaves_by_a_reset_leaves_the_others_all_of_it(stage):
    body = b"x" * 400_000
    go_on = threading.Event()

    def script(stream, _):
        whole = said(body)
        stream.sendall(whole[:-200_000])
        go_on.wait(20)
        stream.sendall(whole[-200_000:])
        return True

    with Slow(script) as server:
        proxy = stage.relais("proxy", "http://127.0.0.1:0", server.url, "--cache")
        first = Raw(proxy.port, 20).send(GET.format("/a", ""))
        first.head()
        others = []
        waiting = threading.Thread(target=lambda: others.extend(all_at_once(20, lambda _: answer(proxy.port, "/a"))))
        waiting.start()
        time.sleep(0.5)
        first.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        first.close()
        time.sleep(0.2)
        go_on.set()
        waiting.join()
        equal(len(server.asked), 1)
        for came, _ in others:
            assert came.endswith(b"\r\n\r\n" + body), f"{len(came)} bytes"


@test
def what_breaks_off_is_whole_for_nobody(stage):
    def script(stream, _):
        time.sleep(0.5)
        stream.sendall(said(b"x" * 100_000)[:-50_000])
        time.sleep(0.5)
        return False

    with Slow(script) as server:
        proxy = stage.relais("proxy", "http://127.0.0.1:0", server.url, "--cache")
        came = all_at_once(20, lambda _: answer(proxy.port, "/a"))
        for part, _ in came:
            _, _, body = part.partition(b"\r\n\r\n")
            assert len(body) < 100_000 or not part.startswith(b"HTTP/1.1 200"), "a whole answer"
        print(f"20 clients, {len(server.asked)} requests to a server that breaks off")
        assert len(server.asked) <= 4, server.asked


@test
def uncacheable_answers_do_not_queue(stage):
    def script(stream, _):
        time.sleep(1)
        stream.sendall(said(b"own", b"Cache-Control: no-store\r\n"))
        return True

    with Slow(script) as server:
        proxy = stage.relais("proxy", "http://127.0.0.1:0", server.url, "--cache")
        # The first wave learns that they are none to share, and the next knows.
        for most in [3, 2]:
            came = all_at_once(5, lambda _: answer(proxy.port, "/a"))
            slowest = max(took for _, took in came)
            print(f"5 clients of what is no-store: {slowest:.2f} s")
            assert slowest < most, f"{slowest} s"
        equal(len(server.asked), 10)


@test
def a_server_that_refuses_is_not_run_over(stage):
    def script(stream, _):
        time.sleep(0.3)
        stream.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno")
        return True

    with Slow(script) as server:
        proxy = stage.relais("proxy", "http://127.0.0.1:0", server.url, "--cache")
        came = all_at_once(100, lambda _: answer(proxy.port, "/a"))
        for part, _ in came:
            holds(part[:20], b" 503 ")
        equal(len(server.asked), 3)


@test
def so_many_ask_a_server_at_once_and_the_others_wait(stage):
    under_way, most, lock = [0], [0], threading.Lock()

    def script(stream, _):
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        time.sleep(0.3)
        with lock:
            under_way[0] -= 1
        stream.sendall(said(b"ok", b"Cache-Control: no-store\r\n"))
        return True

    with Slow(script) as server:
        options = ["--in-flight-max", 2, "--queue-max", 4, "--queue-wait-max", "5s"]
        proxy = stage.relais("proxy", "http://127.0.0.1:0", server.url, *options)
        came = all_at_once(12, lambda number: answer(proxy.port, f"/{number}"))
        statuses = sorted(part[9:12] for part, _ in came)
        equal(most[0], 2, "at once")
        equal(statuses, [b"200"] * 6 + [b"503"] * 6)
        busy = next(part for part, _ in came if part[9:12] == b"503")
        holds(busy, b"cache-control: no-store")
        eventually("it is free again", lambda: answer(proxy.port, "/again")[0][9:12] == b"200")
