"""Safetensors files: arrays by name, with nothing in them that could run.

A file is checked before it is read: https://github.com/huggingface/safetensors, "Format". The files that `save` writes
are, byte for byte, those of the format's own library.
"""

import json
import math
import os
import struct
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

_HEADER_BYTES = 16 << 20
_METADATA = "__metadata__"

# In the order of growing alignment, as in the format. NumPy has no BF16: its bits are the upper half of a float32.
_DTYPES = {
    "BOOL": "?",
    "U8": "u1",
    "I8": "i1",
    "I16": "<i2",
    "U16": "<u2",
    "F16": "<f2",
    "BF16": "<u2",
    "I32": "<i4",
    "U32": "<u4",
    "F32": "<f4",
    "C64": "<c8",
    "F64": "<f8",
    "I64": "<i8",
    "U64": "<u8",
}
_ORDER = list(_DTYPES)
_NAMES = {np.dtype(code): name for name, code in _DTYPES.items() if name != "BF16"}


def save(
    path: str | os.PathLike[str],
    tensors: Mapping[str, ArrayLike],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Writes arrays by name. The same arrays give the same bytes in whatever order they come.

    Raises TypeError for arrays of objects and other dtypes that the format does not have.
    """
    arrays = [(name, *_plain(name, value)) for name, value in tensors.items()]
    arrays.sort(key=lambda item: (-_ORDER.index(item[1]), item[0].encode()))
    header: dict[str, Any] = {}
    if metadata:
        header[_METADATA] = {key: _text(metadata[key]) for key in sorted(metadata, key=str.encode)}
    end = 0
    for name, dtype, array in arrays:
        if name == _METADATA:
            raise ValueError(f"no tensor can be named {_METADATA}")
        start, end = end, end + array.nbytes
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [start, end]}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > _HEADER_BYTES:
        raise ValueError(f"the names and shapes take more than {_HEADER_BYTES} bytes")
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for _, _, array in arrays:
            file.write(array.tobytes())


def load(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """Reads all arrays of a file. BF16 becomes float32, which holds every value of it.

    Raises ValueError where the file is not what the format says, or has a dtype that NumPy has nothing for (F8, F6, F4).
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        header, origin = _header(file, size)
        header.pop(_METADATA, None)
        layout = [(*_place(info), name) for name, info in header.items()]
        layout.sort(key=lambda item: item[:2])
        end = 0
        for start, stop, _, _, name in layout:
            if start != end:
                raise ValueError(f"the data of {name!r} overlaps another tensor's, or follows a gap")
            end = stop
        if origin + end != size:
            raise ValueError(f"the tensors end at byte {origin + end} of a file of {size}")
        file.seek(origin)
        return {name: _array(file.read(stop - start), dtype, shape) for start, stop, dtype, shape, name in layout}


def _header(file: BinaryIO, size: int) -> tuple[dict[str, Any], int]:
    """The header as it is, and where the data begins."""
    prefix = file.read(8)
    length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else -1
    if not 0 <= length <= min(size - 8, _HEADER_BYTES):
        raise ValueError("the header is longer than the file, or than 16 MiB")
    try:
        text = file.read(length).decode().rstrip(" ")
        header = json.loads(text, object_pairs_hook=_unique, parse_int=_natural)
    except RecursionError:
        raise ValueError("the header is nested too deeply") from None
    notes = header.get(_METADATA, {}) if text[:1] + text[-1:] == "{}" else None
    if not isinstance(notes, dict) or not all(isinstance(note, str) for note in notes.values()):
        raise ValueError("the header, or its metadata, is not of the form")
    return header, 8 + length


def _place(info: Any) -> tuple[int, int, str, list[int]]:
    """Start and end of a tensor's data, its dtype and shape."""
    if not isinstance(info, dict) or info.keys() != {"dtype", "shape", "data_offsets"}:
        raise ValueError("a tensor has not exactly a dtype, a shape and data_offsets")
    dtype, shape, offsets = info["dtype"], info["shape"], info["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise ValueError(f"the dtype {dtype!r} is unknown, or NumPy has nothing for it")
    if not _sizes(shape) or not _sizes(offsets) or len(offsets) != 2 or len(shape) > 32:
        raise ValueError("a shape or an offset is not made of whole numbers")
    if math.prod(shape) * np.dtype(_DTYPES[dtype]).itemsize != offsets[1] - offsets[0]:
        raise ValueError("the data is not as long as its shape says")
    return offsets[0], offsets[1], dtype, shape


def _sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(size) is int and 0 <= size < 1 << 53 for size in value)


def _array(data: bytes, dtype: str, shape: list[int]) -> NDArray[Any]:
    if dtype == "BOOL":
        return np.array(np.frombuffer(data, "u1").reshape(shape), "?")
    array = np.frombuffer(data, _DTYPES[dtype]).reshape(shape)
    if dtype != "BF16":
        return array.copy()
    bits = np.array(array, "<u4")
    bits <<= 16
    return bits.view("<f4")


def _plain(name: str, value: ArrayLike) -> tuple[str, NDArray[Any]]:
    """An array's dtype in the format, and the array in C order and little-endian."""
    array = np.asarray(value)
    dtype = _NAMES.get(array.dtype.newbyteorder("<"))
    if dtype is None:
        raise TypeError(f"the tensor {name!r} has the dtype {array.dtype}, which safetensors does not have")
    return dtype, array.astype(_DTYPES[dtype], order="C", copy=False)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError("metadata are strings")


def _natural(digits: str) -> int:
    if digits.startswith("-"):
        raise ValueError("a size or an offset is negative")
    return int(digits)


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs := list(pairs))
    if len(found) < len(pairs):
        raise ValueError("a key appears twice")
    for key in found:
        key.encode()  # raises for half of a surrogate pair, which no text has
    return found
