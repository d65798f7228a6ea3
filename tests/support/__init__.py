"""Machinery that tests share: real processes and real databases, each started for a test and ended after it."""
