# Two commands on a fresh machine (Python 3.10 or newer, pip, make):
#   make demo   installs what serving needs (0.6 GB) and runs the main job on a built-in input
#   make test   installs what development needs (2.8 GB), checks the code and runs the tests
# Both share .venv; an install is repeated only when pyproject.toml or constraints.txt changed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Python compiles the modules that are imported; compiling all that are installed takes half a minute more.
PIP := $(BIN)/pip install --disable-pip-version-check --quiet --no-compile --constraint constraints.txt

.PHONY: demo test pytest soak lint chromium bench pose-figures clean

demo: $(VENV)/serve.installed
	$(BIN)/mar-edge demo

# The linters run beside the tests: mypy uses one core only.
test: $(VENV)/dev.installed chromium
	$(MAKE) --jobs=2 --no-print-directory lint pytest

# Compiled modules are kept, whatever this machine does otherwise: compiling them takes seconds in each process.
pytest: $(VENV)/dev.installed
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

# Tests that repeat many times what other tests do a few times; takes minutes.
soak: $(VENV)/dev.installed
	$(BIN)/pytest -m soak

lint: $(VENV)/dev.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Tests of the page run in Chromium. If it is missing and cannot be installed, they are skipped.
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq \
	&& DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; } \
	|| echo "no Chromium here, and no way to install it: the tests of the page will be skipped"

bench: $(VENV)/dev.installed
	$(BIN)/python benchmarks/latency.py

# Figures of docs/pose.md and docs/benchmarks.md about pose and live use: a quarter of an hour on an idle machine.
# VIDEO: a video of one person. The comparison with MediaPipe needs mediapipe, and is left out without it.
pose-figures: $(VENV)/dev.installed
	$(BIN)/mar-edge bench --pose holistic --people 1,2,4,8 --threads 1
	$(BIN)/mar-edge bench --pose holistic --people 1,2 --threads 1 --runtime onnxruntime --runtime openvino
	$(BIN)/python benchmarks/latency.py $(if $(VIDEO),--video $(VIDEO))
	$(BIN)/python benchmarks/cameras.py
	$(if $(VIDEO),$(BIN)/python benchmarks/cameras.py --cameras 1 --rounds 3 --video $(VIDEO))
	$(BIN)/python benchmarks/small_people.py $(VIDEO)
	$(if $(VIDEO),-$(BIN)/python benchmarks/pose_parity.py $(VIDEO))

$(BIN)/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/serve.installed: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing what serving needs into $(VENV): 0.6 GB on disk; about a minute after the download."
	$(PIP) --editable '.[web]'
	touch $@

$(VENV)/dev.installed: pyproject.toml constraints.txt | $(BIN)/pip
	@echo "Installing what development needs into $(VENV): 2.8 GB on disk; several minutes."
	$(PIP) --editable '.[dev]'
	touch $@ $(VENV)/serve.installed

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache *.egg-info
