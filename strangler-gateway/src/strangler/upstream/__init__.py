"""Connections to the applications behind the gateway: protocol, pool and balancer."""
