"""Piano transcription: from the sound of a piece to its notes."""

from passband.signal.tasks.transcription._crnn import HarmonicCRNN as HarmonicCRNN
from passband.signal.tasks.transcription._decode import notes_from_frames as notes_from_frames
from passband.signal.tasks.transcription._decode import notes_from_onsets as notes_from_onsets
from passband.signal.tasks.transcription._frame_scores import FrameScores as FrameScores
from passband.signal.tasks.transcription._frame_scores import (
    average_precision as average_precision,
)
from passband.signal.tasks.transcription._frame_scores import frame_scores as frame_scores
from passband.signal.tasks.transcription._linear import SingleLayer as SingleLayer
from passband.signal.tasks.transcription._midi import read_midi as read_midi
from passband.signal.tasks.transcription._midi import write_midi as write_midi
from passband.signal.tasks.transcription._note_scores import NoteScores as NoteScores
from passband.signal.tasks.transcription._note_scores import note_scores as note_scores
from passband.signal.tasks.transcription._notes import Note as Note
from passband.signal.tasks.transcription._notes import read_notes as read_notes
from passband.signal.tasks.transcription._notes import write_note_table as write_note_table
from passband.signal.tasks.transcription._recipe import DecodingSettings as DecodingSettings
from passband.signal.tasks.transcription._recipe import TranscriberRecipe as TranscriberRecipe
from passband.signal.tasks.transcription._train import train_transcriber as train_transcriber
from passband.signal.tasks.transcription._transcriber import Transcriber as Transcriber
from passband.signal.tasks.transcription._transcriber import load_transcriber as load_transcriber

__all__ = [
    "DecodingSettings",
    "FrameScores",
    "HarmonicCRNN",
    "Note",
    "NoteScores",
    "SingleLayer",
    "Transcriber",
    "TranscriberRecipe",
    "average_precision",
    "frame_scores",
    "load_transcriber",
    "note_scores",
    "notes_from_frames",
    "notes_from_onsets",
    "read_midi",
    "read_notes",
    "train_transcriber",
    "write_midi",
    "write_note_table",
]
