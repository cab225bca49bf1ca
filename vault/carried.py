"""The page that lies in a parcel: everything at a glance, in any browser, without a network and without a script."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from html import escape
from typing import Any

from crypto.canonical import parse_instant
from vault import portable
from vault.events import WORDS, sentence
from vault.languages import Catalogues, Sentences, read_catalogues
from vault.pictograms import REASONS

STYLE = (
    "body{font:1.125rem/1.5 system-ui,sans-serif;max-inline-size:48rem;margin:auto;padding:1rem;color:#111;background:#fff}"
    "table{border-collapse:collapse;inline-size:100%}th,td{border-block-end:1px solid #777;padding:.5rem;text-align:start;"
    "vertical-align:top}a{color:#0b3d91}.demo{background:#000;color:#fff;padding:.5rem;text-align:center}h2{margin-block-start:2rem}"
)


@lru_cache(maxsize=1)
def _catalogues() -> Catalogues:
    return read_catalogues()


def page(
    language: str, papers: Sequence[portable.Paper], texts: Mapping[str, bytes], at: dt.datetime, *, demo: bool
) -> bytes:  # fmt: skip
    """The page, in one language, as HTML."""
    say = _catalogues()[language]
    told = {name: portable.read(text) for name, text in texts.items()}
    parts = [*_head(say, at, demo=demo), *_papers(say, papers), *_shares(say, told[portable.SHARES])]
    parts += [*_history(say, told[portable.HISTORY]), *_files(say, texts), "</main></body></html>\n"]
    return "\n".join(parts).encode()


def _text(say: Sentences, key: str, n: int | None = None, **values: object) -> str:
    return escape(say.plain(key, n, **values))


def _head(say: Sentences, at: dt.datetime, *, demo: bool) -> Iterator[str]:
    spoken = say.language
    code = "fr" if spoken.for_tests else spoken.code
    yield f'<!doctype html>\n<html lang="{code}" dir="{spoken.direction}"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{_text(say, 'export.title')}</title><style>{STYLE}</style></head><body>"
    if demo:
        yield f'<p class="demo">{escape(_catalogues()["fr"].plain("demo.ribbon"))}</p>'
    yield f"<main><h1>{_text(say, 'export.title')}</h1><p>{_text(say, 'export.made', at=say.moment(at))}</p>"
    yield f"<p><strong>{_text(say, 'export.keep')}</strong></p>"


def _papers(say: Sentences, papers: Sequence[portable.Paper]) -> Iterator[str]:
    yield f"<h2>{_text(say, 'export.papers', len(papers))}</h2><table>"
    for paper in papers:
        last = paper.versions[-1]
        links = " · ".join(
            f'<a href="{escape(one.file)}">{_text(say, "export.open" if one is last else "export.older")}</a>'
            for one in reversed(paper.versions)
        )
        kind = f"<br><small>{_text(say, f'kind.{last.sort}')}</small>" if last.sort and say.has(f"kind.{last.sort}") else ""
        title, note = f"<bdi>{escape(last.title)}</bdi>", f"<br><bdi>{escape(paper.note)}</bdi>" if paper.note else ""
        day = escape(say.day(parse_instant(last.added).date()))
        yield f"<tr><td>{title}{kind}{note}</td><td>{_text(say, f'drawer.{paper.drawer}')}</td><td>{day}</td><td>{links}</td></tr>"
    yield "</table>"


def _shares(say: Sentences, told: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h2>{_text(say, 'export.shares')}</h2>"
    if not told["shares"]:
        yield f"<p>{_text(say, 'export.nobody')}</p>"
        return
    yield "<table>"
    for one in told["shares"]:
        reason = _text(say, f"reason.{one['purpose']}") if one["purpose"] in REASONS else ""
        until = escape(say.day(dt.date.fromisoformat(one["until"])))
        yield f"<tr><td><bdi>{escape(one['who'])}</bdi></td><td>{reason}</td><td>{until}</td></tr>"
    yield "</table>"


def _history(say: Sentences, told: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h2>{_text(say, 'export.history')}</h2><ol>"
    for one in reversed(told["history"]):
        yield f"<li>{escape(say.moment(parse_instant(one['at'])))}{say.language.colon} {_event(say, one)}</li>"
    yield "</ol>"


def _event(say: Sentences, one: Mapping[str, Any]) -> str:
    if one["tag"] not in WORDS:
        return ""
    values = {
        "title": one.get("title") or say.plain("event.a-paper"), "by_name": one.get("by_name", "").split(",")[0],
        "reason": say.plain(f"reason.{one.get('purpose') if one.get('purpose') in REASONS else 'other'}"),
    }  # fmt: skip
    return _text(say, sentence(one["tag"], one.get("by", "")), **values)


def _files(say: Sentences, texts: Mapping[str, bytes]) -> Iterator[str]:
    yield f"<h2>{_text(say, 'export.files')}</h2><p>{_text(say, 'export.files_text')}</p><ul>"
    for name in texts:
        yield f'<li><a href="{name}">{name}</a></li>'
    yield "</ul>"
