"""The catalog, extracted from the shop."""

__version__ = "0.1.0"
