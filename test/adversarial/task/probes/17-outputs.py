import os, socket
from support import sys

kind = sys.argv[1]
os.chdir("/out")
open("fine.txt", "w").write("x")
if kind == "symlink": os.symlink("/etc/shadow", "link")
if kind == "folder link": os.symlink("/etc", "folder")
if kind == "hard link": os.link("fine.txt", "again.txt")
if kind == "fifo": os.mkfifo("pipe")
if kind == "socket": socket.socket(socket.AF_UNIX).bind("sock")
if kind == "sparse":
    try: os.truncate(os.open("huge", os.O_CREAT | os.O_RDWR), 1 << 40)
    except OSError: os.truncate("fine.txt", 8 << 20); open("more", "w").write("x")
if kind == "deep": os.makedirs("/".join("d" for _ in range(60)))
if kind == "long path": os.makedirs("/".join("d" * 200 for _ in range(8)))
if kind == "bytes": open(b"\xff\xfe\x80", "w")
if kind == "newline": open("a\nb", "w")
if kind == "escape": open("a\x1b[2Jb", "w")
if kind == "backslash": open("..\\..\\x", "w")
if kind == "modes":
    open("run", "w").write("#!/bin/sh"); os.chmod("run", 0o6777); os.mkdir("closed"); open("closed/x", "w").write("y"); os.chmod("closed/x", 0); os.chmod("closed", 0)
