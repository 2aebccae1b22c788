"""How good a reconstruction is: distances to the truth, silhouettes, pictures, DTU's protocol."""

from passband.recon.evaluation._casting import MeshView as MeshView
from passband.recon.evaluation._casting import mesh_views as mesh_views
from passband.recon.evaluation._casting import pixel_centers as pixel_centers
from passband.recon.evaluation._components import component_count as component_count
from passband.recon.evaluation._dtu import DtuScores as DtuScores
from passband.recon.evaluation._dtu import dtu_scores as dtu_scores
from passband.recon.evaluation._dtu_files import ObservedVolume as ObservedVolume
from passband.recon.evaluation._dtu_files import read_cloud as read_cloud
from passband.recon.evaluation._dtu_files import read_observed as read_observed
from passband.recon.evaluation._dtu_files import read_plane as read_plane
from passband.recon.evaluation._geometry_error import depth_error as depth_error
from passband.recon.evaluation._geometry_error import normal_error as normal_error
from passband.recon.evaluation._lattice import mesh_lattice as mesh_lattice
from passband.recon.evaluation._pictures import PictureScores as PictureScores
from passband.recon.evaluation._pictures import eroded as eroded
from passband.recon.evaluation._pictures import mean_scores as mean_scores
from passband.recon.evaluation._pictures import picture_scores as picture_scores
from passband.recon.evaluation._silhouettes import mask_iou as mask_iou
from passband.recon.evaluation._surface_distances import SurfaceDistances as SurfaceDistances
from passband.recon.evaluation._surface_distances import nearest_in_cloud as nearest_in_cloud
from passband.recon.evaluation._surface_distances import surface_distances as surface_distances
from passband.recon.evaluation._thinning import thinned as thinned

__all__ = [
    "DtuScores",
    "MeshView",
    "ObservedVolume",
    "PictureScores",
    "SurfaceDistances",
    "component_count",
    "depth_error",
    "dtu_scores",
    "eroded",
    "mask_iou",
    "mean_scores",
    "mesh_lattice",
    "mesh_views",
    "nearest_in_cloud",
    "normal_error",
    "picture_scores",
    "pixel_centers",
    "read_cloud",
    "read_observed",
    "read_plane",
    "surface_distances",
    "thinned",
]
