"""The house rules that a machine can check: who imports whom, heavy libraries' tenants, sizes, start-up."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src" / "isocenter"
FILES = sorted(SRC.rglob("*.py"))

SCIENCE = {"core", "io", "imaging", "knowledge", "evaluation", "zoo", "explain", "reading", "reporting"}
HOSPITAL = {"archive", "network", "privacy", "security", "jobs"}
MAY_IMPORT: dict[str, set[str]] = {
    "core": set(),
    "io": {"core"},
    "imaging": {"core"},
    "knowledge": {"core"},
    "evaluation": {"core"},
    "zoo": {"core"},
    "explain": {"core", "imaging", "zoo"},
    "learning": {"core", "io", "imaging", "evaluation", "zoo"},
    "reading": {"core", "imaging", "knowledge", "zoo", "explain"},
    "reporting": {"core", "knowledge", "imaging"},
    "archive": {"core"},
    "network": {"core", "io"},
    "privacy": {"core", "io", "imaging"},
    "security": {"core", "archive"},
    "jobs": {"core", "archive"},
    "app": SCIENCE | HOSPITAL,
    "server": {"core", "app"},
    "cli": SCIENCE | HOSPITAL | {"app", "learning", "server"},
}
# Prefixes of module paths that may import a heavy library.
TENANTS: dict[str, tuple[str, ...]] = {
    "torch": ("learning/", "explain/gradient"),
    "monai": ("learning/", "explain/gradient"),
    "ray": ("learning/", "explain/gradient"),
    "nncf": ("learning/compress",),
    "onnx": ("learning/",),
    "openvino": ("zoo/",),
    "onnxruntime": ("zoo/", "learning/export"),
    "pydicom": ("io/dicom", "reporting/dicom_", "network/", "privacy/", "app/ingest", "app/demo_series"),
    "highdicom": ("reporting/dicom_",),
    "pynetdicom": ("network/dimse",),
    "SimpleITK": ("imaging/register/", "imaging/segment/", "imaging/bias"),
    "numba": ("imaging/",),
    "fastapi": ("server/", "network/dicomweb"),
}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "manager", "base"}
NEVER = {"torchvision", "pylibjpeg_libjpeg", "libjpeg", "pickle", "skimage", "nibabel", "sklearn", "pywt", "radiomics"}


def _room(path: Path) -> str:
    parts = path.relative_to(SRC).parts
    return parts[0] if len(parts) > 1 else ""


def _imports(path: Path) -> Iterator[tuple[str, int, int]]:
    """Each imported module, its line, and the level of a relative import; `if TYPE_CHECKING` counts too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node.lineno, node.level


def _ids(path: Path) -> str:
    return str(path.relative_to(SRC))


@pytest.mark.parametrize("path", FILES, ids=_ids)
def test_a_room_imports_only_what_the_house_allows(path: Path):
    room = _room(path)
    if not room:
        return
    for module, line, level in _imports(path):
        assert level == 0, f"{path}:{line} relative import"
        parts = module.split(".")
        if parts[0] == "isocenter" and len(parts) > 1 and (SRC / parts[1]).is_dir():
            target = parts[1]
            assert target == room or target in MAY_IMPORT[room], f"{_ids(path)}:{line} {room} may not import {target}"


@pytest.mark.parametrize("path", FILES, ids=_ids)
def test_heavy_libraries_stay_with_their_tenants(path: Path):
    name = _ids(path)
    for module, line, _ in _imports(path):
        top = module.split(".")[0]
        assert top not in NEVER, f"{name}:{line} imports {top}"
        if top in TENANTS:
            assert name.startswith(TENANTS[top]), f"{name}:{line} may not import {top}"


def test_the_way_from_files_to_folder_needs_the_science_wing_only():
    for name in ("read_files", "study_files", "predict_files"):
        rooms = {m.split(".")[1] for m, _, _ in _imports(SRC / "app" / f"{name}.py") if m.startswith("isocenter.")}
        assert rooms <= SCIENCE | {"app"}


@pytest.mark.parametrize("path", FILES, ids=_ids)
def test_modules_and_functions_keep_their_size(path: Path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400, f"{_ids(path)} is longer than 400 lines"
    assert path.stem not in FORBIDDEN_NAMES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= 60, f"{_ids(path)}:{node.lineno} {node.name} has {length} lines"
            if "cli" in path.parts:
                continue  # a command has a parameter per flag
            positional = [a for a in node.args.posonlyargs + node.args.args if a.arg not in ("self", "cls")]
            count = len(positional) + len(node.args.kwonlyargs)
            assert count <= 6, f"{_ids(path)}:{node.lineno} {node.name} takes {count} parameters"


@pytest.mark.parametrize("path", FILES, ids=_ids)
def test_nothing_executes_data_or_reads_the_environment_elsewhere(path: Path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("eval", "exec", "compile", "__import__"), f"{_ids(path)}:{node.lineno}"
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv") and _ids(path) != "app/settings.py":
            pytest.fail(f"{_ids(path)}:{node.lineno} reads the environment")


def test_rooms_do_not_import_in_circles():
    needs: dict[str, set[str]] = {}
    for path in FILES:
        room = _room(path)
        found = {m.split(".")[1] for m, _, _ in _imports(path) if m.startswith("isocenter.") and room}
        needs.setdefault(room, set()).update(found - {room})
    done: set[str] = set()
    while len(done) < len(needs):
        free = {room for room, wanted in needs.items() if room not in done and wanted & needs.keys() <= done}
        assert free, f"circle among {set(needs) - done}"
        done |= free


def test_each_room_has_a_short_readme():
    for folder in sorted(p for p in SRC.iterdir() if p.is_dir() and (p / "__init__.py").exists()):
        text = (folder / "README.md").read_text(encoding="utf-8")
        assert text.count("\n") <= 40, folder.name
        for heading in ("What lives here", "What does not", "read first", "How to add", "How to try"):
            assert heading in text, f"{folder.name}/README.md lacks “{heading}”"


def test_each_module_has_a_test_of_its_name():
    names = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    missing = [_ids(path) for path in FILES if path.stem != "__init__" and f"test_{path.stem}.py" not in names]
    assert missing == []


def test_importing_the_package_loads_no_heavy_library():
    code = (
        "import time, sys; t = time.perf_counter(); import isocenter; s = time.perf_counter() - t;"
        "heavy = {'numpy', 'torch', 'pydicom', 'cv2', 'openvino', 'onnxruntime', 'scipy'} & set(sys.modules);"
        "print(sorted(heavy)); sys.exit(bool(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_help_loads_no_heavy_library():
    code = (
        "import sys; sys.argv = ['isocenter', '--help']\n"
        "from isocenter.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit: pass\n"
        "known = {'torch', 'pydicom', 'cv2', 'openvino', 'onnxruntime', 'scipy', 'highdicom', 'numba', 'SimpleITK'}\n"
        "heavy = known & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_train_pins_torch_and_the_base_has_none():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "torch==2.13.0" in project["optional-dependencies"]["train"]
    assert not [need for need in project["dependencies"] if need.startswith(("torch", "monai", "ray"))]
