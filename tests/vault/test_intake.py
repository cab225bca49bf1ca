"""Bodies come in, whatever the network does to them, and nothing of a refused one stays."""

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import loops
from tests.vault.uploads import BOUNDARY, END, FORM, MIB, TOKEN, Recorder, Refused, Sinks, check, field, file, receive, stream_of
from vault.intake import (
    BLOCK_BYTES,
    MemorySink,
    Sink,
    UploadLimits,
    receive_form,
    receive_raw,
)
from vault.refusals import BadForm, NotAForm, TokenNotFirst, TooHeavy


def test_fields_and_files_in_order() -> None:
    sinks = Sinks()
    body = (
        field(*TOKEN) + field("drawer", "Santé") + file("paper", "récépissé.pdf", b"%PDF-1") + field("drawer", "Autre")
        + file("paper", "../../etc/passwd", b"second") + END
    )  # fmt: skip
    form = receive(body, sinks)
    assert form.fields == (TOKEN, ("drawer", "Santé"), ("drawer", "Autre"))
    assert form.first("drawer") == "Santé"
    assert form.all("drawer") == ("Santé", "Autre")
    assert form.first("nothing") is None
    assert [part.untrusted_name for part, _ in form.files] == ["récépissé.pdf", "../../etc/passwd"]
    assert [sink.content for _, sink in sinks.opened] == [b"%PDF-1", b"second"]
    assert all(sink.events == ["finish"] for _, sink in sinks.opened)
    assert [sink for _, sink in form.files] == [sink for _, sink in sinks.opened]


