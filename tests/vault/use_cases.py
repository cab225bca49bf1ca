"""What each use case writes into the trace, read from the code: which functions change something, and which words they may write.

A use case is a public function of a module of `vault/` that takes a `Context` and reaches a transaction that writes. Its words are the
tags of the vocabulary that stand in the functions it reaches. This reads source, so that a new one cannot be forgotten.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vault.events import WORDS

VAULT = Path(__file__).parents[2] / "vault"
Name = tuple[str, str]  # module, function


@dataclass
class Function:
    """One function: what it calls, the words it holds, whether it opens a transaction that writes, whether it records.

    `takes_session`: somebody in front of a screen is one of its parameters.
    """

    public: bool
    takes_context: bool
    takes_session: bool = False
    calls: set[Name] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)
    writes: bool = False
    records: bool = False


def _imports(tree: ast.Module) -> tuple[dict[str, str], dict[str, Name]]:
    """Modules of ours by the name they have here, and functions of ours by the name they have here."""
    modules: dict[str, str] = {}
    functions: dict[str, Name] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "vault":
            modules |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("vault."):
            functions |= {alias.asname or alias.name: (node.module[6:], alias.name) for alias in node.names}
    return modules, functions


def _tags_by_constant(tree: ast.Module) -> dict[str, set[str]]:
    """Words that stand in a constant of the module, such as the tag of each answer."""
    found: dict[str, set[str]] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    found[target.id] = _words(node.value)
                elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):  # two words in one line
                    pairs = zip(target.elts, node.value.elts, strict=True)
                    found |= {name.id: _words(value) for name, value in pairs if isinstance(name, ast.Name)}
    return found


def _words(node: ast.AST) -> set[str]:
    return {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and one.value in WORDS}


def _bound(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    """Names that are values of this function: its parameters, and what it assigns."""
    arguments = function.args
    found = {one.arg for one in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
    return found | {one.id for one in ast.walk(function) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """The functions of a module and the methods of its classes. What stands inside a function is a part of it."""
    for node in tree.body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        yield from ((one.name, one) for one in inside if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))


def _read(module: str, tree: ast.Module) -> Iterator[tuple[str, Function]]:
    modules, imported = _imports(tree)
    constants = _tags_by_constant(tree)
    for name, node in _functions(tree):
        first = [*node.args.posonlyargs, *node.args.args][:1]
        takes = bool(first) and ast.unparse(first[0].annotation or ast.Constant(None)) == "Context"
        session = any(ast.unparse(each.annotation or ast.Constant(None)) == "Session" for each in node.args.args)
        one = Function(not name.startswith("_") and node in tree.body, takes, session)
        # A comparison looks for a word that somebody else wrote.
        compared = {id(word) for part in ast.walk(node) if isinstance(part, ast.Compare) for word in ast.walk(part)}
        own = _bound(node)
        for part in ast.walk(node):
            if isinstance(part, ast.Constant) and part.value in WORDS and id(part) not in compared:
                one.tags.add(str(part.value))
            elif isinstance(part, ast.Name) and part.id not in own and id(part) not in compared:
                one.tags |= constants.get(part.id, set())
                one.calls.add(imported.get(part.id, (module, part.id)))
            elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id in modules:
                one.calls.add((modules[part.value.id], part.attr))
            if isinstance(part, ast.Call):
                called = ast.unparse(part.func)
                readers = any(word.arg == "read_only" for word in part.keywords)
                one.writes = one.writes or (called.endswith("database.transaction") and not readers)
                one.records = one.records or called in ("audit.record", "audit.record_if_sealed", "record", "record_if_sealed")
        yield name, one


def read() -> dict[Name, Function]:
    """Every function of `vault/`, pages and parsers apart."""
    found: dict[Name, Function] = {}
    for path in sorted(VAULT.glob("*.py")):
        for name, one in _read(path.stem, ast.parse(path.read_text())):
            found[path.stem, name] = one
    return found


def reached(functions: dict[Name, Function], start: Name) -> set[Name]:
    """A function and everything that it calls, directly or not. Writing an entry calls nothing more: it is where words end."""
    seen: set[Name] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in seen or name not in functions or name[0] == "audit":
            continue
        seen.add(name)
        waiting += functions[name].calls
    return seen


@dataclass(frozen=True)
class UseCase:
    """One use case as the code has it: the words it may write."""

    name: str
    tags: frozenset[str]


def use_cases() -> list[UseCase]:
    """Every public function that takes a context and changes something, with its words."""
    functions = read()
    found = []
    for name, one in sorted(functions.items()):
        if not (one.public and one.takes_context):
            continue
        ways = [functions[step] for step in reached(functions, name)]
        if any(way.writes for way in ways):
            tags = frozenset().union(*(way.tags for way in ways if way.tags)) if any(way.records for way in ways) else frozenset()
            found.append(UseCase(".".join(name), frozenset(tags)))
    return found


def table() -> str:
    """The table that `entries_of_use_cases.txt` pins: one use case a line, with its words."""
    return "".join(f"{one.name}: {' '.join(sorted(one.tags)) or '-'}\n" for one in use_cases())


PINNED = Path(__file__).parent / "entries_of_use_cases.txt"

if __name__ == "__main__":
    PINNED.write_text(table())
