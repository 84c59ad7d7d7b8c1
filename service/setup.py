"""What must stand before the first process opens the database."""

from __future__ import annotations

from service import tables
from service.settings import Settings


def prepare(settings: Settings) -> None:
    """Make the data folder and bring the database up to date; running it again changes nothing.

    Raises UserError when the database is of a newer version, or cannot be made.
    """
    import sqlalchemy as sa
    from dbos import DBOS

    from generator.errors import UserError

    url = settings.database_url.text()
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        place = str(settings.data_dir)
        raise UserError(f"cannot make the data folder: {error.strerror}", path=place) from None
    try:
        tables.prepare_file(url)
        DBOS.migrate(url)
        engine = tables.engine(url)
        tables.migrate(engine)
        engine.dispose()
        return
    except (sa.exc.DBAPIError, sa.exc.ArgumentError, OSError) as error:
        reason = type(error).__name__
    # Raised outside the handler: a driver's message may hold the URL, and with it the password.
    raise UserError(
        f"the database cannot be used ({reason})",
        hint="check that the server runs and that database: names it and a role that may create",
    )
