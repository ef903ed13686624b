# edge-digits: train on MNIST, convert to TensorFlow Lite, prove that nothing was lost. `make` alone lists the targets.

PYTHON ?= python3
RECIPE ?= standard
SEED ?= 1
MARK ?= not slow and not window and not bucket and not ray and not emulated and not home_assistant and not fleet and not micro
# Of `make micro`: tflm (TFLite Micro) or c (plain C).
ENGINE ?= tflm
# Many tests wait for a program or a timeout: a few processes more than cores keep these busy.
PROCESSES ?= $(shell $(PYTHON) -c 'import os; print(max(4, os.cpu_count() or 1))')

VENV := .venv
RUNTIME := .venv-runtime
ANSIBLE := .venv-fleet
BUILD := build/$(RECIPE)
MODELS := $(addprefix $(BUILD)/digits-,$(addsuffix .tflite,float32 float16 dynamic int8))
BENCHES := $(addprefix bench-,all compare digits latency lines pages parity peers readers report robustness sensitivity serve soak strings updates videos)
RUNTIME_FILES := $(shell find edge_runtime -type f ! -name '*.pyc')
# pip shows its progress on a terminal, and nothing but errors elsewhere.
PIP_INSTALL := -m pip install --disable-pip-version-check $(shell test -t 2 || echo --quiet)

.DEFAULT_GOAL := help
.PHONY: help tflite train parity line micro demo serve test lint format lock data samples ship bench fuzz bundle deploy fleet test-fleet test-arm64 test-armhf test-home-assistant test-micro nightly clean $(BENCHES)
.DELETE_ON_ERROR:

help: ## List the targets
	@echo 'make TARGET [RECIPE=standard|article|release|adapted|cnn|micro-cnn|micro|smoke|rehearsal] [SEED=1] [PYTHON=python3]'
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

tflite: $(BUILD)/digits.keras $(MODELS) $(BUILD)/parity.ok ## Train, convert and prove: build/RECIPE/digits-int8.tflite

train: $(BUILD)/digits.keras ## Train alone: build/RECIPE/digits.keras and its report

parity: $(MODELS) ## Compare the small models in build/RECIPE with the full one
	$(VENV)/bin/python -m benchmarks parity $(BUILD)

micro: tflite $(VENV)/micro ## Write C sources for microcontrollers: build/RECIPE/edge_digits_micro (ENGINE=tflm or c)
	$(VENV)/bin/python -m convert $(BUILD) --micro --engine $(ENGINE) --force

demo: $(RUNTIME)/installed ## Read the sample pages with the shipped model; needs no TensorFlow
	$(RUNTIME)/bin/edge-digits read edge_runtime/samples --annotate build/demo
	@echo 'The pictures in build/demo show where.'

serve: $(RUNTIME)/serving ## Show SOURCE=camera, or generated pages, on a web page
	$(RUNTIME)/bin/edge-digits serve $(or $(SOURCE),synthetic)

test: $(VENV)/installed $(ANSIBLE)/installed data ## Run the tests (MARK=slow: those that train or build; PROCESSES=0: one by one)
	$(VENV)/bin/python -m pytest -m '$(MARK)' --numprocesses=$(PROCESSES) --dist=loadfile

# Two systems at a time, one on each core.
test-arm64: ## Install and test it on emulated 64-bit Raspberry Pis, with Debian 12 and 13 (as root)
	$(MAKE) --jobs=2 --no-print-directory emulated-debian-13-arm64 emulated-debian-12-arm64

test-armhf: emulated-debian-12-armhf ## Try it on an emulated 32-bit Raspberry Pi, with Debian 12 (as root)

emulated-%: $(VENV)/installed data
	$(VENV)/bin/python -m pytest -m emulated -k '$*' -v -rsP -p no:randomly tests/emulated

test-micro: $(VENV)/micro data ## Test the C sources with TFLite Micro, sanitizers and an emulated Cortex-M4
	$(VENV)/bin/python -m pytest -m micro -v -rsP tests/convert/micro

test-fleet: $(VENV)/installed $(ANSIBLE)/installed ## Install, change and roll back six computers by ssh, on this one
	$(VENV)/bin/python -m pytest -m fleet -v -p no:randomly tests/deploy

