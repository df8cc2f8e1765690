"""Writing: a new bundle, complete, from numbers and names or from another bundle."""
