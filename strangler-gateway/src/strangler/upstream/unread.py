"""What was written to the other side and not taken yet, in this process and in the kernel; and what it has written."""

import asyncio
import fcntl
import struct
import termios


def unread(transport: asyncio.Transport) -> int:
    """Bytes. The kernel keeps megabytes for a slow reader, who has taken nothing only if this number stays."""
    return transport.get_write_buffer_size() + _asked(transport, termios.TIOCOUTQ)


def arrived(transport: asyncio.Transport) -> int:
    """Bytes that are here and were not read yet."""
    return _asked(transport, termios.FIONREAD)


def _asked(transport: asyncio.Transport, question: int) -> int:
    sock = transport.get_extra_info("socket")
    if sock is None or transport.is_closing():
        return 0
    answer: tuple[int] = struct.unpack("i", fcntl.ioctl(sock.fileno(), question, b"\0\0\0\0"))
    return answer[0]
