"""Tests of lottery studies."""
