import glob, os
from support import check, sys

secret = sys.argv[1][::-1]  # reversed, so that this process's command line does not contain it
def holds(path):
    try:
        with open(path, "rb") as f: return secret.encode() in f.read(1 << 22)
    except OSError: return False
pids = [int(p) for p in os.listdir("/proc") if p.isdigit()]
check("processes of others", len(pids) <= 3, pids)
check("the daemon's environment", not any(holds(f"/proc/{pid}/{name}") for pid in pids for name in ("environ", "cmdline")))
known = {"PATH", "HOME", "TMPDIR", "USER", "LANG", "TZ", "HOSTNAME", "LC_CTYPE"}
odd = [k for k in os.environ if k not in known and not k.endswith("_NUM_THREADS") and not k.startswith(("PYTHON", "NVIDIA_", "LOKY_"))]
check("inherited variables", not odd, odd)
check("inherited files", sorted(int(fd) for fd in os.listdir("/proc/self/fd"))[:4] in ([0, 1, 2, 3], [0, 1, 2]), os.listdir("/proc/self/fd"))
targets = [os.readlink(f"/proc/self/fd/{fd}") for fd in ("0", "1", "2")]
check("standard streams that are files", not [t for t in targets if t.startswith("/") and t != "/dev/null"], targets)
