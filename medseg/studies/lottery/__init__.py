"""Lottery ticket: can a pruned network be trained from its first weights as well as the whole?"""
