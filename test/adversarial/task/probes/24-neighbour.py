import os, time
from support import check, sys

mine, theirs = sys.argv[1], sys.argv[2][::-1]
for where in ("/tmp", "/dev/shm", "/out"):
    with open(f"{where}/{mine}", "w") as f: f.write(mine)
print("ready", flush=True)
while not os.path.exists("/in/go"): time.sleep(0.05)  # the test creates it when both tasks run
found = []
for root, dirs, files in os.walk("/", onerror=lambda e: None):
    if root in ("/sys", "/usr", "/proc"): dirs.clear(); continue
    for name in files:
        path = os.path.join(root, name)
        if theirs in name: found.append(path); continue
        if path == "/in/24-neighbour.py": continue
        try:
            if os.path.isfile(path) and theirs in open(path, errors="replace").read(1 << 20): found.append(path)
        except OSError: pass
check("the other task's files", not found, found)
cmdlines = []
for pid in filter(str.isdigit, os.listdir("/proc")):
    try: cmdlines.append(open(f"/proc/{pid}/cmdline").read())
    except OSError: pass
check("the other task's processes", len(cmdlines) <= 3, cmdlines)
try: ipc = len(open("/proc/sysvipc/shm").readlines()) - 1
except OSError: ipc = 0
check("the other task's shared memory", ipc == 0, ipc)
