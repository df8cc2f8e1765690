"""Store of installed bundles, and how they come into it."""
