"""Judgement of bundles: what their files would do, read as plain data, nothing executed."""
