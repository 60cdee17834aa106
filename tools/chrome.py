"""The installed Chrome or Chromium, as tools/browser.sh finds it, and how it is started."""

import subprocess
from pathlib import Path

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def installed() -> str:
    """Return its path, or raise with the sentence that says what to install."""
    script = Path(__file__).with_name("browser.sh")
    found = subprocess.run(["sh", script, "--which"], capture_output=True, text=True)
    if found.returncode:
        raise FileNotFoundError(found.stderr.strip())
    return found.stdout.strip()
