"""A death as it goes: said by guardians, approved by administrators; and what stands in the rows meanwhile."""

from sqlalchemy import select

from storage.tables import accounts, papers
from tests.vault.builders import sign_in, sign_in_administrator
from tests.vault.comings import Circle
from tests.vault.test_directives import member
from vault import (
    deaths,
    erasing,
    register_reading,
    rights,
)
from vault.context import Context


def said(house: Context, made: Circle) -> register_reading.Request:
    """Both guardians have seen the certificate of death; the line in the register of the first one's operator."""
    for worker in (made.fatou, made.marc):
        deaths.report(house, sign_in(house, worker), member(house, worker), seen=True)
    return line(house, made)


def line(house: Context, made: Circle) -> register_reading.Request:
    nadia = sign_in_administrator(house, made.tilleuls.administrators[0])
    return next(
        one for closed in (False, True) for one in register_reading.requests(house, nadia, closed=closed) if one.kind == "death"
    )


def approved(house: Context, made: Circle) -> register_reading.Request:
    """And two administrators have said yes."""
    found = said(house, made)
    for admin in made.tilleuls.administrators:
        rights.approve(house, sign_in_administrator(house, admin), found.id)
    return line(house, made)


def state(house: Context, person: str) -> str | None:
    with house.database.transaction(read_only=True) as connection:
        return connection.execute(select(accounts.c.state).where(accounts.c.id == person)).scalar_one_or_none()


def kept(house: Context, person: str) -> int:
    with house.database.transaction(read_only=True) as connection:
        return len(connection.execute(select(papers.c.id).where(papers.c.person == person)).all())


def erase_what_is_due(house: Context) -> None:
    deaths.end_due(house)
    for one in erasing.due(house):
        erasing.carry_out(house, one)
