"""The control plane: owns flags and their audit, publishes snapshots to the workers, answers the admin API."""
