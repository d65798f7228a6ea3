"""Says whether a commit is slower than another, by both side by side in one job: A B, B A."""
