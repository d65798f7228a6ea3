"""What has been compared: a file that the comparator alone writes, and control and command line read."""
