"""Measures one CPU, the disk under /out and, where there is one, a GPU. Prints one line of JSON.

    python3 benchmark.py SEED SECONDS

The seed decides the matrices; the checksum is the same for a seed on every machine.
"""

import json
import os
import sys
import time

import numpy as np

SIZE = 384
MODULUS = 251
CHECKED = 16
DISK_BYTES = 64 * 2**20


def cpu(seed, seconds):
    """Billions of double-precision operations a second in matrix products, the best of slices of a quarter second."""
    random = np.random.Generator(np.random.PCG64(seed))
    first, factor = (random.integers(0, MODULUS, (SIZE, SIZE)).astype(np.float64) for _ in range(2))
    matrix, checksum, best, done = first, 0, 0.0, 0
    until = time.monotonic() + seconds
    while done < CHECKED or time.monotonic() < until:
        began, rounds, spent = time.monotonic(), 0, 0.0
        while time.monotonic() - began < 0.25 or done < CHECKED:
            start = time.monotonic()
            product = matrix @ factor
            spent += time.monotonic() - start
            # Whole numbers below 2^53: equal on every machine, whatever the order of the sums.
            matrix = np.mod(product, MODULUS)
            rounds, done = rounds + 1, done + 1
            if done == CHECKED:
                checksum = int(np.dot(matrix.ravel(), np.arange(matrix.size) % 65521))
        best = max(best, 2 * SIZE**3 * rounds / spent / 1e9)
    return best, checksum


def disk(seed):
    """MiB a second that reach the disk under /out, written and flushed; the best of three files."""
    block = np.random.Generator(np.random.PCG64(seed)).bytes(2**20)
    best = 0.0
    for _ in range(3):
        began = time.monotonic()
        with open("/out/benchmark.bin", "wb") as file:
            for _ in range(DISK_BYTES // len(block)):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        best = max(best, DISK_BYTES / 2**20 / (time.monotonic() - began))
        os.remove("/out/benchmark.bin")
    return best


def gpu(seconds):
    from cuda import Gpu

    return Gpu().gflops(seconds)


def main(seed, seconds):
    speed, checksum = cpu(seed, seconds)
    found = {"cpu": round(speed, 3), "disk": round(disk(seed), 1), "checksum": checksum}
    if os.environ.get("NVIDIA_VISIBLE_DEVICES", "void") != "void":
        try:
            found["gpu"] = round(gpu(seconds), 1)
        except (OSError, RuntimeError) as error:
            print("gpu:", error, file=sys.stderr)
    print(json.dumps(found))


main(int(sys.argv[1]), float(sys.argv[2]))
