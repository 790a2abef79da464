import glob, os
from support import attempt, check

def write(path, text="1"):
    with open(path, "w") as f: return f.write(text)

for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/kernel/modprobe", "/proc/sys/vm/overcommit_memory", "/proc/sys/kernel/hostname", "/proc/sys/fs/binfmt_misc/register", "/proc/sys/net/ipv4/ip_forward", "/proc/irq/0/smp_affinity", "/sys/kernel/uevent_helper", "/sys/kernel/mm/transparent_hugepage/enabled", "/sys/power/state", "/proc/1/oom_score_adj", "/proc/1/uid_map"):
    attempt(f"write {path}", lambda: write(path))
attempt("spare itself from the out-of-memory killer", lambda: write("/proc/self/oom_score_adj", "-1000"))
groups = [p for p in glob.glob("/sys/fs/cgroup/**/*", recursive=True) if os.path.isfile(p) and os.access(p, os.W_OK)]
check("writable control groups", not groups, groups)
attempt("make a control group", lambda: os.mkdir("/sys/fs/cgroup/memory/mine"))
attempt("release_agent", lambda: write("/sys/fs/cgroup/memory/release_agent", "/tmp/x"))
