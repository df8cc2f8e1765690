"""Forecast: seconds and memory of a training, from real steps of the bundle on this machine."""
