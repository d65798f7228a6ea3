"""What a team installs in its monolith and services; standard library, and SQLAlchemy to follow what is written."""
