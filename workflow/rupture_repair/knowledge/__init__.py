"""What is known of criteria, instruments and claims, kept as data, each entry with its source."""
