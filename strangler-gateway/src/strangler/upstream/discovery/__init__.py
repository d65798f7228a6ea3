"""Where endpoints come from when they do not stand in the configuration: the DNS, or the registry in control."""
