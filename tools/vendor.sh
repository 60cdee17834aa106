#!/usr/bin/env bash
# Fetch the browser files that the site carries, into web/vendor, and those of its tests, into
# tests/support/vendor; write VERSIONS.md beside each. Needs npm and Python 3.11+. Run it to change a
# version below, then commit the result.
set -euo pipefail
cd "$(dirname "$0")/.."

html_manager=1.0.15
requirejs=2.3.8
mathjax=3.2.2
fontawesome=6.5.2 # that of the theme
anywidget=0.9.21
ipywidgets=8.1.9 # for the licence: html-manager is a part of that project
fonttools=4.60.1
brotli=1.1.0
axe=4.14.1 # tests only

# The theme's icons; a glyph that is missing here comes from the theme's own, large font.
icons=(
  arrow-up:f062 bars:f0c9 angle-left:f104 angle-right:f105 angle-down:f107 chevron-down:f078
  chevron-up:f077 chevron-right:f054 chevron-left:f053 code:f121 download:f019 expand:f065
  compress:f066 file:f15b file-pdf:f1c1 lightbulb:f0eb list:f03a magnifying-glass:f002
  moon:f186 sun:f185 circle-half-stroke:f042 pencil:f303 rocket:f135 link:f0c1 xmark:f00d
  circle-info:f05a triangle-exclamation:f071 circle-exclamation:f06a circle-check:f058
  bell:f0f3 bolt:f0e7 book:f02d check:f00c copy:f0c5 house:f015 play:f04b
)
brands=(github:f09b gitlab:f296)

codes() { printf '%s\n' "$@" | sed 's/.*:/U+/' | paste -sd,; }
say() { echo "== $*"; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
out=$work/vendor tests=$work/tests
mkdir -p "$tests/axe-core"
mkdir -p "$out"/{anywidget,html-manager,icons,mathjax/input/tex/extensions,mathjax/output/chtml/fonts,mathjax/a11y,mathjax/ui}

say "packages"
(cd "$work" && npm pack --silent "@jupyter-widgets/html-manager@$html_manager" \
  "requirejs@$requirejs" "mathjax@$mathjax" "@fortawesome/fontawesome-free@$fontawesome" \
  "axe-core@$axe" >/dev/null)
for archive in "$work"/*.tgz; do
  mkdir "${archive%.tgz}"
  tar xzf "$archive" -C "${archive%.tgz}" --strip-components=1
done
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
  "anywidget==$anywidget" "ipywidgets==$ipywidgets" "fonttools==$fonttools" "brotli==$brotli"
site=$("$work/venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

say "files"
manager=$work/jupyter-widgets-html-manager-$html_manager
cp "$manager"/dist/embed-amd.js "$manager"/dist/*.woff2 "$out/html-manager/"
cp "$site"/ipywidgets-*.dist-info/licenses/LICENSE "$out/html-manager/LICENSE"
cp "$work/requirejs-$requirejs/require.js" "$out/"
cp "$site/anywidget/nbextension/index.js" "$out/anywidget/"
cp "$site"/anywidget-*.dist-info/licenses/LICENSE "$out/anywidget/LICENSE"
math=$work/mathjax-$mathjax
cp "$math"/es5/{startup,core}.js "$math/LICENSE" "$out/mathjax/"
cp "$math/es5/input/tex.js" "$out/mathjax/input/"
cp "$math/es5/input/tex/extensions/"{bbox,boldsymbol,braket,cancel,color,enclose}.js \
  "$out/mathjax/input/tex/extensions/" # what it fetches when a formula uses them
cp "$math/es5/output/chtml.js" "$out/mathjax/output/"
cp -r "$math/es5/output/chtml/fonts/"{tex.js,woff-v2} "$out/mathjax/output/chtml/fonts/"
cp "$math/es5/a11y/assistive-mml.js" "$out/mathjax/a11y/"
cp "$math/es5/ui/lazy.js" "$out/mathjax/ui/"
awesome=$work/fortawesome-fontawesome-free-$fontawesome
cp "$awesome/LICENSE.txt" "$out/icons/LICENSE.txt"
subset() { # font, code points, file
  "$work/venv/bin/pyftsubset" "$awesome/webfonts/$1" --unicodes="$2" --flavor=woff2 \
    --name-IDs= --layout-features= --output-file="$out/icons/$3" # no name: that of the original is reserved
}
subset fa-solid-900.ttf "$(codes "${icons[@]}")" solid.woff2
subset fa-brands-400.ttf "$(codes "${brands[@]}")" brands.woff2
cp "$work/axe-core-$axe"/{axe.min.js,LICENSE,LICENSE-3RD-PARTY.txt} "$tests/axe-core/"

say "VERSIONS.md"
versions() { # folder, title, sentence, a line of the first table for each package
  local folder=$1 title=$2 sentence=$3
  shift 3
  {
    printf '# %s\n\n%s\n\n' "$title" "$sentence"
    printf '| package | version | licence | source | files |\n|---|---|---|---|---|\n'
    printf '| %s |\n' "$@"
    echo
    python3 - "$folder" <<'TABLE'
import hashlib, pathlib, sys

print("| file | bytes | sha256 |\n|---|---|---|")
root = pathlib.Path(sys.argv[1])
for path in sorted(p for p in root.rglob("*") if p.is_file()):
    data = path.read_bytes()
    print(f"| {path.relative_to(root)} | {len(data)} | {hashlib.sha256(data).hexdigest()} |")
TABLE
  } >"$work/VERSIONS.md"
  mv "$work/VERSIONS.md" "$folder/"
}
versions "$out" "Browser files that the site carries" \
  'Fetched by `tools/vendor.sh`, unchanged except for the icons, which are a subset.' \
  "@jupyter-widgets/html-manager | $html_manager | BSD-3-Clause | npm | html-manager/" \
  "requirejs | $requirejs | MIT | npm | require.js" \
  "mathjax | $mathjax | Apache-2.0 | npm | mathjax/" \
  "@fortawesome/fontawesome-free | $fontawesome | OFL-1.1 (fonts) | npm | icons/" \
  "anywidget | $anywidget | MIT | PyPI | anywidget/"
versions "$tests" "Browser files of the tests" \
  'Fetched by `tools/vendor.sh`, unchanged; the site does not carry them.' \
  "axe-core | $axe | MPL-2.0 | npm | axe-core/"

rm -rf web/vendor tests/support/vendor
mv "$out" web/vendor
mv "$tests" tests/support/vendor
say "web/vendor: $(du -sh web/vendor | cut -f1), tests/support/vendor: $(du -sh tests/support/vendor | cut -f1)"
