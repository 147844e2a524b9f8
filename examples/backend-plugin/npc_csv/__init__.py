"""A target for npc: what the policies allow as a table in CSV, a row for each subject and protocol."""

from pathlib import Path

from npc.backends.base import Backend
from npc_csv.lowering import SEPARATOR, lower

BACKEND = Backend(
    name="csv",
    summary="a table of what is allowed, for spreadsheets",
    lower=lower,
    templates={"npc.csv": "csv.j2"},
    template_folder=Path(__file__).with_name("templates"),
    load=(),
    check=(),
    settings={SEPARATOR: "what stands between two fields; a comma by default"},
)
