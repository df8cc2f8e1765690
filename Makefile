# Everything a developer types. CI runs the same targets.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PEERS  := $(VENV)/.peers
DEMO   := runs/demo
BUNDLE := bundles/covid_lung_ct_unet3d
# The bundle's recipe in a short form: coarser voxels, 3x3x1 kernels at the two finest levels, batch
# norm, which is faster where channels come last, a rate that falls from step to step, since there
# is no time for plateaus, and Tversky weights that favour neither kind of error.
SHORT  := --epochs 15 --iterations_per_epoch 57 --val_interval 5 --spacing_mm "[3.5,3.5,5]" \
          --patch_size "[80,64,32]" --kernel_sizes "[[3,3,1],[3,3,1],3,3]" \
          --norm_kind batch --memory_format channels_last_3d \
          --schedule polynomial --learning_rate 0.004 --fn_weight 0.5 --fp_weight 0.5

.DEFAULT_GOAL := help
.PHONY: help install demo test check format bench bundles clean

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY) ## Make .venv with medseg and what it needs, under constraints.txt

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"medseg needs Python 3.11 to 3.13, and $(PYTHON) is {v[0]}.{v[1]}; set PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

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

test: $(READY) ## Run the test suite
	$(BIN)/python -m pytest

check: $(READY) ## Check format, lint, types and the bundles' copies
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

clean: ## Remove .venv and what runs left
	rm -rf $(VENV) runs build *.egg-info
