"""The admin API: one file per resource, problem+json for every error."""
