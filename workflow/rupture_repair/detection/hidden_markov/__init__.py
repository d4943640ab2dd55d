"""The hidden Markov model of calm and ruptured sessions."""
