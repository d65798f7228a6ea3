"""Stock, adjustments and reservations."""
