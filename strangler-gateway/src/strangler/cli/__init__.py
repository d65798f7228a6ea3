"""The command line ``strangler``: one file per command. Heavy imports stand inside the commands that need them."""
