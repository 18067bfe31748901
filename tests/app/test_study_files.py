from isocenter.app.study_files import _nameless


class Header(dict):
    """Stands for a DICOM header: keyed and attributed alike."""

    def __setattr__(self, name, value):
        self[name] = value


def test_identity_is_emptied_in_a_copy():
    header = Header(PatientName="DOE^JANE", PatientID="4711", Modality="CT")
    made = _nameless(header)
    assert (made["PatientName"], made["PatientID"], made["Modality"]) == ("", "", "CT")
    assert header["PatientName"] == "DOE^JANE"
