# The commands of this project. `make env` is done first wherever it is missing.

PYTHON ?= python3.11
CORES ?= $(shell nproc 2>/dev/null || echo 2)
# set EXTRA=gpu to install TensorFlow with CUDA
EXTRA ?= cpu
RESULTS ?= results
BIN := .venv/bin
READY := .venv/.ready-$(EXTRA)
LOCK_cpu := requirements.txt
LOCK_gpu := requirements-gpu.txt

.PHONY: run report track test check format lock env clean bench bench-graph study-surgery study-right-after study-pooling study-faults

run: $(READY)  ## the searches of config/config.yaml, and the HTML report
	$(BIN)/snakemake --cores $(CORES) --config results=$(RESULTS)
	@$(BIN)/netsurgery results $(RESULTS)

report: $(READY)  ## one HTML file about all searches in $(RESULTS), as far as they are
	$(BIN)/netsurgery report $(RESULTS)

track: $(READY)  ## tell MLflow anew what the records say: a store that was lost, or another
	$(BIN)/netsurgery track $(RESULTS)$(if $(STORE), --uri $(STORE))

test: $(READY)  ## all tests
	$(BIN)/pytest --numprocesses $(CORES) --dist loadfile

check: $(READY)  ## formatters, linters, types and the workflow's own linter
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	$(BIN)/snakemake --lint

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/snakefmt Snakefile workflow

# a study runs on the digits, and on each excerpt that is there
STUDY = $(BIN)/snakemake --cores $(CORES) --config results=$(RESULTS) --configfile
MNIST := $(wildcard ../shared/data/mnist10k.npz)
CIFAR10 := $(wildcard ../shared/data/cifar10_15k.npz)

SURGERY = config/studies/surgery-digits.yaml $(if $(MNIST),config/studies/surgery-mnist.yaml) \
  $(if $(CIFAR10),config/studies/surgery-cifar10.yaml)

study-surgery: $(READY)  ## how much of trained networks outlives each operation (docs/surgery-study.md)
	$(STUDY) $(SURGERY) -- study_surgery

study-right-after: $(READY)  ## the same without the training that follows: a few minutes
	$(STUDY) $(SURGERY) -- study_right_after

study-pooling: $(READY)  ## ECToNAS's pooling trials (docs/surgery-study.md)
	$(STUDY) config/studies/pooling-$(if $(MNIST),mnist,digits).yaml -- study_pooling

bench: $(READY)  ## how fast whole searches are, and where their time goes (docs/performance.md)
	$(BIN)/python -m benchmarks.speed $(RESULTS)/bench

# stopped, it goes on where it was; as root it fills small disks, too
study-faults: $(READY)  ## whole searches with faults, wrong configurations, a long run (docs/faults.md)
	$(BIN)/python -m benchmarks.faults $(RESULTS)/faults
	$(BIN)/python -m benchmarks.faults.configs $(RESULTS)/faults
	$(BIN)/python -m benchmarks.faults.endurance $(RESULTS)/faults

bench-graph: $(READY)  ## what Snakemake costs a job, by the number of searches (docs/clusters.md)
	PYTHONPATH=. $(BIN)/python -m benchmarks.snakemake_overhead $(RESULTS)/graph

env: $(READY)  ## .venv with the locked versions

$(READY): $(LOCK_$(EXTRA)) pyproject.toml
	@echo "setting up .venv: 3 GB, a few minutes"
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK_$(EXTRA))
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

lock:  ## resolve pyproject.toml anew (needs uv)
	uv pip compile pyproject.toml --extra dev --extra cluster --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-emit-index-url --no-annotate --upgrade --output-file requirements.txt
	uv pip compile pyproject.toml --extra dev --extra cluster --extra gpu --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-emit-index-url --no-annotate --constraints requirements.txt --output-file requirements-gpu.txt

clean:  ## everything but the results
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache
