"""Siemens' named values."""

import struct

from isocenter.io.dicom_csa import csa_numbers, csa_values


def csa(entries, newer=True):
    """A CSA header of {name: values}, as the scanner writes it."""
    data = (b"SV10\x04\x03\x02\x01" if newer else b"") + struct.pack("<II", len(entries), 77)
    for name, values in entries.items():
        data += struct.pack("<64si4siii", name.encode(), len(values), b"FD\0\0", 4, len(values), 77)
        for value in values:
            text = value.encode() + b"\0"
            data += struct.pack("<4i", len(text), len(text), 77, len(text)) + text + b"\0" * (-len(text) % 4)
    return data


def test_values_are_found_by_name():
    data = csa({"A": ["1", "2.5"], "B_value": ["1000"], "C": []})
    assert csa_values(data, "A") == ("1", "2.5") and csa_numbers(data, "B_value") == (1000.0,)
    assert csa_values(data, "C") == () and csa_values(data, "D") == ()


def test_text_is_no_number():
    assert csa_numbers(csa({"A": ["x"]}), "A") == ()


def test_every_cut_of_the_table_is_survived():
    data = csa({"A": ["1"], "B": ["2", "3"]})
    for end in range(len(data)):
        assert csa_values(data[:end], "B") in ((), ("2", "3"))


def test_random_bytes_are_survived():
    import numpy as np

    rng = np.random.default_rng(0)
    data = bytearray(csa({"A": ["1"] * 20, "B": ["2"]}))
    for _ in range(500):
        broken = bytearray(data)
        for at in rng.integers(0, len(data), 4):
            broken[at] = rng.integers(256)
        csa_values(bytes(broken), "B")
