"""The temperature of the device: which sensors count, and how it reaches whoever watches a run."""

import os
import stat
from pathlib import Path

import pytest

from avseg_core.training.events import EventWriter, Heartbeat, read_events
from avseg_core.training.run_store import summarise
from avseg_core.training.temperature import cpu_temperature, gpu_temperature, thermometer
from tests.core.test_training_events import started, step


def sensor(root: Path, place: str, **files: str) -> None:
    """A folder of /sys/class with these files."""
    (root / place).mkdir(parents=True)
    for name, text in files.items():
        (root / place / name).write_text(text + "\n")


def test_the_warmest_sensor_of_the_processor_counts(tmp_path: Path) -> None:
    sensor(tmp_path, "hwmon/hwmon0", name="nvme", temp1_input="81000")
    sensor(tmp_path, "hwmon/hwmon1", name="coretemp", temp1_input="52000", temp2_input="61500", temp1_max="100000")
    sensor(tmp_path, "thermal/thermal_zone0", type="x86_pkg_temp", temp="70000")
    assert cpu_temperature(tmp_path) == 61.5


@pytest.mark.parametrize("kind", ["x86_pkg_temp", "cpu-thermal", "cpu0-thermal", "soc-thermal"])
def test_thermal_zones_serve_where_no_chip_tells(tmp_path: Path, kind: str) -> None:
    sensor(tmp_path, "hwmon/hwmon0", name="acpitz", temp1_input="27800")
    sensor(tmp_path, "thermal/thermal_zone0", type="acpitz", temp="90000")
    sensor(tmp_path, "thermal/thermal_zone1", type=kind, temp="48250")
    assert cpu_temperature(tmp_path) == 48.25


@pytest.mark.parametrize("text", ["", "warm", "-274000", "0", "999999", "nan", "inf"])
def test_what_is_no_temperature_is_not_told(tmp_path: Path, text: str) -> None:
    sensor(tmp_path, "hwmon/hwmon0", name="k10temp", temp1_input=text)
    assert cpu_temperature(tmp_path) is None
    sensor(tmp_path, "thermal/thermal_zone0", type="cpu-thermal", temp="40000")
    assert cpu_temperature(tmp_path) == 40.0


def test_a_machine_without_sensors_tells_nothing(tmp_path: Path) -> None:
    assert cpu_temperature(tmp_path) is None
    (tmp_path / "hwmon").write_text("no folder")
    assert cpu_temperature(tmp_path) is None
    assert thermometer("mps")() is None


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a shell script")
def test_a_graphics_card_is_asked_through_its_own_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpu_temperature("GPU-1") is None
    program = tmp_path / "nvidia-smi"
    program.write_text('#!/bin/sh\ncase "$*" in *--id=GPU-1*) echo 64;; *--id*) exit 6;; *) echo 64; echo 71;; esac\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    assert thermometer("cuda", "GPU-1")() == 64.0
    assert gpu_temperature("GPU-2") is None
    assert gpu_temperature() == 71.0
    program.write_text("#!/bin/sh\necho '[N/A]'\n")
    assert gpu_temperature() is None


def test_heartbeats_tell_it_also_between_steps(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with EventWriter(path, heartbeat_seconds=0.05, temperature=lambda: 55.5) as events:
        events.write(started())
        while not any(isinstance(event, Heartbeat) for event in read_events(path)):
            events.write(step(1))
    log = read_events(path)
    assert summarise(log).temperature == 55.5
    assert summarise([*log, started(1)]).temperature is None
    assert summarise([*log, Heartbeat()]).temperature is None
