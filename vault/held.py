"""Everything that Abri holds of a person, told to them alone: for the copy that they take away (articles 15 and 20) and its page."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select

from crypto.canonical import instant
from crypto.sealing import seal_text, unseal_text
from storage.tables import brought
from vault import asking, audit, directives, guardians, labels, outside, people, portable, receipt_files, showing, who
from vault.asking import Waiting
from vault.context import Context
from vault.errors import Tampered
from vault.outside import OutsideCard
from vault.sessions import Session
from vault.settings import today_in_paris
from vault.showing import ShareCard
from vault.versions import one_refusal

FORMAT = {"format": portable.FORMAT}


def texts(context: Context, session: Session) -> dict[str, bytes]:
    """Who the person is here, their shares and receipts, their history, and what they had brought along: each as a text."""
    return {
        portable.ME: portable.write(FORMAT | _me(context, session)),
        portable.SHARES: portable.write(FORMAT | _shares(context, session)),
        portable.RECEIPTS: portable.write(FORMAT | {"receipts": _receipts(context, session)}),
        portable.HISTORY: portable.write(FORMAT | {"history": _history(context, session)}),
        portable.EARLIER: portable.write(FORMAT | {"earlier": earlier(context, session)}),
    }


def no_texts(context: Context) -> dict[str, bytes]:
    """The same texts with nothing in them: whom the person named gets their papers, not their life with Abri."""
    nobody = {"made": instant(context.clock()), "name": ""}
    empty: dict[str, dict[str, Any]] = {
        portable.ME: nobody, portable.SHARES: {"shares": [], "outside": [], "requests": []}, portable.RECEIPTS: {"receipts": []},
        portable.HISTORY: {"history": []}, portable.EARLIER: {"earlier": []},
    }  # fmt: skip
    return {name: portable.write({**FORMAT, **text}) for name, text in empty.items()}


def _me(context: Context, session: Session) -> dict[str, Any]:
    told, accepted = people.me(context, session), people.conditions(context, session)
    wanted = directives.mine(context, session)
    return {
        "made": instant(context.clock()), "name": told.name or "", "drawing": told.drawing,
        "last_opened": instant(told.last_opened) if told.last_opened else "",
        "conditions": vars(accepted), "places_shown": told.show_places, "contacts": contacts(context, session),
        "after_death": {**vars(wanted.wish), "recorded": wanted.recorded.isoformat(), "proof": wanted.proof} if wanted else {},
    }  # fmt: skip


def contacts(context: Context, session: Session) -> list[dict[str, str]]:
    """Those the person counts on: names and structures, as they were chosen."""
    circle = guardians.circle(context, session)
    members = circle.members if circle else ()
    return [{"kind": one.kind, "name": one.name, "structure": one.structure_name, "state": one.state} for one in members]


def _shares(context: Context, session: Session) -> dict[str, Any]:
    given = [*showing.grants_of(context, session), *showing.grants_of(context, session, ended=True)]
    asked = asking.waiting_for_me(context, session, away=True)
    links = [*outside.mine(context, session), *outside.mine(context, session, ended=True)]
    return {
        "shares": [_share(one) for one in given], "outside": [_link(one) for one in links], "requests": [_request(one) for one in asked],
    }  # fmt: skip


def _link(one: OutsideCard) -> dict[str, Any]:
    return {
        "id": one.share, "who": one.recipient, "state": one.state, "until": instant(one.until), "purpose": one.purpose or "",
        "own_words": one.own_words, "papers": one.papers, "made_by": one.by, "opened": [instant(at) for at in one.opened],
    }  # fmt: skip


def _share(one: ShareCard) -> dict[str, Any]:
    return {
        "id": one.grant, "who": one.worker_name, "state": one.state.value, "until": one.until.isoformat(),
        "since": instant(one.since) if one.since else "", "purpose": one.purpose or "", "own_words": one.own_words,
        "acts": sorted(act.value for act in one.acts), "drawer": one.shelf or "",
        "papers": [{"title": paper.title, "sort": paper.sort} for paper in one.papers],
        "opened": [{"at": instant(opening.at), "what": opening.tag} for opening in one.opened],
    }  # fmt: skip


def _request(one: Waiting) -> dict[str, Any]:
    return {name: str(value) for name, value in vars(one).items() if isinstance(value, str)}


def _receipts(context: Context, session: Session) -> list[Any]:
    found: list[Any] = []
    with context.database.transaction(read_only=True) as connection:
        for given in receipt_files.given_by(connection, session.account):
            try:
                found += [one.to_value() for one in receipt_files.read_records(context, connection, session, given)]
            except Tampered:
                found.append({"share": given, "damaged": True})  # the rest leaves all the same, and the loss is not hidden
    return found


def _history(context: Context, session: Session) -> list[dict[str, Any]]:
    entries = audit.history(context, session)
    return [{"id": one.id, "number": one.number, **one.event.fields(instant(one.at))} for one in reversed(entries)]


# --- What came along from another Abri ------------------------------------------------------------------------------------


def earlier(context: Context, session: Session) -> list[Any]:
    """What the person brought from other places: shares, receipts and histories that this service did not write."""
    keys = who.person(session)
    with context.database.transaction(read_only=True) as connection:
        query = select(brought.c.id, brought.c.sealed).where(brought.c.person == session.account)
        rows = connection.execute(query.order_by(brought.c.number)).all()
    found: list[Any] = []
    for row in rows:
        with one_refusal():
            text = unseal_text(keys.values, labels.brought(person=session.account, id=row.id), row.sealed)
        found.append(json.loads(text))
    return found


def keep_earlier(context: Context, connection: Connection, session: Session, told: Sequence[Mapping[str, Any]]) -> None:
    """Keep what came along, sealed for the person alone, in the caller's transaction; what is here already stays once."""
    keys = who.person(session)
    known = {portable.write(one) for one in earlier(context, session)}
    number = len(known)
    for one in told:
        text = portable.write(one)
        if text in known:
            continue
        name = context.new_id()
        sealed = seal_text(keys.values, labels.brought(person=session.account, id=name), text.decode())
        row = {"id": name, "person": session.account, "number": number, "sealed": sealed}
        connection.execute(insert(brought).values(**row, created=today_in_paris(context.clock())))
        number += 1
