"""What a team installs in its monolith and services; standard library only."""
