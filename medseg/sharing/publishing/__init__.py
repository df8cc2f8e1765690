"""Shares, registries and the hub, and publication there."""
