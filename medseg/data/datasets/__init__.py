"""Data sets: pairing, checks, folds, statistics, manifests of the user's own folders."""
