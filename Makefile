# Everything a developer types. CI runs the same targets.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PEERS  := $(VENV)/.peers
DEMO   := runs/demo
WHEELS := .gpu-wheels
TOOLS  := .tools
# Threads that wait for each other sleep, as under `medseg`: spinning, they are slow where anything else runs.
export OMP_WAIT_POLICY ?= PASSIVE
# Of the machine with the GPU: `python3 -V` there.
GPU_PYTHON ?= 3.12
BUNDLE := bundles/covid_lung_ct_unet3d
# The bundle's recipe in a short form: coarser voxels, 3x3x1 kernels at the two finest levels, batch
# norm, which is faster where channels come last, a rate that falls from step to step, since there
# is no time for plateaus, and Tversky weights that favour neither kind of error.
SHORT  := --epochs 15 --iterations_per_epoch 57 --val_interval 5 --spacing_mm "[3.5,3.5,5]" \
          --patch_size "[80,64,32]" --network_def\#kernel_sizes "[[3,3,1],[3,3,1],3,3]" \
          --network_def\#norm_kind batch --network\#memory_format channels_last_3d \
          --schedule polynomial --learning_rate 0.004 --loss\#fn_weight 0.5 --loss\#fp_weight 0.5

.DEFAULT_GOAL := help
.PHONY: help install lock audit demo test fuzz check format bench bundles gpu gpu-wheels clean

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY) ## Make .venv with medseg and what it needs, by the hashes of requirements.txt

# Torch apart, without a hash: which of its files it is depends on the machine (CPU or CUDA), and not all of them are on PyPI.
$(READY): pyproject.toml requirements.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"medseg needs Python 3.11 to 3.13, and $(PYTHON) is {v[0]}.{v[1]}; set PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m pip check
	@touch $@

$(TOOLS)/.ready: .ci/tools.txt
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --require-hashes --no-deps --requirement .ci/tools.txt
	@touch $@

lock: $(TOOLS)/.ready ## Write the hashes of requirements.txt anew, after a change of constraints.txt or pyproject.toml
	.ci/lock $(TOOLS)/bin/uv

audit: $(READY) ## Ask PyPI for known vulnerabilities of constraints.txt; says so if it does not answer
	@$(BIN)/python .ci/audit.py $(TOOLS)

demo: $(READY) ## Train on phantoms, score unseen ones, predict one: a few minutes on a CPU
	@rm -rf $(DEMO)
	$(BIN)/medseg data phantom $(DEMO)/data --cases 40 --test 8 --folds 16
	$(BIN)/python -m monai.bundle run training --config_file $(BUNDLE)/configs/train.yaml \
	    --dataset_dir $(DEMO)/data --ckpt_dir $(DEMO)/models --output_dir $(DEMO)/training $(SHORT)
	$(BIN)/medseg predict $(BUNDLE) $(DEMO)/data/images/phantom_032.nii.gz \
	    --weights $(DEMO)/models/model.safetensors -o $(DEMO)/predicted
	$(BIN)/python -m monai.bundle run evaluating \
	    --config_file "['$(BUNDLE)/configs/train.yaml','$(BUNDLE)/configs/evaluate.yaml']" \
	    --dataset_dir $(DEMO)/data --ckpt_dir $(DEMO)/models --output_dir $(DEMO)/scores --split test
	@echo "overlay: $(DEMO)/predicted/phantom_032_overlay.png"
	@echo "curves:  $(DEMO)/training/curves.png"
	@echo "scores:  $(DEMO)/scores/scores.csv"

test: $(READY) ## Run the test suite, in one process or in JOBS=4
	$(BIN)/python -m pytest --numprocesses $(or $(JOBS),0) --dist worksteal

fuzz: $(READY) ## Read files made wrong by chance, for MINUTES=10, with SEED=1, of TARGET=nifti or all
	$(BIN)/python -m tests.fuzz --minutes $(or $(MINUTES),10) --seed $(or $(SEED),1) --target $(or $(TARGET),all)

check: $(READY) audit ## Check format, lint, types and the bundles' copies; audit the dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/medseg bundle sync --check

format: $(READY) ## Format and mend what ruff can mend, sync the bundles' copies
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	$(BIN)/medseg bundle sync

bundles: $(READY) ## Hold the bundles to MONAI's contract
	$(BIN)/python -m pytest tests/bundles

$(PEERS): $(READY) benchmarks/peers.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-deps --requirement benchmarks/peers.txt
	@touch $@

bench: $(PEERS) ## Measure against peers; results go to benchmarks/RESULTS.md by hand
	$(BIN)/python -m benchmarks.precision
	$(BIN)/python -m benchmarks.augmentation
	$(BIN)/python -m benchmarks.intensity
	$(BIN)/python -m benchmarks.training_step
	$(BIN)/python -m benchmarks.training
	$(BIN)/python -m benchmarks.loading
	$(BIN)/python -m benchmarks.engines
	$(BIN)/python -m benchmarks.export --classes 25
	$(BIN)/python -m benchmarks.inference

gpu: $(READY) ## Check and measure on this machine's GPU, in eight minutes at most
	PYTHON=$(BIN)/python benchmarks/gpu.sh

# For a machine that has torch and no network: WHEELS=$(WHEELS) benchmarks/gpu.sh there. pip takes
# exact names of platforms only.
gpu-wheels: $(READY) ## Download what `make gpu` needs beside torch, for Python GPU_PYTHON=3.12
	rm -rf $(WHEELS)
	$(BIN)/python -m pip download --quiet --no-deps --only-binary :all: --dest $(WHEELS) \
	    --implementation cp --python-version $(GPU_PYTHON) \
	    $(foreach n,2_28 2_27 2_24 2_17,--platform manylinux_$(n)_x86_64) --platform manylinux2014_x86_64 \
	    --requirement benchmarks/gpu_wheels.txt
	@du -sh --apparent-size $(WHEELS)

clean: ## Remove .venv and what runs left
	rm -rf $(VENV) $(WHEELS) $(TOOLS) runs build *.egg-info
