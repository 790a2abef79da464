"""The CUDA driver through ctypes: one GPU, plain memory, one kernel. Needs the driver's libcuda.so.1 and nothing else."""

import ctypes
import time

# Eight independent chains of fused multiply-adds a thread, so that a GPU's pipelines are full.
CHAINS = 8
STEPS = 8
REGISTERS = ", ".join(f"v{i}" for i in range(CHAINS))
BODY = "\n".join(f"    fma.rn.f32 v{i}, v{i}, m, s;" for _ in range(STEPS) for i in range(CHAINS))
START = "\n".join(f"  add.f32 v{i}, s, 0f3F{i}00000;" for i in range(CHAINS))
SUM = "\n".join(f"  add.f32 v0, v0, v{i};" for i in range(1, CHAINS))
PTX = f"""
.version 6.0
.target sm_70
.address_size 64
.visible .entry chains(.param .u64 out, .param .u32 rounds)
{{
  .reg .pred more;
  .reg .f32 {REGISTERS}, m, s;
  .reg .b32 left, block, size, lane, at;
  .reg .b64 base, offset;
  ld.param.u64 base, [out];
  ld.param.u32 left, [rounds];
  cvta.to.global.u64 base, base;
  mov.u32 block, %ctaid.x;
  mov.u32 size, %ntid.x;
  mov.u32 lane, %tid.x;
  mad.lo.u32 at, block, size, lane;
  cvt.rn.f32.u32 s, lane;
  mul.f32 s, s, 0f38D1B717;
  mov.f32 m, 0f3F7FBE77;
{START}
AGAIN:
{BODY}
  sub.u32 left, left, 1;
  setp.ne.u32 more, left, 0;
  @more bra AGAIN;
{SUM}
  mul.wide.u32 offset, at, 4;
  add.u64 base, base, offset;
  st.global.f32 [base], v0;
  ret;
}}
"""


class Gpu:
    """The first GPU that this process sees. Raises OSError without a driver, RuntimeError where a call fails."""

    def __init__(self):
        self._cuda = ctypes.CDLL("libcuda.so.1")
        self._call("cuInit", 0)
        device = ctypes.c_int()
        self._call("cuDeviceGet", ctypes.byref(device), 0)
        self._context = ctypes.c_void_p()
        self._call("cuCtxCreate_v2", ctypes.byref(self._context), 0, device)
        name = ctypes.create_string_buffer(100)
        self._call("cuDeviceGetName", name, 100, device)
        self.name = name.value.decode("utf-8", "replace")
        count = ctypes.c_int()
        self._call("cuDeviceGetAttribute", ctypes.byref(count), 16, device)  # multiprocessors
        self.processors = count.value

    def _call(self, name, *arguments):
        status = getattr(self._cuda, name)(*arguments)
        if status != 0:
            raise RuntimeError(f"{name} failed with CUDA error {status}")

    def free_bytes(self):
        free, total = ctypes.c_size_t(), ctypes.c_size_t()
        self._call("cuMemGetInfo_v2", ctypes.byref(free), ctypes.byref(total))
        return free.value

    def allocate(self, size):
        pointer = ctypes.c_uint64()
        self._call("cuMemAlloc_v2", ctypes.byref(pointer), ctypes.c_size_t(size))
        return pointer

    def fill(self, pointer, word, size):
        """Writes the 32-bit word over `size` bytes, a multiple of 4."""
        self._call("cuMemsetD32_v2", pointer, ctypes.c_uint(word), ctypes.c_size_t(size // 4))
        self._call("cuCtxSynchronize")

    def read(self, pointer, offset, size):
        host = ctypes.create_string_buffer(size)
        at = ctypes.c_uint64(pointer.value + offset)
        self._call("cuMemcpyDtoH_v2", host, at, ctypes.c_size_t(size))
        return host.raw

    def gflops(self, seconds):
        """Billions of single-precision operations a second, the best of launches for about so many seconds."""
        module, kernel = ctypes.c_void_p(), ctypes.c_void_p()
        self._call("cuModuleLoadData", ctypes.byref(module), PTX.encode() + b"\0")
        self._call("cuModuleGetFunction", ctypes.byref(kernel), module, b"chains")
        threads, blocks, rounds = 256, self.processors * 16, 4096
        out = self.allocate(threads * blocks * 4)
        values = (ctypes.c_uint64(out.value), ctypes.c_uint(rounds))
        pointers = (ctypes.c_void_p * 2)(*(ctypes.cast(ctypes.pointer(one), ctypes.c_void_p) for one in values))
        work = threads * blocks * rounds * CHAINS * STEPS * 2
        best, until = 0.0, time.monotonic() + seconds
        while best == 0.0 or time.monotonic() < until:
            began = time.monotonic()
            self._call("cuLaunchKernel", kernel, blocks, 1, 1, threads, 1, 1, 0, None, pointers, None)
            self._call("cuCtxSynchronize")
            best = max(best, work / (time.monotonic() - began) / 1e9)
        return best
