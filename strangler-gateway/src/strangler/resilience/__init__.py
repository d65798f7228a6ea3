"""When to try again, and when not; pure, time is passed in."""
