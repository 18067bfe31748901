from dataclasses import replace

import numpy as np
import pytest

from isocenter.core.errors import GeometryError
from isocenter.core.grid import Grid
from isocenter.core.volume import Instance, Source, Volume
from isocenter.io.dicom_belong import plain_name, require_belonging

GRID = Grid.of_spacing((2, 3, 4), (1, 1, 1))
OWN = (Instance("c", "2.25.1"), Instance("c", "2.25.2"))
IMAGE = Volume(
    np.zeros((2, 3, 4)), GRID, source=Source("dicom", frame_of_reference_uid="2.25.3", instances=OWN)
)  # fmt: skip


def test_an_object_belongs_by_its_images_or_by_its_frame_of_reference():
    require_belonging("2.25.3", [], IMAGE)
    require_belonging("2.25.4", ["2.25.2"], IMAGE)
    require_belonging("2.25.4", ["2.25.9"], None)
    require_belonging("2.25.4", ["2.25.9"], Volume(IMAGE.array, GRID))


def test_an_object_of_another_patient_space_does_not():
    with pytest.raises(GeometryError, match="FrameOfReferenceUID"):
        require_belonging("2.25.4", ["2.25.9"], IMAGE)
    with pytest.raises(GeometryError, match="ReferencedSOPInstanceUID"):
        require_belonging("", ["2.25.9"], IMAGE)
    nameless = replace(IMAGE, source=replace(IMAGE.source, frame_of_reference_uid=""))
    with pytest.raises(GeometryError, match="ReferencedSOPInstanceUID"):
        require_belonging("2.25.3", ["2.25.9"], nameless)


def test_free_text_cannot_steer_a_terminal():
    assert plain_name("a\x1b]0;b\x07\n c") == "a ]0;b c" and plain_name(None) == "" and len(plain_name("x" * 999)) == 64
