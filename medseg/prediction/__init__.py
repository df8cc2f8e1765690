"""Prediction: one case or a cohort, from inputs to files and a ledger."""
