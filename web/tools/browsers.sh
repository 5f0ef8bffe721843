#!/bin/sh
# A Chromium for the journeys: Debian's own package, when there is none yet and we may install it.
# Without one the journeys skip with a reason, so this never fails.
for each in "$TRADELOOM_CHROMIUM" /usr/bin/chromium /usr/bin/chromium-browser; do
  if [ -n "$each" ] && [ -x "$each" ]; then exit 0; fi
done
if [ -r /etc/debian_version ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "browsers: installing Debian's chromium"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null && exit 0
  echo "browsers: apt-get could not install chromium; the journeys of the web app are skipped" >&2
else
  echo "browsers: no Chromium here. Install it (Debian: apt-get install chromium) or name one in" >&2
  echo "browsers: TRADELOOM_CHROMIUM; until then the journeys of the web app are skipped" >&2
fi
