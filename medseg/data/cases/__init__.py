"""Cases in training: prepared, cached, drawn."""
