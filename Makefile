# Two commands set everything up: `make demo` and `make test`.
PYTHON ?= python3
DEMO = .venv/bin
DEV = .venv-dev/bin

.PHONY: demo test check docs bench tools clean

demo: .venv/.done
	$(DEMO)/isocenter demo --out demo-out

.venv/.done: pyproject.toml
	$(PYTHON) -m venv .venv
	$(DEMO)/python -m pip install --quiet --disable-pip-version-check --no-compile --editable .
	touch $@

.venv-dev/.done: pyproject.toml
	$(PYTHON) -m venv .venv-dev
	$(DEV)/python -m pip install --quiet --disable-pip-version-check --editable ".[server,train,dev]"
	touch $@

tools:
	sh tools/install_system_tools.sh

check: .venv-dev/.done
	$(DEV)/ruff check .
	$(DEV)/ruff format --check .
	$(DEV)/mypy

test: .venv-dev/.done tools check
	$(DEV)/python -m pytest -n 2

docs: .venv-dev/.done
	$(DEV)/python -m pytest tests/test_docs.py

bench: .venv-dev/.done
	$(DEV)/isocenter bench

clean:
	rm -rf .venv .venv-dev demo-out
