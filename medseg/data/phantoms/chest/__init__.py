"""Chest CT phantoms."""
