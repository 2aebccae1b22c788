"""Frequency shortcuts: few frequencies by which a classifier tells a class without looking further.

For any classifier of pictures ``(batch, channels, height, width)``, sounds ``(batch, time)`` or
spectrograms ``(batch, bins, frames)``: a callable from a batch to logits.

Reference: S. Wang, R. Veldhuis, C. Brune, N. Strisciuglio, What do neural networks learn in image
classification? A frequency shortcut perspective, ICCV 2023.
"""

from passband.signal.tasks.shortcuts._dominant import dominant_frequencies as dominant_frequencies
from passband.signal.tasks.shortcuts._dominant import removal_losses as removal_losses
from passband.signal.tasks.shortcuts._figures import adcs_figure as adcs_figure
from passband.signal.tasks.shortcuts._figures import dominance_figure as dominance_figure
from passband.signal.tasks.shortcuts._figures import map_figure as map_figure
from passband.signal.tasks.shortcuts._filtering import Classifier as Classifier
from passband.signal.tasks.shortcuts._filtering import Progress as Progress
from passband.signal.tasks.shortcuts._filtering import filtered_logits as filtered_logits
from passband.signal.tasks.shortcuts._frequencies import Frequencies as Frequencies
from passband.signal.tasks.shortcuts._frequencies import mel_edges as mel_edges
from passband.signal.tasks.shortcuts._frequencies import picture_frequencies as picture_frequencies
from passband.signal.tasks.shortcuts._frequencies import sound_bands as sound_bands
from passband.signal.tasks.shortcuts._frequencies import spectrogram_bins as spectrogram_bins
from passband.signal.tasks.shortcuts._rates import Rates as Rates
from passband.signal.tasks.shortcuts._rates import band_stop_changes as band_stop_changes
from passband.signal.tasks.shortcuts._rates import random_masks as random_masks
from passband.signal.tasks.shortcuts._rates import shortcut_rates as shortcut_rates
from passband.signal.tasks.shortcuts._report import write_report as write_report
from passband.signal.tasks.shortcuts._run import search_run as search_run
from passband.signal.tasks.shortcuts._search import ClassShortcut as ClassShortcut
from passband.signal.tasks.shortcuts._search import Items as Items
from passband.signal.tasks.shortcuts._search import MapTest as MapTest
from passband.signal.tasks.shortcuts._search import ShortcutSettings as ShortcutSettings
from passband.signal.tasks.shortcuts._search import find_shortcuts as find_shortcuts
from passband.signal.tasks.shortcuts._spectra import adcs as adcs
from passband.signal.tasks.shortcuts._spectra import class_spectra as class_spectra

__all__ = [
    "ClassShortcut",
    "Classifier",
    "Frequencies",
    "Items",
    "MapTest",
    "Progress",
    "Rates",
    "ShortcutSettings",
    "adcs",
    "adcs_figure",
    "band_stop_changes",
    "class_spectra",
    "dominance_figure",
    "dominant_frequencies",
    "filtered_logits",
    "find_shortcuts",
    "map_figure",
    "mel_edges",
    "picture_frequencies",
    "random_masks",
    "removal_losses",
    "search_run",
    "shortcut_rates",
    "sound_bands",
    "spectrogram_bins",
    "write_report",
]
