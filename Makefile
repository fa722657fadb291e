# All a machine needs is make and python3 with pip: uv is used when there is one, and fetched into
# .tools when there is none. The lock files hold hashes, so what is installed is what was tested.
UV ?= $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
PYTHON := .venv/bin/python
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
DEBIAN_PACKAGES := openssl strace dovecot-core dovecot-imapd postfix postgresql chromium fonts-noto-cjk
LOCK := $(UV) pip compile -q --universal --generate-hashes --no-annotate --no-header --python-version 3.11

run: .venv/.run  ## serve Setten on http://127.0.0.1:8000
	.venv/bin/setten serve

demo: .venv/.run  ## the same with sample inquiries, no account, nothing sent
	.venv/bin/setten serve --demo

# Three at a time on two cores: many tests wait for servers that start. In the order they stand in, or
# the journeys, which are few and long, would all come last.
test: .venv/.dev $(if $(filter true,$(CI)),test-setup)  ## all tests but the long ones
	$(PYTHON) -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not faults and not soak" $(ARGS)

test-faults: .venv/.dev $(if $(filter true,$(CI)),test-setup)  ## kills, breaks and restarts, and the longest journeys
	$(PYTHON) -m pytest -n 2 --dist worksteal -m "faults and not soak" $(ARGS)

soak: .venv/.dev  ## hours of it, by hand
	$(PYTHON) -m pytest -m soak $(ARGS)

lint: .venv/.dev
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy

check: lint test  ## what a change must pass

fmt: .venv/.dev  ## put the code in shape
	.venv/bin/ruff check -q --fix . ; .venv/bin/ruff format .

bench: .venv/.dev  ## measure, and print one table
	$(PYTHON) -m bench $(ARGS)

bench-triage: .venv/.dev  ## how good triage is on labelled texts: make bench-triage DATA=DIR
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(PYTHON) -m bench.triage $(DATA) $(ARGS)

bench-quarter: .venv/.dev  ## how triage learns in a simulated quarter: make bench-quarter DATA=DIR
	OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 $(PYTHON) -m bench.quarter $(DATA) $(ARGS)

sabotage: .venv/.dev  ## break the program on purpose; the tests must notice
	$(PYTHON) -m tests.sabotage $(ARGS)

proof: .venv/.dev  ## show, in a fresh clone, that it does what it says
	$(PYTHON) -m tests.proof $(ARGS)

test-setup:  ## install the servers and the browser that the tests use, from Debian packages
	@dpkg -s $(DEBIAN_PACKAGES) >/dev/null 2>&1 || $(MAKE) --no-print-directory debian-packages

# Without a configuration the machine's own Postfix does not start; with another mail server there, apt stops.
debian-packages:
	@command -v apt-get >/dev/null || { echo "No apt-get here: please install Dovecot, Postfix, PostgreSQL, Chromium and the Noto CJK fonts in your system's own way." >&2; exit 1; }
	dpkg -s postfix >/dev/null 2>&1 || echo "postfix postfix/main_mailer_type select No configuration" | $(SUDO) debconf-set-selections
	$(SUDO) apt-get update -q && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends --no-remove $(DEBIAN_PACKAGES)

lock: | $(filter .tools/%,$(UV))  ## resolve the dependencies anew (UPGRADE=--upgrade for newer ones)
	$(LOCK) $(UPGRADE) -o requirements.lock pyproject.toml && $(LOCK) $(UPGRADE) -c requirements.lock --group dev -o requirements-dev.lock pyproject.toml

# --upgrade, because pip does not mend a half-made target folder.
.tools/bin/uv:
	PIP_ROOT_USER_ACTION=ignore PIP_USER=0 python3 -m pip install -q --disable-pip-version-check --upgrade --target .tools uv==0.13.9

.venv/.%: requirements.lock requirements-dev.lock pyproject.toml | $(filter .tools/%,$(UV))
	test -x $(PYTHON) || $(UV) venv -q .venv
	$(UV) pip install -q --python .venv --require-hashes -r $(if $(filter dev,$*),requirements-dev.lock,requirements.lock)
	$(UV) pip install -q --python .venv --no-deps -e .
	touch $@

.PHONY: run demo test test-faults soak lint check fmt bench bench-triage bench-quarter sabotage proof test-setup debian-packages lock
.SECONDARY:
.DELETE_ON_ERROR:
