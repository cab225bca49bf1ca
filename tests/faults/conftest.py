"""The house of the vault's tests, for those that break it."""

from tests.vault.conftest import any_house, clock, confinement, house, reading_house

__all__ = ["any_house", "clock", "confinement", "house", "reading_house"]
