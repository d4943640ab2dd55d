"""Logistic regression with random intercepts, by maximum likelihood."""
