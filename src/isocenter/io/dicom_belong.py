"""Whether a DICOM object that refers to images was drawn on this one."""

from collections.abc import Collection
from typing import Final

from isocenter.core.errors import GeometryError
from isocenter.core.volume import Volume

_LONGEST_NAME: Final = 64


def require_belonging(frame_of_reference_uid: str, sop_uids: Collection[str], like: Volume | None) -> None:
    """Raise GeometryError where the object says that it lies in another patient space than the image.

    sop_uids   the images that the object refers to

    It belongs where it refers to one of the image's own instances, or states the image's frame of reference. An image
    that states neither (a NIfTI file) is taken by its place in the patient.
    """
    if like is None or like.source.kind != "dicom":
        return
    own = {instance.sop_uid for instance in like.source.instances if instance.sop_uid}
    stated = like.source.frame_of_reference_uid
    if own & set(sop_uids) or (stated and stated == frame_of_reference_uid):
        return
    if stated and frame_of_reference_uid:
        raise GeometryError(
            "mask: expected the image's FrameOfReferenceUID (0020,0052), got another and no reference to the image; "
            "give the image that it was drawn on, or register both"
        )
    raise GeometryError(
        "mask: expected ReferencedSOPInstanceUID (0008,1155) of the image, got those of other images and no frame of "
        "reference; give the image that it was drawn on"
    )


def plain_name(value: object) -> str:
    """A header's free text as one short printable line, "" if there is none.

    >>> plain_name("GTV\\x1b[2J left ")
    'GTV [2J left'
    """
    text = "".join(each if each.isprintable() else " " for each in str(value or ""))
    return " ".join(text.split())[:_LONGEST_NAME]
