"""Guesses about a file of ratings, written down as a dataset.yaml to be completed."""
