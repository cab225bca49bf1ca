"""Rows and opaque bytes. Nothing here knows what they mean, and nothing here can see a key."""
