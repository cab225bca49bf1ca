"""Everything at once: taken to a key or a phone, as a ZIP or for six words; brought in from elsewhere."""

import re
from collections.abc import Iterator
from typing import Any, cast, get_args

from litestar import Response, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath
from litestar.response import Redirect, Stream
from litestar.types import ControllerRouterHandler

from vault import adding, parcels
from vault.bringing import Bringing, Brought
from vault.errors import BadInput, TicketGone, TooMuch
from vault.intake import FilePart, UploadLimits, receive_form
from vault.parcels import Parcel, Way
from vault.refusals import PaperRefused, UploadError
from vault.web.errors import status_and_sentence
from vault.web.forms import TOKEN, Sent
from vault.web.guards import WrongOrigin, anyone, context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.shell import Req, fragment, go, language_of, page
from vault.web.squares import square
from vault.web.taking import asked_first
from vault.web.uploads import in_thread
from vault.widening import WouldShow

RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")
CARRIED = "__Host-colis"  # on a person's own phone: what lets a cut download go on
ROOM = 64 * 1024 * 1024  # around the papers: texts, names, the form itself


# --- Away -----------------------------------------------------------------------------------------------------------------


@get("/{language:str}/emporter", opt=who("person"), sync_to_thread=True)
def take(request: Req) -> Response[str]:
    """How many papers there are and what they weigh, then one button."""
    count, size = parcels.weight(context_of(request), signed_in(request))
    return page(request, "kiosk/take_away.html", back="droits", count=count, megabytes=max(1, round(size / 1_000_000)))


@post("/{language:str}/emporter", opt=who("person"), sync_to_thread=True)
def pack(request: Req, form: Sent) -> Response[Any]:
    """Everything is packed in this instant; the next page gives it."""
    way = form.need("way")
    if way not in get_args(Way):
        raise BadInput("way")
    context, session = context_of(request), signed_in(request)
    made = parcels.pack(context, session, cast("Way", way), language_of(request))
    if way == "phone":
        adding.show_square(context, session, made)
        return go(request, "emporter/telephone")
    return go(request, "emporter/pret")


@get("/{language:str}/emporter/pret", opt=who("person", over="emporter"), sync_to_thread=True)
def ready(request: Req) -> Response[str]:
    """One button that gives the file; the six words, when it is closed by them."""
    parcel = parcels.waiting(context_of(request), signed_in(request))
    words = parcel.payload["words"].split()
    megabytes = max(1, round(parcel.size / 1_000_000))
    return page(request, "kiosk/taken_away.html", back="emporter", words=words, megabytes=megabytes)


@get("/{language:str}/emporter/fichier", opt=who("person", leaves=True), sync_to_thread=True)
def download(request: Req) -> Stream | Response[None]:
    """The file, whole, or from where a download was cut."""
    return sent(request, parcels.waiting(context_of(request), signed_in(request)))


def sent(request: Req, parcel: Parcel) -> Stream | Response[None]:
    """A parcel as it leaves, whole or from where a download was cut."""
    headers = {"Content-Disposition": f'attachment; filename="{parcel.name}"', "Cache-Control": "no-store"}
    if parcel.sealed:
        length, blocks = parcel.sealed_blocks()
        return Stream(blocks, media_type="application/octet-stream", headers={**headers, "Content-Length": str(length)})
    size, tag = parcel.size, f'"{parcel.tag}"'
    # A download that was cut goes on only in the parcel that it began with: half of another one would be no archive at all.
    same = request.headers.get("if-range", tag).strip() == tag
    asked = RANGE.fullmatch(request.headers.get("range", "").strip()) if same else None
    start = int(asked[1]) if asked else 0
    end = min(int(asked[2]) + 1, size) if asked and asked[2] else size
    if start >= end:
        return Response(None, status_code=416, headers={"Content-Range": f"bytes */{size}"})
    headers |= {"Accept-Ranges": "bytes", "Content-Length": str(end - start), "ETag": tag}
    if asked:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"

    def blocks_of() -> Iterator[bytes]:
        yield from parcel.blocks(start, end)

    return Stream(blocks_of(), status_code=206 if asked else 200, media_type="application/zip", headers=headers)


# --- To a phone -----------------------------------------------------------------------------------------------------------


@get("/{language:str}/emporter/telephone", opt=who("person"), sync_to_thread=True)
def phone(request: Req) -> Response[str]:
    """The square to photograph, for five minutes."""
    adding.square(context_of(request), signed_in(request), "parcel")
    return page(request, "kiosk/take_to_phone.html", back="emporter")


