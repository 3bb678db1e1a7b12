# SPDX-License-Identifier: EUPL-1.2
# Kansli. `make` or `make help` lists what can be done; every target does its own set-up first.

PY := .venv/bin/python
PYTEST := $(PY) -m pytest -q -n 2
# The figures of one bench: make bench ONLY=ws_echo_us. Some decoders alone: make fuzz ONLY=encoding,chat
ONLY ?=
# The tests that take every branch of sync/crypto and sync/trust.
COVERED := tests/sync/crypto tests/sync/trust tests/sync/vectors
# Whether make bench also measures another server: make bench PEERS=1
PEERS ?=
# How many inputs make fuzz tries.
N ?= 1000000

# Compiled modules are kept, whatever the environment says: the demo alone starts some forty Python processes.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup setup-packages demo run serve test cover check lint fast fuzz bench packages test-packages shots policies clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## ?/\t/' | expand -t 16

setup:  ## system libraries, .venv and packages; quick when nothing is missing
	@bash packaging/linux/setup.sh

demo: setup  ## the main job: a server and two desktops, by keyboard; pictures in build/demo/
	@$(PY) -m tests.demo

run: setup  ## a server with sample data on this machine, and the application for two sample users
	@$(PY) -m tests.demo.samples

serve: setup  ## the agency server alone, on this machine, with its data in build/serve
	@$(PY) -m tests.demo.serve

# Linters and types have one core while the tests of cover have the other. Then four workers share two cores: tests
# wait for servers and windows a third of their time.
test: setup  ## linters, types, layers and all tests, slow ones too; not those of built packages
	@$(MAKE) --no-print-directory -j 2 --output-sync=target lint cover
	@$(PYTEST) -n 4 --dist worksteal -m "not packages" $(COVERED:%=--ignore=%)

cover: setup  ## the tests of sync/crypto and sync/trust, and that they take every branch there
	@mkdir -p build && rm -f build/coverage*
	@$(PY) -m coverage run -m pytest -q -n 2 $(COVERED)
	@$(PY) -m coverage combine -q
	@$(PY) -m coverage report

check: setup lint  ## under a minute: linters, types, layers and the fast tests
	@$(PYTEST) -m "not slow and not packages"

lint: setup  ## linters, types and layers only
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy
	@.venv/bin/lint-imports

bench: setup  ## measure; figures in build/bench.json (make bench ONLY=name,name; PEERS=1: also beside prosody)
	@$(if $(PEERS),bash packaging/linux/setup.sh peers)
	@$(PY) -m tests.bench $(if $(ONLY),--only $(ONLY)) $(if $(PEERS),--peers)

fuzz: setup  ## hostile bytes and a false server, at length (make fuzz N=10000000 ONLY=name,name); faults in build/fuzz/
	@$(PY) -m tests.fuzz --runs $(N) $(if $(ONLY),--only $(ONLY))

setup-packages:  ## what setup does, and what builds and tries packages: debootstrap, rpm, wixl, Wine
	@bash packaging/linux/setup.sh packages

packages: setup-packages  ## what is handed to IT, into build/packages: deb, rpm, and an MSI where Wine is installed
	@$(PY) packaging/builder

# The MSI takes longest to build, so deb and rpm are tested meanwhile. A worker takes a whole file, since the tests of one
# file share a system (groups would do, but those of pytest-xdist 3.8 do not work with pytest 9.2, which has no
# Item._nodeid any more). Files run in the order of their names. Otherwise those with the most tests would come
# first: the MSI's would hold a worker until the build has ended, and the guide's, two tests of minutes, would come last.
test-packages: setup-packages  ## make packages, and the tests of what it builds, in roots and prefixes of their own
	@$(PY) packaging/builder --meanwhile "$(PYTEST) --dist loadfile --no-loadscope-reorder --durations 12 -m packages tests/packages"

shots: setup  ## screenshots of every view in every theme, in build/shots/
	@$(PY) -m tests.shots

policies: setup  ## what IT needs for policies: templates, sample and page, made from app/settings.py
	@$(PY) packaging/builder/policy_files.py

clean:  ## remove what was built; the set-up stays
	@rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
