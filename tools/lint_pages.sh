#!/bin/sh
# Format and lint of the JavaScript and CSS, by biome, where node's npx can get it: biome.json has the
# rules. "sh tools/lint_pages.sh --write" mends most.
BIOME=@biomejs/biome@2.6.8
if ! command -v npx >/dev/null 2>&1; then
  echo "   JavaScript is not linted: need npx (Debian: sudo apt install npm)"
elif ! npx --yes "$BIOME" --version >/dev/null 2>&1; then
  echo "   JavaScript is not linted: npx could not get $BIOME"
else
  npx --yes "$BIOME" check --error-on-warnings "$@" \
    || { echo "biome found something: 'sh tools/lint_pages.sh --write' mends most"; exit 1; }
fi
