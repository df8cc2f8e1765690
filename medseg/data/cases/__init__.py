"""Training cases: preparation, caching, sampling."""
