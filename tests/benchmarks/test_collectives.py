"""What devices send is read off a compiled program as the formulas say."""

import os
import re
import subprocess
import sys

import pytest

from benchmarks.collectives import Collective, collectives

PROGRAM = """HloModule jit_epoch

%body (p: (s32[])) -> (s32[]) {
  %g = f32[4,10]{1,0} reduce-scatter(%x), channel_id=1, replica_groups={{0,1},{2,3}}, dimensions={0}, to_apply=%add
  ROOT %r = (f32[3]{0}, f32[]) all-reduce(%a, %b), channel_id=2, replica_groups=[2,2]<=[4], to_apply=%add
}

%refresh (p: f32[6]) -> f32[6] {
  ROOT %a = f32[6]{0} all-gather(%p), channel_id=3, replica_groups=[2,2]<=[4], dimensions={0}
}

%same (p: f32[6]) -> f32[6] {
  ROOT %c = f32[6]{0} copy(%p)
}

%one (p: f32[6]) -> f32[6] {
  %w = (s32[]) while(%i), condition=%cond, body=%body, backend_config={"known_trip_count":{"n":"7"}}
  ROOT %d = f32[6]{0} conditional(%due, %p, %p), branch_computations={%same, %refresh}
}

ENTRY %main (p: f32[6]) -> f32[6] {
  ROOT %d = f32[6]{0} conditional(%frozen, %p, %p), branch_computations={%same, %one}
}
"""


def test_collectives_are_counted_through_loops_and_conditions() -> None:
    found = collectives(PROGRAM, 2)
    assert found == [
        Collective("reduce-scatter", "f32[4,10]{1,0}", 160.0, "{{0,1},{2,3}}", 7, False),  # half of 2 x 160
        Collective("all-reduce", "(f32[3]{0}, f32[])", 16.0, "[2,2]<=[4]", 7, False),
        Collective("all-gather", "f32[6]{0}", 12.0, "[2,2]<=[4]", 1, True),
    ]


@pytest.mark.long
def test_devices_of_a_seed_send_gradients_and_batches_and_others_nothing() -> None:
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"
    words = ["--mesh", "seeds=2,rows=4", "--rows", "203", "--width", "6", "--batch-size", "16"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.collectives", *words],
        env={**os.environ, "XLA_FLAGS": flags}, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if "bytes sent" in line]
    assert {line.split()[0] for line in lines} <= {"reduce-scatter", "all-reduce", "all-gather"}
    assert {line.split()[-1] for line in lines} <= {"{{0,1,2,3},{4,5,6,7}}", "[2,4]<=[8]"}
    size, a_step = (int(number.replace(",", "")) for number in re.findall(
        r"parameters ([\d,]+) bytes; a device sends ([\d,]+)", done.stdout)[0])  # fmt: skip
    assert a_step == pytest.approx(3 / 4 * (2 * size + 4 * 16 * (6 + 10)), rel=1e-3)
