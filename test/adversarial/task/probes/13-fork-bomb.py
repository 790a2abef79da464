import os, signal, time, threading
from support import attempt, check, sys

limit = int(sys.argv[1])
children = []
try:
    while len(children) < 5000:
        pid = os.fork()
        if pid == 0:
            time.sleep(30); os._exit(0)
        children.append(pid)
except OSError as error:
    check("more processes than the cap", len(children) < limit, len(children))
else:
    check("more processes than the cap", False, len(children))
def thread():
    t = threading.Thread(target=time.sleep, args=(0.1,)); t.start(); return t
attempt("a thread on top", lambda: [thread() for _ in range(limit)])
