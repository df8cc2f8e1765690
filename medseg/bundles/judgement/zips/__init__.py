"""Zips of bundles: read without unpacking, and only if all readers agree."""