def test_a_body_written_by_another_library() -> None:
    request = httpx.Request(
        "POST", "https://abri.test/", data=dict([TOKEN]), files=[("paper", ("a.jpg", b"\r\n--\xff\xd8" * 1000, "image/jpeg"))]
    )
    sinks = Sinks()
    form = receive(request.read(), sinks, content_type=request.headers["content-type"])
    assert form.fields == (TOKEN,)
    assert sinks.opened[0][1].content == b"\r\n--\xff\xd8" * 1000


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_however_the_network_cuts_it_the_form_is_the_same(data: st.DataObject) -> None:
    contents = data.draw(
        st.lists(
            st.one_of(
                st.binary(max_size=400),
                st.sampled_from([b"\r\n--", END[:-4], b"\r\n--" + BOUNDARY.encode()[:-1], b"\r" * 50, b"-" * 99]),
            ),
            max_size=4,
        )
    )
    texts = data.draw(st.lists(st.text(st.characters(codec="utf-8"), max_size=60), max_size=4))
    body = field(*TOKEN)
    for number, text in enumerate(texts):
        body += field(f"field{number}", text)
    for number, content in enumerate(contents):
        body += file("paper", f"{number}.bin", content)
    body += END
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=20)))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    if any(b"\r\n--" + BOUNDARY.encode() in b"\r\n" + text.encode() for text in texts):
        return
    sinks = Sinks()
    form = receive(pieces, sinks)
    assert form.fields == (TOKEN, *((f"field{number}", text) for number, text in enumerate(texts)))
    assert [sink.content for _, sink in sinks.opened] == contents
    assert all(sink.events == ["finish"] for _, sink in sinks.opened)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_cut_or_flipped_body_is_refused_or_whole(data: st.DataObject) -> None:
    """Either a form comes out with every sink finished, or a named error with every sink abandoned."""
    body = bytearray(field(*TOKEN) + file("paper", "a.bin", b"0123456789" * 20) + file("paper", "b.bin", b"x") + END)
    for _ in range(data.draw(st.integers(0, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    sinks = Sinks()
    try:
        form = receive(bytes(body[:cut]), sinks)
    except (BadForm, TokenNotFirst, Refused, TooHeavy):
        assert all(sink.events[-1:] == ["abandon"] for _, sink in sinks.opened)
    else:
        assert all(sink.events == ["finish"] for _, sink in sinks.opened)
        assert form.fields[0] == TOKEN


@pytest.mark.parametrize("cut", [1, 10, len(END), len(END) + 2, 200])
def test_a_body_without_its_end_is_not_a_form(cut: int) -> None:
    body = field(*TOKEN) + file("paper", "a.bin", b"0123456789" * 40) + END
    sinks = Sinks()
    if cut == 1:  # the last line feed after the closing boundary is no part of it
        assert receive(body[:-cut], sinks).fields == (TOKEN,)
        return
    with pytest.raises(BadForm):
        receive(body[:-cut], sinks)
    assert [sink.events[-1] for _, sink in sinks.opened] == ["abandon"]


def test_the_token_comes_before_any_byte_of_a_file() -> None:
    for body, refusal in (
        (file("paper", "a.bin", b"123") + field(*TOKEN) + END, TokenNotFirst),
        (file("paper", "a.bin", b"123") + END, TokenNotFirst),
        (field("csrf", "wrong") + file("paper", "a.bin", b"123") + END, Refused),
        (field("other", "the token") + field(*TOKEN) + END, Refused),
        (END, TokenNotFirst),
    ):
        sinks = Sinks()
        with pytest.raises(refusal):
            receive(body, sinks)
        assert sinks.opened == []


def test_without_a_check_any_order_is_taken() -> None:
    sinks = Sinks()
    body = file("paper", "a.bin", b"123") + END
    form = loops.run(receive_form(stream_of([body]), FORM, open_sink=sinks, check_token=None))
    assert form.fields == ()
    assert sinks.opened[0][1].content == b"123"


def test_the_token_is_checked_while_the_file_has_not_arrived() -> None:
    """A refusal does not wait for the body."""
    asked = 0

    async def slow() -> AsyncIterator[bytes]:
        nonlocal asked
        yield field("csrf", "wrong") + file("paper", "a.bin", b"1")[:80]
        asked += 1
        yield b"0" * 100

    with pytest.raises(Refused):
        loops.run(receive_form(slow(), FORM, open_sink=Sinks(), check_token=check))
    assert asked == 0


def test_blocks_are_of_one_mebibyte_in_other_threads() -> None:
    content = os.urandom(3 * MIB + 5)
    body = field(*TOKEN) + file("paper", "a.bin", content) + END
    sinks = Sinks()
    receive([body[at : at + 300_001] for at in range(0, len(body), 300_001)], sinks)
    (_, sink), *_ = sinks.opened
    assert sink.content == content
    assert sink.lengths == [BLOCK_BYTES, BLOCK_BYTES, BLOCK_BYTES, 5]
    assert threading.get_ident() not in sink.threads


def test_an_empty_input_is_skipped_and_an_empty_file_is_not() -> None:
    sinks = Sinks()
    form = receive(field(*TOKEN) + file("paper", "", b"") + file("paper", "empty.pdf", b"") + END, sinks)
    assert [part.untrusted_name for part, _ in form.files] == ["empty.pdf"]
    assert sinks.opened[0][1].events == ["finish"]


def limits_cases() -> list[tuple[bytes, UploadLimits, type[Exception]]]:
    """Bodies one step past each limit."""
    token = field(*TOKEN)
    return [
        (token + file("p", "a", b"0" * 101) + END, UploadLimits(file_bytes=100), TooHeavy),
        (token + file("p", "a", b"0") * 3 + END, UploadLimits(files=2), TooHeavy),
        (token + file("p", "a", b"0" * 900) + END, UploadLimits(total_bytes=900), TooHeavy),
        (token + field("f", "0" * 101) + END, UploadLimits(field_bytes=100), BadForm),
        (token + field("f", "0") * 3 + END, UploadLimits(fields=3), BadForm),
        (token + field("f" * 300, "0") + END, UploadLimits(), BadForm),
        (token + file("p", "", b"") * 60 + END, UploadLimits(), BadForm),
        (token + field("f", b"\xff\xfe") + END, UploadLimits(), BadForm),
        (token + field("", "0") + END, UploadLimits(), BadForm),
        (token + END.replace(b"--\r\n", b"xx\r\n"), UploadLimits(), BadForm),
        (b"no boundary at all", UploadLimits(), BadForm),
        (f"--{BOUNDARY}\r\nContent-Type: text/plain\r\n\r\n1\r\n".encode() + END, UploadLimits(), BadForm),
        (
            token + field("f", "MQ==").replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n") + END,
            UploadLimits(),
            BadForm,
        ),
    ]


@pytest.mark.parametrize("number", range(13))
def test_one_step_past_each_limit(number: int) -> None:
    body, limits, refusal = limits_cases()[number]
    sinks = Sinks()
    with pytest.raises(refusal):
        receive(body, sinks, limits=limits)
    assert all(sink.events[-1:] == ["abandon"] for _, sink in sinks.opened)


def test_exactly_at_each_limit() -> None:
    body = field(*TOKEN) + field("f", "0" * 100) + file("p", "a", b"0" * 100) * 2 + END
    limits = UploadLimits(file_bytes=100, files=2, total_bytes=len(body), fields=2, field_bytes=100)
    form = receive(body, Sinks(), limits=limits, length=len(body))
    assert len(form.files) == 2
    with pytest.raises(TooHeavy):
        receive(body, Sinks(), limits=limits, length=len(body) + 1)


@pytest.mark.parametrize(
    ("content_type", "refusal"),
    [
        ("application/x-www-form-urlencoded", NotAForm),
        ("text/plain", NotAForm),
        ("", NotAForm),
        ("multipart/mixed; boundary=x", NotAForm),
        ("multipart/form-data", BadForm),
        ("multipart/form-data; boundary=", BadForm),
        (f"multipart/form-data; boundary={'x' * 71}", BadForm),
    ],
)
def test_other_bodies(content_type: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        receive(field(*TOKEN) + END, Sinks(), content_type=content_type)


class Left(Exception):
    """What a stream raises when its sender has gone."""


def test_a_sender_who_leaves_leaves_nothing() -> None:
    async def leaving() -> AsyncIterator[bytes]:
        yield field(*TOKEN) + file("paper", "a.bin", b"0" * 100) + file("paper", "b.bin", b"0" * 2 * MIB)
        raise Left

    sinks = Sinks()
    with pytest.raises(Left):
        loops.run(receive_form(leaving(), FORM, open_sink=sinks, check_token=check))
    assert [sink.events[-1] for _, sink in sinks.opened] == ["abandon", "abandon"]


def test_a_full_disk_leaves_nothing() -> None:
    class Full(Recorder):
        def write(self, block: bytes) -> None:
            raise OSError(28, f"No space left on device for {len(block)}")

    full, whole = Full(), Recorder()
    sinks = iter([whole, full])
    body = field(*TOKEN) + file("p", "a", b"1") + file("p", "b", b"2") + END
    with pytest.raises(OSError, match="No space"):
        loops.run(receive_form(stream_of([body]), FORM, open_sink=lambda _: next(sinks), check_token=check))
    assert whole.events == ["finish", "abandon"]
    assert full.events == ["abandon"]


def test_cancelled_in_the_middle_of_a_write() -> None:
    """The write in its thread ends first; only then is the sink abandoned, and so are the others."""
    writing, go_on = threading.Event(), threading.Event()
    order: list[str] = []

    class Slow(Recorder):
        def write(self, block: bytes) -> None:
            writing.set()
            assert go_on.wait(5)
            assert len(block) == BLOCK_BYTES
            order.append("written")

        def abandon(self) -> None:
            order.append("abandoned")

    async def run() -> None:
        body = field(*TOKEN) + file("p", "a", b"1" * (BLOCK_BYTES + 1)) + END
        reading = asyncio.ensure_future(receive_form(stream_of([body]), FORM, open_sink=lambda _: Slow(), check_token=check))
        while not writing.is_set():
            await asyncio.sleep(0.01)
        reading.cancel()
        await asyncio.sleep(0.05)
        assert order == []
        reading.cancel()  # impatience changes nothing
        await asyncio.sleep(0.05)
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await reading

    loops.run(run())
    assert order == ["written", "abandoned"]


def test_one_sink_that_breaks_its_promise_does_not_save_the_others() -> None:
    class Stubborn(Recorder):
        def abandon(self) -> None:
            raise OSError("stubborn")

    last, first = Stubborn(), Recorder()
    sinks = iter([first, last])
    body = field(*TOKEN) + file("p", "a", b"1") + file("p", "b", b"2")
    with pytest.raises((BadForm, OSError)):
        loops.run(receive_form(stream_of([body]), FORM, open_sink=lambda _: next(sinks), check_token=check))
    assert first.events == ["finish", "abandon"]


def test_a_coroutine_that_is_closed_abandons_too() -> None:
    sink = Recorder()

    async def stuck() -> AsyncIterator[bytes]:
        yield field(*TOKEN) + file("p", "a", b"1")
        await asyncio.get_running_loop().create_future()

    async def run() -> None:
        coroutine = receive_form(stuck(), FORM, open_sink=lambda _: sink, check_token=check)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(coroutine, 0.1)

    loops.run(run())
    assert sink.events == ["abandon"]


def test_a_memory_sink_is_bounded_and_forgets() -> None:
    sink = MemorySink(10)
    sink.write(b"12345")
    with pytest.raises(BadForm):
        sink.content()
    sink.write(b"67890")
    with pytest.raises(TooHeavy):
        sink.write(b"1")
    sink = MemorySink(10)
    sink.write(b"12345")
    sink.finish()
    assert sink.content() == b"12345"
    sink.abandon()
    with pytest.raises(BadForm):
        sink.content()


def raw(pieces: Sequence[bytes], sink: Sink, *, limit: int, length: int | None = None) -> int:
    """A body that is one file."""
    return loops.run(receive_raw(stream_of(pieces), sink, limit=limit, content_length=length))


def test_a_raw_body() -> None:
    sink = Recorder()
    content = os.urandom(2 * MIB + 17)
    assert raw([content[:100], content[100:]], sink, limit=len(content), length=len(content)) == len(content)
    assert sink.content == content
    assert sink.lengths == [MIB, MIB, 17]
    assert sink.events == ["finish"]
    for limit, length, refusal in ((len(content) - 1, None, TooHeavy), (10 * MIB, len(content) + 1, BadForm)):
        sink = Recorder()
        with pytest.raises(refusal):
            raw([content], sink, limit=limit, length=length)
        assert sink.events == ["abandon"]
    sink = Recorder()
    with pytest.raises(TooHeavy):
        raw([], sink, limit=5, length=6)
    assert sink.events == ["abandon"]


def test_the_parser_says_nothing_of_the_body(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    with caplog.at_level(logging.DEBUG):
        logging.getLogger().setLevel(logging.DEBUG)
        receive(field(*TOKEN) + file("p", "a", b"marmotte") + END, Sinks())
        with pytest.raises(BadForm):
            receive(b"marmotte", Sinks())
    assert "marmotte" not in caplog.text
    assert not [record for record in caplog.records if record.name.startswith("python_multipart")]
    out, err = capfd.readouterr()
    assert "marmotte" not in out + err
