from support import check, sys

kind = sys.argv[1]
held = []
if kind == "heap":
    while True: held.append(bytearray(b"x" * (16 << 20)))
if kind == "memfd":
    import os
    while True:  # each within the limit on the size of a file
        held.append(os.memfd_create("x"))
        for _ in range(16): os.write(held[-1], b"x" * (1 << 20))
if kind == "tmp":
    i = 0
    while True:
        i += 1
        try: open(f"/tmp/{i}", "wb").write(b"x" * (16 << 20))
        except OSError as error: print(f"denied /tmp: {error.errno}"); break
    while True: held.append(bytearray(b"x" * (16 << 20)))
if kind == "shm":
    try:
        with open("/dev/shm/x", "wb") as f:
            for _ in range(1 << 20): f.write(b"x" * (1 << 20))
    except OSError as error: print(f"denied /dev/shm: {error.errno}")
