"""A private Redis server for the tests, on data of its own."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

PORTS = range(20_000, 32_000)
START_S = 30.0
VERSION_MIN = 7


class NoServerError(RuntimeError):
    """There is no Redis to start."""


def program() -> str:
    """The path of a redis-server of version 7 or newer; raises NoServerError."""
    found = shutil.which("redis-server")
    if not found:
        raise NoServerError("redis-server is not installed (Debian: apt-get install redis-server)")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"v=(\d+)", said)
    if version is None or int(version.group(1)) < VERSION_MIN:
        # Older ones do not tell a group's lag.
        raise NoServerError(f"redis-server is older than {VERSION_MIN}")
    return found


class Server:
    """A server on data of its own, with an append-only file; may be killed and started again."""

    def __init__(self, root: Path, port: int, maxmemory: str) -> None:
        self.url = f"redis://127.0.0.1:{port}/0"
        self._root = root
        self._port = port
        self._maxmemory = maxmemory
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {
            "port": self._port,
            "bind": "127.0.0.1",
            "dir": self._root,
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory": self._maxmemory,
            "maxmemory-policy": "noeviction",
        }
        words = [str(word) for key, value in settings.items() for word in (f"--{key}", value)]
        with (self._root / "log").open("ab") as log:
            self._process = subprocess.Popen([program(), *words], stdout=log, stderr=log)
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self._port), 1) as probe,
            ):
                probe.sendall(b"PING\r\n")
                if probe.recv(64).startswith(b"+PONG"):
                    return
            time.sleep(0.02)
        self.kill()
        raise NoServerError("redis-server does not start")

    def kill(self) -> None:
        """Kill it at once, as a crash does; may be called twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextlib.contextmanager
def running(maxmemory: str = "0", seed: int = 0) -> Iterator[Server]:
    """Start a server, kill it at the end and remove its data; raises NoServerError."""
    program()
    root = Path(tempfile.mkdtemp(prefix="tl-redis-"))
    server = Server(root, _free_port(seed), maxmemory)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(root, ignore_errors=True)


def _free_port(seed: int) -> int:
    for at in range(len(PORTS)):
        port = PORTS[(os.getpid() * 11 + seed * 101 + at) % len(PORTS)]
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise NoServerError("no free port")
