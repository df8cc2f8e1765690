"""Prediction of one case or a cohort: from input files to labels and a ledger."""
