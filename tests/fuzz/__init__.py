"""Fuzzers: files made wrong by chance, held against an independent reader. `make fuzz` runs on."""
