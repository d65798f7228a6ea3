"""The comparator: a process that takes what workers mirror, asks the candidate, compares, and writes the ledger."""
