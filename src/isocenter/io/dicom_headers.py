"""The source headers of a volume, for reports that refer to them."""

from typing import TYPE_CHECKING

from isocenter.core.cine import Cine
from isocenter.core.errors import InputError
from isocenter.core.volume import Volume
from isocenter.io.boundary import untrusted

if TYPE_CHECKING:
    from pydicom import Dataset


def read_headers(image: Volume | Cine) -> tuple["Dataset", ...]:
    """One data set without pixels per distinct source instance, in slice order.

    Raises InputError where the image does not come from DICOM files, FormatError where one cannot be read any more.
    """
    from isocenter.io.dicom_parser import collected_warnings, read_dataset
    from isocenter.io.dicom_patient import guess_character_set
    from isocenter.io.inputs import InputFile

    paths = {instance.sop_uid: instance.path for instance in image.source.instances}
    if not paths or None in paths.values():
        raise InputError(f"headers: expected an image of DICOM files, got one of kind {image.source.kind!r}")
    headers = []
    for path in paths.values():
        if path is None:
            continue
        with untrusted("a DICOM header"), collected_warnings():
            dataset, _ = read_dataset(InputFile(path, path, "dicom"))
            guess_character_set(dataset)
        headers.append(dataset)
    return tuple(headers)
