"""Measures the same endpoints of two or more servers: that they answer alike, then how fast, how sure, at what cost."""
