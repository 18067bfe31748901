"""Which body part and modality is this? Routes pictures without a header, and keeps foreign ones out."""

from isocenter.core.finding import Evidence, Finding, Site
from isocenter.core.reading import Abstention, Figure, Reading
from isocenter.core.volume import Volume
from isocenter.imaging.intensity import display_uint8
from isocenter.knowledge.terms import term
from isocenter.reading.classify import Classified, classify, gate, strangeness_check
from isocenter.reading.task import Case, Task
from isocenter.zoo.predict import Model

NAME = "intake"
# Class of the model -> (what the picture is, where in the body), as terms.
_TERMS = {
    "AbdomenCT": ("abdomen-ct", "abdomen"),
    "BreastMRI": ("breast-mri", "breast"),
    "CXR": ("chest-xray", "chest"),
    "ChestCT": ("chest-ct", "chest"),
    "Hand": ("hand-xray", "hand"),
    "HeadCT": ("head-ct", "head"),
    "BreastUS": ("breast-ultrasound", "breast"),
    "FetalUS": ("fetal-ultrasound", "fetus"),
}


def _read(image: Volume, case: Case) -> Reading:
    checks, refused = gate(NAME, image)
    if refused:
        return refused
    model = case.models.get(NAME)
    seen = classify(model, image)
    is_known = seen.is_familiar and seen.top in seen.proper
    return Reading(
        NAME,
        image.source.series_uid,
        findings=(_finding(image, seen, model),) if is_known else (),
        abstained=None if is_known else _reason(seen),
        quality=(*checks, strangeness_check(seen)),
        figures=(Figure("picture", display_uint8(image, 0), "input"),) if case.explain else (),
        predictions={f"p_{name}": probability for name, probability in seen.proper.items()},
        statements=() if is_known else (("seen-by-intake", {"class": picture_term(seen.top)}),),
        models=(model.ref,),
        parameters={
            "route": seen.top if seen.is_familiar else "",
            "picture": picture_term(seen.top),
            "runtime": model.predictor.runtime,
        },
    )


def _reason(seen: Classified) -> Abstention:
    if not seen.is_familiar:
        values = {"task": NAME, "score": f"{seen.strangeness:.3g}", "limit": f"{seen.limit:.3g}"}
        return Abstention("out-of-distribution", values)
    return Abstention("wrong-content", {"task": NAME, "got": picture_term(seen.top)})


def _finding(image: Volume, seen: Classified, model: Model) -> Finding:
    _, rows, columns = image.grid.shape
    part, site = _TERMS[seen.answer]
    return Finding(
        id="F1",
        task=NAME,
        code=term(part).code,
        site=Site(term(site).code),
        evidence=(Evidence("box", image.source.series_uid, box_index=((0, 0, 0), (1, rows, columns))),),
        probability=seen.proper[seen.answer],
        model=model.ref,
        qualifiers={"kind": "body-part", "class": part},
    )


def picture_term(name: str) -> str:
    """The term of an intake class, "foreign-picture" for a class that has none."""
    return _TERMS.get(name, ("foreign-picture", ""))[0]


TASK = Task(
    name=NAME,
    dimension="2d",
    modalities=frozenset({"CT", "MR", "CR", "DX", "US", "OT", "SC", "XC"}),
    body_parts=frozenset(),
    routes=frozenset(),
    models=("intake",),
    columns=("p_AbdomenCT", "p_BreastMRI", "p_CXR", "p_ChestCT", "p_Hand", "p_HeadCT"),
    read=_read,
    automatic=False,
)
