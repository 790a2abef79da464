from support import os, sys

if sys.argv[1] == "flood":
    line = b"all work and no play makes a dull log " * 100 + b"\n"
    for _ in range(2600): os.write(1, line * 4)
    print("\nacc: 0.25")
else:
    os.write(1, b"\x1b]0;owned\x07\x1b[2J\x1b[31m\x9b31mred\x08\x08\x00\x7f \xe2\x80\xae reversed \xff\xfe \xc2\x9b done\rsame line\r\n\tend\n")
    os.write(2, b"\x1b[?1049h on stderr\n")
