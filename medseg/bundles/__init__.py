"""Bundles: the contract between configs, weights and MONAI's runner."""
