import os, socket, stat
from support import attempt, check

def dial(path):
    with socket.socket(socket.AF_UNIX) as s: return s.connect(path)

for path in ("/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/var/run/docker/containerd/containerd.sock"):
    attempt(path, lambda: dial(path))
attempt("an abstract socket of the engine", lambda: dial("\0/containerd-shim/moby/shim.sock@"))
found = []
for root, dirs, files in os.walk("/", onerror=lambda e: None):
    if root in ("/proc", "/sys"): dirs.clear(); continue
    for name in files:
        try:
            if stat.S_ISSOCK(os.lstat(os.path.join(root, name)).st_mode): found.append(name)
        except OSError: pass
check("any socket in the file system", not found, found)
try: others = [l for l in open("/proc/net/unix").read().splitlines()[1:] if "/" in l or "@" in l]
except OSError: others = []
check("named sockets of others", not others, others)
