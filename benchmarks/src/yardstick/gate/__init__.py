"""Says whether a commit is slower than another, by blocks of both in one job: A B B A."""
