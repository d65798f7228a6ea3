"""Other servers, by their client libraries: each with a bounded wait, and a way to do without it. And secrets."""
