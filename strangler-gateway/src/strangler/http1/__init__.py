"""Sans-IO HTTP/1.1: heads, framing, serialisation; knows no socket, no event loop and no clock."""
