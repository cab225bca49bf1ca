"""The outer ring: one module per screen. Pages call use cases only."""
