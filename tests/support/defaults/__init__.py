"""One API, three times: each application as its framework's ordinary users write it, and nothing that evens them out.

They share no code and no data on purpose. What they answer differently is what the normalisers of known differences
are for (``strangler.shadow.normalisers``).
"""
