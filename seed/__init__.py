"""The synthetic data of a tier: pure rows, COPY, checksum, verification."""
