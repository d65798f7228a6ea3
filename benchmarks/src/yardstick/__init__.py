"""Benchmarks: the gateway beside its peers."""
