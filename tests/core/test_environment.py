"""The set-up of a fresh machine, shown with a package of two lines that needs no network."""

from __future__ import annotations

import hashlib
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path
from types import SimpleNamespace

import pytest

from avseg_core.environment import launcher, system
from avseg_core.environment import setup_window as progress_window
from avseg_core.environment.lock import Pin, normalise, read_pins
from avseg_core.environment.venv import STAMP, Environment
from avseg_core.errors import AVSegError

ROOT = Path(__file__).resolve().parents[2]


def test_a_progress_window_that_does_not_open_stops_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    shown = threading.Event()
    monkeypatch.setattr(progress_window, "_show", lambda messages: shown.set())
    with progress_window.setup_window(wanted=True) as say:
        say("first")
        assert shown.wait(5)
        time.sleep(0.05)  # its thread has ended, as where there is no tkinter
        say("second")
    assert capsys.readouterr().err.splitlines() == ["first", "second"]


def build_wheel(folder: Path, name: str, version: str, source: str) -> None:
    """Writes a pure Python wheel by hand."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    digests = {
        path: urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=") for path, text in files.items()
    }
    record = "".join(f"{path},sha256={digests[path].decode()},{len(text)}\n" for path, text in files.items())
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in {**files, f"{info}/RECORD": record + f"{info}/RECORD,,\n"}.items():
            wheel.writestr(path, text)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder from which pip installs, with the one package."""
    folder = tmp_path_factory.mktemp("wheels")
    build_wheel(folder, "avsegprobe", "1.0", "ANSWER = 42\n" * 50)
    return folder


def unmade(folder: Path) -> Environment:
    """An environment of which there is only the lock file."""
    lock_file = folder / "requirements.lock"
    lock_file.write_text('# pins\navsegprobe==1.0\nother==2.0 ; sys_platform == "amiga"\n')
    return Environment(folder / ".venv", (lock_file,))


