"""Metrics of policies: who was let in, who was turned away, who was held, and why."""
