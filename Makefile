# Everything runs in a virtual environment inside the clone; python3 (3.11 or newer) and make are all it needs.
PYTHON ?= python3
VENV := .venv
VENV_15 := .venv-duckdb15
VENV_PARITY := .venv-parity
VENV_ORACLES := .venv-oracles
VENV_BROWSER := .venv-browser
VENV_BI := .venv-bi
VENV_IBIS := .venv-ibis
VENV_BENCH := .venv-bench
VENV_SUPERSET := .venv-superset
export PIP_CACHE_DIR := $(CURDIR)/.cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Where compiled modules may not be kept, every process that a test starts compiles the whole package anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-thorough faults lint check test-duckdb15 parity oracles bi-tools superset docs bench bench-changepoints clean frameworks python-is-new-enough

help: ## Say what can be made.
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 24

demo: $(VENV)/installed ## Ingest three recorded runs and print where their energy goes.
	@$(VENV)/bin/energy-db demo

# In the order of the list (worksteal), so that what a module shares is made once, not once by each worker.
test: $(VENV)/ready ## Run the daily tests: all but the thorough ones.
	$(VENV)/bin/python -m pytest -n 2 --dist worksteal

test-thorough: $(VENV)/ready ## Run what test leaves out: what takes long, and the other cases of long lists.
	$(VENV)/bin/python -m pytest -n 2 --dist worksteal -m thorough

faults: $(VENV)/ready ## Kill, fill the disk, damage and fuzz: hundreds of kills, thousands of broken files (not part of check).
	FAULTS_KILLS=300 FAULTS_MUTATIONS=10000 FAULTS_RESULTS="$(CURDIR)/.cache/faults" \
		$(VENV)/bin/python -m pytest -n 2 -m faults tests/faults
	$(VENV)/bin/python docs/faults.py .cache/faults

lint: $(VENV)/ready ## Format, lint, types, SQL style, and whether the generated docs are current.
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/sqlfluff lint schema queries
	$(VENV)/bin/python docs/generate.py --check

check: lint test test-thorough test-duckdb15 ## All that must be green before a change lands.

# What an engine can do otherwise: SQL, types, files. Text, help and arithmetic without it are not run twice.
ENGINE_TESTS := $(addprefix tests/test_,views.py checks.py exactness.py conservation.py store.py contract.py \
	identity.py migrations.py costs.py costs_in_force.py comparison.py history.py merging.py public_surface.py sql_lockdown.py sql_command.py archive.py)

test-duckdb15: $(VENV)/ready $(VENV_15)/ready ## Run the tests of SQL and files on the oldest supported engine, DuckDB 1.5.
	$(VENV_15)/bin/python -m pytest -n 2 --dist worksteal -m "not faults" $(ENGINE_TESTS)
	OTHER_PYTHON="$(CURDIR)/$(VENV_15)/bin/python" $(VENV)/bin/python -m pytest -m thorough tests/test_publish_readers.py

parity: $(VENV_PARITY)/ready ## Run the parity tests against the real sc-neurocore, which it installs (not part of check).
	PARITY_PEER=required $(VENV_PARITY)/bin/python -m pytest -m "not faults" tests/parity

browser: $(VENV_BROWSER)/ready /usr/bin/chromium ## Look at the pages in headless Chromium, which it installs (Debian; not part of check).
	BROWSER=required $(VENV_BROWSER)/bin/python -m pytest tests/browser

oracles: $(VENV_ORACLES)/ready ## Compare the steps of trend with those of ruptures, asv and Apache Otava (not part of check).
	ORACLES=required $(VENV_ORACLES)/bin/python -m pytest tests/oracles

bi-tools: $(VENV_BI)/ready $(VENV_IBIS)/ready ## Read a publication with Polars, Ibis and harlequin, which it installs (not part of check).
	BI_TOOLS="polars harlequin" $(VENV_BI)/bin/python -m pytest tests/bi
	BI_TOOLS="polars ibis" $(VENV_IBIS)/bin/python -m pytest tests/bi