@pytest.fixture
def environment(wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Not made yet."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return unmade(tmp_path)


@pytest.fixture(scope="module")
def made(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Environment, list[str]]:
    """An environment that was made from nothing, and what was said; only to be copied."""
    made, said = unmade(tmp_path_factory.mktemp("made")), list[str]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PIP_NO_INDEX", "1")
        patch.setenv("PIP_FIND_LINKS", str(wheels))
        made.ensure(said.append)
    return made, said


@pytest.fixture
def ready(environment: Environment, made: tuple[Environment, list[str]]) -> Environment:
    """Made: a copy, since making one takes many seconds."""
    shutil.copytree(made[0].folder, environment.folder, symlinks=True)
    return environment


@pytest.fixture
def unfinished(ready: Environment) -> Environment:
    """With an interpreter, but before the package came."""
    ready.distrust()
    (ready.site_packages / "avsegprobe.py").unlink()
    shutil.rmtree(ready.site_packages / "avsegprobe-1.0.dist-info")
    return ready


def answer_of(environment: Environment) -> str:
    command = [str(environment.python), "-c", "import avsegprobe; print(avsegprobe.ANSWER)"]
    return subprocess.run(command, capture_output=True, text=True).stdout.strip()


def test_makes_the_environment_once_and_then_leaves_it_alone(made: tuple[Environment, list[str]]) -> None:
    environment, said = made
    assert answer_of(environment) == "42"
    assert any("first start only" in line for line in said)
    assert any(line.startswith("[1/1]") for line in said)
    again: list[str] = []
    environment.ensure(again.append)
    assert again == []


def test_repairs_what_is_half_made_damaged_or_changed(environment: Environment) -> None:
    environment.folder.mkdir()
    (environment.folder / "pyvenv.cfg").write_text("home = /nowhere\n")
    environment.ensure(lambda _: None)
    assert answer_of(environment) == "42"

    with open(environment.site_packages / "avsegprobe-1.0.dist-info" / "RECORD", "a") as record:
        record.write("__pycache__/avsegprobe.cpython-311.pyc,sha256=other,9\n")  # compiled anew, so of another size
    assert environment.damaged() == []
    module = environment.site_packages / "avsegprobe.py"
    module.write_text("ANSWER = ")  # truncated, as by a full disk
    assert environment.is_ready(), "the quick check does not read every file"
    assert environment.damaged() == [Pin("avsegprobe", "1.0")]
    environment.distrust()
    assert not environment.is_ready()
    said: list[str] = []
    environment.ensure(said.append)
    assert answer_of(environment) == "42"
    assert "Repairing 1 damaged packages." in said

    shutil.rmtree(environment.site_packages / "avsegprobe-1.0.dist-info")
    assert not environment.is_ready(), "a package without its metadata is missed at every start"

    (environment.folder / STAMP).write_text("{broken")
    environment.ensure(lambda _: None)
    assert environment.is_ready()


@pytest.mark.parametrize("left", [None, ""])
def test_a_package_whose_list_of_files_is_lost_is_installed_again(ready: Environment, left: str | None) -> None:
    record = ready.site_packages / "avsegprobe-1.0.dist-info" / "RECORD"
    record.unlink()
    if left is not None:  # as by a power cut
        record.write_text(left)
    (ready.site_packages / "avsegprobe.py").write_text("")
    ready.distrust()
    ready.ensure(lambda _: None)
    assert answer_of(ready) == "42"
    assert ready.damaged() == []


def test_a_folder_that_cannot_be_written_is_one_line(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AVSegError, match=r"cannot be written \(Not a directory\)"):
        Environment(tmp_path / "file" / ".venv", environment.lock_files).ensure(lambda _: None)


@pytest.mark.skipif(os.name == "nt", reason="a colon cannot be in a Windows path")
def test_a_place_where_no_environment_can_be_is_not_blamed_on_python(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "a:b").mkdir()
    with pytest.raises(AVSegError, match="PATH separator"):
        Environment(tmp_path / "a:b" / ".venv", environment.lock_files).ensure(lambda _: None)


def test_a_new_pin_makes_it_unready(ready: Environment) -> None:
    assert ready.is_ready()
    lock_file = ready.lock_files[0]
    lock_file.write_text(lock_file.read_text() + "another==3.0\n")
    assert not ready.is_ready()


def test_two_starts_at_once_make_one_environment(unfinished: Environment) -> None:
    said: dict[int, list[str]] = {0: [], 1: []}
    threads = [threading.Thread(target=unfinished.ensure, args=(said[index].append,)) for index in said]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert unfinished.is_ready()
    makers = [lines for lines in said.values() if any(line.startswith("[1/1]") for line in lines)]
    waiters = [lines for lines in said.values() if any("waiting" in line for line in lines)]
    assert len(makers) == 1
    assert len(waiters) == 1


def test_without_a_network_there_is_one_line_and_the_next_start_goes_on(
    unfinished: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = os.environ["PIP_FIND_LINKS"]
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(AVSegError, match="check the network connection") as caught:
        unfinished.ensure(lambda _: None)
    assert "\n" not in str(caught.value)
    assert not unfinished.is_ready()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", wheels)
    unfinished.ensure(lambda _: None)
    assert answer_of(unfinished) == "42"


def test_names_are_compared_in_one_spelling() -> None:
    assert normalise("PySide6_Essentials-6.12.0.dist-info") == Pin("PySide6-Essentials", "6.12.0").dist_info
    assert normalise("torch-2.14.1+cu130.dist-info") == Pin("torch", "2.14.1").dist_info


def test_the_lock_files_hold_every_dependency_of_the_project() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    needed = [*project["dependencies"], *extras["onnx"], *(name for name in extras["test"] if name != "avseg[onnx]")]
    names = {normalise(pin.name) for pin in read_pins(sorted((ROOT / "packaging").glob("requirements*.lock")))}
    for requirement in needed:
        assert normalise(requirement.split(">=")[0]) in names


def test_missing_system_packages_name_the_exact_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "_privilege", lambda: None)
    with pytest.raises(AVSegError, match=r"sudo apt-get install -y libegl1 libgl1$"):
        system.install(["libegl1", "libgl1"], lambda _: None)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="system libraries are a Linux matter")
