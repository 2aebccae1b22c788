"""Keep freed memory in the process: large buffers that are freed and taken again every step."""

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_MMAP_THRESHOLD = 32 * 2**20  # glibc's DEFAULT_MMAP_THRESHOLD_MAX on 64 bits


def keep_freed_memory() -> bool:
    """Tell glibc to keep freed blocks instead of returning their pages to the system.

    By default a buffer of several megabytes is mapped afresh at every step, and each of its pages
    costs a fault. For the process of one fit, holding on to them is faster; a library should not
    decide that for its host, so only the command line calls this.

    Returns:
        True where the allocator took the settings (Linux with glibc), else False.

    Example:
        >>> keep_freed_memory() in (True, False)
        True
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    kept = mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
    mapped = mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
    return bool(kept and mapped)
