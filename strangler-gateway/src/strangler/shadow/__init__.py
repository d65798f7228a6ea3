"""Two answers to one question: what differs, whether that is noise, and what may be said of it; no socket, no clock."""
