"""The lines of a NRRD header and what they say about the axes."""

import numpy as np
import pytest

from isocenter.core.errors import FormatError
from isocenter.io.nrrd_header import Fields, axes_of, dtype_of, frames_of, vector


def fields(*lines: str) -> Fields:
    return Fields("\n".join(("NRRD0005", *lines)).encode() + b"\n\npixels")


def test_fields_pairs_and_remarks_are_told_apart():
    header = fields("# a: remark", "Type: short", "a key:=with: colon", "sizes:2 3")
    assert header.fields == {"type": "short", "sizes": "2 3"}
    assert header.pairs == {"a key": "with: colon"}
    assert header.need("type") == "short" and header.get("absent", "sizes") == "2 3"


@pytest.mark.parametrize(
    ("name", "endian", "code"),
    [("unsigned char", "", "u1"), ("short int", "big", ">i2"), ("uint16_t", "little", "<u2"), ("double", "BIG", ">f8")],
)
def test_types_have_many_names(name, endian, code):
    assert dtype_of(fields(f"type: {name}", f"endian: {endian}" if endian else "# none")) == np.dtype(code)


def test_the_time_axis_of_slicer_is_a_frame_axis():
    header = fields(
        "type: short",
        "dimension: 4",
        "sizes: 9 4 3 2",
        "space: left-posterior-superior",
        "kinds: list domain domain domain",
        "space directions: none (1,0,0) (0,1,0) (0,0,1)",
    )
    axes = axes_of(header)
    assert axes.frame == 0 and axes.channel is None and axes.lattice.sizes == (4, 3, 2) and axes.lattice.position_known


def test_spaces_between_brackets_do_not_matter():
    header = fields(
        "type: short", "dimension: 3", "sizes: 4 3 2", "space: LPS", "space directions: ( 1, 0,0)(0,1,0) (0, 0, 1)"
    )
    assert np.array_equal(axes_of(header).lattice.axes_mm, np.eye(3))
    assert vector("(1,2)").tolist() == [1, 2, 0]
    for text in ("1,2", "(1)", "(1,2,3,4,5)", "(a,b,c)"):
        with pytest.raises(FormatError):
            vector(text)


def test_b_values_scale_with_the_square_of_the_gradient():
    header = fields(
        "space: right-anterior-superior",
        "DWMRI_b-value:=1000",
        "DWMRI_gradient_0000:=0 0 0",
        "DWMRI_gradient_0001:=1 0 0",
        "DWMRI_gradient_0002:=0 0.5 0",
    )
    frames = frames_of(header, 3)
    np.testing.assert_allclose(frames.bvals, [0, 1000, 250])
    np.testing.assert_allclose(frames.bvecs, [[0, 0, 0], [-1, 0, 0], [0, -1, 0]])  # RAS to LPS


def test_without_a_word_frames_are_counted():
    frames = frames_of(fields(), 3)
    assert frames.axis == "frame" and frames.times_s.tolist() == [0, 1, 2] and frames.bvals is None