superset: $(VENV)/ready $(VENV_SUPERSET)/ready /usr/bin/chromium ## Ask and draw the dashboard of examples/superset in Superset, which it installs (Debian; not part of check).
	SUPERSET=required $(VENV)/bin/python -m pytest tests/superset

# What goes into one environment; brian2 does not work with the newest numpy.
FRAMEWORKS_torch := torch==2.13.0 snntorch==1.0.0 norse==1.1.0 spikingjelly==2.0.0
FRAMEWORKS_sinabs := torch==2.13.0 sinabs==3.1.3 pbr
FRAMEWORKS_rockpool := torch==2.13.0 rockpool==3.1.0
FRAMEWORKS_brian2 := brian2==2.9.0 'numpy<2.3' setuptools
FRAMEWORKS_nengo := nengo==4.1.0
FRAMEWORKS_nest := nest-simulator==3.10.0
FRAMEWORKS_sonata := libsonata==0.2.2 h5py
FRAMEWORKS_nwb := pynwb==4.2.0 h5py
FRAMEWORKS_neo := 'numpy<2.3' neo==0.14.6 quantities pynn==0.13.0 brian2==2.9.0 setuptools
FRAMEWORKS_sanafe := sanafe==2.2.9
FRAMEWORKS_tonic := tonic==1.7.0
FRAMEWORKS_nir := nir==1.0.8 h5py
SCRIPTS_torch := snntorch norse spikingjelly training

frameworks: $(addprefix frameworks-,torch sinabs rockpool brian2 nengo nest sonata nwb neo sanafe tonic nir) ## Record with each framework, which it installs, and compare counts (not part of check).

frameworks-%: .venv-frameworks/%/ready
	mkdir -p .cache/recorded
	for name in $(or $(SCRIPTS_$*),$*); do \
		.venv-frameworks/$*/bin/python examples/frameworks/record_$$name.py .cache/recorded/$$name.npz || exit 1; \
	done

# Without this, make would take the stamps for something in between, and remove them.
.PRECIOUS: .venv-frameworks/%/ready

# Frameworks want versions of their own, so that no constraints hold here; torch first, or others bring a larger one.
.venv-frameworks/%/ready: pyproject.toml | python-is-new-enough
	$(PYTHON) -m venv .venv-frameworks/$*
	.venv-frameworks/$*/bin/python -m pip install --quiet $(firstword $(FRAMEWORKS_$*))
	.venv-frameworks/$*/bin/python -m pip install --quiet --editable . $(FRAMEWORKS_$*)
	touch $@

docs: $(VENV)/ready ## Write the generated pages of docs/ and the README's tour anew.
	$(VENV)/bin/python docs/generate.py

bench: $(VENV_BENCH)/ready ## Measure the figures of benchmarks/README.md, beside peers that it installs (takes minutes).
	$(VENV_BENCH)/bin/python -m benchmarks $(BENCH)

bench-changepoints: $(VENV)/ready ## Measure how often trend finds steps that are none, and how soon those that are.
	$(VENV)/bin/python -m benchmarks.changepoints

clean: ## Remove the environments and caches.
	rm -rf $(VENV) $(VENV_15) $(VENV_PARITY) $(VENV_BROWSER) $(VENV_ORACLES) $(VENV_BI) $(VENV_IBIS) $(VENV_BENCH) $(VENV_SUPERSET) .venv-frameworks .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/installed: pyproject.toml constraints.txt | python-is-new-enough
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/ready: $(VENV)/installed
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

$(VENV_15)/ready: pyproject.toml constraints.txt | python-is-new-enough
	$(PYTHON) -m venv $(VENV_15)
	grep -v '^duckdb==' constraints.txt > $(VENV_15)/constraints.txt
	$(VENV_15)/bin/python -m pip install --quiet --constraint $(VENV_15)/constraints.txt --editable '.[dev]' 'duckdb==1.5.*'
	touch $@