# 2026.2 is the last one for Python 3.13. Its MQTT integration fetches paho-mqtt by itself.
test-home-assistant: $(VENV)/installed ## Let Home Assistant validate its entities (installs it; needs Python 3.13)
	test -x build/venv-home-assistant/bin/python || $(or $(HOME_ASSISTANT_PYTHON),python3.13) -m venv build/venv-home-assistant
	build/venv-home-assistant/bin/python $(PIP_INSTALL) homeassistant==2026.2.3 'paho-mqtt>=2.1'
	$(VENV)/bin/python -m pytest -q -m home_assistant tests/edge_runtime/sinks/mqtt/test_home_assistant.py

nightly: test-arm64 test-armhf test-fleet test-home-assistant test-micro fuzz ## What takes too long for every change

lint: $(VENV)/installed ## Check style, types and the arrows between the packages
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

format: $(VENV)/installed ## Format the code
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format

data: $(VENV)/installed ## Fetch MNIST into the cache, if it is not there
	@$(VENV)/bin/python -m train.dataset

samples: $(VENV)/installed ## Draw the sample pages that ship, anew
	$(VENV)/bin/python -m train.samples

line: $(VENV)/installed data ## Train, convert and compare the line network: build/line (an hour)
	$(VENV)/bin/python -m train.line --resume
	$(VENV)/bin/python -m convert.line build/line
	$(VENV)/bin/python -m benchmarks lines build/line

ship: tflite line ## Fit the card's weights to build/RECIPE's int8 file, and make it the one that ships
	cp $(BUILD)/digits-int8.tflite $(BUILD)/shipped.tflite
	$(VENV)/bin/python -m convert.line build/line --into $(BUILD)/shipped.tflite
	$(VENV)/bin/python -m train.rejection --model $(BUILD)/shipped.tflite --write
	$(VENV)/bin/python -m train.line_confidence --model $(BUILD)/shipped.tflite --write
	$(VENV)/bin/python -m train.line_check --model $(BUILD)/shipped.tflite --write
	mv $(BUILD)/shipped.tflite edge_runtime/models/digits-int8.tflite

bench: ## All benchmarks with quick settings, and build/report: under ten minutes
bench-all: ## All benchmarks, and build/report: most of an hour
bench-compare: ## Is a result worse than a baseline? (ARGS='BEFORE AFTER')
bench-digits: ## All that a model is measured by (ARGS='DIR...')
bench-latency: ## Time digits, frames and starts
bench-lines: ## Compare the int8 line network with the full one
bench-pages: ## Read pictures whose digits are known (ARGS=DIR)
bench-parity: ## Compare the small models in build/RECIPE with the full one
bench-peers: ## The same weights in other runtimes
bench-readers: ## Other readers on the same pictures (ARGS='DIR...')
bench-report: ## One page of all that was measured: build/report
bench-robustness: ## Read pages under hard conditions
bench-sensitivity: ## Move each number of the reader (ARGS='--photos DIR')
bench-serve: ## Put load on the web server (needs wrk)
bench-soak: ## Read a camera for long
bench-strings: ## Read pictures of one line each (ARGS=DIR)
bench-updates: ## Change the model of a running program
bench-videos: ## Read moving pictures

# What each gets that needs something; ARGS on the command line takes its place.
bench-compare: ARGS = build
bench-pages: ARGS = edge_runtime/samples
bench-parity: ARGS = $(BUILD)

bench: $(VENV)/installed
	$(VENV)/bin/python -m benchmarks all --fast

$(BENCHES): bench-%: $(VENV)/installed
	$(VENV)/bin/python -m benchmarks $* $(ARGS)

fuzz: $(VENV)/installed ## Feed garbage to the decoder and the reader (FUZZ_RUNS=100000)
	$(VENV)/bin/python $(PIP_INSTALL) --require-hashes --requirement requirements/fuzz.txt
	$(VENV)/bin/python tests/edge_runtime/sources/fuzz_read.py -atheris_runs=$(or $(FUZZ_RUNS),100000) -timeout=1

