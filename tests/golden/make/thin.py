"""Files of reference data without what nobody reads, and of much that says the same a part."""

import fnmatch
import json
import struct

import numpy

STRIDE = 7  # shares no factor with any width, so that all rows and all columns are seen
SMALL = 1000  # numbers, which all stay


def thin(source, target, drop, keep=("*",), sample=(), whole=(), levels=(), first=None):
    """Writes the safetensors file `source` again without the tensors that match a pattern in `drop`, or none in `keep`; of all no
    more than the `first` rows of their first extent. A tensor that matches one in `sample`, and none in `whole`, keeps
    every STRIDE-th of its numbers.
    Pixels that match one in `levels`, [N, 3, H, W] or [3, H, W] of at most 256 values in each channel, become bytes that say which
    of the channel's NAME.levels they are. The file notes how such a tensor is kept; tests/support/golden_numbers.hpp reads it."""
    raw = source.read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8 : 8 + length])
    matches = lambda name, patterns: any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    kept, notes, data = {}, {}, b""

    def add(name, entry, part):
        nonlocal data
        kept[name] = dict(entry, data_offsets=[len(data), len(data) + len(part)])
        data += part

    for name, entry in sorted(((n, e) for n, e in header.items() if n != "__metadata__"), key=lambda item: item[1]["data_offsets"]):
        if matches(name, drop) or not matches(name, keep):
            continue
        begin, end = entry["data_offsets"]
        part = raw[8 + length + begin : 8 + length + end]
        if first is not None:
            part = part[: len(part) // entry["shape"][0] * first]
            entry = dict(entry, shape=[first, *entry["shape"][1:]])
        shape = " ".join(map(str, entry["shape"]))
        if matches(name, sample) and not matches(name, whole) and len(part) > 4 * SMALL:
            assert entry["dtype"] == "F32" and all(extent % STRIDE for extent in entry["shape"][-1:]), name
            part = numpy.frombuffer(part, "<f4")[::STRIDE].tobytes()
            notes[name] = f"every {STRIDE} of {shape}"
            add(name, dict(entry, shape=[len(part) // 4]), part)
        elif matches(name, levels) and len(part) > 4 * SMALL:
            indices, table = to_levels(numpy.frombuffer(part, "<f4").reshape(entry["shape"]))
            notes[name] = f"levels of {shape}"
            add(name, {"dtype": "U8", "shape": entry["shape"]}, indices.tobytes())
            add(name + ".levels", {"dtype": "F32", "shape": list(table.shape)}, table.tobytes())
        else:
            add(name, entry, part)
    text = json.dumps({**({"__metadata__": notes} if notes else {}), **kept}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    target.write_bytes(struct.pack("<Q", len(text)) + text + data)


def to_levels(pixels):
    """Bytes of the shape of `pixels`, and the table [3, 256] of the numbers they stand for, filled with zeros."""
    by_channel = numpy.moveaxis(pixels, -3, 0).reshape(3, -1)
    table, indices = numpy.zeros((3, 256), "<f4"), numpy.zeros(by_channel.shape, numpy.uint8)
    for channel, values in enumerate(by_channel):
        levels, which = numpy.unique(values, return_inverse=True)
        table[channel, : len(levels)] = levels  # raises where there are more than 256
        indices[channel] = which
    moved = numpy.moveaxis(pixels, -3, 0).shape
    return numpy.ascontiguousarray(numpy.moveaxis(indices.reshape(moved), 0, -3)), table


def write_json(path, value):
    """On one line: most of these files is white space otherwise."""
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
