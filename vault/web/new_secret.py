"""K05 wherever it is asked: a new code or five pictures, twice, on two pages."""

from dataclasses import dataclass

from litestar import Response

from vault.errors import AbriError, BadInput, WeakSecret
from vault.web.pages import Fault
from vault.web.shell import Req, page


@dataclass(frozen=True)
class NewSecret:
    """The two pages under one address: `{place}/code` and `{place}/images`."""

    place: str
    back: str

    def code(self, request: Req, error: AbriError | None = None, *, again: bool = False) -> Response[str]:
        """Six digits; `again` asks for the same ones."""
        return page(
            request, "kiosk/new_code.html", status=422 if error else 200, back=self.back, faults=_faults(error, "code"),
            again=again, action=f"{self.place}/code", pictures=f"{self.place}/images",
        )  # fmt: skip

    def pictures(self, request: Req, error: AbriError | None = None, *, again: bool = False) -> Response[str]:
        """Five pictures; `again` asks for the same ones."""
        return page(
            request, "kiosk/new_pictures.html", status=422 if error else 200, back=f"{self.place}/code",
            faults=_faults(error, "pictures"), again=again, action=f"{self.place}/images", digits=f"{self.place}/code",
        )  # fmt: skip


def _faults(error: AbriError | None, what: str) -> list[Fault]:
    if error is None:
        return []
    if isinstance(error, WeakSecret):
        return [Fault("error.weak-code", "code") if what == "code" else Fault("error.weak-pictures")]
    different = isinstance(error, BadInput) and error.shown.endswith("-different")
    if what == "code":
        return [Fault("error.code-different" if different else "error.code-digits", "code")]
    return [Fault("error.pictures-different" if different else "error.pictures-count")]
