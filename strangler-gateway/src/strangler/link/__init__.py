"""The control link: one versioned stream protocol between workers, control, supervisor and command line."""
