"""Configs read as plain data: ids, references, components, and expressions on abstract values."""
