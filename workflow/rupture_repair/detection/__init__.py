"""Ruptures and repairs by criteria: from courses of ratings to states of sessions and episodes."""
