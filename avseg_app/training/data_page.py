"""The first step of a new training: a folder is looked at in the background, and what is in it is shown."""

from __future__ import annotations

import threading
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFileDialog, QFrame, QLabel, QProgressBar, QStackedWidget, QWidget

from avseg_app.training import scan_process
from avseg_app.training.offer_view import OfferView
from avseg_app.training.report_view import ReportView
from avseg_app.training.scan_process import ImportRequest, ScanFailed, ScanRequest
from avseg_app.widgets.controls import Button, column, frame, label, row, set_property
from avseg_app.widgets.icon_label import IconLabel
from avseg_app.workers.child import Child, describe_exit
from avseg_core.data.import_report import ImportOptions, ImportReport, Offer
from avseg_core.progress import Progress
from avseg_core.training.survey_report import Survey

_DROP, _BUSY, _REPORT, _OFFER = range(4)
_FEW_LEFT_OUT = 3
_KEPT_MS = 60_000
"""For so long the process waits for another folder: starting it takes seconds, keeping it takes memory."""


class DataPage(QWidget):
    """Emits `ready_changed` when there is, or is no longer, something to train on."""

    ready_changed = Signal(bool)
    said = Signal(str, str)
    """Kind and text for the message bar"""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._request: ScanRequest | ImportRequest | None = None
        self._child: Child | None = None
        self._busy = False
        self._idle = QTimer(self, interval=_KEPT_MS, singleShot=True)
        self._idle.timeout.connect(self._let_go)
        self._root: Path | None = None
        self._pages = QStackedWidget()
        self._pages.addWidget(self._make_drop_page())
        self._pages.addWidget(self._make_scan_page())
        self.report = ReportView()
        self.offer = OfferView()
        self._pages.addWidget(self.report)
        self._pages.addWidget(self.offer)
        self.setLayout(column(self.refusal, self._pages, spacing=14))
        self.layout().setStretchFactor(self._pages, 1)
        self.report.changed.connect(lambda: self.ready_changed.emit(self.can_go_on))
        self.report.another_wanted.connect(self.ask_for_folder)
        self.report.layout_chosen.connect(lambda dataset: self.scan(Path(self.report.survey.root), dataset))
        self.report.again_wanted.connect(lambda: self.scan(Path(self.report.survey.root), self.report.survey.dataset))
        self.report.pictures_wanted.connect(self._offer_pictures)
        self.offer.another_wanted.connect(self.ask_for_folder)
        self.offer.media_chosen.connect(self._look_with_media)
        self.offer.import_wanted.connect(self.start_import)

    def close_process(self) -> None:
        """Ends the process, also in mid-look, without waiting for it; and the sound."""
        self.report.previews.close_sound()
        self._let_go()

    def _let_go(self) -> None:
        if self._child is not None:
            threading.Thread(target=self._child.stop, name="end of scan", daemon=True).start()
            self._child = None
        self._busy = False
        self._idle.stop()

    @property
    def survey(self) -> Survey | None:
        """What was found, once there is an answer."""
        return self.report.survey

    @property
    def excluded(self) -> tuple[str, ...]:
        """The clips that are left out, as `DataConfig.exclude` names them."""
        return self.report.excluded

    @property
    def can_go_on(self) -> bool:
        """There is something to train on."""
        return self.report.can_go_on

    def scan(self, root: Path, dataset: str = "") -> None:
        """Looks at `root` in a process of its own."""
        self._root = root
        self._begin(ScanRequest(root, dataset), self.tr("Looking at {0}").format(root))

    def start_import(self, source: Path, out: Path, options: ImportOptions) -> None:
        """Makes the data set folder `out` of `source` in a process of its own, and then looks at it."""
        self._begin(ImportRequest(source, out, options), self.tr("Importing {0}").format(source))

    def _begin(self, request: ScanRequest | ImportRequest, text: str) -> None:
        if self._child is None or self._busy:
            self.close_process()
            self._child = self._make_child()
        self._idle.stop()
        self._request, self._busy = request, True
        self.report.survey = None
        self.ready_changed.emit(False)
        self.refusal.hide()
        self._scan_text.setText(text)
        self._phase.setText(self.tr("Starting…"))
        self.bar.setRange(0, 0)
        self._pages.setCurrentIndex(_BUSY)
        self._child.send(request)

    def _make_child(self) -> Child:
        child = Child(scan_process.main, "scan", self)
        child.received.connect(self._on_answer)
        child.ended.connect(self._on_end)
        return child

    # --- parts ------------------------------------------------------------------------------------------------------

    def _make_drop_page(self) -> QWidget:
        headline = label(self.tr("Drop a folder of annotated clips here"), "heading")
        headline.setAlignment(Qt.AlignmentFlag.AlignCenter)
        hint = label(
            self.tr(
                "Videos with masks beside them, AVSBench S4, MS3 or AVSS, COCO or YouTube-VIS annotations, or videos "
                "that are yet to be annotated. Your files stay as they are."
            ),
            "muted",
        )
        hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        hint.setWordWrap(True)
        self.open_button = Button(self.tr("Choose a folder…"))
        self.open_button.setProperty("kind", "primary")
        self.open_button.clicked.connect(self.ask_for_folder)
        self.refusal = frame("notice")
        self._refusal_icon = IconLabel("error", 18)
        self.refusal_text = QLabel()
        self.refusal_text.setWordWrap(True)
        self.refusal_text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        line = row(self._refusal_icon, self.refusal_text, spacing=10, margins=(12, 8, 12, 8))
        line.setStretch(1, 1)
        self.refusal.setLayout(line)
        self.refusal.hide()
        drop_area = frame("dropArea")
        drop_area.setLayout(
            column(
                row(0, IconLabel("folder", 48), 0),
                headline,
                hint,
                6,
                row(0, self.open_button, 0),
                spacing=6,
                margins=(24, 26, 24, 26),
            )
        )
        page = QWidget()
        page.setLayout(column(drop_area, self._make_layout_help(), 0, spacing=14))
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
        cancel = Button(self.tr("Cancel"))
        cancel.clicked.connect(self._cancel)
        page = QWidget()
        page.setLayout(column(0, self._scan_text, self.bar, self._phase, row(cancel, 0), 0, spacing=10))
        return page

    # --- what happens -----------------------------------------------------------------------------------------------

    def ask_for_folder(self) -> None:
        """The platform's own dialog, without stopping the window."""
        dialog = QFileDialog(self, self.tr("Choose a folder of annotated clips"), str(self._root or ""))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda name: self.scan(Path(name)))
        dialog.open()

    def _offer_pictures(self) -> None:
        root = Path(self.report.survey.root)
        self._begin(ScanRequest(root, only_import=True), self.tr("Looking at {0}").format(root))

    def _look_with_media(self, media: Path) -> None:
        source = self.offer.offer.source
        self._begin(ScanRequest(source, media=media, only_import=True), self.tr("Looking at {0}").format(source))

    def _cancel(self) -> None:
        self.close_process()
        self._pages.setCurrentIndex(_OFFER if isinstance(self._request, ImportRequest) else _DROP)

    def _on_answer(self, answer: object) -> None:
        if self.sender() is not self._child:
            return  # of a look that was given up
        if isinstance(answer, Progress):
            self._show_progress(answer)
            return
        self._busy = False
        self._idle.start()
        if isinstance(answer, Survey):
            self._show(answer)
        elif isinstance(answer, Offer):
            self.refusal.hide()
            self.offer.show_offer(answer, self._request.media)
            self._pages.setCurrentIndex(_OFFER)
        elif isinstance(answer, ImportReport):
            self._on_imported(answer)
        elif isinstance(answer, ScanFailed):
            self._refuse(answer.message)

    def _on_imported(self, report: ImportReport) -> None:
        """A data set is looked at; pictures are left to be drawn on."""
        left_out = [problem.what for problem in report.problems]
        if report.pictures:
            text = self.tr("{0} pictures are written below {1}. Draw the masks, then choose the folder again.")
            self._tell("success", "\n".join([text.format(report.pictures, report.folder), *left_out]))
            self._pages.setCurrentIndex(_DROP)
            return
        self.scan(report.folder)
        if left_out:
            self.said.emit("warning", self.tr("Left out: {0}").format("; ".join(left_out[:_FEW_LEFT_OUT])))

    def _on_end(self, code: object) -> None:
        if self.sender() is not self._child:
            return
        self._child = None
        if self._busy:
            self._busy = False
            self._refuse(self.tr("The look at the data ended unexpectedly ({0}).").format(describe_exit(code)))

    def _show_progress(self, progress: Progress) -> None:
        self.bar.setRange(0, 1000 if progress.total else 0)
        if progress.total:
            self.bar.setValue(round(1000 * progress.done / progress.total))
            self._phase.setText(
                self.tr("{0}: {1:.0f} of {2:.0f} clips").format(
                    self._phase_name(progress), progress.done, progress.total
                )
            )

    def _phase_name(self, progress: Progress) -> str:
        names = {
            "check": self.tr("Checking"),
            "preview": self.tr("Making previews"),
            "listen": self.tr("Listening"),
            "import": self.tr("Importing"),
        }
        return names.get(progress.phase.partition(" ")[0], progress.phase.capitalize())

    def _refuse(self, text: str) -> None:
        self._tell("error", text)
        self._pages.setCurrentIndex(_OFFER if isinstance(self._request, ImportRequest) else _DROP)

    def _tell(self, kind: str, text: str) -> None:
        self._refusal_icon.set_icon(kind, kind)
        self.refusal_text.setText(text)
        set_property(self.refusal, "kind", kind)
        self.refusal.show()

    def _show(self, survey: Survey) -> None:
        self.refusal.hide()
        self.report.show_survey(survey, Path(survey.root).name)
        self._pages.setCurrentIndex(_REPORT)
