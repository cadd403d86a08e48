"""Safetensors files in a few lines: 8 bytes of little-endian header length, a JSON header, then the tensors' bytes."""
import array
import json
import math
import struct

TYPECODES = {"F32": "f", "F64": "d", "I32": "i", "I64": "q"}


def save(path, tensors, metadata=None):
    """tensors: {name: (shape, array.array of f32)}"""
    header, offset = {}, 0
    if metadata:
        header["__metadata__"] = metadata
    for name, (shape, values) in tensors.items():
        assert values.typecode == "f" and len(values) == math.prod(shape), name
        end = offset + 4 * len(values)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, values in tensors.values():
            file.write(values.tobytes())


def load(path):
    """({name: (shape, array)}, metadata)"""
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        body = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = array.array(TYPECODES[entry["dtype"]])
        values.frombytes(body[begin:end])
        assert len(values) == math.prod(entry["shape"]), f"{path}: {name} has {len(values)} values"
        tensors[name] = (tuple(entry["shape"]), values)
    return tensors, metadata
