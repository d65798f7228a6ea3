"""Proofs that span the whole gateway: real processes, real signals, real load."""
