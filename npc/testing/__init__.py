"""Golden tests of policies as a library; `npc test` is its command.

>>> from npc.testing import examine, find_cases
>>> [str(examine(case).faults) for case in find_cases(["tests/policies"])]    # doctest: +SKIP
['()', '()']
"""

from npc.testing.cases import Case, find_cases
from npc.testing.decisions import Decisions
from npc.testing.meaning import Witness, witness
from npc.testing.parallel import examine_all
from npc.testing.plantext import PlanTextError, read_plan, write_plan
from npc.testing.report import details, difference, headline, junit
from npc.testing.running import Change, Outcome, accept, examine

__all__ = [
    "Case",
    "Change",
    "Decisions",
    "Outcome",
    "PlanTextError",
    "Witness",
    "accept",
    "details",
    "difference",
    "examine",
    "examine_all",
    "find_cases",
    "headline",
    "junit",
    "read_plan",
    "witness",
    "write_plan",
]
