import io, os, tarfile, zipfile
from support import os

with tarfile.open("/out/evil.tar", "w") as tar:
    for name in ("../../../../tmp/ichain-escaped", "/tmp/ichain-escaped", "twice", "twice"):
        tar.addfile(tarfile.TarInfo(name), io.BytesIO(b""))
    link = tarfile.TarInfo("link"); link.type = tarfile.SYMTYPE; link.linkname = "/etc"; tar.addfile(link)
    through = tarfile.TarInfo("link/ichain-escaped"); tar.addfile(through, io.BytesIO(b""))
with zipfile.ZipFile("/out/bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb: bomb.writestr("zeros", b"\0" * (64 << 20))
print("archived")
