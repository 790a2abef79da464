import os, stat
from support import attempt, check

for where in ("/tmp", "/out", "/dev/shm"):
    attempt(f"block device in {where}", lambda: os.mknod(f"{where}/b", stat.S_IFBLK | 0o666, os.makedev(254, 0)))
    attempt(f"character device in {where}", lambda: os.mknod(f"{where}/c", stat.S_IFCHR | 0o666, os.makedev(1, 1)))
    for made in (f"{where}/b", f"{where}/c"): attempt(f"open {made}", lambda: os.open(made, os.O_RDONLY))
usual = {"core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom", "zero", "net"}
more = set(os.listdir("/dev")) - usual
check("further devices", not [d for d in more if not os.path.isdir(f"/dev/{d}") or os.listdir(f"/dev/{d}")], more)
for path in ("/dev/vda", "/dev/sda", "/dev/loop0", "/dev/loop-control", "/dev/kvm", "/dev/fuse", "/dev/net/tun", "/dev/vhost-net"):
    attempt(f"open {path}", lambda: os.open(path, os.O_RDONLY))
