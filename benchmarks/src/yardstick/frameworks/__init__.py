"""The same endpoints in Flask, Django and FastAPI, under several servers, on two databases: what is compared."""
