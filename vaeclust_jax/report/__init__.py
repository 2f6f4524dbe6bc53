"""What a run leaves behind: its folder, files, figures and tables. matplotlib is imported only to draw."""

from vaeclust_jax.report.agreement import confidence_histogram, confusion
from vaeclust_jax.report.curves import loss_parts
from vaeclust_jax.report.figures import reconstructions, save_figures
from vaeclust_jax.report.images import images_by_cluster
from vaeclust_jax.report.projections import latent_map, project, projection_title
from vaeclust_jax.report.run_folder import (
    check_writable,
    new_run_folder,
    write_assignments,
    write_history,
    write_json,
)
from vaeclust_jax.report.tables import score_table
from vaeclust_jax.report.vectors import profiles_by_cluster

__all__ = [
    "check_writable",
    "confidence_histogram",
    "confusion",
    "images_by_cluster",
    "latent_map",
    "loss_parts",
    "new_run_folder",
    "profiles_by_cluster",
    "project",
    "projection_title",
    "reconstructions",
    "save_figures",
    "score_table",
    "write_assignments",
    "write_history",
    "write_json",
]
