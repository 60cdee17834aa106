#!/bin/sh
# Make sure that there is a Chrome or Chromium for the browser tests.
for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
  if command -v "$name" >/dev/null 2>&1; then
    echo "== browser: $(command -v "$name")"
    exit 0
  fi
done
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "== installing Chromium with apt"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null && exit 0
fi
echo "need Chrome or Chromium for the browser tests: install one (Debian: sudo apt install chromium) and run again" >&2
exit 1
