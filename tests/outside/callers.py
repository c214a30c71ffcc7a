"""Threads that ask all the while."""

import threading


class Callers:
    """Runs `ask`, which ends when `over` is set, in so many threads. Ended with the `with`."""

    def __init__(self, count):
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.ask, daemon=True) for _ in range(count)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(20)
