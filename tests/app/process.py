"""A real `tradeloom up` process on a loopback port, for tests that need the whole service."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

PASSWORD = "a-long-enough-phrase-1"  # noqa: S105
START_S = 90.0  # a machine whose cores are all busy imports slowly


def free_port() -> int:
    """A port nobody listens on, below the range the kernel gives to clients."""
    while True:
        port = random.randint(20_000, 32_000)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


class Service:
    """One service with its data directory; `start` again after `stop` or `kill`."""

    def __init__(self, data: Path, *options: str, **environment: str) -> None:
        self.data = data
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.api = f"{self.url}/api/v1"
        self.ws = f"ws://127.0.0.1:{self.port}/ws"
        self.log = data.with_suffix(".log")
        self.options = options
        self.environment = environment
        self.process: subprocess.Popen[bytes] | None = None
        self.tokens: dict[str, str] = {}

    def start(self) -> Service:
        """Start, and wait until it is ready."""
        arguments = ["up", "--port", str(self.port), "--data-dir", str(self.data), *self.options]
        environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("TRADELOOM_")},
            "TRADELOOM_REQUESTS_PER_S": "20000",
            "TRADELOOM_REQUESTS_BURST": "40000",
            **self.environment,
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from tradeloom.cli import main; main()", *arguments],
                stdout=log,
                stderr=log,
                env=environment,
            )
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"the service ended: {self.log.read_text()[-2000:]}")
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.api}/system/ready", trust_env=False).status_code == 200:
                    return self
            time.sleep(0.05)
        raise AssertionError(f"not ready: {self.log.read_text()[-2000:]}")

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(30)

    def client(self, token: str = "", **options: Any) -> httpx.Client:
        """An HTTP client of the API."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(
            base_url=self.api, headers=headers, trust_env=False, timeout=30, **options
        )

    def sign_up(self, login: str) -> str:
        """A new trader's access token."""
        with self.client() as client:
            body = {"login": login, "password": PASSWORD}
            made = client.post("/auth/sign-up", json=body)
            assert made.status_code == 201, made.text
            return self.sign_in(login)

    def sign_in(self, login: str, password: str = PASSWORD) -> str:
        """An access token."""
        with self.client() as client:
            made = client.post("/auth/sign-in", json={"login": login, "password": password})
            assert made.status_code == 200, made.text
            token: str = made.json()["access_token"]
            self.tokens[login] = token
            return token

    def admin(self) -> str:
        """The first administrator's token, once the password is changed."""
        if "admin" not in self.tokens:
            lines = (self.data / "first-admin.txt").read_text().splitlines()
            first = lines[1].split(": ")[1]
            token = self.sign_in("admin", first)
            with self.client(token) as client:
                changed = client.post("/me/password", json={"old": first, "new": PASSWORD})
                assert changed.status_code == 204, changed.text
        return self.tokens["admin"]

    def staff(self, login: str, role: str) -> str:
        """The token of a new user of a role."""
        with self.client(self.admin()) as client:
            body = {"login": login, "password": PASSWORD + "x", "role": role}
            made = client.post("/users", json=body)
            assert made.status_code == 201, made.text
        token = self.sign_in(login, PASSWORD + "x")
        with self.client(token) as client:
            body = {"old": PASSWORD + "x", "new": PASSWORD}
            assert client.post("/me/password", json=body).status_code == 204
        return token

    def account(self, token: str, **body: Any) -> int:
        """A new demo account."""
        with self.client(token) as client:
            made = client.post("/accounts", json=body)
            assert made.status_code == 201, made.text
            number: int = made.json()["id"]
            return number


@contextlib.contextmanager
def service(data: Path, *options: str, **environment: str) -> Iterator[Service]:
    """A started service that is gone at the end."""
    made = Service(data, *options, **environment)
    try:
        yield made.start()
    finally:
        if made.process is not None and made.process.poll() is None:
            made.process.kill()
            made.process.wait(30)
