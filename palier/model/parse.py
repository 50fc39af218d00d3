"""tiers.yaml to a :class:`Catalogue`, or one error with every problem of the file."""

from __future__ import annotations

from pathlib import Path

from palier.errors import ConfigError
from palier.model.catalogue import Catalogue
from palier.model.document import CatalogueText
from palier.model.problem import Place, Problem, error_of
from palier.model.reading import Reader
from palier.model.references import reference_problems
from palier.model.resolve import resolve
from palier.model.rules import RULES
from palier.model.shape import record_of
from palier.model.yamltree import Scalar, read_tree


def load_catalogue(path: Path) -> Catalogue:
    """Read a tiers file.

    Raises:
        ConfigError: The file cannot be read, or something in it is wrong.
    """
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(
            what=f"cannot read the tiers file: {reason}",
            where=str(path),
            fix="give the path of a tiers file with --tiers, or go to the folder that has one",
        ) from error
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        place = Place(before.count(b"\n") + 1, column)
        what = f"byte 0x{content[error.start]:02X} is not UTF-8"
        problem = Problem(place=place, what=what, fix="save the file as UTF-8")
        raise error_of(str(path), [problem]) from error
    return parse_catalogue(text, str(path))


def parse_catalogue(text: str, path: str) -> Catalogue:
    """The catalogue that ``text`` describes.

    Args:
        text: YAML.
        path: Name of the file, for messages.

    Raises:
        ConfigError: Something is wrong; names every problem with line, column, value and fix.
    """
    root, problems = read_tree(text)
    reader = Reader(rules=RULES, problems=list(problems))
    if root is None or (isinstance(root, Scalar) and root.is_null):
        if not problems:
            what = "the file is empty"
            fix = "begin with systems:, as in docs/own-service.md"
            reader.tell(Place(1, 1), what, fix)
        raise error_of(path, reader.problems)
    document = reader.read(record_of(CatalogueText), root)
    reader.problems.extend(reference_problems(reader))
    if reader.problems or not isinstance(document, CatalogueText):
        raise error_of(path, reader.problems)
    catalogue = resolve(document, path=path, reader=reader)
    if reader.problems:
        raise error_of(path, reader.problems)
    return catalogue
