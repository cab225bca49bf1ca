"""What the description of the interface says of bodies that are bytes: Litestar describes only what it encodes itself."""

from dataclasses import dataclass

from litestar.openapi.spec import OpenAPIHeader, OpenAPIMediaType, OpenAPIResponse, Operation, Parameter, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType

from vault.kinds import Kind

TEXT, NUMBER = Schema(type=OpenAPIType.STRING), Schema(type=OpenAPIType.INTEGER, minimum=0)
BYTES = {kind.media_type: OpenAPIMediaType(schema=Schema()) for kind in Kind}


@dataclass
class Deposits(Operation):
    """Takes a paper: its bytes, or a form with one file."""

    def __post_init__(self) -> None:
        form = Schema(
            type=OpenAPIType.OBJECT,
            required=["file"],
            properties={
                "file": Schema(type=OpenAPIType.STRING, content_media_type="application/octet-stream"),
                **dict.fromkeys(("shelf", "title", "sort"), TEXT),
            },
        )
        self.request_body = RequestBody(
            required=True,
            description="The kind is told by the bytes and not by Content-Type. A form's fields go before those of the address.",
            content={
                "application/octet-stream": OpenAPIMediaType(schema=Schema()),
                **BYTES,
                "multipart/form-data": OpenAPIMediaType(schema=form),
            },
        )


@dataclass
class Gives(Operation):
    """Gives a paper's bytes, whole or one range of them."""

    def __post_init__(self) -> None:
        asked = Parameter(
            name="Range",
            param_in="header",
            required=False,
            schema=TEXT,
            description="One range, as `bytes=0-1023`; anything else is all.",
        )
        self.parameters = [*(self.parameters or []), asked]
        told = {
            "Content-Length": OpenAPIHeader(schema=NUMBER, required=True),
            "Content-Disposition": OpenAPIHeader(schema=TEXT, required=True),
            "Accept-Ranges": OpenAPIHeader(schema=TEXT, required=True),
        }
        ranged = {**told, "Content-Range": OpenAPIHeader(schema=TEXT, required=True)}
        answers = dict(self.responses or {})
        answers["200"] = OpenAPIResponse(description="The whole paper.", headers=dict(told), content=BYTES)
        answers["206"] = OpenAPIResponse(description="The range that was asked for.", headers=dict(ranged), content=BYTES)
        self.responses = answers
