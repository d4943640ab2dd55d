"""Public datasets: which there are, how they are downloaded, verified and unpacked."""
