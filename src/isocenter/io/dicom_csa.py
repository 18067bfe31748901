"""Siemens' private CSA header: a table of named values inside one element."""

import struct
from typing import Final

_TAG_HEAD: Final = struct.Struct("<64si4siii")
_MAX_TAGS: Final = 1024


def csa_values(data: bytes, name: str) -> tuple[str, ...]:
    """The values of one named entry as text; () where there is none or the table is damaged.

    Source: the CSA layout as documented by nibabel ("Siemens format DICOM with CSA header"): "SV10", four bytes, the
    number of tags and 77, then per tag a 64-byte name, vm, vr, syngodt, number of items and 77, each item with a
    16-byte head whose first and second words are its length; items start on 4 bytes. An older form lacks "SV10".
    """
    wanted = name.encode()
    try:
        newer = data[:4] == b"SV10"
        position = 8 if newer else 0
        (n_tags,) = struct.unpack_from("<I", data, position)
        position += 8
        for _ in range(min(n_tags, _MAX_TAGS)):
            raw_name, _, _, _, n_items, _ = _TAG_HEAD.unpack_from(data, position)
            position += _TAG_HEAD.size
            found = raw_name.split(b"\0", 1)[0] == wanted
            values = []
            for _ in range(min(max(n_items, 0), _MAX_TAGS)):
                head = struct.unpack_from("<4i", data, position)
                length = head[1] if newer else head[0] if 0 <= head[0] <= len(data) else 0
                position += 16
                if length < 0 or position + length > len(data):
                    return ()
                if found and length:
                    values.append(data[position : position + length].split(b"\0", 1)[0].decode("latin-1").strip())
                position += (length + 3) // 4 * 4
            if found:
                return tuple(value for value in values if value)
    except struct.error:
        return ()
    return ()


def csa_numbers(data: bytes, name: str) -> tuple[float, ...]:
    """The same as numbers; () where one of them is none."""
    try:
        return tuple(float(value) for value in csa_values(data, name))
    except ValueError:
        return ()
