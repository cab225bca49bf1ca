"""What is sealed of a version of a paper is bound to where it lies: the contexts, from any row that names the place."""

from typing import Any

from crypto import contexts


def wrap_place(row: Any) -> contexts.WrapContext:
    """What the wrap of a version is bound to."""
    return contexts.wrap(person=row.person, shelf=row.shelf, epoch=row.epoch, paper=row.paper, version=row.id)


def file_place(row: Any) -> contexts.FileContext:
    """What the keys of a version are bound to."""
    return contexts.file(person=row.person, paper=row.paper, version=row.id)
