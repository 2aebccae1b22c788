"""``--field auto``: the family and size that suit a signal and a budget."""

from passband.inr.choosing._candidate import USUAL as USUAL
from passband.inr.choosing._candidate import Candidate as Candidate
from passband.inr.choosing._candidate import candidates as candidates
from passband.inr.choosing._choose import Choice as Choice
from passband.inr.choosing._choose import Row as Row
from passband.inr.choosing._choose import choose_field as choose_field
from passband.inr.choosing._trial import fit_candidate as fit_candidate
from passband.inr.choosing._trial import step_seconds as step_seconds
from passband.inr.choosing._trial import trial as trial

__all__ = [
    "USUAL",
    "Candidate",
    "Choice",
    "Row",
    "candidates",
    "choose_field",
    "fit_candidate",
    "step_seconds",
    "trial",
]
