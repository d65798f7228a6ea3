"""The workers: one process per slot, one event loop, one snapshot."""
