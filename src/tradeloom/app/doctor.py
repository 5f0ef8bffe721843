"""`tradeloom doctor`: whether the service could run here, each check with what to do about it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from rich.console import Console
from rich.table import Table

from tradeloom.app.limits import DISK_FREE_BYTES_MIN, SYNC_WARN_MS
from tradeloom.settings import Settings, without_password


class Check(NamedTuple):
    """What was looked at and how it is; `bad` means that the service would not start."""

    name: str
    state: Literal["ok", "warn", "bad"]
    told: str


def doctor(settings: Settings, as_json: bool) -> int:
    """Print every check; the exit code is 1 when one is bad."""
    checks = [check(settings) for check in _CHECKS]
    if as_json:
        print_ = Console(soft_wrap=True, highlight=False, markup=False).print
        print_(json.dumps([check._asdict() for check in checks]))
    else:
        table = Table(box=None, pad_edge=False, show_header=False)
        for check in checks:
            table.add_row(check.name, check.state, check.told)
        Console(width=None if sys.stdout.isatty() else 160).print(table)
    return int(any(check.state == "bad" for check in checks))


def _python(_: Settings) -> Check:
    version = ".".join(str(part) for part in sys.version_info[:3])
    good = sys.version_info >= (3, 11)
    return Check("python", "ok" if good else "bad", version if good else f"{version}: use 3.11")


def _extension(_: Settings) -> Check:
    try:
        from tradeloom import _core
    except ImportError as error:
        return Check("engine", "bad", f"the compiled core is missing ({error}): run `make setup`")
    return Check("engine", "ok", f"compiled core, wire version {_core.WIRE_VERSION}")


def _directory(settings: Settings) -> Check:
    path = settings.data_dir
    there = path if path.exists() else _nearest(path)
    if not os.access(there, os.W_OK | os.X_OK):
        return Check("data directory", "bad", f"{path} is not writable: chown it, or --data-dir")
    if path.exists() and path.stat().st_mode & 0o077:
        return Check("data directory", "warn", f"{path} is open to others: chmod 700 {path}")
    free = shutil.disk_usage(there).free
    if free < DISK_FREE_BYTES_MIN:
        return Check("data directory", "bad", f"only {free >> 20} MB free at {path}")
    return Check("data directory", "ok", f"{path}, {free >> 30} GB free")


def _disk(settings: Settings) -> Check:
    there = settings.data_dir if settings.data_dir.exists() else _nearest(settings.data_dir)
    times = []
    try:
        with tempfile.NamedTemporaryFile(dir=there) as file:
            for _ in range(20):
                file.write(b"x" * 4096)
                file.flush()
                began = time.perf_counter()
                os.fdatasync(file.fileno())
                times.append((time.perf_counter() - began) * 1e3)
    except OSError as error:
        return Check("disk sync", "bad", str(error))
    middle = statistics.median(times)
    told = f"fdatasync {middle:.2f} ms: every order waits for one"
    return Check("disk sync", "ok" if middle < SYNC_WARN_MS else "warn", told)


def _port(settings: Settings) -> Check:
    where = f"{settings.host}:{settings.port}"
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            return Check("port", "bad", f"{where}: {error.strerror}; choose another --port")
    loopback = settings.host in ("127.0.0.1", "::1", "localhost")
    told = f"{where} is free" + ("" if loopback else "; reachable from outside: put TLS in front")
    return Check("port", "ok" if loopback else "warn", told)


def _database(settings: Settings) -> Check:
    from tradeloom.store import Address, StoreError

    shown = without_password(settings.database)

    async def ask() -> None:
        from tradeloom.store import Database

        database = await Database.open(settings.database)
        try:
            await database.ping()
        finally:
            await database.close()

    try:
        path = Address.parse(settings.database).path
        if path is not None and not path.exists():
            return Check("database", "ok", f"{shown} will be made")
        asyncio.run(ask())
    except (StoreError, OSError) as error:
        return Check("database", "bad", f"{shown}: {error}")
    return Check("database", "ok", shown)


def _clock(_: Settings) -> Check:
    if time.time() < 1_735_689_600:  # 2025-01-01: this program is younger
        return Check("clock", "bad", "the system clock is years behind: set it")
    return Check("clock", "ok", time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()))


def _files(_: Settings) -> Check:
    import resource

    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    good = soft >= 4096
    told = f"{soft} open files allowed" + ("" if good else ": raise it (ulimit -n 65536)")
    return Check("open files", "ok" if good else "warn", told)


def _nearest(path: Path) -> Path:
    for parent in path.absolute().parents:
        if parent.exists():
            return parent
    return Path("/")


_CHECKS: tuple[Callable[[Settings], Check], ...] = (
    _python,
    _extension,
    _directory,
    _disk,
    _port,
    _database,
    _clock,
    _files,
)
