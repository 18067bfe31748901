"""Which models there are, those that ship and those of the home folder; the newest that verifies speaks."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from isocenter.core.errors import PackageError
from isocenter.zoo.keys import trusted_keys
from isocenter.zoo.package import (
    SUFFIX,
    Package,
    package_file_name,
    read_bounded,
    read_package,
    read_package_bytes,
    write_whole,
)

BUILT_IN_FOLDER = Path(__file__).parent / "weights"
_FILE_NAME = re.compile(r"(?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)-(?P<version>\d+\.\d+\.\d+)" + re.escape(SUFFIX))


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A package on disk, by its file name; not verified yet.

    name     and version: what the file name says; both "" for a file outside the zoo, which may bear any name
    origin   "built-in", "home" or "file"
    """

    name: str
    version: str
    path: Path
    origin: str

    @property
    def version_key(self) -> tuple[int, ...]:
        """The version as numbers, for ordering."""
        return tuple(int(part) for part in self.version.split("."))


@dataclass(frozen=True, slots=True, eq=False)
class ModelEntry:
    """A package on disk after verification: the package, or what is wrong with it."""

    file: ModelFile
    package: Package | None
    problem: str = ""


def model_files(home: Path | None = None, *, built_in: Path = BUILT_IN_FOLDER) -> tuple[ModelFile, ...]:
    """Every package file, by name, newest version first; at equal versions the built-in one first."""
    folders = [(built_in, "built-in")] + ([(home / "models", "home")] if home is not None else [])
    files = []
    for folder, origin in folders:
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            match = _FILE_NAME.fullmatch(path.name)
            if match:
                files.append(ModelFile(match["name"], match["version"], path, origin))
    return tuple(sorted(files, key=lambda f: (f.name, tuple(-n for n in f.version_key), f.origin)))


def list_models(home: Path | None = None, *, built_in: Path = BUILT_IN_FOLDER) -> tuple[ModelEntry, ...]:
    """Every package with its verified content, or with what is wrong with it."""
    trusted = trusted_keys(home)
    return tuple(verify_file(file, trusted) for file in model_files(home, built_in=built_in))


def verify_file(file: ModelFile, trusted: Mapping[str, Ed25519PublicKey]) -> ModelEntry:
    """The file's package, or the reason why it is refused: altered, untrusted, or under a name that is not its own."""
    try:
        package = read_package(file.path, trusted=trusted)
        if file.name and (file.name, file.version) != (package.card.name, package.card.version):
            raise PackageError(f"{file.path.name}: expected the name {package_file_name(package.card)}; it was renamed")
    except PackageError as error:
        return ModelEntry(file, None, str(error))
    return ModelEntry(file, package)


def load_newest(
    name: str, home: Path | None = None, *, built_in: Path = BUILT_IN_FOLDER
) -> tuple[Package, tuple[str, ...]]:
    """The newest package of that name that verifies, and what was wrong with newer ones.

    Raises PackageError if there is none of that name, or none that verifies.
    """
    trusted = trusted_keys(home)
    problems: list[str] = []
    for file in model_files(home, built_in=built_in):
        if file.name == name:
            entry = verify_file(file, trusted)
            if entry.package is not None:
                return entry.package, tuple(problems)
            problems.append(entry.problem)
    if problems:
        raise PackageError(f"model {name}: {problems[0]}")
    raise PackageError(f"model {name}: expected a package of that name, got none; see `models list`")


def find_model(name: str, home: Path | None = None, *, built_in: Path = BUILT_IN_FOLDER) -> Path:
    """Where the newest package of that name lies that verifies. Raises PackageError if there is none."""
    trusted = trusted_keys(home)
    for file in model_files(home, built_in=built_in):
        if file.name == name and verify_file(file, trusted).package is not None:
            return file.path
    raise PackageError(f"model {name}: expected a package that verifies, got none; see `models list`")


def add_model(home: Path, file: Path, *, built_in: Path = BUILT_IN_FOLDER) -> Package:
    """Take a package into the home folder, once it verifies, under the name that its card says.

    Raises PackageError if it does not verify, if it is older than what is there, or if other content already
    bears that name and version.
    """
    trusted = trusted_keys(home)
    data = read_bounded(file)
    package = read_package_bytes(data, trusted=trusted)
    target = ModelFile(
        package.card.name, package.card.version, home / "models" / package_file_name(package.card), "home"
    )
    for present in (f for f in model_files(home, built_in=built_in) if f.name == target.name):
        entry = verify_file(present, trusted)
        if entry.package is None:
            continue
        if present.version_key > target.version_key:
            raise PackageError(f"{file.name}: expected a version after {present.version}, got {target.version}")
        if present.version_key == target.version_key and entry.package.digest != package.digest:
            raise PackageError(f"{file.name}: expected a new version, got {target.version} with other content")
    target.path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target.path, data)
    return package


def remove_model(home: Path, name: str, *, version: str | None = None) -> tuple[Path, ...]:
    """The packages of that name (and version) taken out of the home folder; what ships is never removed.

    Raises PackageError if the home folder holds none.
    """
    gone = [
        file.path for file in model_files(home)
        if file.origin == "home" and file.name == name and version in (None, file.version)
    ]  # fmt: skip
    if not gone:
        raise PackageError(f"model {name}: expected a package in the home folder, got none; built-in ones stay")
    for path in gone:
        path.unlink()
    return tuple(gone)
