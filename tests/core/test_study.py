import hashlib

import numpy as np

from isocenter.core.grid import Grid
from isocenter.core.study import Patient, Study
from isocenter.core.volume import Source, Volume


def test_the_folder_name_is_a_hash_of_the_uid():
    assert Study(uid="1.2.3").key == hashlib.sha256(b"1.2.3").hexdigest()[:16]


def test_without_a_uid_the_content_names_the_study():
    def study(digest: str) -> Study:
        source = Source("raster", digests=(digest,))
        return Study(volumes=(Volume(np.zeros((1, 2, 2)), Grid.of_pixels((1, 2, 2)), source=source),))

    assert study("sha256:a").key == study("sha256:a").key != study("sha256:b").key


def test_a_patients_key_and_repr_name_nobody():
    patient = Patient("DOE^JANE", "4711", "19700101", "F", 50)
    assert len(patient.key) == 16
    assert "DOE" not in repr(patient) and "4711" not in repr(patient)
    assert Patient(sex="F").key == ""
