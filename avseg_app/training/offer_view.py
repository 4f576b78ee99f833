"""What was dropped is no data set yet: annotations or plain videos, and how they become one."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QFrame,
    QGridLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QWidget,
)

from avseg_app.icons import icon
from avseg_app.widgets.controls import Button, CheckBox, column, label, row
from avseg_app.widgets.spin import RateField
from avseg_core.data.import_report import ImportOptions, Offer

_SHOWN_PROBLEMS = 4


class OfferView(QWidget):
    """Shows an Offer; emits what to do with it."""

    import_wanted = Signal(Path, Path, ImportOptions)
    """Source, folder to write, how"""
    media_chosen = Signal(Path)
    another_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.offer: Offer | None = None
        self.media: Path | None = None
        self.headline = label("", "heading")
        self.about = label()
        self.about.setWordWrap(True)
        self.missing = label("", "error")
        self.missing.setWordWrap(True)
        self._make_fields()
        self.start = Button(self.tr("Import"))
        self.start.setProperty("kind", "primary")
        self.start.clicked.connect(self._ask_import)
        another = Button(icon("folder"), self.tr("Another folder…"))
        another.clicked.connect(self.another_wanted)
        card = QFrame()
        card.setProperty("card", True)
        card.setLayout(self._grid)
        self.setLayout(
            column(row(self.headline, 0, another), self.about, self.missing, card, row(0, self.start), 0, spacing=12)
        )

    def _make_fields(self) -> None:
        self.media_button = Button(self.tr("Choose…"))
        self.media_button.clicked.connect(self._ask_media)
        self.media_path = label()
        self.media_path.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.categories = QListWidget()
        self.categories.setFixedHeight(132)
        self.categories.itemChanged.connect(lambda _: self._refresh())
        self.classes = CheckBox(self.tr("Keep the kinds apart as classes"))
        self.rate = RateField(0.1, 30.0)
        self.rate.setValue(1.0)
        self.rate.setFixedWidth(120)
        self.out = QLineEdit()
        self.out.textChanged.connect(lambda _: self._refresh())
        self.out_button = Button(self.tr("Choose…"))
        self.out_button.clicked.connect(self._ask_out)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(18, 16, 18, 16)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(12)
        self._grid.setColumnStretch(1, 1)
        self._rows: dict[str, tuple[QWidget, ...]] = {}
        self._add_row("media", self.tr("Videos or pictures in"), self.media_path, self.media_button)
        self._add_row("categories", self.tr("What sounds"), self.categories)
        self._add_row("classes", "", self.classes)
        self._add_row("rate", self.tr("Pictures per second"), self.rate)
        self._add_row("out", self.tr("Data set folder"), self.out, self.out_button)

    def _add_row(self, name: str, text: str, editor: QWidget, button: QWidget | None = None) -> None:
        title = label(text)
        title.setBuddy(editor)
        editor.setAccessibleName(text or editor.text())
        line = len(self._rows)
        widgets = (title, editor, button) if button is not None else (title, editor)
        for place, widget in enumerate(widgets):
            alignment = Qt.AlignmentFlag.AlignTop if editor is self.categories and place == 0 else Qt.AlignmentFlag(0)
            self._grid.addWidget(widget, line, place, alignment)
        self._rows[name] = widgets

    def show_offer(self, offer: Offer, media: Path | None) -> None:
        """Shows what could be imported, with media from `media` (None: beside the annotations)."""
        fresh = self.offer is None or self.offer.source != offer.source or self.offer.kind != offer.kind
        self.offer, self.media = offer, media
        plain = offer.kind == "videos"
        for name in ("media", "categories", "classes"):
            self._show_row(name, not plain)
        self._show_row("rate", plain)
        self._describe(offer)
        beside = offer.source if offer.source.is_dir() else offer.source.parent
        self.media_path.setText(str(media or beside))
        if fresh:
            self._fill_categories(offer)
            self.classes.setChecked(False)
            self.out.setText(str(beside if plain else beside.with_name(f"{beside.name}-set")))
        self.start.setText(self.tr("Write the pictures") if plain else self.tr("Import"))
        self._refresh()

    def _show_row(self, name: str, shown: bool) -> None:
        for widget in self._rows[name]:
            widget.setVisible(shown)

    def _describe(self, offer: Offer) -> None:
        clips = sum(offer.report.counts.values())
        if offer.kind == "videos":
            self.headline.setText(self.tr("{0}: {1} videos without masks").format(offer.source.name, clips))
            self.about.setText(
                self.tr(
                    "Pictures are written beside each video, as clip.frames/1.500.png for the frame at 1.5 s. Draw on "
                    "them in any program, and save the mask as clip.masks/1.500.png: not black where something sounds."
                )
            )
            self.missing.hide()
            return
        kind = "YouTube-VIS" if offer.kind == "youtube-vis" else "COCO"
        self.headline.setText(self.tr("{0}: {1} annotations").format(offer.source.name, kind))
        self.about.setText(
            self.tr(
                "{0} clips with {1} annotated pictures. Each becomes a video with masks at times; the originals stay "
                "as they are."
            ).format(clips, offer.masks)
        )
        problems = [problem.what for problem in offer.report.problems[:_SHOWN_PROBLEMS]]
        total = sum(offer.report.totals.values())
        if total > len(problems):
            problems.append(self.tr("… and {0} more").format(total - len(problems)))
        self.missing.setText("\n".join(problems))
        self.missing.setVisible(bool(problems))

    def _fill_categories(self, offer: Offer) -> None:
        self.categories.blockSignals(True)
        self.categories.clear()
        for name, count in offer.categories.items():
            item = QListWidgetItem(self.tr("{0} ({1})").format(name, count))
            item.setData(Qt.ItemDataRole.UserRole, name)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked)
            self.categories.addItem(item)
        self.categories.blockSignals(False)

    @property
    def chosen(self) -> tuple[str, ...]:
        """The categories that sound."""
        items = (self.categories.item(index) for index in range(self.categories.count()))
        return tuple(
            item.data(Qt.ItemDataRole.UserRole) for item in items if item.checkState() == Qt.CheckState.Checked
        )

    def _refresh(self) -> None:
        offer = self.offer
        if offer is None:
            return
        usable = offer.kind == "videos" or (
            bool(self.chosen) and sum(offer.report.totals.values()) < sum(offer.report.counts.values())
        )
        self.start.setEnabled(usable and bool(self.out.text().strip()))

    def _ask_import(self) -> None:
        assert self.offer is not None
        everything = len(self.chosen) == self.categories.count()
        options = ImportOptions(
            media=self.media,
            categories=() if everything else self.chosen,
            classes=self.classes.isChecked(),
            frames=self.rate.value(),
        )
        self.import_wanted.emit(self.offer.source, Path(self.out.text().strip()).expanduser().absolute(), options)

    def _ask_media(self) -> None:
        self._ask_folder(self.tr("Where are the videos or pictures?"), self.media_path.text(), self.media_chosen.emit)

    def _ask_out(self) -> None:
        title = self.tr("Where should the data set be?")
        self._ask_folder(title, self.out.text(), lambda path: self.out.setText(str(path)))

    def _ask_folder(self, title: str, start: str, take) -> None:
        dialog = QFileDialog(self, title, start)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda name: take(Path(name)))
        dialog.open()