def test_a_library_that_is_not_there_is_found_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(system.WINDOW_LIBRARIES, "libdoesnotexist.so.9", "libdoesnotexist9")
    assert "libdoesnotexist9" in system.missing_libraries()


def test_an_import_that_fails_has_the_environment_checked_once(
    ready: Environment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(launcher.subprocess, "call", lambda command: started.append(command) or 0)
    monkeypatch.setenv(launcher.REPAIRED, "")
    assert launcher._repair_and_retry(ImportError("torch"), ["doctor"], ready) == 0
    assert started[0][1:] == [str(launcher.ROOT / "main.py"), "doctor"]
    assert not ready.is_ready()
    assert "checking the environment" in capsys.readouterr().err
    with pytest.raises(AVSegError, match="delete"):
        launcher._repair_and_retry(ImportError("torch"), ["doctor"], ready)


def test_an_interrupt_while_the_first_modules_are_imported_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def find_spec(name: str, *_: object) -> None:
        if name == launcher.__name__:
            raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, launcher.__name__)
    monkeypatch.setattr(sys, "meta_path", [SimpleNamespace(find_spec=find_spec), *sys.meta_path])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(ROOT / "main.py"), run_name="__main__")
    assert ended.value.code == 130
    assert capsys.readouterr().err == "avseg: Interrupted.\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signals that wait")
def test_an_interrupt_that_came_while_python_started_is_one_line() -> None:
    def interrupted() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        os.kill(os.getpid(), signal.SIGINT)

    command = [sys.executable, str(ROOT / "main.py"), "doctor"]
    done = subprocess.run(command, preexec_fn=interrupted, capture_output=True, text=True)
    assert done.returncode == 130
    assert re.fullmatch(r"avseg: Interrupted(\.|; the next start goes on from here\.)\n", done.stderr)


@pytest.mark.skipif(os.name == "nt", reason="Windows starts another process instead")
def test_an_interrupt_waits_until_the_next_python_has_started(
    monkeypatch: pytest.MonkeyPatch, environment: Environment
) -> None:
    held: list[bool] = []

    def start(*_: object) -> None:
        held.append(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))

    monkeypatch.setattr(launcher.os, "execv", start)
    try:
        launcher._step_inside(environment, ["doctor"])
    finally:
        launcher._hear_interrupts()
    assert held == [True]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_an_interrupted_set_up_says_that_it_will_go_on_and_a_command_does_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(_: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(launcher, "_inside", interrupt)
    for ready, told in (
        (True, "avseg: Interrupted.\n"),
        (False, "avseg: Interrupted; the next start goes on from here.\n"),
    ):
        made = SimpleNamespace(is_ready=lambda ready=ready: ready)
        monkeypatch.setattr(launcher, "_environment", lambda testing, made=made: made)
        assert launcher.main(["doctor"]) == 130
        assert capsys.readouterr().err == told


def test_an_interrupt_that_a_module_takes_for_its_own_failure_repairs_nothing(
    monkeypatch: pytest.MonkeyPatch, environment: Environment
) -> None:
    """As modules in C do whose imports are interrupted."""

    def import_in_vain(_: object) -> int:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ImportError("could not import module datetime") from None
        return 0

    repaired: list[object] = []
    monkeypatch.setattr("avseg_core.cli.main", import_in_vain)
    monkeypatch.setattr(launcher, "_repair_and_retry", lambda *given: repaired.append(given))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            launcher._run(["doctor"], environment)
    finally:
        signal.signal(signal.SIGINT, before)
    assert repaired == []


def test_a_video_that_is_dropped_on_the_program_is_set_up_for_with_a_window(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "clip.mp4").touch()
    shown: list[bool] = []
    monkeypatch.setattr(launcher, "_inside", lambda environment: False)
    monkeypatch.setattr(launcher, "_set_up", lambda environment, say, testing, opens_window: shown.append(opens_window))
    monkeypatch.setattr(launcher, "_step_inside", lambda environment, words: 0)
    for words in ([], ["gui", "clip.mp4"], [str(tmp_path / "clip.mp4")], ["segment", str(tmp_path / "clip.mp4")]):
        assert launcher.main(words) == 0
    assert shown == [True, True, True, False]
