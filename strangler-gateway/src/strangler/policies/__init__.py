"""What a route asks of a request before any arm sees it; reaches nothing but through the ports that it is given."""
