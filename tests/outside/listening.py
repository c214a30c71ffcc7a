"""A server that is a socket, for tests to build on."""

import contextlib
import socket
import threading


class Listening:
    """Runs `serve(stream)` for each connection, in a thread of its own. Ended with the `with`."""

    scheme = "http"

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                stream, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(stream,), daemon=True).start()
