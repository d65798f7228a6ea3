"""How many pairs of answers one comparator compares in a second."""
