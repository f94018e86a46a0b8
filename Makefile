# `make lab`: install, then the quick start from text to report.   `make test`: install what is missing, then the tests.
# `make vocabularies`: fetch published tokenizers (o200k, Gemma 3, …) to compare with, into ~/.cache/kathalab.
# `make study STUDY=studies/pratham.yaml DATA=PATH`: another study, with the path to its data.

PYTHON ?= python3
CORES  ?= $(shell nproc 2>/dev/null || sysctl -n hw.ncpu 2>/dev/null || echo 2)
TORCH  ?= 2.13.0
STUDY  ?= studies/quickstart.yaml
DATA   ?=
BIN    := .venv/bin
PIP    := $(BIN)/python -m pip install --disable-pip-version-check --quiet
NAME    = $(basename $(notdir $(STUDY)))

.PHONY: lab study vocabularies test check clean

lab: study

study: .venv/installed
	@$(BIN)/snakemake --quiet rules host --cores $(CORES) --rerun-incomplete --keep-incomplete \
	  --configfile $(STUDY) --config data="$(DATA)" threads_in_all=$(CORES)
	@echo "What the study found is in" $$(ls -t $(CURDIR)/results/$(NAME)/report.html \
	  $(CURDIR)/results/$(NAME)/scaling/*/scaling.png $(CURDIR)/results/$(NAME)/arms.json \
	  $(CURDIR)/results/$(NAME)/prompts/report.html 2>/dev/null | head -1)

vocabularies: .venv/installed
	@$(BIN)/kathalab tokenization unpack

test: .venv/installed-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(CORES) --maxprocesses 4 --dist loadfile

# Linting, the import contract and the type check, as CI runs them.
check: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

.venv/torch:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Kathalab needs Python 3.11 or newer; give one with make PYTHON=/path/to/python3 $(MAKECMDGOALS)"; exit 1; }
	@echo "Making .venv and installing PyTorch ..."
	@$(PYTHON) -m venv .venv
	@# Without a GPU the CPU build: from a local package folder if there is one, else from PyTorch's own index.
	@if nvidia-smi >/dev/null 2>&1; then $(PIP) "torch==$(TORCH)"; else \
	  $(PIP) "torch==$(TORCH)+cpu" 2>/dev/null || \
	  $(PIP) "torch==$(TORCH)" --index-url https://download.pytorch.org/whl/cpu --retries 1 --timeout 20 2>/dev/null || \
	  $(PIP) "torch==$(TORCH)"; fi
	@touch $@

.venv/installed: .venv/torch pyproject.toml
	@echo "Installing Kathalab and its libraries ..."
	@$(PIP) "torch==$(TORCH)" --editable .
	@touch $@

.venv/installed-test: .venv/installed pyproject.toml
	@echo "Installing what the tests need ..."
	@$(PIP) "torch==$(TORCH)" --editable ".[test]"
	@touch $@

clean:
	rm -rf results .snakemake
