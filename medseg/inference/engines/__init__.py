"""Inference engines: torch and OpenVINO, and the check of one against the other."""
