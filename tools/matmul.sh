#!/bin/sh
# Compile tools/matmul.ts to WebAssembly and put it, with the digest of its source, into
# ddim_lib/widgets/page/matmul.js. Needs npx, and the network for the compiler.
set -e
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npx --yes -p assemblyscript@0.28.9 asc tools/matmul.ts -O3 --enable simd --runtime stub \
  --initialMemory 0 -o "$folder/matmul.wasm"
python3 - "$folder/matmul.wasm" <<'END'
import base64, hashlib, pathlib, re, sys

source = pathlib.Path("tools/matmul.ts").read_bytes()
code = base64.b64encode(pathlib.Path(sys.argv[1]).read_bytes()).decode()
lines = " +\n".join(f'  "{code[i : i + 92]}"' for i in range(0, len(code), 92))
page = pathlib.Path("ddim_lib/widgets/page/matmul.js")
made = f"// {hashlib.sha256(source).hexdigest()[:16]} begins the SHA-256 of matmul.ts.\nconst MODULE =\n{lines};"
text, count = re.subn(r"// \w{16} begins the SHA-256.*?;", made, page.read_text("utf-8"), flags=re.S)
assert count == 1, "need one MODULE in matmul.js"
page.write_text(text, "utf-8")
END
