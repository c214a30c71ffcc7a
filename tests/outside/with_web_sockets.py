"""`relais listen` at `ws://` and `wss://`, with Python's `websockets` and with curl."""

import asyncio
import ssl
import struct
import subprocess

from stage import equal, holds, test
from with_dialogues import ask, call, listen, rest, web_sockets


@test
def web_sockets_hold_dialogues_too(stage):
    client = web_sockets()
    relais = listen(stage, "ws://127.0.0.1:0", "wss://127.0.0.1:0", "--as", "echo")
    ws, wss = relais.ports
    tls = ssl.create_default_context(cafile=stage.authority())

    async def talk(url, **options):
        async with client.connect(url, **options) as socket:
            for message in ["coucou", "", b"\x00\xff", "x" * 60_000, "é\n"]:
                await socket.send(message)
                equal(await socket.recv(), message)
            # In frames.
            await socket.send(iter(["a", "b", "c"]))
            equal(await socket.recv(), "abc")
            await (await socket.ping())
            await socket.send("fin")
            await socket.wait_closed()
            equal(socket.close_code, 1000, "code")

    asyncio.run(talk(f"ws://127.0.0.1:{ws}/any?path"))
    asyncio.run(talk(f"wss://127.0.0.1:{wss}/", ssl=tls))

    async def too_much():
        async with client.connect(f"ws://127.0.0.1:{ws}/") as socket:
            await socket.send("x" * 70_000)
            await socket.wait_closed()
            equal(socket.close_code, 1009, "code for too much")

    asyncio.run(too_much())

    # Far too much, so that it is still on its way when the answer comes, which no reset takes away.
    asked = b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    with call(ws, b"GET / HTTP/1.1\r\nHost: a.localhost\r\n" + asked + b"\r\n\r\n") as caller:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += caller.recv(1)
        caller.sendall(b"\x82\xff" + struct.pack(">Q", 8_000_000) + b"\0" * 4 + b"x" * 8_000_000)
        answer = rest(caller)
        equal((answer[0], struct.unpack(">H", answer[2:4])[0]), (0x88, 1009))
    # A page of another site is turned away; nor is a body taken for frames.
    for words, status in [
        (["-H", f"Origin: http://127.0.0.1:{ws}"], "101 "),
        (["-H", "Origin: http://evil.example"], "403 "),
        (["-H", "Origin: null"], "403 "),
        # Of the same origin, as its name was made to lead here.
        (["-H", "Host: evil.example", "-H", "Origin: http://evil.example"], "403 "),
        (["-H", "Host: evil.example"], "101 "),
        (["-d", "body", "-X", "GET"], "400 "),
    ]:
        asked = ["-H", "Upgrade: websocket", "-H", "Connection: Upgrade", "-H", "Sec-WebSocket-Version: 13", "-H", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
        words = ["curl", "-sS", "-i", "-m", "2", "--http1.1", *asked, *words, f"http://127.0.0.1:{ws}/"]
        got = subprocess.run(words, env=stage.env(), capture_output=True, check=False).stdout
        holds(got.decode(), f"HTTP/1.1 {status}")
    # Who is no client of one is told so, and who stops half-way holds up nobody.
    half = call(ws, b"GET / HTTP/1.1\r\nUpgrade")
    head = stage.curl("-i", f"http://127.0.0.1:{ws}/").decode()
    holds(head, "426 Upgrade Required")
    holds(head, "this is a WebSocket")
    holds(ask(ws, b"coucou\n").decode(), "400 Bad Request")
    holds(ask(ws, b"GET / HTTP/1.1\r\nA: " + b"x" * 9000).decode(), "431 ")
    half.close()
    equal(relais.stop(), 0, "exit code")
