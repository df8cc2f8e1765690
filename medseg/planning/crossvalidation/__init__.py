"""Cross-validation: all folds trained, every case predicted by a network that had not seen it."""
