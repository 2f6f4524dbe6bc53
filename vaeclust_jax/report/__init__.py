"""What a run leaves behind: its folder, files, figures and tables. matplotlib is imported only to draw."""

from vaeclust_jax.report.agreement import confidence_histogram, confusion
from vaeclust_jax.report.certainty import (
    correctness_curve,
    reliability_diagram,
    risk_coverage_curves,
    uncertainty_histogram,
)
from vaeclust_jax.report.classifier import class_confusion, component_map, naming_curves
from vaeclust_jax.report.curves import loss_parts
from vaeclust_jax.report.export import export_tables
from vaeclust_jax.report.figure_list import FigureEntry, write_figure_list
from vaeclust_jax.report.figures import reconstructions, save_figures
from vaeclust_jax.report.generated import decoded_clusters, most_and_least_certain
from vaeclust_jax.report.images import images_by_cluster
from vaeclust_jax.report.map_file import LatentMap, write_map
from vaeclust_jax.report.num_clusters import num_clusters_figure
from vaeclust_jax.report.projections import latent_map, project, projection_title
from vaeclust_jax.report.ranks import critical_difference_diagram
from vaeclust_jax.report.run_folder import (
    check_writable,
    new_run_folder,
    write_assignments,
    write_history,
    write_json,
)
from vaeclust_jax.report.table import Table, print_tables, write_tables
from vaeclust_jax.report.vectors import profiles_by_cluster

__all__ = [
    "FigureEntry",
    "LatentMap",
    "Table",
    "check_writable",
    "class_confusion",
    "component_map",
    "confidence_histogram",
    "confusion",
    "correctness_curve",
    "critical_difference_diagram",
    "decoded_clusters",
    "export_tables",
    "images_by_cluster",
    "latent_map",
    "loss_parts",
    "most_and_least_certain",
    "naming_curves",
    "new_run_folder",
    "num_clusters_figure",
    "print_tables",
    "profiles_by_cluster",
    "project",
    "projection_title",
    "reconstructions",
    "reliability_diagram",
    "risk_coverage_curves",
    "save_figures",
    "uncertainty_histogram",
    "write_assignments",
    "write_figure_list",
    "write_history",
    "write_json",
    "write_map",
    "write_tables",
]
