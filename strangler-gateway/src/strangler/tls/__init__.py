"""TLS on both sides: contexts from files, files that change, and a transport that behaves as a plain one does."""
