"""Mending: what is wrong with a data set and can be corrected without a guess, in a new folder."""
