import os
from support import check, sys

cap = int(sys.argv[1])
def fill(path, most):
    written = 0
    try:
        with open(path, "wb", buffering=0) as f:
            while written < most: written += f.write(b"x" * 65536)
    except OSError as error: return written, error.errno
    return written, None
def files(folder, most):
    made = 0
    try:
        for i in range(most): open(f"{folder}/{i}", "w").close(); made += 1
    except OSError as error: return made, error.errno
    return made, None
shm, tmp = fill("/dev/shm/x", 1 << 30), fill("/tmp/x", 1 << 30)
check("/dev/shm without bound", shm[1] is not None, shm); os.path.exists("/dev/shm/x") and os.unlink("/dev/shm/x")
check("/tmp without bound", tmp[1] is not None, tmp); os.unlink("/tmp/x")
# Under gVisor they count as the task's memory, which is limited separately, and creating them is slow.
check("files in /tmp without bound", len(sys.argv) > 2 or files("/tmp", 200_000)[1] is not None)
queues = 0
try:
    for i in range(300): os.open(f"/dev/mqueue/{i}", os.O_CREAT | os.O_RDWR); queues += 1
except OSError: pass
check("message queues without bound", queues < 300, queues)
made = files("/out", 100_000)
check("files in /out without bound", made[1] is not None, made)
for i in range(made[0]): os.unlink(f"/out/{i}")
out = fill("/out/x", 1 << 30)
check("/out past its cap", out[1] is not None and out[0] < cap * 2 + (8 << 20), out)