@get("/{language:str}/emporter/telephone/carre", opt=who("person"), sync_to_thread=True)
def phone_square(request: Req) -> Response[bytes]:
    """The square itself."""
    shown = adding.square(context_of(request), signed_in(request), "parcel")
    return square(request, f"tel-tout/{shown.secret}")


@get("/{language:str}/tel-tout/{ticket:str}", opt=anyone(), sync_to_thread=True)
def phone_page(request: Req, ticket: FromPath[str]) -> Response[str]:
    """On the phone: one button. Looking does not use the link up."""
    if not parcels.alive(context_of(request), ticket):
        return page(request, "kiosk/phone_gone.html", status=410)
    return page(request, "kiosk/phone_receive.html", ticket=ticket, everything=True)


@post("/{language:str}/tel-tout/{ticket:str}", opt=anyone(), sync_to_thread=True)
def phone_begin(request: Req, ticket: FromPath[str], form: Sent) -> Response[Any]:  # noqa: ARG001 — a session here has its token compared
    """The link is used up; this phone alone may go on."""
    try:
        begun = parcels.begin(context_of(request), ticket)
    except TicketGone:
        return page(request, "kiosk/phone_gone.html", status=410)
    answer = Redirect(fragment(request, "tel-tout"), status_code=303)
    answer.set_cookie(
        Cookie(key=CARRIED, value=begun.secret, path="/", secure=True, httponly=True, samesite="strict", max_age=3600)
    )
    return answer


@get("/{language:str}/tel-tout", opt={**anyone(), "leaves": True}, sync_to_thread=True)
def phone_download(request: Req) -> Stream | Response[Any]:
    """The file, on the phone whose link it was."""
    try:
        return sent(request, parcels.find(context_of(request), request.cookies.get(CARRIED, "")))
    except TicketGone:
        return page(request, "kiosk/phone_gone.html", status=410)


# --- In -------------------------------------------------------------------------------------------------------------------


@get("/{language:str}/apporter", opt=who("person"), sync_to_thread=True)
def bring(request: Req) -> Response[str]:
    """A copy that another Abri gave. Who would see what comes is asked first."""
    return asked_first(request, "apporter", "droits/autres") or page(
        request, "kiosk/bring_in.html", back="droits/autres", faults=[]
    )


@post("/{language:str}/apporter", opt=who("person", streams=True), request_max_body_size=None)
async def brought(request: Req) -> Response[Any]:
    """The archive streams in; each paper is sealed as it arrives."""
    try:
        found = await _receive(request)
    except WouldShow:  # a drawer was shown to somebody on another screen since
        return go(request, "apporter")
    except (BadInput, PaperRefused, UploadError, TooMuch) as error:
        status, sentence = status_and_sentence(error)
        faults = [Fault(sentence, "file")]
        return await in_thread(page, request, "kiosk/bring_in.html", status=status, back="droits/autres", faults=faults)
    return done(request, found)


def done(request: Req, found: Brought) -> Redirect:
    """What came, as the address counts it: only ever shown, and a page shown again brings nothing twice."""
    return go(request, f"apporter/fait?nouveaux={found.new}&connus={found.known}&perdus={found.lost}")


@get("/{language:str}/apporter/fait", opt=who("person"), sync_to_thread=True)
def came(request: Req) -> Response[str]:
    """How many papers came in."""
    shown = Brought(*(_count(request, name) for name in ("nouveaux", "connus", "perdus")))
    return page(request, "kiosk/brought_in.html", back="droits/autres", brought=shown)


def _count(request: Req, name: str) -> int:
    text = request.query_params.get(name, "0")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


async def _receive(request: Req) -> Brought:
    context, session = context_of(request), signed_in(request)
    most = context.settings.limits.person_bytes + ROOM
    sinks: list[Bringing] = []

    def check(name: str, value: str) -> None:
        if not (name == TOKEN and session.check_form_token(value)):
            raise WrongOrigin

    def open_sink(_: FilePart) -> Bringing:
        sinks.append(Bringing(context, session, adding.agreed(context, session)))
        return sinks[0]

    await receive_form(
        request.stream(), request.headers.get("content-type", ""), open_sink=open_sink, check_token=check,
        limits=UploadLimits(file_bytes=most, files=1, total_bytes=most + ROOM),
    )  # fmt: skip
    if not sinks:
        raise BadInput("file", "error.no-file")
    return sinks[0].brought


ROUTES: list[ControllerRouterHandler] = [
    take, pack, ready, download, phone, phone_square, phone_page, phone_begin, phone_download, bring, brought,
    came,
]  # fmt: skip
