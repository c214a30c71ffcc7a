"""Answers whoever names it. `python3 bot.py [PORT]`"""

import json
import socket
import sys

port = int(sys.argv[1]) if len(sys.argv) > 1 else 6680
hub = socket.create_connection(("127.0.0.1", port)).makefile("rw", encoding="utf-8", newline="\n")


def ask(**frame):
    print(json.dumps(frame), file=hub, flush=True)


ask(cmd="REGISTER", user="echo", password="a robot of mine")  # refused, if it was there before
ask(cmd="LOGIN", user="echo", password="a robot of mine")  # refused, if it is logged in by now
ask(cmd="JOIN", room="#lab")
for line in hub:
    told = json.loads(line)
    if told.get("ev") == "message" and told.get("mention"):
        ask(cmd="MESSAGE", room=told["room"], body=f"{told['from']} said: {told['body']}", kind="notice")
