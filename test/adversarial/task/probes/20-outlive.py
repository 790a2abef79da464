import os, signal, time
from support import attempt, check, sys

kind = sys.argv[1]
if kind == "daemon":
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for s in (signal.SIGTERM, signal.SIGHUP): signal.signal(s, signal.SIG_IGN)
            os.execvp("sleep", ["sleep", sys.argv[2]])
        os._exit(0)
    print("left one behind", flush=True)
if kind == "stay":
    for s in range(1, 32):
        try: signal.signal(s, signal.SIG_IGN)
        except (OSError, ValueError): pass
    for s in (signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU) + ((signal.SIGKILL,) if sys.argv[2] == "runc" else ()):
        for target in (1, 0, -1):
            if target == 1 or s != signal.SIGKILL:
                try: os.kill(target, s)
                except OSError: pass
    def overwrite():
        with open("/proc/1/mem", "r+b", buffering=0) as f: f.seek(0x400000); return f.write(b"\x90" * 64)
    attempt("overwrite the deadline's memory", overwrite)
    attempt("read its memory", lambda: open("/proc/1/mem", "rb", buffering=0).read(1))
    print("still here", flush=True)
    while True: time.sleep(1)
