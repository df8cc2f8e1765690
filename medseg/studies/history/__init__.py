"""Histories of trainings: their logs, and the epoch at which each could have stopped."""
