"""Starts, watches and replaces the processes of a gateway; holds the listening sockets; answers for their health."""
