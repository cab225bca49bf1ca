"""The application: use cases, pages, wiring."""
