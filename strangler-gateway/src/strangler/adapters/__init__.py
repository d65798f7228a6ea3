"""What policies reach through their ports: other servers, each with a bounded wait and a way to do without it."""
