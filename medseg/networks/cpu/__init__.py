"""Faster CPU forms of torch operators."""
