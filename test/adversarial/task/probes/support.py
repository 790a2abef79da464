"""Prints for each attempt whether it was denied; the test reads these lines."""
import ctypes, errno, os, sys

_libc = ctypes.CDLL(None, use_errno=True)


def syscall(number, *args):
    """A raw x86-64 system call."""
    result = _libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attempt(what, act):
    """Expects `act` to raise; prints what it returns otherwise as evidence."""
    try:
        got = act()
    except OSError as error:
        print(f"denied {what}: {errno.errorcode.get(error.errno, error.errno)}", flush=True)
    except Exception as error:
        print(f"denied {what}: {type(error).__name__}", flush=True)
    else:
        print(f"ALLOWED {what}: {str(got)[:80]!r}", flush=True)


def check(what, holds, evidence=""):
    print(f"{'denied' if holds else 'ALLOWED'} {what}: {str(evidence)[:80]!r}", flush=True)
