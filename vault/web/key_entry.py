"""The door of the desk and of the office, for whoever enters with an authenticator. Without script the words and the digits remain."""

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from vault import entering
from vault.ceremonies import Answer
from vault.errors import AbriError, Absent, BadInput, Busy, MustWait, NotCertified, WrongSecret
from vault.staff import StaffKind
from vault.web.desk_entry import person_sits_here, refusal
from vault.web.forms import Form, Sent
from vault.web.guards import anyone, context_of, signed_in, who
from vault.web.pages import Fault
from vault.web.place import here
from vault.web.shell import Req, end_session, go, work_page

REFUSED = (WrongSecret, MustWait, Busy, BadInput, Absent, NotCertified)


@dataclass(frozen=True)
class Door:
    """One of the two: whose it is, and where it stands."""

    kind: StaffKind
    area: str
    template: str


DESK = Door("worker", "bureau", "desk/sign_in.html")
OFFICE = Door("administrator", "association", "office/sign_in.html")


def answer_of(form: Form, name: str = "answer") -> Answer:
    """What the script put into a form."""
    return Answer(form.get(name), form.get(f"{name}_secret"))


def _key_page(request: Req, door: Door, error: AbriError | None = None) -> Response[str]:
    status, faults = (200, []) if error is None else refusal(request, error, WrongSecret="keys.not_known")
    try:
        options = entering.asked(context_of(request), signed_in(request))
    except BadInput as no_name:
        status, faults, options = 422, [Fault(no_name.shown)], ""
    return work_page(
        request, "desk/enter_key.html", status=status, faults=faults, area=door.area, options=options, again=bool(faults)
    )


def _words_page(request: Req, door: Door, error: AbriError | None = None, code: str = "") -> Response[str]:
    status, faults = (200, []) if error is None else refusal(request, error)
    code = code or entering.at_the_door(context_of(request), signed_in(request)).code
    return work_page(request, "desk/enter_words.html", status=status, faults=faults, area=door.area, code=code)


def handlers(door: Door) -> list[ControllerRouterHandler]:
    """The pages of one door."""

    @post("/entrer/avec-une-cle", opt=anyone(), sync_to_thread=True)
    def start(request: Req, form: Sent) -> Response[Any]:
        """Whoever stands here wants to enter with an authenticator. Never beside a person's open papers."""
        if person_sits_here(request):
            return work_page(request, door.template, status=409, faults=[], code="", person_here=True, ended=False)
        cookie = entering.start(context_of(request), door.kind, form.get("code"), here(request).id)
        end_session(request)
        return go(request, f"{door.area}/entrer/cle", cookie=cookie)

    @get("/entrer/cle", opt=who("opening"), sync_to_thread=True)
    def touch(request: Req) -> Response[str]:
        """Touch the key."""
        return _key_page(request, door)

    @post("/entrer/cle/reponse", opt=who("opening"), sync_to_thread=True)
    def touched(request: Req, form: Sent) -> Response[Any]:
        """The authenticator answered: in, or on to six words."""
        try:
            cookie = entering.with_key(context_of(request), signed_in(request), answer_of(form))
        except REFUSED as error:
            return _key_page(request, door, error)
        return go(request, door.area, cookie=cookie) if cookie else go(request, f"{door.area}/entrer/mots")

    @get("/entrer/mots", opt=who("opening"), sync_to_thread=True)
    def ask_words(request: Req) -> Response[str]:
        """This authenticator opens nothing by itself: six words do."""
        return _words_page(request, door)

    @post("/entrer/mots", opt=who("opening"), sync_to_thread=True)
    def words(request: Req, form: Sent) -> Response[Any]:
        """In, once they are right."""
        typed = " ".join(form.get("words").split())
        try:
            cookie = entering.then_words(context_of(request), signed_in(request), form.get("code"), typed)
        except REFUSED as error:
            return _words_page(request, door, error, form.get("code"))
        return go(request, door.area, cookie=cookie)

    return [start, touch, touched, ask_words, words]
