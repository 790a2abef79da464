import os
from support import attempt, syscall

attempt("mount tmpfs", lambda: syscall(165, b"none", b"/tmp", b"tmpfs", 0, 0))
attempt("mount proc", lambda: syscall(165, b"proc", b"/tmp", b"proc", 0, 0))
attempt("remount / writable", lambda: syscall(165, b"", b"/", b"", 0x20, 0))
attempt("remount /in writable", lambda: syscall(165, b"", b"/in", b"", 0x1020, 0))
attempt("bind /proc", lambda: syscall(165, b"/proc", b"/tmp", b"", 0x1000, 0))
attempt("unmount a mask", lambda: syscall(166, b"/proc/kcore", 0))
attempt("unmount /in", lambda: syscall(166, b"/in", 2))
attempt("fsopen", lambda: syscall(430, b"tmpfs", 0))
attempt("open_tree", lambda: syscall(428, -100, b"/", 1))
attempt("move_mount", lambda: syscall(429, -100, b"/tmp", -100, b"/mnt", 0))
attempt("mount_setattr", lambda: syscall(442, -100, b"/", 0, 0, 0))
attempt("pivot_root", lambda: syscall(155, b"/tmp", b"/tmp"))
attempt("chroot", lambda: os.chroot("/tmp"))
