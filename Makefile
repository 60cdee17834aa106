# make book       build the site                 make test       verify everything
# make serve      read it on localhost           make notebooks  re-run the notebooks and compare
# make execute    re-run and store the outputs   make colab      run them as Colab would
# make mutants    break things; is it noticed?   make bench      time the sampler
# make budget     what each page shows, and may  make zip        the site as one archive
# make browsers   the same in Firefox and WebKit, where they are installed
# make address URL=https://github.com/you/copy   write down where this copy of the book lives
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NOTEBOOKS := $(wildcard chapters/*.ipynb)
SITE := _build/html
export OMP_NUM_THREADS ?= 1
export PYTHONUTF8 ?= 1
export PYTHONWARNINGS ?= ignore::DeprecationWarning

.PHONY: help book serve zip test lint unit notebooks colab site execute widgets budget address bench mutants weekly browser browsers clean

help:
	@sed -n '1,7s/^# //p' Makefile

# --- set-up -------------------------------------------------------------------------------------

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "need Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	@echo "== creating $(VENV)"
	@$(PYTHON) -m venv $(VENV) \
	  || { rm -rf $(VENV); echo "need Python's venv module (Debian: apt install python3-venv)"; exit 1; }

$(VENV)/book: requirements-book.txt constraints.txt | $(BIN)/python
	@echo "== installing what the site needs (about a minute)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-book.txt \
	  || { echo "pip could not install requirements-book.txt: see its message above"; exit 1; }
	@touch $@

$(VENV)/all: requirements.txt constraints.txt pyproject.toml $(VENV)/book
	@echo "== installing torch, Jupyter and the test tools (some minutes)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt \
	  || { echo "pip could not install requirements.txt: see its message above"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e . \
	  || { echo "pip could not install the library itself: see its message above"; exit 1; }
	@touch $@

$(VENV)/colab/ready: requirements-colab.txt $(VENV)/all
	@echo "== an environment with Colab's versions (a minute or two)"
	@rm -rf $(VENV)/colab
	@$(BIN)/python -m venv $(VENV)/colab
	@$(VENV)/colab/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-colab.txt \
	  || { echo "pip could not install requirements-colab.txt: see its message above"; exit 1; }
	@$(BIN)/python -m tools.share_torch $(VENV)/colab
	@touch $@

browser:
	@sh tools/browser.sh

# --- read ---------------------------------------------------------------------------------------

book: $(VENV)/book
	@echo "== building the site from the stored outputs"
	@$(BIN)/jupyter-book build . --all -W --keep-going -q \
	  || { echo "the site has warnings or errors: see above; they stop the build on purpose"; exit 1; }
	@echo "== built: $(CURDIR)/$(SITE)/index.html   (make serve: read it on localhost)"

serve: $(VENV)/book
	@test -f $(SITE)/index.html || $(MAKE) book
	@echo "== http://localhost:8000/ (Ctrl-C stops)"
	@$(BIN)/python -m http.server 8000 --bind 127.0.0.1 --directory $(SITE)

zip: book
	@$(BIN)/python -m tools.pack

# --- verify -------------------------------------------------------------------------------------

test: lint unit notebooks colab site
	@echo "== all of it holds: lint, unit tests, notebooks, here and as in Colab, site"

lint: $(VENV)/all
	@echo "== lint"
	@sh tools/lint_pages.sh
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . \
	  || { echo "ruff found something: '$(BIN)/ruff check --fix . && $(BIN)/ruff format .' mends most"; exit 1; }
	@$(BIN)/mypy --no-error-summary \
	  || { echo "the types of ddim_lib do not fit: each line above says where"; exit 1; }
	@$(BIN)/zizmor --offline --quiet .github \
	  || { echo "zizmor found something in .github/workflows: see above"; exit 1; }
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml \
	  || { echo "a file of .github/workflows is no workflow: see above"; exit 1; }
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.citation-file-format CITATION.cff \
	  || { echo "CITATION.cff is not in its format: see above"; exit 1; }
	@$(BIN)/python -m tools.notebooks.lint \
	  || { echo "the notebooks have faults: CONTRIBUTING.md explains the rules"; exit 1; }

unit: $(VENV)/all browser
	@echo "== unit tests"
	@$(BIN)/python -m pytest -n 2 tests --ignore tests/site --ignore tests/browsers \
	  --ignore tests/book/test_colab.py

notebooks: $(VENV)/all
	@echo "== notebooks: run again, every stored output compared"
	@$(BIN)/python -m pytest -p tools.notebooks.check --nbval --nbval-current-env \
	  -n 2 --dist loadfile $(NOTEBOOKS)

colab: $(VENV)/colab/ready browser
	@echo "== notebooks: each alone, in an environment like Colab's, with two threads"
	@$(BIN)/python -m pytest -n 2 --dist worksteal tests/book/test_colab.py

site: $(VENV)/all browser book
	@echo "== the built site in a browser"
	@$(BIN)/python -m pytest -n 2 tests/site

browsers: $(VENV)/all book # Debian: sudo apt install firefox-esr webkit2gtk-driver xvfb dbus
	@echo "== the explorers and the network in Firefox and WebKit, in whichever is installed"
	@$(BIN)/python -m pytest tests/browsers

# --- change -------------------------------------------------------------------------------------

execute: $(VENV)/all
	@echo "== running the notebooks and storing what they show"
	@$(BIN)/python -m tools.notebooks.execute $(NOTEBOOKS)
	@$(BIN)/python -m tools.notebooks.budget --lower

budget: $(VENV)/all
	@$(BIN)/python -m tools.notebooks.budget --lower

widgets: $(VENV)/all
	@echo "== storing the explorers' present source in the notebooks, which are not run"
	@$(BIN)/python -m tools.notebooks.widget_sources $(NOTEBOOKS)

weekly: $(VENV)/all
	@mkdir -p _build
	@$(BIN)/python -m tools.weekly $(or $(WHAT),newest) _build/weekly.md

bench: $(VENV)/all browser book
	@$(BIN)/python tools/bench.py
	@$(BIN)/python -m tools.bench_page

mutants: $(VENV)/all
	@$(BIN)/python -m tools.mutants $(WORD)

address: # by the system's Python: it needs no other package
	@$(PYTHON) tools/address.py $(URL)

clean:
	rm -rf _build $(VENV) .pytest_cache .ruff_cache .mypy_cache
