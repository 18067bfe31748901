from isocenter.core.finding import ModelRef
from isocenter.core.provenance import Provenance


def test_equal_origins_are_equal():
    origin = Provenance(("sha256:a",), "isocenter 0.1.0", models=(ModelRef("m", "1.0.0", "sha256:b"),))
    assert origin == Provenance(("sha256:a",), "isocenter 0.1.0", models=(ModelRef("m", "1.0.0", "sha256:b"),))
    assert origin != Provenance(("sha256:c",), "isocenter 0.1.0")
