"""The cases of the contract, as data."""
