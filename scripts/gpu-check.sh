#!/bin/bash
# Checks on a machine with an NVIDIA GPU what the tests cannot check without one: discovery, reservation, device
# requests, a kernel, and whether a job can read what the one before it left in the GPU's memory. Takes less than
# 8 minutes, needs python3 and the driver; Node 24 and Docker with the image ichain/python-ml for the rest, which is
# skipped without them. Ends with 0 when nothing failed, 1 when something did, 3 when there is no GPU.
set -uo pipefail
cd "$(dirname "$0")/.."
node=${NODE:-node}
failed=0
began=$SECONDS

say() { printf '%-5s %s: %s\n' "$1" "$2" "$3"; }
ok() { say ok "$@"; }
skip() { say skip "$@"; }
fail() { say FAIL "$@"; failed=1; }
# Seconds for a step: so many, or what is left of 7 minutes and a half.
within() {
  local left=$((450 - (SECONDS - began)))
  [ "$left" -gt "$1" ] && left=$1
  [ "$left" -gt 0 ] && echo "$left" || echo 1
}

gpus=$(timeout 20 nvidia-smi --query-gpu=uuid,name,memory.total,driver_version,compute_cap --format=csv,noheader,nounits 2>/dev/null)
if ! grep -qE '^GPU-' <<<"$gpus"; then
  echo "There is no NVIDIA GPU that answers on this machine: nothing was checked."
  exit 3
fi
ok driver "$(tr '\n' ';' <<<"$gpus")"
if command -v nvidia-container-runtime-hook >/dev/null || command -v nvidia-container-cli >/dev/null; then
  ok toolkit "NVIDIA's container toolkit is installed"
else
  skip toolkit "NVIDIA's container toolkit is not installed"
fi

# The residue: one process fills the memory and ends, another of another user looks for what it wrote.
program=$(mktemp -d)
trap 'rm -rf "$program"' EXIT
cp python/benchmark/*.py "$program"
cat >"$program/residue.py" <<'PYTHON'
import os
import signal
import sys

from cuda import Gpu

WORD = 0xA5C35A3C
PATTERN = WORD.to_bytes(4, sys.byteorder) * 16
BLOCK, SAMPLE, EVERY = 2**28, 2**20, 2**24


def blocks(gpu):
    """Nine tenths of the free memory, in blocks, or as much as the driver gives."""
    held = []
    for _ in range(int(gpu.free_bytes() * 0.9) // BLOCK):
        try:
            held.append(gpu.allocate(BLOCK))
        except RuntimeError:
            break
    return held


def found(gpu, held):
    """Samples with the pattern among all samples."""
    samples = [gpu.read(block, at, SAMPLE) for block in held for at in range(0, BLOCK, EVERY)]
    return sum(PATTERN in sample for sample in samples), len(samples)


verb = sys.argv[1]
gpu = Gpu()
held = blocks(gpu)
if verb in ("fill", "fill-and-die"):
    for block in held:
        gpu.fill(block, WORD, BLOCK)
    seen, samples = found(gpu, held)
    print(f"{seen} of {samples} samples, {len(held) * BLOCK >> 20} MiB", flush=True)
    if seen != samples or samples == 0:
        sys.exit("the pattern was not written")
    if verb == "fill-and-die":
        os.kill(os.getpid(), signal.SIGKILL)
elif verb == "look":
    seen, samples = found(gpu, held)
    print(f"{seen} of {samples} samples, {len(held) * BLOCK >> 20} MiB")
    sys.exit(2 if seen else 0)
else:
    for block in held:
        gpu.fill(block, 0, BLOCK)
    print(f"{len(held) * BLOCK >> 20} MiB")
PYTHON
chmod -R a+rX "$program"
export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}/usr/local/nvidia/lib64"
python=$(command -v python3)

# Runs the program as one of two users, as two tasks have two; as this one where that is not possible.
as() {
  local user=$1
  shift
  if [ "$(id -u)" = 0 ] && setpriv --reuid "$user" --regid "$user" --clear-groups "$python" -c 'import ctypes' 2>/dev/null; then
    (cd "$program" && timeout "$(within 75)" setpriv --reuid "$user" --regid "$user" --clear-groups "$python" "$@" 2>&1)
  else
    (cd "$program" && timeout "$(within 75)" "$python" "$@" 2>&1)
  fi
}

if result=$(as 50001 -c 'from cuda import Gpu; gpu = Gpu(); print(gpu.name, round(gpu.gflops(2)), "GFLOP/s")'); then
  ok kernel "$result"
else
  fail kernel "$result"
fi

for verb in fill fill-and-die; do
  result=$(as 50001 residue.py "$verb")
  status=$?
  if [ "$status" -ne 0 ] && { [ "$verb" = fill ] || [ "$status" -ne 137 ]; }; then
    fail "residue after $verb" "it could not be filled: $result"
    continue
  fi
  ok "$verb" "$result"
  result=$(as 50002 residue.py look)
  case $? in
    0) ok "residue after $verb" "none: $result" ;;
    2)
      say LEFT "residue after $verb" "the next process reads it: $result"
      wiped=$(as 50001 residue.py wipe) && ok wipe "$wiped" || fail wipe "$wiped"
      result=$(as 50002 residue.py look) && ok "residue after wipe" "none: $result" || fail "residue after wipe" "$result"
      ;;
    *) fail "residue after $verb" "it could not be looked at: $result" ;;
  esac
done

if ! "$node" --version 2>/dev/null | grep -qE '^v2[4-9]'; then
  skip "reservation, device requests" "Node 24 is not here"
elif [ ! -d node_modules ]; then
  skip "reservation, device requests" "node_modules is not here"
else
  timeout "$(within 240)" "$node" scripts/gpu-check.ts || failed=1
fi

echo "Took $((SECONDS - began)) s."
exit $failed
