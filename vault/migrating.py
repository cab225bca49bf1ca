"""The databases are brought to the present schema, and whoever has data in them is told, whatever happens in between (CPCE R55-4 3°).

What is about to change is written into a mark before anything changes; the mark goes when everybody has a line in their history. A
process that dies after the change and before that leaves the mark, and the next one tells.
"""

from pathlib import Path

from storage.keyvault import KeyVault
from storage.migrate import Urls, current, pending, upgrade
from vault import whole_files
from vault.confinement import Confinement
from vault.context import open_context
from vault.maintaining import tell_everyone
from vault.settings import Settings

MARK = "MIGRATED"  # in the folder of the settings: the revisions of which somebody may not have been told yet, one a line
MIGRATED = "maintenance.migrated"


def bring_up_to_date(settings: Settings) -> int:
    """Run what is pending in rows, key vault and tombstones, and tell each person; gives how many were told.

    Safe to interrupt and to repeat: whoever was told already reads it twice, and nobody reads nothing.
    """
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    urls, mark = Urls(settings.database_url, settings.vault_url, settings.tombstones_url), settings.folder / MARK
    if current(urls)["main"]:  # before the first tables there is nobody to tell
        noted = noted_in(mark)
        lacking = [f"{which} {revision}" for which, revisions in pending(urls).items() for revision in revisions]
        if new := [one for one in lacking if one not in noted]:
            whole_files.put(mark, "\n".join([*noted, *new]), mode=0o644)
    upgrade(urls)
    # Whatever a restored backup brought back dies again before anybody is listened to.
    keyvault = KeyVault(settings.vault_url, settings.tombstones_url)
    try:
        keyvault.apply_tombstones()
    finally:
        keyvault.close()
    return _tell(settings, mark)


def noted_in(mark: Path) -> list[str]:
    """Which revisions the mark names, such as `main 0002` or `vault 0002`; none without a mark."""
    return mark.read_text().splitlines() if mark.exists() else []


def _tell(settings: Settings, mark: Path) -> int:
    noted = noted_in(mark)
    if not noted:
        return 0
    context = open_context(settings, confinement=Confinement())
    try:
        told = tell_everyone(context, MIGRATED, ", ".join(noted))
    finally:
        context.close()
    mark.unlink(missing_ok=True)
    return told
