import ctypes, os, time
from support import attempt, syscall

child = os.fork()
if child == 0: time.sleep(5); os._exit(0)
buffer = ctypes.create_string_buffer(64)
class Vec(ctypes.Structure): _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]
here, there = Vec(ctypes.addressof(buffer), 64), Vec(ctypes.addressof(buffer), 64)
for name, pid in (("its child", child), ("the deadline", 1)):
    attempt(f"trace {name}", lambda: syscall(101, 16, pid, 0, 0))
    attempt(f"seize {name}", lambda: syscall(101, 0x4206, pid, 0, 0))
    attempt(f"read memory of {name}", lambda: syscall(310, pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0))
    attempt(f"write memory of {name}", lambda: syscall(311, pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0))
pidfd = -1
try: pidfd = os.pidfd_open(child)
except OSError: pass
attempt("take a file of its child", lambda: syscall(438, pidfd, 0, 0))
attempt("compare kernel pointers", lambda: syscall(312, os.getpid(), child, 0, 0, 0))
os.kill(child, 9)
