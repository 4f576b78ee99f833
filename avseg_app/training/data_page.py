"""The first step of a new training: a folder is looked at in the background, and what is in it is shown."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QIcon, QPixmap
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QWidget,
)

from avseg_app.icons import icon
from avseg_app.training import scan_process
from avseg_app.training.mask_history import overlay
from avseg_app.training.scan_process import ScanFailed, ScanRequest
from avseg_app.widgets.controls import Choice, column, frame, label, row, set_property
from avseg_app.workers.child import Child, describe_exit
from avseg_core.progress import Progress
from avseg_core.training.survey_report import Preview, Survey

_THUMBNAIL = QSize(150, 112)
_FEW = 4
_PROBLEM_ROWS, _PROBLEM_ROW = 5, 34


class DataPage(QWidget):
    """Emits `ready_changed` when there is, or is no longer, something to train on."""

    ready_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.survey: Survey | None = None
        self._child: Child | None = None
        self._root: Path | None = None
        self.setAcceptDrops(True)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._make_drop_page())
        self._pages.addWidget(self._make_scan_page())
        self._pages.addWidget(self._make_report_page())
        self.setLayout(column(self._pages))

    def close_process(self) -> None:
        """Ends a look that is under way, without waiting for its process."""
        if self._child is not None:
            threading.Thread(target=self._child.stop, name="end of scan", daemon=True).start()
            self._child = None

    @property
    def excluded(self) -> tuple[str, ...]:
        """The clips that are left out, as `DataConfig.exclude` names them."""
        items = (self.problems.item(index) for index in range(self.problems.count()))
        names = {item.data(Qt.ItemDataRole.UserRole) for item in items if item.checkState() == Qt.CheckState.Checked}
        return tuple(sorted(name for name in names if name))

    def clips_left(self, *splits: str) -> int:
        """Clips of these splits that are not left out."""
        if self.survey is None:
            return 0
        out = sum(1 for name in self.excluded if name.partition("/")[0] in splits)
        return sum(self.survey.counts.get(split, 0) for split in splits) - out

    def scan(self, root: Path, dataset: str = "") -> None:
        """Looks at `root` in a process of its own."""
        self.close_process()
        self._root = root
        self.survey = None
        self.ready_changed.emit(False)
        self._scan_text.setText(self.tr("Looking at {0}").format(root))
        self._phase.setText(self.tr("Starting…"))
        self.bar.setRange(0, 0)
        self._pages.setCurrentIndex(1)
        child = Child(scan_process.main, "scan", self)
        child.received.connect(self._on_answer)
        child.ended.connect(self._on_end)
        child.send(ScanRequest(root, dataset))
        self._child = child

    # --- parts ------------------------------------------------------------------------------------------------------

    def _make_drop_page(self) -> QWidget:
        picture = QLabel()
        picture.setPixmap(icon("folder", "text-muted").pixmap(QSize(48, 48), self.devicePixelRatioF()))
        picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        headline = label(self.tr("Drop a folder of annotated clips here"), "heading")
        headline.setAlignment(Qt.AlignmentFlag.AlignCenter)
        hint = label(
            self.tr("Videos with masks beside them, or AVSBench S4, MS3 or AVSS. The folder is only read."), "muted"
        )
        hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        hint.setWordWrap(True)
        self.open_button = QPushButton(self.tr("Choose a folder…"))
        self.open_button.setProperty("kind", "primary")
        self.open_button.clicked.connect(self.ask_for_folder)
        self.refusal = frame("notice")
        self._refusal_icon = QLabel()
        self.refusal_text = QLabel()
        self.refusal_text.setWordWrap(True)
        self.refusal_text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        line = row(self._refusal_icon, self.refusal_text, spacing=10, margins=(12, 8, 12, 8))
        line.setStretch(1, 1)
        self.refusal.setLayout(line)
        self.refusal.hide()
        self.drop_area = frame("dropArea")
        self.drop_area.setLayout(
            column(picture, headline, hint, 6, row(0, self.open_button, 0), spacing=6, margins=(24, 26, 24, 26))
        )
        page = QWidget()
        page.setLayout(column(self.refusal, self.drop_area, self._make_layout_help(), 0, spacing=14))
        return page

    def _make_layout_help(self) -> QFrame:
        text = QLabel(
            self.tr(
                "<p>A folder of your own:</p>"
                "<pre>train/guitar.mp4\ntrain/guitar.masks/1.500.png   the mask of the frame at 1.5 s\n"
                "val/piano.mp4                  other clips, to measure with\nval/piano.masks/0.500.png</pre>"
                "<p>Masks are PNG files as large as the video, not black where something sounds. Without train and "
                "val, a quarter of the clips is kept apart for measuring.</p>"
            )
        )
        text.setTextFormat(Qt.TextFormat.RichText)
        text.setWordWrap(True)
        card = QFrame()
        card.setProperty("card", True)
        card.setLayout(column(text, margins=(18, 8, 18, 8)))
        return card

    def _make_scan_page(self) -> QWidget:
        self._scan_text = label("", "heading")
        self._scan_text.setWordWrap(True)
        self._phase = label("", "muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress of the look at the data"))
        cancel = QPushButton(self.tr("Cancel"))
        cancel.clicked.connect(self._cancel)
        page = QWidget()
        page.setLayout(column(0, self._scan_text, self.bar, self._phase, row(cancel, 0), 0, spacing=10))
        return page

    def _make_report_page(self) -> QWidget:
        self.headline = label("", "heading")
        self.headline.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.layout_choice = Choice(self.tr("Layout"))
        self.layout_choice.activated.connect(self._rescan_as)
        again = QPushButton(icon("folder"), self.tr("Another folder…"))
        again.clicked.connect(self.ask_for_folder)
        self.counts = label()
        self.counts.setWordWrap(True)
        self.advice = label("", "muted")
        self.advice.setWordWrap(True)
        self._problems_title = label("", "heading")
        self.leave_out_all = QPushButton(self.tr("Leave all of these clips out"))
        self.leave_out_all.setProperty("kind", "quiet")
        self.leave_out_all.clicked.connect(self._leave_out_all)
        self.problems = QListWidget()
        self.problems.setAccessibleName(self.tr("Problems"))
        self.problems.setWordWrap(True)
        self.problems.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.problems.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.problems.itemChanged.connect(lambda _: self._describe())
        self.problems_card = QFrame()
        self.problems_card.setProperty("card", True)
        self.problems_card.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.problems_card.setLayout(
            column(row(self._problems_title, 0, self.leave_out_all), self.problems, spacing=4, margins=(14, 10, 10, 10))
        )
        self.previews = QListWidget()
        self.previews.setAccessibleName(self.tr("Clips with their masks"))
        self.previews.setViewMode(QListWidget.ViewMode.IconMode)
        self.previews.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.previews.setMovement(QListWidget.Movement.Static)
        self.previews.setIconSize(_THUMBNAIL)
        self.previews.setGridSize(_THUMBNAIL + QSize(20, 38))
        self.previews.setUniformItemSizes(True)
        self.previews.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        head = row(self.headline, self.layout_choice, 0, again)
        page = QWidget()
        page.setLayout(column(head, self.counts, self.advice, self.problems_card, self.previews, spacing=10))
        return page

    # --- what happens -----------------------------------------------------------------------------------------------

    def ask_for_folder(self) -> None:
        """The platform's own dialog, without stopping the window."""
        dialog = QFileDialog(self, self.tr("Choose a folder of annotated clips"), str(self._root or ""))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda name: self.scan(Path(name)))
        dialog.open()

    def _rescan_as(self, index: int) -> None:
        dataset = self.layout_choice.itemData(index)
        if self._root is not None and self.survey is not None and dataset != self.survey.dataset:
            self.scan(self._root, dataset)

    def _cancel(self) -> None:
        self.close_process()
        self._pages.setCurrentIndex(0)

    def _on_answer(self, answer: object) -> None:
        if self.sender() is not self._child:
            return  # of a look that was given up
        if isinstance(answer, Progress):
            self._show_progress(answer)
        elif isinstance(answer, Survey):
            self._show(answer)
        elif isinstance(answer, ScanFailed):
            self._refuse(answer.message)

    def _on_end(self, code: object) -> None:
        if self.sender() is self._child and self.survey is None and self._pages.currentIndex() == 1:
            self._refuse(self.tr("The look at the data ended unexpectedly ({0}).").format(describe_exit(code)))

    def _show_progress(self, progress: Progress) -> None:
        self.bar.setRange(0, 1000 if progress.total else 0)
        if progress.total:
            self.bar.setValue(round(1000 * progress.done / progress.total))
            self._phase.setText(
                self.tr("{0}: {1:.0f} of {2:.0f} clips").format(
                    progress.phase.capitalize(), progress.done, progress.total
                )
            )

    def _refuse(self, text: str) -> None:
        self._refusal_icon.setPixmap(icon("error", "error").pixmap(QSize(18, 18), self.devicePixelRatioF()))
        self.refusal_text.setText(text)
        set_property(self.refusal, "kind", "error")
        self.refusal.show()
        self._pages.setCurrentIndex(0)

    def _show(self, survey: Survey) -> None:
        self.survey = survey
        self.refusal.hide()
        root = Path(survey.root)
        self.headline.setText(root.name)
        self.headline.setToolTip(survey.root)
        self.layout_choice.clear()
        for name in (survey.dataset, *survey.others):
            self.layout_choice.addItem(self._layout_name(name), name)
        self._fill_problems(survey)
        self._fill_previews(survey.previews)
        self._describe()
        self._pages.setCurrentIndex(2)

    def _layout_name(self, dataset: str) -> str:
        names = {
            "folder": self.tr("videos with masks"),
            "s4": self.tr("AVSBench S4"),
            "ms3": self.tr("AVSBench MS3"),
            "avss": self.tr("AVSBench AVSS"),
        }
        return names.get(dataset, dataset)

    def _fill_problems(self, survey: Survey) -> None:
        self.problems.blockSignals(True)
        self.problems.clear()
        for finding in survey.findings:
            item = QListWidgetItem(finding.problem.what.replace(f"{survey.root}/", ""))
            item.setToolTip(finding.problem.where)
            item.setData(Qt.ItemDataRole.UserRole, finding.clip)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
            if finding.clip:
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
                item.setCheckState(Qt.CheckState.Unchecked)
            self.problems.addItem(item)
        self.problems.blockSignals(False)
        total = sum(survey.totals.values())
        self.problems.setFixedHeight(min(_PROBLEM_ROWS, max(1, self.problems.count())) * _PROBLEM_ROW + 8)
        self.problems_card.setVisible(total > 0)
        self._problems_title.setText(self.tr("Problems: {0} (tick a clip to leave it out)").format(total))
        self.leave_out_all.setVisible(any(finding.clip for finding in survey.findings))

    def _leave_out_all(self) -> None:
        self.problems.blockSignals(True)
        for index in range(self.problems.count()):
            item = self.problems.item(index)
            if item.flags() & Qt.ItemFlag.ItemIsUserCheckable:
                item.setCheckState(Qt.CheckState.Checked)
        self.problems.blockSignals(False)
        self._describe()

    def _fill_previews(self, previews: tuple[Preview, ...]) -> None:
        self.previews.clear()
        ratio = self.devicePixelRatioF()
        for preview in previews:
            image = overlay(preview.image, (preview.mask > 0).astype(np.float32))
            pixmap = QPixmap.fromImage(image).scaled(
                _THUMBNAIL * ratio,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            pixmap.setDevicePixelRatio(ratio)
            item = QListWidgetItem(QIcon(pixmap), preview.clip)
            covered = 100 * float(np.mean(preview.mask > 0))
            item.setToolTip(
                self.tr("{0}: {1}x{2}, mask on {3:.0f} % of the frame").format(preview.clip, *preview.size, covered)
            )
            self.previews.addItem(item)

    def _describe(self) -> None:
        survey = self.survey
        if survey is None:
            return
        names = {"train": self.tr("training"), "val": self.tr("validation"), "test": self.tr("test"), "all": ""}
        parts = [
            self.tr("{0} {1} clips").format(self.clips_left(split), names[split]).replace("  ", " ")
            for split in survey.counts
        ]
        if survey.masks:
            parts.append(self.tr("{0} masks").format(survey.masks))
        if survey.num_classes > 1:
            parts.append(self.tr("{0} classes").format(survey.num_classes - 1))
        sizes = sorted({preview.size for preview in survey.previews})
        if sizes:
            first, last = ("x".join(map(str, pair)) for pair in (sizes[0], sizes[-1]))
            parts.append(
                self.tr("{0} pixels").format(first) if len(sizes) == 1 else self.tr("{0} to {1}").format(first, last)
            )
        if self.excluded:
            parts.append(self.tr("{0} left out").format(len(self.excluded)))
        self.counts.setText("   ·   ".join(parts))
        advice = self._advice(survey)
        self.advice.setText("\n".join(advice))
        self.advice.setVisible(bool(advice))
        self.ready_changed.emit(self.can_go_on)

    @property
    def can_go_on(self) -> bool:
        """There are clips to learn from and, in a data set with splits, clips to measure with."""
        if self.survey is None or self.clips_left("train", "all") < 1:
            return False
        return not self.survey.has_splits or self.clips_left("val") > 0

    def _advice(self, survey: Survey) -> list[str]:
        advice = []
        learning = self.clips_left("train", "all")
        if learning < 1:
            advice.append(self.tr("There is no clip left to learn from."))
        elif survey.has_splits and self.clips_left("val") < 1:
            advice.append(self.tr("There is no clip to measure with: put some into a folder named val."))
        elif not survey.has_splits and learning == 1:
            advice.append(self.tr("A single clip: it is measured on what it learns from, so the figures flatter."))
        elif not survey.has_splits:
            advice.append(self.tr("No train and val folders: about a quarter of the clips is kept apart to measure."))
        if 1 < learning < _FEW:
            advice.append(self.tr("So few clips teach a model little beyond themselves; more kinds of scenes help."))
        return advice

    # --- drag and drop ----------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped_folder(event) is not None:
            event.acceptProposedAction()
            set_property(self.drop_area, "hot", True)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        set_property(self.drop_area, "hot", False)

    def dropEvent(self, event: QDropEvent) -> None:
        set_property(self.drop_area, "hot", False)
        folder = _dropped_folder(event)
        if folder is not None:
            event.acceptProposedAction()
            self.scan(folder)


def _dropped_folder(event: QDropEvent) -> Path | None:
    """The folder that is dragged; a dragged file stands for the folder it lies in."""
    for url in event.mimeData().urls():
        if url.isLocalFile():
            path = Path(url.toLocalFile())
            return path if path.is_dir() else path.parent
    return None
