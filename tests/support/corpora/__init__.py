"""Requests and answers that were written for the tests: valid, odd, and doubtful ones, as tables."""
