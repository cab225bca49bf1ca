"""Everything that parses foreign bytes. Runs in the confined interpreter only; the service never imports it.

The service starts `server.py` as a program of its own (see `vault.confinement`); each job gets one child with the
walls of `walls.py` around it, and the child dies with its job.
"""
