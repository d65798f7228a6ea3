"""The reference monolith: what a team has before it starts."""
