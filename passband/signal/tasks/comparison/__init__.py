"""The same task over a list of representations, window lengths and seeds."""

from passband.signal.tasks.comparison._compare import compare as compare
from passband.signal.tasks.comparison._recipe import ComparisonRecipe as ComparisonRecipe
from passband.signal.tasks.comparison._recipe import Contender as Contender
from passband.signal.tasks.comparison._recipe import load_comparison as load_comparison
from passband.signal.tasks.comparison._results import text_table as text_table
from passband.signal.tasks.comparison._statistics import Difference as Difference
from passband.signal.tasks.comparison._statistics import Summary as Summary
from passband.signal.tasks.comparison._statistics import paired_difference as paired_difference
from passband.signal.tasks.comparison._statistics import summarise as summarise

__all__ = [
    "ComparisonRecipe",
    "Contender",
    "Difference",
    "Summary",
    "compare",
    "load_comparison",
    "paired_difference",
    "summarise",
    "text_table",
]
