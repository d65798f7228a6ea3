"""The documents are run: their commands in a real shell against a real gateway, their outputs compared."""
