"""Executor: runs jobs, each a process of its own, on this machine or on several."""
