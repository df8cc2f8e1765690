"""Pruning: what a network loses without some of its weights, and a smaller one that pays."""
