from support import attempt, check

def read(path):
    with open(path, "rb") as f:
        got = f.read(64)
        if got == b"": raise OSError(61, "masked: empty")
        return got

for path in ("/proc/kcore", "/proc/kmsg", "/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg", "/sys/firmware/dmi/tables/DMI", "/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/sys/kernel/debug/x", "/proc/cmdline"):
    attempt(f"read {path}", lambda: read(path))
try: addresses = {line.split()[0] for line in open("/proc/kallsyms").readlines()[:1000]}
except OSError: addresses = set()
check("kernel addresses", addresses <= {"0000000000000000"}, addresses)
