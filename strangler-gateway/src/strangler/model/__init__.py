"""Frozen values that every room shares; knows the standard library only and does no I/O."""
