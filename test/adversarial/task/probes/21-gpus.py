import glob, os
from support import attempt, check

found = glob.glob("/dev/nvidia*") + glob.glob("/dev/dri*") + glob.glob("/dev/kfd") + glob.glob("/proc/driver/nvidia*") + glob.glob("/usr/lib/*/libcuda*")
check("GPUs of others", not found, found)
check("a variable that would ask for them", os.environ.get("NVIDIA_VISIBLE_DEVICES") == "void", os.environ.get("NVIDIA_VISIBLE_DEVICES"))
for path in ("/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm"):
    attempt(f"open {path}", lambda: os.open(path, os.O_RDWR))
    attempt(f"make {path}", lambda: os.mknod(f"/tmp/{os.path.basename(path)}", 0o20666, os.makedev(195, 0)))
