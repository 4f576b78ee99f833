"""From the export action to the files: dialog, running task, and what is said about it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QProgressBar, QWidget

from avseg_app.widgets.controls import Button, label, row
from avseg_app.widgets.message_bar import MessageBar
from avseg_app.workers.protocol import ExportRequest
from avseg_app.workspace.controller import Controller
from avseg_app.workspace.export_dialog import ExportChoice, ExportDialog, ExportTask
from avseg_app.workspace.page import overlay_color


class ExportStrip(QWidget):
    """Progress and Cancel while an export runs; hidden otherwise."""

    cancel_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = label()
        self._bar = QProgressBar()
        self._bar.setRange(0, 1000)
        self._bar.setFixedWidth(130)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Export progress"))
        self.cancel_button = Button(self.tr("Cancel"))
        self.cancel_button.setProperty("kind", "quiet")
        self.cancel_button.setAccessibleName(self.tr("Cancel the export"))
        self.cancel_button.clicked.connect(self.cancel_requested)
        self.setLayout(row(self._text, self._bar, self.cancel_button, margins=(0, 0, 8, 0)))
        self.hide()

    def show_share(self, share: float) -> None:
        """How much is done, 0..1."""
        self._text.setText(self.tr("Exporting, {0:.0f} %").format(100 * share))
        self._bar.setValue(round(1000 * share))
        self.show()


class Exporting(QObject):
    """At most one export at a time."""

    def __init__(self, controller: Controller, bar: MessageBar, window: QWidget) -> None:
        super().__init__(window)
        self._controller, self._bar, self._window = controller, bar, window
        self.strip = ExportStrip()
        self.strip.cancel_requested.connect(self._cancel)
        self.task: ExportTask | None = None
        self._folder = Path()
        self._dialog: ExportDialog | None = None
        controller.timeline_changed.connect(self._show_notes)

    def ask(self) -> ExportDialog | None:
        """Opens the dialog; None if there is nothing to export or an export is running."""
        document = self._controller.document
        if document is None or not document.done or self.task is not None:
            return None
        choice = ExportChoice(self._controller.settings.values.export_formats, self._default_folder())
        dialog = ExportDialog(choice, self._window)
        dialog.chosen.connect(self.run)
        dialog.open()
        self._dialog = dialog
        self._show_notes()
        return dialog

    def _show_notes(self) -> None:
        if self._dialog is not None and self._dialog.isVisible():
            self._dialog.show_notes(self._notes())

    def _notes(self) -> list[str]:
        """What the user should know before exporting, as it is now."""
        notes = [
            self.tr("Masks are cut at the threshold of {0:.0f} %.").format(
                100 * self._controller.settings.values.threshold
            )
        ]
        document = self._controller.document
        if document is not None and document.done < document.count:
            text = self.tr("{0} of {1} masks are not there yet and will be missing.")
            notes.append(text.format(document.count - document.done, document.count))
        return notes

    def run(self, choice: ExportChoice) -> None:
        """Exports the document as chosen."""
        document = self._controller.document
        if document is None:
            return
        settings = self._controller.settings
        settings.update(export_formats=choice.formats, export_dir=str(choice.folder))
        self._folder = choice.folder
        request = ExportRequest(
            store=document.store,
            video=document.path,
            folder=choice.folder,
            formats=choice.formats,
            threshold=settings.values.threshold,
            color=overlay_color(settings.values),
            opacity=settings.values.opacity,
        )
        self.task = ExportTask(request, self)
        self.task.progress.connect(self.strip.show_share)
        self.task.done.connect(self._on_done)
        self.task.failed.connect(lambda text: self._on_end("error", text))
        self.task.cancelled.connect(self._on_cancelled)
        self.strip.show_share(0.0)

    def close(self) -> None:
        """Ends a running export."""
        if self.task is not None:
            self.task.close()

    def _default_folder(self) -> Path:
        remembered = self._controller.settings.values.export_dir
        movies = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
        return Path(remembered or movies) if remembered else Path(movies) / "AVSeg Studio"

    def _cancel(self) -> None:
        if self.task is not None:
            self.task.cancel()

    def _on_done(self, files: tuple[Path, ...]) -> None:
        self._on_end("success", "")
        text = self.tr("Exported {0} to {1}").format(self._count(len(files)), self._folder)
        url = QUrl.fromLocalFile(str(self._folder))
        self._bar.show_message("success", text, self.tr("Show folder"), lambda: QDesktopServices.openUrl(url))

    def _on_cancelled(self) -> None:
        self._on_end("info", self.tr("Export cancelled; formats that were finished before stay."))

    def _count(self, files: int) -> str:
        return self.tr("one file") if files == 1 else self.tr("{0} files").format(files)

    def _on_end(self, kind: str, text: str) -> None:
        self.strip.hide()
        if self.task is not None:
            self.task.deleteLater()
            self.task = None
        if text:
            self._bar.show_message(kind, text)
