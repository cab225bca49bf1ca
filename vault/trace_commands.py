"""`abri trace …` and `abri witness …`: counting the trace again, publishing its head, and watching another house's trace."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vault.reading_settings import read_settings
from vault.settings import UnsafeSettings

AddCommand = Callable[..., argparse.ArgumentParser]


def verify(options: argparse.Namespace) -> int:
    """Count the trace again and say what is not as it was signed. Exit status 1 when something is not."""
    from vault.confinement import Confinement
    from vault.context import open_context
    from vault.recount import count

    if options.copy is not None and not any(one.is_file() for one in options.copy.glob("checkpoint*")):
        raise UnsafeSettings(f"{options.copy} holds no published head (a file checkpoint...): there is nothing to compare with.")
    context = open_context(read_settings(os.environ), confinement=Confinement())
    try:
        found = count(context, options.copy)
    finally:
        context.close()
    for fault in found.faults:
        print(f"NO  {fault.what}: {fault.words}")
    print(
        f"{found.size} entries counted; they lead to {found.heads} signed heads; {found.gone} copies are gone, each with the signed"
    )
    print(f"record of its erasure or of its term, and their digests stay; {len(found.faults)} faults.")
    return 1 if found.faults else 0


def publish(_: argparse.Namespace) -> int:
    """Sign and publish the head of the trace now, without waiting for the daily one."""
    from vault import checkpoints
    from vault.confinement import Confinement
    from vault.context import open_context

    context = open_context(read_settings(os.environ), confinement=Confinement())
    try:
        print(f"Published; {checkpoints.publish(context)} entries more than before.")
    finally:
        context.close()
    return 0


def keys(_: argparse.Namespace) -> int:
    """The trace's public keys, a line each: what verifiers and witnesses are given."""
    from crypto.checkpoint import CheckpointSigner

    settings = read_settings(os.environ)
    print(CheckpointSigner(settings.service_sign, settings.trace_origin).public.lines(), end="")
    return 0


def witness_key(options: argparse.Namespace) -> int:
    """Draw a witness's key, and print what the logs' settings are given."""
    from vault.witness import make_key

    print(make_key(options.file, options.name))
    return 0


def witness_serve(options: argparse.Namespace) -> int:
    """Cosign the heads of the logs given, each only if it continues the one before."""
    from crypto.checkpoint import LogKeys
    from vault.context import utc_now
    from vault.process import harden
    from vault.witness import InUse, Memory, Witness, read_key
    from vault.witness_server import server

    harden()
    logs = [LogKeys.of_lines(path.read_text()) for path in options.log]
    try:
        memory = Memory(options.memory)
    except InUse:
        print("Another witness works with this memory: each has its own.")
        return 2
    witness = Witness(read_key(options.key), logs, memory, lambda: int(utc_now().timestamp()))
    with server(witness, options.host, options.port) as listening:
        print(f"http://{options.host}:{listening.server_address[1]} watches {', '.join(one.name for one in logs)}", flush=True)
        try:
            listening.serve_forever()
        except KeyboardInterrupt:
            pass
        finally:
            memory.close()
    return 0


def add(commands: Any, command: AddCommand) -> None:
    """Both groups of commands."""
    trace = commands.add_parser("trace", help="the history of everything, and its proofs")
    actions = trace.add_subparsers(required=True, metavar="ACTION")
    one = command("verify", verify, "count the trace again, and say which entry is not as it was signed", actions)
    one.add_argument("--copy", type=Path, help="a folder of published files kept elsewhere, to compare with")
    command("publish", publish, "sign and publish the head of the trace now", actions)
    command("keys", keys, "print the public keys of the trace", actions)
    witness = commands.add_parser("witness", help="watch the trace of another house").add_subparsers(
        required=True, metavar="ACTION"
    )
    one = command("key", witness_key, "draw a witness's key, once, and print its public half", witness)
    one.add_argument("file", type=Path, help="where the key is written; only its owner reads it")
    one.add_argument("--name", required=True, help="the witness's name, like witness.example/w1")
    one = command("serve", witness_serve, "cosign heads that continue the one before (C2SP tlog-witness)", witness)
    one.add_argument("--key", type=Path, required=True, help="the file that `abri witness key` wrote")
    one.add_argument("--memory", type=Path, required=True, help="the file that remembers the last head of each log")
    one.add_argument(
        "--log", type=Path, action="append", required=True, help="a log's two public keys (its /trace/keys); repeat it"
    )
    one.add_argument("--host", default="127.0.0.1", help="where it listens (default: 127.0.0.1, behind a proxy)")
    one.add_argument("--port", type=int, default=8444, help="default: 8444")
