import socket
from support import attempt, check, sys

port = int(sys.argv[1])  # the test listens on it, on every address of the host

def tcp(host, port):
    with socket.create_connection((host, port), timeout=2) as s: return s.getpeername()

def udp(host):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s: return s.sendto(b"\0" * 32, (host, 53))

for host in ("127.0.0.1", "172.17.0.1", "10.0.0.1", "192.168.0.1", "1.1.1.1"):
    attempt(f"tcp to {host}", lambda: tcp(host, port))
attempt("tcp over ipv6", lambda: tcp("2606:4700:4700::1111", 53))
attempt("udp out", lambda: udp("1.1.1.1"))
attempt("udp to the bridge", lambda: udp("172.17.0.1"))
attempt("dns", lambda: socket.getaddrinfo("debian.org", 80))
devices = [line.split(":")[0].strip() for line in open("/proc/net/dev").readlines()[2:]]
check("interfaces but the loopback", devices in (["lo"], []), devices)
