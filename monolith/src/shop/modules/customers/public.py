"""The customers' door."""

from shop.modules.customers.schemas import Credentials, CustomerAnswer, JwkSet, Registration, TokenAnswer
from shop.modules.customers.service import CustomerRegistered, Customers

__all__ = [
    "Credentials",
    "CustomerAnswer",
    "CustomerRegistered",
    "Customers",
    "JwkSet",
    "Registration",
    "TokenAnswer",
]
