"""Sharing of bundles: pack, sign, verify, test, install and publish."""
