"""Similarity search: sounds as points, near each other where one is a changed copy of the other."""

from passband.signal.tasks.similarity._audible import audible_span as audible_span
from passband.signal.tasks.similarity._embedder import Embedder as Embedder
from passband.signal.tasks.similarity._index import Index as Index
from passband.signal.tasks.similarity._index import Neighbour as Neighbour
from passband.signal.tasks.similarity._index import embed_file as embed_file
from passband.signal.tasks.similarity._index import update_index as update_index
from passband.signal.tasks.similarity._recipe import EmbedderRecipe as EmbedderRecipe
from passband.signal.tasks.similarity._recipe import EmbedderSettings as EmbedderSettings
from passband.signal.tasks.similarity._recipe import SimilarityData as SimilarityData
from passband.signal.tasks.similarity._recipe import (
    TransformationSettings as TransformationSettings,
)
from passband.signal.tasks.similarity._search import embed_sound as embed_sound
from passband.signal.tasks.similarity._search import file_scores as file_scores
from passband.signal.tasks.similarity._train import load_embedder as load_embedder
from passband.signal.tasks.similarity._train import train_embedder as train_embedder
from passband.signal.tasks.similarity._transformations import equalised as equalised
from passband.signal.tasks.similarity._transformations import pitch_shifted as pitch_shifted
from passband.signal.tasks.similarity._transformations import stretched as stretched
from passband.signal.tasks.similarity._triplets import triplet_loss as triplet_loss

__all__ = [
    "Embedder",
    "EmbedderRecipe",
    "EmbedderSettings",
    "Index",
    "Neighbour",
    "SimilarityData",
    "TransformationSettings",
    "audible_span",
    "embed_file",
    "embed_sound",
    "equalised",
    "file_scores",
    "load_embedder",
    "pitch_shifted",
    "stretched",
    "train_embedder",
    "triplet_loss",
    "update_index",
]