# The accountant of the peer needs none of the peer's dependencies.
$(VENV_PARITY)/ready: pyproject.toml constraints.txt | python-is-new-enough
	$(PYTHON) -m venv $(VENV_PARITY)
	$(VENV_PARITY)/bin/python -m pip install --quiet --constraint constraints.txt --editable . pytest hypothesis
	$(VENV_PARITY)/bin/python -m pip install --quiet --no-deps 'sc-neurocore==3.16.0'
	touch $@

$(VENV_BROWSER)/ready: pyproject.toml constraints.txt | python-is-new-enough
	$(PYTHON) -m venv $(VENV_BROWSER)
	$(VENV_BROWSER)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[plot]' pytest hypothesis
	$(VENV_BROWSER)/bin/python -m pip install --quiet 'playwright==1.65.2'
	touch $@

/usr/bin/chromium:
	apt-get update && apt-get install -y --no-install-recommends chromium fonts-dejavu-core

# Apache Otava wants a numpy of its own, so that no constraints hold here.
$(VENV_ORACLES)/ready: pyproject.toml | python-is-new-enough
	$(PYTHON) -m venv $(VENV_ORACLES)
	$(VENV_ORACLES)/bin/python -m pip install --quiet --editable . pytest hypothesis \
		'ruptures==1.1.10' 'asv==0.6.6' 'apache-otava==0.8.0'
	touch $@

# harlequin wants versions of its own, so that no constraints hold here.
$(VENV_BI)/ready: pyproject.toml | python-is-new-enough
	$(PYTHON) -m venv $(VENV_BI)
	$(VENV_BI)/bin/python -m pip install --quiet --editable . pytest hypothesis pandas \
		'duckdb==2.0.*' 'polars==2.1.0' 'harlequin==2.17.0'
	touch $@

$(VENV_BENCH)/ready: pyproject.toml constraints.txt | python-is-new-enough
	$(PYTHON) -m venv $(VENV_BENCH)
	$(VENV_BENCH)/bin/python -m pip install --quiet --constraint constraints.txt --editable .
	$(VENV_BENCH)/bin/python -m pip install --quiet 'pandas==3.1.1' 'polars==2.1.0' 'chdb==4.4.0'
	$(VENV_BENCH)/bin/python -m pip install --quiet --no-deps 'sc-neurocore==3.16.0'
	touch $@

# Ibis 12 calls what DuckDB 2.0 has removed.
$(VENV_IBIS)/ready: pyproject.toml | python-is-new-enough
	$(PYTHON) -m venv $(VENV_IBIS)
	$(VENV_IBIS)/bin/python -m pip install --quiet --editable . pytest hypothesis pandas \
		'duckdb==1.5.*' 'polars==2.1.0' 'ibis-framework[duckdb]==12.0.0'
	touch $@

# Superset is on SQLAlchemy 1.4, so that energy-db is not installed beside it. It does not start without rich, cachetools
# and the older flask-caching, which it does not ask for; playwright looks at its pages.
$(VENV_SUPERSET)/ready: | python-is-new-enough
	$(PYTHON) -m venv $(VENV_SUPERSET)
	$(VENV_SUPERSET)/bin/python -m pip install --quiet 'apache-superset==6.1.0' 'duckdb-engine==0.17.0' 'duckdb==2.0.*' \
		rich cachetools 'flask-caching<2.5' 'playwright==1.65.2'
	touch $@

python-is-new-enough:
	@command -v $(PYTHON) > /dev/null || { echo "energy-db needs Python 3.11 or newer, but $(PYTHON) is not installed." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "energy-db needs Python 3.11 or newer, but this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12")'
	@$(PYTHON) -c 'import venv, ensurepip' 2> /dev/null || { echo "$(PYTHON) lacks its venv module; on Debian: apt install python3-venv" >&2; exit 1; }
