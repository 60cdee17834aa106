"""Sphinx extension: where this copy of the book lives, for whoever builds it.

The repository is BOOK_REPOSITORY, or what GitHub Actions says, or the git remote "origin"; a book
whose repository is unknown gets no launch and repository buttons, rather than dead ones. BOOK_URL
is where readers will find the site: link previews and the page for wrong addresses need it.

A notebook opened in Colab first installs the library from the address in pyproject.toml. While that
is only an example, the pages have no launch buttons either.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util import logging

sys.path.append(str(Path(__file__).resolve().parents[1]))  # where the book's tools are
from tools.address import is_example, read_address

ADDRESS = re.compile(
    r"(?:https?://(?:[^@/]+@)?|ssh://git@|git@)"
    r"(?P<host>github\.com|gitlab\.com|bitbucket\.org)[:/]"
    r"(?P<owner>[^/]+)/(?P<name>[^/]+?)(?:\.git)?/?"
)
BUTTONS = ("use_repository_button", "use_issues_button")
logger = logging.getLogger(__name__)


class Repository(NamedTuple):
    """Where the sources of the book are read: https://host/owner/name, and the branch."""

    url: str
    branch: str


def find_repository(folder: Path, environment: dict[str, str]) -> Repository | None:
    """Return the repository of the book in folder, None if it is not on a known public host."""
    remote = environment.get("BOOK_REPOSITORY") or _from_actions(environment)
    remote = remote or _git(folder, "config", "--get", "remote.origin.url")
    match = ADDRESS.fullmatch(remote)
    if match is None:
        return None
    branch = environment.get("BOOK_BRANCH") or environment.get("GITHUB_REF_NAME")
    branch = branch or _git(folder, "branch", "--show-current") or "main"
    return Repository("https://{host}/{owner}/{name}".format(**match.groupdict()), branch)


def _from_actions(environment: dict[str, str]) -> str:
    name = environment.get("GITHUB_REPOSITORY")
    return f"{environment.get('GITHUB_SERVER_URL', 'https://github.com')}/{name}" if name else ""


def _git(folder: Path, *arguments: str) -> str:
    """Return what git says, "" where there is no git, no repository or no such setting."""
    try:
        run = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""


def launch_trouble(repository: Repository | None, library: str) -> str:
    """Say why a chapter cannot be launched, "" if it can."""
    if repository is None:
        return "unknown; set BOOK_REPOSITORY=https://github.com/owner/name to have launch buttons"
    if is_example(library):
        return f"{repository.url}, but notebooks install from {library}: run make address URL=…"
    return ""


def set_buttons(app: Sphinx, config: Config) -> None:
    """Fill in the theme's repository options, or take its buttons away."""
    options, folder = config.html_theme_options, Path(app.srcdir)
    repository, library = find_repository(folder, dict(os.environ)), read_address(folder)
    options["repository_url"], options["repository_branch"] = repository or ("", "")
    if repository:
        options.update(dict.fromkeys(BUTTONS, True))
    if trouble := launch_trouble(repository, library):
        options["launch_buttons"] = {}
        logger.info("book repository: %s", trouble)
    else:
        logger.info("book repository: %s, branch %s; library from %s", *repository, library)


def set_site(app: Sphinx, config: Config) -> None:
    """Tell the extensions that need it the site's address; it ends in a slash."""
    url = os.environ.get("BOOK_URL", "").rstrip("/") + "/"
    config.notfound_urls_prefix = urlsplit(url).path
    if url != "/":
        config.html_baseurl = config.ogp_site_url = url
        config.ogp_social_cards = {"enable": False}
        config.ogp_site_name = config.html_title


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension; its values come first, since theme and extensions read them."""
    app.setup_extension("notfound.extension")
    if os.environ.get("BOOK_URL"):
        app.setup_extension("sphinxext.opengraph")
    app.connect("config-inited", set_buttons, priority=1)
    app.connect("config-inited", set_site, priority=1)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
