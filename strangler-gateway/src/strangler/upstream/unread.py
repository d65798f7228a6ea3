"""What the other side has not taken yet of that which was written to it, in this process and in the kernel."""

import asyncio
import fcntl
import struct
import termios


def unread(transport: asyncio.Transport) -> int:
    """Bytes. The kernel keeps megabytes for a slow reader, who has taken nothing only if this number stays."""
    waiting = transport.get_write_buffer_size()
    sock = transport.get_extra_info("socket")
    if sock is None or transport.is_closing():
        return waiting
    kernel: tuple[int] = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"))
    return waiting + kernel[0]
