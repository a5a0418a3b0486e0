"""A worker of a peer that serves: uvicorn with one application, beside others on the same port.

    .venv-peers/bin/python benches/peers/worker.py served|table_served PORT

Each worker has a socket of its own (SO_REUSEPORT), so that the kernel deals connections out to them. Those of `uvicorn --workers` share
one, and at times one of them takes all connections of a client while the other idles.
"""

import importlib
import socket
import sys

import uvicorn

from garbage import collect_seldom

_, module, port = sys.argv
application = importlib.import_module(module).app
collect_seldom()
listening = socket.socket()
listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
listening.bind(("127.0.0.1", int(port)))
uvicorn.Server(uvicorn.Config(application, loop="uvloop", http="httptools", access_log=False)).run([listening])
