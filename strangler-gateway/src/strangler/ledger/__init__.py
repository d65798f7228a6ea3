"""What has been compared: a file that the comparator alone writes, and control and command line read."""

FILE = "ledger.db"
"""Its name in the state folder."""
