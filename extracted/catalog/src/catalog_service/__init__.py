"""The catalog, extracted from the shop."""
