#!/bin/sh
# Make sure that there is a Chrome or Chromium for the browser tests; with --which only print where.
for name in chromium google-chrome chromium-browser google-chrome-stable chrome; do
  if path=$(command -v "$name" 2>/dev/null); then
    [ "$1" = --which ] && echo "$path" || echo "== browser: $path"
    exit 0
  fi
done
if [ "$1" != --which ] && command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "== installing Chromium with apt"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null && exit 0
fi
echo "need Chrome or Chromium for the browser tests: install one (Debian: sudo apt install chromium) and run again" >&2
exit 1
