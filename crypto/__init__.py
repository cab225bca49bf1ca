"""Bytes in, bytes out: no clock, no network, no database. The formulas of `docs/formats.md`."""
