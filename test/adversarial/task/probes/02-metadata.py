import socket, urllib.request
from support import attempt

for host in ("169.254.169.254", "169.254.170.2", "[fd00:ec2::254]", "metadata.google.internal"):
    attempt(f"metadata at {host}", lambda: urllib.request.urlopen(f"http://{host}/latest/meta-data/", timeout=2).read())
