"""Fingerprint of a data set: what a plan has to know of it, measured once a case."""
