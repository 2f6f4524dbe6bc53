"""TensorBoard: `tensorboard --logdir RUN_DIR`."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vaeclust_jax.trackers.tracker import Series, Tracker


class TensorBoard(Tracker):
    """Event files under `tensorboard/` in the run's folder; models lie beside it, as TensorBoard keeps no files."""

    package = "tensorboard"

    @property
    def shown_by(self) -> str:
        """The command that shows what is written."""
        return f"tensorboard --logdir {self.folder / 'tensorboard'}"

    def _open(self, name: str, settings: Mapping[str, Any]) -> Series:
        return _Events(self.folder / "tensorboard" / name)


class _Events(Series):
    def __init__(self, folder: Path):
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        events = (event for path in folder.glob("events.out.tfevents.*") for event in EventFileLoader(str(path)).Load())
        self.written = max((event.step for event in events), default=0)
        self._writer = EventFileWriter(str(folder))

    def write(self, step: int, scalars: Mapping[str, float]) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary

        self._add(step, [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()])

    def keep(self, figures: Sequence[Path], models: Sequence[Path]) -> None:
        from PIL import Image
        from tensorboard.compat.proto.summary_pb2 import Summary

        pictures = []
        for path in figures:
            with Image.open(path) as image:
                width, height = image.size
            data = path.read_bytes()
            picture = Summary.Image(width=width, height=height, encoded_image_string=data)
            pictures.append(Summary.Value(tag=path.stem, image=picture))
        self._add(0, pictures)

    def _add(self, step: int, values: list[Any]) -> None:
        """One record, which a reader takes whole or not at all."""
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary

        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=Summary(value=values)))
        self._writer.flush()

    def close(self, whole: bool) -> None:
        self._writer.close()