bundle: $(VENV)/installed ## Pack all that a Raspberry Pi needs, without internet: dist/
	$(VENV)/bin/python -m deploy bundle $(if $(MACHINE),--machine $(MACHINE))

deploy: $(VENV)/installed $(ANSIBLE)/installed ## Install it on HOST=user@pi and start it (DRY_RUN=1: only say how)
	@$(VENV)/bin/python -m deploy to $(or $(HOST),$(error HOST=user@pi is needed)) $(if $(DRY_RUN),--dry-run) $(DEPLOY_OPTIONS)

fleet: $(VENV)/installed $(ANSIBLE)/installed ## PLAYBOOK=install|model|rollback|status on the computers of INVENTORY=FILE
	@$(VENV)/bin/python -m deploy fleet $(or $(PLAYBOOK),$(error PLAYBOOK=install, model, rollback or status is needed)) \
	  --inventory $(or $(INVENTORY),$(error INVENTORY=FILE is needed)) $(if $(DRY_RUN),--dry-run) $(FLEET_OPTIONS)

lock: ## Refresh the lock files (needs uv)
	requirements/lock

clean: ## Remove what was built; .venv and the data cache stay
	rm -rf build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

# Several targets of one pattern rule are made by one run of it, in every version of make.
build/%/digits.keras: $(wildcard train/*.py) | $(VENV)/installed
	$(VENV)/bin/python -m train --recipe $* --seed $(SEED) --output build/$* \
	  $(if $(wildcard build/$*/checkpoint.npz),--resume)

build/%/digits-float32.tflite build/%/digits-float16.tflite build/%/digits-dynamic.tflite build/%/digits-int8.tflite: \
    build/%/digits.keras $(wildcard convert/*.py)
	$(VENV)/bin/python -m convert build/$* --force

# Only a gate that was passed leaves its mark: one that failed fails again.
build/%/parity.ok: build/%/digits-float32.tflite build/%/digits-float16.tflite build/%/digits-dynamic.tflite \
    build/%/digits-int8.tflite benchmarks/accuracy/gate.py benchmarks/accuracy/parity.py benchmarks/common/full.py benchmarks/thresholds.toml
	$(VENV)/bin/python -m benchmarks parity build/$*
	@touch $@

$(VENV)/installed: requirements/dev.txt pyproject.toml
	$(call make_venv,$(VENV),13,TensorFlow)
	$(VENV)/bin/python $(PIP_INSTALL) --require-hashes --requirement requirements/dev.txt
	$(VENV)/bin/python $(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/micro: requirements/micro.txt $(VENV)/installed
	$(VENV)/bin/python $(PIP_INSTALL) --no-deps --require-hashes --requirement requirements/micro.txt
	@touch $@

$(RUNTIME)/installed: requirements/runtime.txt pyproject.toml $(RUNTIME_FILES)
	$(call make_venv,$(RUNTIME),14,LiteRT)
	$(RUNTIME)/bin/python $(PIP_INSTALL) --require-hashes --requirement requirements/runtime.txt
	$(RUNTIME)/bin/python $(PIP_INSTALL) --no-deps --no-build-isolation --force-reinstall .
	@touch $@

$(RUNTIME)/serving: requirements/serve.txt $(RUNTIME)/installed
	$(RUNTIME)/bin/python $(PIP_INSTALL) --require-hashes --requirement requirements/serve.txt
	@touch $@

$(ANSIBLE)/installed: requirements/fleet.txt
	$(call make_venv,$(ANSIBLE),14,Ansible)
	$(ANSIBLE)/bin/python $(PIP_INSTALL) --require-hashes --requirement requirements/fleet.txt
	@touch $@

# make_venv DIRECTORY, the last minor version of Python 3 that it may have, and the package that this depends on
define make_venv
@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, $(2)))' || \
  { echo 'error: $(3) needs Python 3.11 to 3.$(2): make PYTHON=python3.12' >&2; exit 1; }
@echo 'Installing into $(1), once; it takes a minute or two.'
@$(PYTHON) -m venv $(1) || { echo 'error: python3 cannot make virtual environments: apt install python3-venv' >&2; exit 1; }
endef
