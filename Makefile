# Two commands are all a newcomer needs: `make run` and `make test`. Both set up what they use.

PYTHON ?= python3
VENV ?= .venv
# For the tests CPU torch comes first: whatever names torch afterwards is content with it. `make run` needs it
# only where the compiled engine does not build. Where PyPI's build of torch brings CUDA along, name PyTorch's own
# CPU wheels: make run TORCH_FLAGS="--index-url <the CPU wheel index>".
TORCH ?= torch==2.13.0
TORCH_FLAGS ?=
PORT ?= 8000

PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check -q

.PHONY: replicas run demo test native native-test native-law scale-test lint lint-python lint-page types types-python types-tests types-page test-page fuzz picture benchmark load train wheel sbom audit secrets container openapi docs lock clean

run: $(VENV)/service.stamp
	$(PY) examples/demo.py --port $(PORT)

demo: $(VENV)/service.stamp
	$(PY) examples/demo.py --stop --port 0

test: $(VENV)/dev.stamp native lint types test-page
	$(PY) -m pytest -q

# The compiled engine, in place. Without a compiler it says so, and torch computes.
native: $(VENV)/native.stamp

# The engine under address and undefined-behaviour sanitizers, on all that its tests make of it. NATIVE_FLAGS: for
# another processor than the plain one, say "-mavx2 -mfma".
NATIVE_FLAGS ?=
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all
SANITIZED := $(patsubst model/native/%.cpp,build/sanitized/%.o,$(wildcard model/native/*.cpp))

build/sanitized/%.o: model/native/%.cpp $(wildcard model/native/*.h)
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O2 -g -fPIC -Wall -Wextra -Werror $(SANITIZERS) $(NATIVE_FLAGS) -c $< -o $@

build/sanitized/libmizzle.so: $(SANITIZED)
	$(CXX) -shared $(SANITIZERS) $^ -o $@

native-test: $(VENV)/dev.stamp build/sanitized/libmizzle.so
	MIZZLE_NATIVE_LIBRARY=build/sanitized/libmizzle.so OMP_NUM_THREADS=1 ASAN_OPTIONS=detect_leaks=0 \
	  LD_PRELOAD="$$($(CXX) -print-file-name=libasan.so) $$($(CXX) -print-file-name=libstdc++.so)" \
	  $(PY) -m pytest -q tests/model/native -k 'not from_these_sources and not out_of_memory'

# The law that both paths agree, on all that it is for; `make test` has a sample. About half an hour.
native-law: $(VENV)/dev.stamp native
	MIZZLE_NATIVE_LAW=1 OMP_NUM_THREADS=1 $(PY) -m pytest -qs tests/model/native/test_native_agreement.py

# Ray on a cluster of two nodes, at full size; `make test` has a sample where Ray is installed. About half an hour.
scale-test: $(VENV)/ray.stamp native
	MIZZLE_SCALE_TEST=1 $(PY) -m pytest -qs tests/sdk/executors/test_ray.py

$(VENV)/ray.stamp: $(VENV)/dev.stamp
	$(PIP) install -e '.[dev,ray]'
	@touch $@

lint: lint-python lint-page

lint-python: $(VENV)/dev.stamp
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

# What checks the page comes from npm, and the page itself needs none of it. Where npm or its registry is out of
# reach, these checks are skipped and say so.
NPM_RUN = @if [ -e node_modules/tools.stamp ]; then npm run --silent $(1); \
  else echo 'make $@: skipped, as npm or its registry is out of reach'; fi

lint-page: node_modules/tools.stamp
	$(call NPM_RUN,lint)

types: types-python types-tests types-page

types-page: node_modules/tools.stamp
	$(call NPM_RUN,types)

# The page's modules that need no browser.
test-page:
	@if node -e 'process.exit(+(parseInt(process.versions.node) < 20))' 2>/dev/null; \
	then node --test --test-reporter=spec tests/page/unit/*.test.js; \
	else echo 'make $@: skipped, as there is no Node.js 20 or newer'; fi

# Every parser of bytes on damaged bodies, for so many seconds in all; a body that breaks a law is put into the
# corpus. TARGETS="npy csv": of some parsers alone.
FUZZ_SECONDS ?= 300
TARGETS ?=
fuzz: $(VENV)/fuzz.stamp
	$(PY) tests/fuzz/fuzz.py --seconds $(FUZZ_SECONDS) $(TARGETS)

# The editable install is an import hook that type checkers cannot follow: show them a tree of links.
types-python: $(VENV)/dev.stamp
	@rm -rf build/types && mkdir -p build/types/mizzle
	@ln -s '$(CURDIR)'/sdk/* build/types/mizzle/
	@for room in service model metadata_gen; do ln -s '$(CURDIR)'/$$room build/types/mizzle/$$room; done
	MYPYPATH=build/types $(VENV)/bin/mypy -p mizzle
	MYPYPATH=build/types:examples:benchmarks:deploy $(VENV)/bin/mypy train.py train_labels.py train_conditional.py examples/*.py benchmarks/*.py deploy/*.py
	MYPYPATH=build/types:docs/hooks $(VENV)/bin/mypy docs/hooks/*.py

# What tests share is imported by bare names, as pytest finds it; the tests themselves are modules of `tests`.
types-tests: types-python
	@rm -rf build/types-tests && mkdir -p build/types-tests
	@find '$(CURDIR)/tests' -name '*.py' ! -name conftest.py -exec ln -s {} build/types-tests \;
	MYPYPATH=build/types:build/types-tests:benchmarks:deploy:. $(VENV)/bin/mypy --explicit-package-bases \
	  $$(find tests -name 'test_*.py' -o -name conftest.py)

picture: $(VENV)/dev.stamp
	$(PY) examples/picture.py docs/breast_cancer.png
	$(PY) examples/page_picture.py docs/playground.png

# Minutes, on a fixed part of the problems. FULL=1: all of them, with networks trained beside; its results are
# what the README and the pictures are made from.
benchmark: $(VENV)/dev.stamp
	$(PY) benchmarks/export_bmi.py $(if $(FULL),,--reduced)
	$(PY) benchmarks/export_mist.py $(if $(FULL),,--reduced)
	$(if $(FULL),$(PY) benchmarks/neural_peers.py --reduced)
	$(PY) benchmarks/accuracy.py $(if $(FULL),,--quick)
	$(PY) benchmarks/real_data.py $(if $(FULL),,--quick)
	$(PY) benchmarks/consistency.py $(if $(FULL),,--quick)
	$(PY) benchmarks/speed.py $(if $(FULL),,--quick)
	$(PY) benchmarks/tables_speed.py $(if $(FULL),,--quick)
	$(PY) benchmarks/generator_speed.py $(if $(FULL),,--quick)
	$(if $(FULL),$(PY) benchmarks/designs.py)
	$(if $(FULL),$(PY) benchmarks/figures.py)
	$(if $(FULL),$(PY) benchmarks/readme.py)

# How the service holds up; SOAK=1 adds 200,000 requests, and ATTACK=1 is what hostile callers may do instead.
load: $(VENV)/dev.stamp
	$(PY) benchmarks/load.py $(if $(ATTACK),--attack) $(if $(SOAK),--soak)

# Replicas behind a proxy, on one PostgreSQL server, while they are killed and started: what is lost, or done twice.
replicas: $(VENV)/dev.stamp
	$(PY) benchmarks/replicas.py

train: $(VENV)/dev.stamp
	$(PY) train.py --out runs/base

wheel: $(VENV)/dev.stamp
	rm -rf build/lib*
	$(PIP) wheel --no-deps -w dist .

# Bills of materials (CycloneDX) in build/sbom: the wheel's, which lies in it, and that of what the image installs.
sbom: $(VENV)/dev.stamp
	rm -rf build/sbom && mkdir -p build/sbom
	$(PY) -c 'from setuptools import build_meta; build_meta.prepare_metadata_for_build_wheel("build/sbom")' >/dev/null 2>&1
	mv build/sbom/*.dist-info/sboms/*.json build/sbom/wheel.cdx.json && rm -r build/sbom/*-info
	$(PY) -m cyclonedx_py requirements --pyproject pyproject.toml --output-reproducible \
	  -o build/sbom/service.cdx.json deploy/requirements.txt

# Known faults of what is locked and of the page's libraries. Where their database is out of reach it says so; in a
# release, where it must not be: AUDIT_FLAGS=--online.
audit: $(VENV)/dev.stamp
	$(PY) deploy/audit.py $(AUDIT_FLAGS) '$(TORCH)'

secrets: $(VENV)/dev.stamp
	$(PY) deploy/secret_scan.py

# Builds the image for real and runs it; as root, on Debian with buildah, debootstrap and iproute2.
container:
	$(PYTHON) deploy/container_test.py

# The documentation as a site, in build/site.
docs: $(VENV)/dev.stamp
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict

# What docs/ says of the HTTP interface, the settings and the decisions, to be committed with what changes them.
openapi: $(VENV)/dev.stamp
	$(PY) deploy/write_pages.py

# By hash: what the image installs besides torch, whose own needs are read from its CPU wheel, and what builds and
# publishes. Where PyTorch's index of CPU wheels is out of reach, name a folder with the wheel:
# make lock LOCK_FLAGS="--find-links DIR". What is locked stays as it is, or comes in its newest version: UPGRADE=1.
LOCK_FLAGS ?= --torch-backend cpu
COMPILE = $(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate \
  --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade)
SERVICE = --extra otel --extra postgres pyproject.toml
lock: $(VENV)/dev.stamp
	$(PIP) install --require-hashes -r deploy/requirements-build.txt
	$(COMPILE) --group build -o deploy/requirements-build.txt
	$(COMPILE) --group release -o deploy/requirements-release.txt
	$(COMPILE) $(SERVICE) -o deploy/requirements.txt
	echo '$(TORCH)+cpu' | $(COMPILE) $(SERVICE) --no-emit-package torch $(LOCK_FLAGS) --constraints - --extra local \
	  -o deploy/requirements-torch.txt

$(VENV)/venv.stamp:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mizzle needs Python 3.11 or newer; say make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/torch.stamp: $(VENV)/venv.stamp
	$(PIP) install $(TORCH_FLAGS) '$(TORCH)'
	@touch $@

# This builds the compiled engine; where it does not, torch has to answer, and the second line says why.
$(VENV)/service.stamp: $(VENV)/venv.stamp pyproject.toml
	$(PIP) install -e '.[service,cli,plot]'
	$(PY) -c 'import sys; from mizzle.estimator import compiled; sys.exit(compiled().reason)' \
	  || { $(PIP) install $(TORCH_FLAGS) '$(TORCH)' && $(PIP) install -e '.[local]'; }
	@touch $@

$(VENV)/dev.stamp: $(VENV)/torch.stamp pyproject.toml
	$(PIP) install -e '.[dev]'
	@touch $@ $(VENV)/service.stamp

# Where there is no wheel of atheris, damages are drawn without seeing which lines they reach.
$(VENV)/fuzz.stamp: $(VENV)/dev.stamp
	$(PIP) install -e '.[dev,fuzz]' || echo 'make fuzz: atheris cannot be installed; going on without it'
	@touch $@

$(VENV)/native.stamp: $(VENV)/dev.stamp setup.py $(wildcard model/native/*.cpp model/native/*.h)
	$(PY) setup.py -q build_ext --inplace
	@touch $@

node_modules/tools.stamp: package.json package-lock.json
	@if command -v npm >/dev/null; then npm ci --loglevel=error && touch $@; fi || true

clean:
	rm -rf $(VENV) node_modules build dist *.egg-info
