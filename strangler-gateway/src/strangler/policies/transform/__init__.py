"""How requests and answers are changed between a route and its arms: bytes to bytes."""
