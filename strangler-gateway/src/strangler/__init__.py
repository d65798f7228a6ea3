"""The strangler-fig gateway: data plane, control plane and command line."""
