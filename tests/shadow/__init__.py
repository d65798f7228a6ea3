"""Comparing as a whole: what it must find, what it must not, and what must not get out of it."""
