"""The three HTTP faces, and what HTTP itself demands of all of them."""
