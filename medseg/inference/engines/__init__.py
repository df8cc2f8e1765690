"""Inference engines: torch and OpenVINO, checked against each other."""
