"""Files of reference data without what nobody reads."""

import fnmatch
import json
import struct


def thin(source, target, drop, keep=("*",)):
    """Writes the safetensors file `source` again without the tensors that match a pattern in `drop`, or none in `keep`."""
    raw = source.read_bytes()
    length = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8 : 8 + length])
    matches = lambda name, patterns: any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    kept, data = {}, b""
    for name, entry in sorted(((n, e) for n, e in header.items() if n != "__metadata__"), key=lambda item: item[1]["data_offsets"]):
        if matches(name, drop) or not matches(name, keep):
            continue
        begin, end = entry["data_offsets"]
        kept[name] = dict(entry, data_offsets=[len(data), len(data) + end - begin])
        data += raw[8 + length + begin : 8 + length + end]
    text = json.dumps(kept, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    target.write_bytes(struct.pack("<Q", len(text)) + text + data)


def write_json(path, value):
    """On one line: most of these files is white space otherwise."""
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")
