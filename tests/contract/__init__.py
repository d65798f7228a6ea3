"""One suite that judges every implementation of docs/reference/shop-api.md over real HTTP."""
