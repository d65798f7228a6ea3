"""How often a route may be asked: arithmetic, buckets, and the guards that ask them."""
