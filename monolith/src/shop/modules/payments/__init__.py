"""Charges and refunds, through a port to whoever handles cards."""
