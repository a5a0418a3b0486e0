"""Programs that run beside each other while they are measured in turns. Imported by benches/peers.py."""

import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import time

from loads import Failed


class Process:
    """A program whose standard error goes to a file."""

    def __init__(self, command, log, cwd=None, environment=None, **pipes):
        self.log = pathlib.Path(log)
        with open(self.log, "wb") as file:
            pipes = {"stdin": subprocess.DEVNULL, "stdout": file} | pipes
            # In a group of its own, for some programs start others.
            self.child = subprocess.Popen(
                command, cwd=cwd, env=os.environ | (environment or {}), stderr=file, start_new_session=True, **pipes
            )

    def failed(self, what):
        """The error that it did not do something, with the end of what it printed."""
        return Failed(f"{what}: {self.log.read_text(errors='replace')[-1000:].strip()}")

    def wait_until(self, is_ready, seconds=120):
        ends = time.monotonic() + seconds
        while not is_ready():
            if self.child.poll() is not None:
                raise self.failed(f"it ended with {self.child.returncode}")
            if time.monotonic() > ends:
                raise self.failed(f"it was not ready after {seconds} s")
            time.sleep(0.1)

    def stop(self):
        self.child.terminate()
        try:
            self.child.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()


class Asked(Process):
    """A program that answers lines of JSON, see `asking.py`."""

    def __init__(self, command, log):
        super().__init__(command, log, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.answer()

    def ask(self, name, **arguments):
        self.child.stdin.write(json.dumps({"ask": name} | arguments).encode() + b"\n")
        self.child.stdin.flush()
        return self.answer()

    def answer(self):
        line = self.child.stdout.readline()
        if not line:
            self.child.wait()
            raise self.failed(f"it ended with {self.child.returncode}")
        return json.loads(line)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def answers(port, path):
    """Whether a server answers a GET with success."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
