# The commands of this project. Each builds the environment first where it is missing.

PYTHON ?= python3.11
CORES ?= $(shell nproc 2>/dev/null || echo 2)
# test processes: two more than cores, for many tests wait for other processes
WORKERS ?= $(shell expr $(CORES) + 2)
# set EXTRA=gpu to install TensorFlow with CUDA
EXTRA ?= cpu
RESULTS ?= results
BIN := .venv/bin
PEERS := .venv-peers
READY := .venv/.ready-$(EXTRA)
LOCK_cpu := requirements.txt
LOCK_gpu := requirements-gpu.txt

.PHONY: run report track test check format docs lock env clean bench bench-graph bench-peers study-surgery study-surgery-immediate study-pooling study-faults

run: $(READY)  ## run the searches of config/config.yaml and write the HTML report
	$(BIN)/snakemake --cores $(CORES) --config results=$(RESULTS)
	@$(BIN)/netsurgery results $(RESULTS)

report: $(READY)  ## write the HTML report of all searches in $(RESULTS), finished or not
	$(BIN)/netsurgery report $(RESULTS)

track: $(READY)  ## log the records to MLflow again, for example after mlflow.db was lost (STORE=uri: elsewhere)
	$(BIN)/netsurgery track $(RESULTS)$(if $(STORE), --uri $(STORE))

test: $(READY)  ## run all tests
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

check: $(READY)  ## check formatting, lint, types, the import contract and the workflow
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/snakemake --lint

docs: $(READY)  ## build the documentation site into site/; warnings are errors
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/snakefmt Snakefile workflow

# studies run on the digits and on each data excerpt that is present
STUDY = $(BIN)/snakemake --cores $(CORES) --config results=$(RESULTS) --configfile
MNIST := $(wildcard ../shared/data/mnist10k.npz)
CIFAR10 := $(wildcard ../shared/data/cifar10_15k.npz)

SURGERY = config/studies/surgery-digits.yaml $(if $(MNIST),config/studies/surgery-mnist.yaml) \
  $(if $(CIFAR10),config/studies/surgery-cifar10.yaml)

study-surgery: $(READY)  ## measure how much accuracy each operation keeps
	$(STUDY) $(SURGERY) -- study_surgery

study-surgery-immediate: $(READY)  ## the same without retraining: a few minutes
	$(STUDY) $(SURGERY) -- study_surgery_immediate

study-pooling: $(READY)  ## repeat the pooling trials of ECToNAS
	$(STUDY) config/studies/pooling-$(if $(MNIST),mnist,digits).yaml -- study_pooling

bench: $(READY)  ## measure the speed of whole searches and where time goes
	$(BIN)/python -m benchmarks.speed $(RESULTS)/bench

# resumes where it stopped; run as root, it also fills small disks
study-faults: $(READY)  ## inject faults into whole searches
	$(BIN)/python -m benchmarks.faults $(RESULTS)/faults
	$(BIN)/python -m benchmarks.faults.configs $(RESULTS)/faults
	$(BIN)/python -m benchmarks.faults.endurance $(RESULTS)/faults

bench-graph: $(READY)  ## measure Snakemake's overhead per job
	PYTHONPATH=. $(BIN)/python -m benchmarks.snakemake_overhead $(RESULTS)/graph

# resumes where it stopped; SECONDS_EACH=60 gives every run as many processor seconds
bench-peers: $(READY) $(PEERS)/.ready  ## compare netsurgery with other tools: hours
	PYTHONPATH=. $(PEERS)/bin/python -m benchmarks.peers $(RESULTS)/peers$(if $(SECONDS_EACH), --seconds $(SECONDS_EACH))
	$(BIN)/python -m benchmarks.peers.report $(RESULTS)/peers

$(PEERS)/.ready: benchmarks/peers/requirements.txt
	$(PYTHON) -m venv --clear $(PEERS)
	$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r benchmarks/peers/requirements.txt
	touch $@

env: $(READY)  ## build .venv from the lock file

$(READY): $(LOCK_$(EXTRA)) pyproject.toml
	@echo "setting up .venv: 3 GB, a few minutes"
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK_$(EXTRA))
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

lock:  ## update the lock files from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra dev --extra cluster --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-emit-index-url --no-annotate --upgrade --output-file requirements.txt
	uv pip compile pyproject.toml --extra dev --extra cluster --extra gpu --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-emit-index-url --no-annotate --constraints requirements.txt --output-file requirements-gpu.txt
	uv pip compile benchmarks/peers/requirements.in --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-emit-index-url --no-annotate --upgrade --output-file benchmarks/peers/requirements.txt

clean:  ## remove everything but the results
	rm -rf .venv $(PEERS) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache site
