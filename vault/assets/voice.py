"""Sentences said aloud, once, when the service is built: browsers on kiosks have no voice of their own.

The engine is eSpeak NG (package espeakng-loader), encoded by LAME (package lameenc) as mono MP3, which every browser
plays. It is understandable and plain; a recording by a person, where there is one, always takes its place.
"""

import ctypes
import hashlib
from dataclasses import dataclass
from importlib.metadata import version

import espeakng_loader
import lameenc

WORDS_A_MINUTE = 140
WORD_GAP_TENTHS = 2
KILOBITS = 32

_RETRIEVAL = 1
_CHARS_UTF8 = 1
_RATE = 1
_WORD_GAP = 7
_OK = 0

_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class VoiceFailed(Exception):
    """The speech engine refused a voice or a sentence."""


@dataclass(frozen=True)
class Said:
    """MP3 bytes and their length in seconds."""

    mp3: bytes
    seconds: float


class Engine:
    """The speech library, loaded once in a process; it keeps global state, so one engine a process."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = str(espeakng_loader.get_data_path()).encode()
        self.rate: int = self._library.espeak_Initialize(_RETRIEVAL, 0, data, 0)
        if self.rate <= 0:
            raise VoiceFailed("the speech engine did not start")
        self._samples = bytearray()
        self._callback = _Callback(self._collect)
        self._library.espeak_SetSynthCallback(self._callback)
        self._library.espeak_SetParameter(_RATE, WORDS_A_MINUTE, 0)
        self._library.espeak_SetParameter(_WORD_GAP, WORD_GAP_TENTHS, 0)

    def _collect(self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, _events: int | None) -> int:
        if samples and count > 0:
            self._samples.extend(ctypes.string_at(samples, count * 2))
        return 0

    def say(self, voice: str, text: str) -> Said:
        """One sentence or a few, in one voice."""
        if self._library.espeak_SetVoiceByName(voice.encode()) != _OK:
            raise VoiceFailed(f"no voice named {voice}")
        self._samples.clear()
        raw = text.encode() + b"\0"
        if self._library.espeak_Synth(raw, len(raw), 0, 0, 0, _CHARS_UTF8, None, None) != _OK:
            raise VoiceFailed(f"the voice {voice} could not say a sentence of {len(text)} letters")
        self._library.espeak_Synchronize()
        if not self._samples:
            raise VoiceFailed(f"the voice {voice} stayed silent")
        encoder = lameenc.Encoder()
        encoder.set_bit_rate(KILOBITS)
        encoder.set_in_sample_rate(self.rate)
        encoder.set_channels(1)
        encoder.set_quality(5)
        encoder.silence()
        mp3 = bytes(encoder.encode(bytes(self._samples))) + bytes(encoder.flush())
        return Said(mp3, round(len(self._samples) / 2 / self.rate, 2))


def fingerprint(voice: str, text: str) -> str:
    """What decides a recording: when none of it changes, the file of the last build is the right one."""
    engine = f"{version('espeakng-loader')} {version('lameenc')} {WORDS_A_MINUTE} {WORD_GAP_TENTHS} {KILOBITS}"
    return hashlib.sha256(f"{engine}\n{voice}\n{text}".encode()).hexdigest()[:20]


def speakable(text: str) -> str:
    """The same words as one breath group a line; marks of typography that a voice would read are taken out."""
    lines = [line.strip() for line in text.replace("\u00a0", " ").split("\n")]
    return "\n".join(line if line[-1:] in ".?!:؟" else f"{line}." for line in lines if line)
