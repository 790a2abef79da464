import os
from support import attempt, check

def write(path):
    with open(path, "w") as f: return f.write("x")

for path in ("/x", "/usr/bin/python3", "/usr/lib/x", "/etc/passwd", "/etc/ld.so.preload", "/var/tmp/x", "/root/x", "/in/x", "/in/main.py", "/run/x", "/dev/x", "/proc/x", "/sys/x", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"):
    attempt(f"write {path}", lambda: write(path))
attempt("rename /in/main.py", lambda: os.rename("/in/main.py", "/in/y"))
attempt("chmod /in/main.py", lambda: os.chmod("/in/main.py", 0o777))
attempt("touch /in/main.py", lambda: os.utime("/in/main.py"))
