"""What is wrong with a data set of posed photographs, and how to mend it."""

from passband.recon.doctor._cameras import Coverage as Coverage
from passband.recon.doctor._examine import Examination as Examination
from passband.recon.doctor._examine import examine as examine
from passband.recon.doctor._finding import Finding as Finding
from passband.recon.doctor._picture import draw as draw

__all__ = ["Coverage", "Examination", "Finding", "draw", "examine"]
