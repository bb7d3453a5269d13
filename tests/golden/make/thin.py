"""Files of reference data without what nobody reads."""

import fnmatch
import json
import struct


def thin(source, target, drop, keep=("*",), sample=(), first=None):
    """Writes the safetensors file `source` again without the tensors that match a pattern in `drop`, or none in `keep`. Of those that
    match one in `sample`, scores of words, every eighth column stays; of all no more than the `first` rows of their first extent."""
    raw = source.read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8 : 8 + length])
    matches = lambda name, patterns: any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    kept, data = {}, b""
    for name, entry in sorted(((n, e) for n, e in header.items() if n != "__metadata__"), key=lambda item: item[1]["data_offsets"]):
        if matches(name, drop) or not matches(name, keep):
            continue
        begin, end = entry["data_offsets"]
        part = raw[8 + length + begin : 8 + length + end]
        if first is not None:
            part = part[: len(part) // entry["shape"][0] * first]
            entry = dict(entry, shape=[first, *entry["shape"][1:]])
        if matches(name, sample):
            words = entry["shape"][-1]
            assert entry["dtype"] == "F32", name
            rows = range(0, len(part), 4 * words)
            part = b"".join(part[at : at + 4] for row in rows for at in range(row, row + 4 * words, 4 * 8))
            entry = dict(entry, shape=[*entry["shape"][:-1], -(-words // 8)])
        kept[name] = dict(entry, data_offsets=[len(data), len(data) + len(part)])
        data += part
    text = json.dumps(kept, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    target.write_bytes(struct.pack("<Q", len(text)) + text + data)


def write_json(path, value):
    """On one line: most of these files is white space otherwise."""
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
