"""relais hub, and what strangers can have of it."""

import concurrent.futures

from stage import eventually, test
from with_a_hub import Bot, hub, somebody
from with_hub_floods import resident


@test
def memory_to_hash_passwords_in_is_given_back(stage):
    program = hub(stage, "127.0.0.1:0")
    somebody(program.at, "ana").close()
    before = resident(program)

    def come(number):
        for cmd in ("REGISTER", "LOGIN"):
            bot = Bot(program.at)
            bot.done(cmd, user=f"user{number}", password="secret-pass")
            bot.close()

    with concurrent.futures.ThreadPoolExecutor(8) as callers:
        list(callers.map(come, range(40)))
    # Two at a time have 19 MiB each, and then nobody.
    grown = resident(program) - before
    assert grown < 60, f"{grown:.0f} MiB more while passwords are hashed"
    eventually("it is given back", lambda: resident(program) - before < 16)
