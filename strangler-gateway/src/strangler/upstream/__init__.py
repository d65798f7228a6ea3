"""Connections to the applications behind the gateway: pool and protocol."""
