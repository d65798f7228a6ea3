"""Benchmarks: the gateway beside its peers, one comparator, and the same endpoints in three frameworks."""
