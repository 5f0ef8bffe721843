"""Writes `src/api/schema.d.ts` from the OpenAPI of a running service; `--check` only compares.

The generator needs TypeScript 5, the app is checked by TypeScript 7: hence a package of its own.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCHEMA = HERE.parents[1] / "src" / "api" / "schema.d.ts"
GENERATOR = HERE / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
# A first start makes keys and a database; a busy machine takes a while.
START_S = 60


def described() -> bytes:
    """The OpenAPI of a fresh service on a free port."""
    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "TRADELOOM_DATA_DIR": folder,
            "TRADELOOM_PORT": "0",
            "TRADELOOM_SYMBOLS": "EURUSD",
        }
        command = [str(Path(sys.executable).with_name("tradeloom")), "up"]
        service = subprocess.Popen(
            command, env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True
        )
        try:
            for line in service.stdout or ():
                found = re.search(r"http://127\.0\.0\.1:\d+", line)
                if found:
                    url = f"{found[0]}/api/v1/openapi.json"
                    with urllib.request.urlopen(url, timeout=START_S) as answer:  # noqa: S310
                        return bytes(answer.read())
            raise SystemExit("the service did not start")
        finally:
            service.terminate()
            service.wait(START_S)


def generated(openapi: bytes) -> str:
    """The types as text."""
    node = shutil.which("node")
    if node is None or not GENERATOR.is_file():
        raise SystemExit("run `npm ci` in web/tools/api-types first (make api-types does)")
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "openapi.json", Path(folder) / "schema.d.ts"
        given.write_bytes(openapi)
        options = ["--root-types", "--root-types-no-schema-prefix"]
        command = [node, str(GENERATOR), str(given), "-o", str(made), *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=START_S)
        return made.read_text("utf-8")


def main() -> None:
    """Write or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    fresh = generated(described())
    if not check:
        SCHEMA.write_text(fresh, "utf-8")
        return
    known = SCHEMA.read_text("utf-8")
    if fresh != known:
        lines = difflib.unified_diff(known.splitlines(), fresh.splitlines(), lineterm="", n=1)
        sys.stderr.write("\n".join(list(lines)[:40]))
        raise SystemExit("\nweb/src/api/schema.d.ts is stale: run `make api-types` and commit it")


if __name__ == "__main__":
    main()
