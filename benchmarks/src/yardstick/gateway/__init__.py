"""CPU time per request of the gateway beside its peers, each doing the same job: ``python -m yardstick.gateway``."""
