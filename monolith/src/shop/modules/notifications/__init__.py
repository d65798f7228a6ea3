"""Messages to customers, written from what the other modules say has happened."""
