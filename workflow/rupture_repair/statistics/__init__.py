"""Statistics that can be compared with R: mixed models, logistic models, pooling, reliability."""
