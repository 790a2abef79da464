import socket
from support import attempt

for family, name in ((38, "AF_ALG"), (40, "AF_VSOCK"), (17, "AF_PACKET"), (16, "AF_NETLINK"), (29, "AF_CAN"), (31, "AF_BLUETOOTH"), (44, "AF_XDP"), (21, "AF_RDS"), (30, "AF_TIPC"), (15, "AF_KEY"), (4, "AF_IPX")):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        attempt(f"{name} type {int(kind)}", lambda: socket.socket(family, kind))
attempt("raw ip", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt("raw ipv6", lambda: socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58))
