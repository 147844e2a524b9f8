# Everything runs from .venv, which the first target that needs it makes. Try `make demo`, then `make test`.
#
#   PYTHON=python3.12 make test      another interpreter for .venv
#   make test ARGS="-k parser -x"    more words for pytest

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3 python3.14 python3.13 python3.12 python3.11
ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# The dataplanes that the tests drive: Debian's packages, and a command of each.
DATAPLANE_PACKAGES := nftables iptables ipset openvswitch-switch iproute2
DATAPLANE_COMMANDS := nft iptables-restore ipset ovs-vsctl ip

# The browser that the tests open pages in: a Debian package, and the commands that it may have.
BROWSER_PACKAGES := chromium
BROWSER_COMMANDS := chromium chromium-browser google-chrome chrome

# apt_install PACKAGE...: says what it does, and shows apt-get's own words only when it fails. A failed update does
# not stop it: it may be the mirror of something else that is down.
define APT_INSTALL
apt_install() {
  echo "==> Installing Debian packages: $$*"
  local log
  log=$$(mktemp)
  export DEBIAN_FRONTEND=noninteractive
  apt-get update >"$$log" 2>&1 || true
  if ! apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$$@" >>"$$log" 2>&1; then
    cat "$$log" >&2
    rm -f "$$log"
    return 1
  fi
  rm -f "$$log"
}
may_apt_install() { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; }
endef

.PHONY: help demo test test-all coverage lint format golden bench clean distclean dataplanes gcc browser

help: ## show the targets
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 20

demo: $(VENV)/.installed ## compile examples/shop for nftables and print the ruleset
	$(BIN)/npc compile --target nft examples/shop

test: $(VENV)/.dev dataplanes browser ## every test but the slow ones
	$(BIN)/pytest -n auto -m "not slow" $(ARGS)

test-all: $(VENV)/.dev dataplanes browser ## every test
	$(BIN)/pytest -n auto $(ARGS)

coverage: $(VENV)/.dev dataplanes browser ## every test but the slow ones, and the lines that none of them reached
	$(BIN)/pytest -n auto -m "not slow" --cov $(ARGS)

lint: $(VENV)/.dev ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(VENV)/.dev ## format the code and sort its imports
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

golden: $(VENV)/.dev ## rewrite the expected output of the golden cases; read the diff before you commit it
	$(BIN)/npc test golden --update
	$(BIN)/python -m tests.language.rewrite

bench: $(VENV)/.dev dataplanes gcc ## run the benchmarks
	$(BIN)/python -m bench

clean: ## remove what the tools left behind, but not .venv
	rm -rf build dist ./*.egg-info .coverage .coverage.* htmlcov .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find npc compiler backends grammar tests bench -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## remove .venv as well
	rm -rf $(VENV)

# The dataplane tests need root and these commands. Installs what is missing where it may; where not, the tests
# that need it are skipped and say why.
dataplanes:
	@$(APT_INSTALL)
	export PATH="$$PATH:/usr/sbin:/sbin"
	missing=()
	for command in $(DATAPLANE_COMMANDS); do
	  command -v "$$command" >/dev/null || missing+=("$$command")
	done
	if [ "$${#missing[@]}" != 0 ]; then
	  if may_apt_install; then
	    echo "==> The dataplane tests need: $${missing[*]}"
	    apt_install $(DATAPLANE_PACKAGES) || echo "==> Not installed: the tests that need them cannot run." >&2
	  else
	    echo "==> Not found: $${missing[*]}. The tests that need them will be skipped. On Debian or Ubuntu:"
	    echo "    sudo apt-get install $(DATAPLANE_PACKAGES)"
	  fi
	fi
	if [ "$$(id -u)" != 0 ]; then
	  echo "==> Not root: the dataplane tests, which make network namespaces, will be skipped."
	fi

# The tests of pages need a browser; as above.
browser:
	@$(APT_INSTALL)
	for command in $(BROWSER_COMMANDS); do
	  if command -v "$$command" >/dev/null; then exit 0; fi
	done
	if may_apt_install; then
	  apt_install $(BROWSER_PACKAGES) || echo "==> Not installed: the tests that need it cannot run." >&2
	else
	  echo "==> No browser found: the tests that open pages will be skipped. On Debian or Ubuntu:"
	  echo "    sudo apt-get install $(BROWSER_PACKAGES)"
	fi

# What measures packets is a C program.
gcc:
	@$(APT_INSTALL)
	command -v gcc >/dev/null && exit
	if may_apt_install; then
	  apt_install gcc libc6-dev || echo "==> Not installed: what packets cost cannot be measured." >&2
	else
	  echo "==> Not found: gcc. What packets cost will not be measured. On Debian or Ubuntu: sudo apt-get install gcc libc6-dev"
	fi

# The stamps stand for what pip has installed; they are redone when pyproject.toml changes. The install is editable:
# a changed source file needs none.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	@echo "==> Installing npc into $(VENV)"
	$(PIP) install --editable .
	touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	@echo "==> Installing npc and its development tools into $(VENV)"
	$(PIP) install --editable ".[dev]"
	touch $(VENV)/.installed $@

# Debian and Ubuntu ship Python without ensurepip, which venv needs, unless python3.X-venv is installed.
$(BIN)/python:
	@$(APT_INSTALL)
	python=
	for candidate in $(PYTHON); do
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
	    python=$$candidate
	    break
	  fi
	done
	if [ -z "$$python" ]; then
	  echo "npc needs Python 3.11 or newer; looked for: $(PYTHON)." >&2
	  echo "Found $$(python3 --version 2>/dev/null || echo 'no python3 at all'). To name another: PYTHON=/path/to/python make ..." >&2
	  exit 1
	fi
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then
	  package=$$("$$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
	  if may_apt_install; then
	    apt_install "$$package"
	  else
	    echo "$$python has no venv module. On Debian or Ubuntu: sudo apt-get install $$package" >&2
	    exit 1
	  fi
	fi
	echo "==> Making $(VENV) with $$("$$python" --version)"
	"$$python" -m venv $(VENV)
