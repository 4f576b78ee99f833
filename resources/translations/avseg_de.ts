<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE" sourcelanguage="en">
<context>
    <name></name>
    <message>
        <source>&amp;Open a video…</source>
        <translation>Ein Video ö&amp;ffnen …</translation>
    </message>
    <message>
        <source>&amp;Close the video</source>
        <translation>Das Video &amp;schließen</translation>
    </message>
    <message>
        <source>&amp;Live camera…</source>
        <translation>&amp;Live-Kamera …</translation>
    </message>
    <message>
        <source>&amp;Export…</source>
        <translation>&amp;Exportieren …</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Beenden</translation>
    </message>
    <message>
        <source>Zoom in</source>
        <translation>Vergrößern</translation>
    </message>
    <message>
        <source>Zoom out</source>
        <translation>Verkleinern</translation>
    </message>
    <message>
        <source>Fit the frame to the window</source>
        <translation>Bild ins Fenster einpassen</translation>
    </message>
    <message>
        <source>Side panel</source>
        <translation>Seitenleiste</translation>
    </message>
    <message>
        <source>Full screen</source>
        <translation>Vollbild</translation>
    </message>
    <message>
        <source>&amp;Video</source>
        <translation>&amp;Video</translation>
    </message>
    <message>
        <source>&amp;Training</source>
        <translation>&amp;Training</translation>
    </message>
    <message>
        <source>&amp;Keyboard shortcuts</source>
        <translation>&amp;Tastenkürzel</translation>
    </message>
    <message>
        <source>&amp;About AVSeg Studio</source>
        <translation>&amp;Über AVSeg Studio</translation>
    </message>
    <message>
        <source>Filled mask</source>
        <translation>Gefüllte Maske</translation>
    </message>
    <message>
        <source>Outline</source>
        <translation>Umriss</translation>
    </message>
    <message>
        <source>Heat map</source>
        <translation>Wärmebild</translation>
    </message>
    <message>
        <source>No mask</source>
        <translation>Keine Maske</translation>
    </message>
    <message>
        <source>Spotlight</source>
        <translation>Scheinwerfer</translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation>&amp;Datei</translation>
    </message>
    <message>
        <source>Open &amp;recent</source>
        <translation>&amp;Zuletzt geöffnet</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>&amp;Ansicht</translation>
    </message>
    <message>
        <source>&amp;Playback</source>
        <translation>&amp;Wiedergabe</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>&amp;Hilfe</translation>
    </message>
    <message>
        <source>{0} s</source>
        <translation>{0} s</translation>
    </message>
    <message>
        <source>{0} min</source>
        <translation>{0} min</translation>
    </message>
    <message>
        <source>{0:.1f} h</source>
        <translation>{0:.1f} h</translation>
    </message>
    <message>
        <source>{0:.1f} days</source>
        <translation>{0:.1f} Tage</translation>
    </message>
    <message>
        <source>{0:.0f} °C</source>
        <translation>{0:.0f} °C</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Wartet</translation>
    </message>
    <message>
        <source>Starting</source>
        <translation>Startet</translation>
    </message>
    <message>
        <source>Training</source>
        <translation>Training</translation>
    </message>
    <message>
        <source>Paused</source>
        <translation>Pausiert</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Fehlgeschlagen</translation>
    </message>
    <message>
        <source>Ended without a word</source>
        <translation>Ohne ein Wort geendet</translation>
    </message>
    <message>
        <source>Finished</source>
        <translation>Fertig</translation>
    </message>
    <message>
        <source>Finished early: no gain any more</source>
        <translation>Früher fertig: kein Gewinn mehr</translation>
    </message>
    <message>
        <source>Stopped, best kept</source>
        <translation>Angehalten, Bestes behalten</translation>
    </message>
    <message>
        <source>Cancelled</source>
        <translation>Abgebrochen</translation>
    </message>
    <message>
        <source>Interrupted</source>
        <translation>Unterbrochen</translation>
    </message>
    <message>
        <source>Starts when no other run is active.</source>
        <translation>Startet, wenn kein anderer Lauf aktiv ist.</translation>
    </message>
    <message>
        <source>Starting the process…</source>
        <translation>Der Prozess wird gestartet …</translation>
    </message>
    <message>
        <source>Paused at step {0} of {1}; the process keeps its memory.</source>
        <translation>Pausiert bei Schritt {0} von {1}; der Prozess behält seinen Speicher.</translation>
    </message>
    <message>
        <source>Step {0} of {1}</source>
        <translation>Schritt {0} von {1}</translation>
    </message>
    <message>
        <source>Building the model</source>
        <translation>Modell wird gebaut</translation>
    </message>
    <message>
        <source>Reading the data set</source>
        <translation>Datensatz wird gelesen</translation>
    </message>
    <message>
        <source>Preparing the rehearsal</source>
        <translation>Das Wiederholen wird vorbereitet</translation>
    </message>
    <message>
        <source>Evaluating</source>
        <translation>Auswertung läuft</translation>
    </message>
    <message>
        <source>Writing the model</source>
        <translation>Modell wird geschrieben</translation>
    </message>
    <message>
        <source>Training: step {0} of {1}</source>
        <translation>Training: Schritt {0} von {1}</translation>
    </message>
    <message>
        <source> · epoch {0} of {1}</source>
        <translation> · Epoche {0} von {1}</translation>
    </message>
    <message>
        <source> · about {0} left</source>
        <translation> · noch etwa {0}</translation>
    </message>
    <message>
        <source>just now</source>
        <translation>gerade eben</translation>
    </message>
    <message>
        <source>{0} ago</source>
        <translation>vor {0}</translation>
    </message>
    <message>
        <source>{0}. Resume continues from there, learning ten times slower.</source>
        <translation>{0}. Fortsetzen macht von dort weiter und lernt zehnmal langsamer.</translation>
    </message>
    <message>
        <source>The process ended before it could say why; its log may tell.</source>
        <translation>Der Prozess endete, bevor er den Grund sagen konnte; vielleicht steht er im Protokoll.</translation>
    </message>
    <message>
        <source>The process has gone without a word: it was killed, memory ran out or the computer was switched off. Resume continues at the last saved state.</source>
        <translation>Der Prozess ist ohne ein Wort verschwunden: Er wurde beendet, der Speicher ging aus oder der Rechner wurde ausgeschaltet. Fortsetzen macht beim letzten gespeicherten Stand weiter.</translation>
    </message>
    <message>
        <source>Play or pause</source>
        <translation>Wiedergabe oder Pause</translation>
    </message>
    <message>
        <source>One frame back</source>
        <translation>Ein Bild zurück</translation>
    </message>
    <message>
        <source>One frame on</source>
        <translation>Ein Bild weiter</translation>
    </message>
    <message>
        <source>One second back</source>
        <translation>Eine Sekunde zurück</translation>
    </message>
    <message>
        <source>One second on</source>
        <translation>Eine Sekunde weiter</translation>
    </message>
    <message>
        <source>To the start</source>
        <translation>Zum Anfang</translation>
    </message>
    <message>
        <source>To the end</source>
        <translation>Zum Ende</translation>
    </message>
    <message>
        <source>Play in a loop</source>
        <translation>In Schleife abspielen</translation>
    </message>
    <message>
        <source>Mute</source>
        <translation>Stumm</translation>
    </message>
</context>
<context>
    <name>AboutDialog</name>
    <message>
        <source>About AVSeg Studio</source>
        <translation>Über AVSeg Studio</translation>
    </message>
    <message>
        <source>Segments, in any video, the pixels of the things that make the sound.
Built around AVSegFormer. All computing happens on this machine.</source>
        <translation>Zeigt in jedem Video die Pixel der Dinge, die den Ton machen.
Rund um AVSegFormer gebaut. Alles wird auf diesem Rechner berechnet.</translation>
    </message>
    <message>
        <source>Version {0}   ·   Apache License 2.0</source>
        <translation>Version {0}   ·   Apache-Lizenz 2.0</translation>
    </message>
</context>
<context>
    <name>AugmentStrip</name>
    <message>
        <source>Other variations</source>
        <translation>Andere Variationen</translation>
    </message>
    <message>
        <source>As it is</source>
        <translation>Wie es ist</translation>
    </message>
    <message>
        <source>Variation {0}</source>
        <translation>Variation {0}</translation>
    </message>
    <message>
        <source>What the model will see: left as it is, then varied.</source>
        <translation>Was das Modell sehen wird: links wie es ist, dann variiert.</translation>
    </message>
</context>
<context>
    <name>Canvas</name>
    <message>
        <source>Video picture</source>
        <translation>Videobild</translation>
    </message>
</context>
<context>
    <name>ChannelBars</name>
    <message>
        <source>Mixer weights of all channels</source>
        <translation>Mischergewichte aller Kanäle</translation>
    </message>
    <message>
        <source>Channel {0}: {1:.2f}</source>
        <translation>Kanal {0}: {1:.2f}</translation>
    </message>
</context>
<context>
    <name>ChannelMaps</name>
    <message>
        <source>Strongest channels as maps</source>
        <translation>Stärkste Kanäle als Karten</translation>
    </message>
</context>
<context>
    <name>ClassLegend</name>
    <message>
        <source>Nothing sounds here</source>
        <translation>Hier klingt nichts</translation>
    </message>
</context>
<context>
    <name>ColorChoice</name>
    <message>
        <source>Mask colour</source>
        <translation>Farbe der Maske</translation>
    </message>
    <message>
        <source>Orange</source>
        <translation>Orange</translation>
    </message>
    <message>
        <source>Sky blue</source>
        <translation>Himmelblau</translation>
    </message>
    <message>
        <source>Green</source>
        <translation>Grün</translation>
    </message>
    <message>
        <source>Yellow</source>
        <translation>Gelb</translation>
    </message>
    <message>
        <source>Blue</source>
        <translation>Blau</translation>
    </message>
    <message>
        <source>Vermilion</source>
        <translation>Zinnober</translation>
    </message>
    <message>
        <source>Purple</source>
        <translation>Purpur</translation>
    </message>
</context>
<context>
    <name>CommandDialog</name>
    <message>
        <source>The run as a command</source>
        <translation>Der Lauf als Befehl</translation>
    </message>
    <message>
        <source>The command writes the same run folder as this page. Copied back from another machine, it is shown here with “Add run folder…”. The data folder must be at the same place there.</source>
        <translation>Der Befehl schreibt denselben Laufordner wie diese Seite. Von einem anderen Rechner zurückkopiert, wird er hier mit „Laufordner hinzufügen …“ gezeigt. Der Datenordner muss dort am selben Ort sein.</translation>
    </message>
    <message>
        <source>Graphics cards</source>
        <translation>Grafikkarten</translation>
    </message>
    <message>
        <source>Commands</source>
        <translation>Befehle</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Kopieren</translation>
    </message>
    <message>
        <source>on this machine, or any one with a single graphics card</source>
        <translation>auf diesem Rechner oder jedem mit einer einzelnen Grafikkarte</translation>
    </message>
    <message>
        <source>on a machine with {0} graphics cards</source>
        <translation>auf einem Rechner mit {0} Grafikkarten</translation>
    </message>
</context>
<context>
    <name>CommandTask</name>
    <message>
        <source>The process ended with code {0}.</source>
        <translation>Der Prozess endete mit Code {0}.</translation>
    </message>
    <message>
        <source>The process could not be started: {0}</source>
        <translation>Der Prozess konnte nicht gestartet werden: {0}</translation>
    </message>
</context>
<context>
    <name>CompareDialog</name>
    <message>
        <source>Before and after</source>
        <translation>Vorher und nachher</translation>
    </message>
    <message>
        <source>Measuring both models on the validation clips…</source>
        <translation>Beide Modelle werden an den Validierungsclips gemessen …</translation>
    </message>
    <message>
        <source>Figures before and after</source>
        <translation>Zahlen vorher und nachher</translation>
    </message>
    <message>
        <source>Measured as</source>
        <translation>Gemessen als</translation>
    </message>
    <message>
        <source>Before</source>
        <translation>Vorher</translation>
    </message>
    <message>
        <source>After</source>
        <translation>Nachher</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>Änderung</translation>
    </message>
    <message>
        <source>The models could not be compared: {0}</source>
        <translation>Die Modelle konnten nicht verglichen werden: {0}</translation>
    </message>
    <message>
        <source>{0} and {1} cannot be compared: only one of them tells classes apart.</source>
        <translation>{0} und {1} lassen sich nicht vergleichen: Nur eines von beiden unterscheidet Klassen.</translation>
    </message>
    <message>
        <source>{0} (before) and {1} (after) on the same validation clips; 1 is perfect.</source>
        <translation>{0} (vorher) und {1} (nachher) an denselben Validierungsclips; 1 ist vollkommen.</translation>
    </message>
    <message>
        <source>F-score</source>
        <translation>F-Maß</translation>
    </message>
</context>
<context>
    <name>Controller</name>
    <message>
        <source>The segmentation process ended unexpectedly ({0}) and was restarted; it goes on where it was.</source>
        <translation>Der Segmentierungsprozess endete unerwartet ({0}) und wurde neu gestartet; er macht dort weiter, wo er war.</translation>
    </message>
    <message>
        <source>The segmentation process ended unexpectedly again and again ({0}); the memory may be short.</source>
        <translation>Der Segmentierungsprozess endete immer wieder unerwartet ({0}); vielleicht reicht der Speicher nicht.</translation>
    </message>
</context>
<context>
    <name>CurvesView</name>
    <message>
        <source>Loss</source>
        <translation>Verlust</translation>
    </message>
    <message>
        <source>Validation</source>
        <translation>Validierung</translation>
    </message>
    <message>
        <source>Learning rate</source>
        <translation>Lernrate</translation>
    </message>
    <message>
        <source>Smoothing</source>
        <translation>Glättung</translation>
    </message>
    <message>
        <source>Logarithmic</source>
        <translation>Logarithmisch</translation>
    </message>
    <message>
        <source>Loss and learning rate on a logarithmic scale</source>
        <translation>Verlust und Lernrate auf logarithmischer Skala</translation>
    </message>
    <message>
        <source>Compare with another run</source>
        <translation>Mit einem anderen Lauf vergleichen</translation>
    </message>
    <message>
        <source>Compare with</source>
        <translation>Vergleichen mit</translation>
    </message>
    <message>
        <source>no other run</source>
        <translation>keinem anderen Lauf</translation>
    </message>
    <message>
        <source>each step</source>
        <translation>jeder Schritt</translation>
    </message>
    <message>
        <source>loss</source>
        <translation>Verlust</translation>
    </message>
    <message>
        <source>learning rate</source>
        <translation>Lernrate</translation>
    </message>
    <message>
        <source>mIoU</source>
        <translation>mIoU</translation>
    </message>
    <message>
        <source>F-score</source>
        <translation>F-Maß</translation>
    </message>
    <message>
        <source>Best: mIoU {0:.3f} after epoch {1}</source>
        <translation>Bestes: mIoU {0:.3f} nach Epoche {1}</translation>
    </message>
</context>
<context>
    <name>DataPage</name>
    <message>
        <source>Looking at {0}</source>
        <translation>{0} wird angesehen</translation>
    </message>
    <message>
        <source>Importing {0}</source>
        <translation>{0} wird importiert</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>Startet …</translation>
    </message>
    <message>
        <source>Drop a folder of annotated clips here</source>
        <translation>Einen Ordner mit annotierten Clips hier ablegen</translation>
    </message>
    <message>
        <source>Videos with masks beside them, AVSBench S4, MS3 or AVSS, COCO or YouTube-VIS annotations, or videos that are yet to be annotated. Your files stay as they are.</source>
        <translation>Videos mit Masken daneben, AVSBench S4, MS3 oder AVSS, COCO- oder YouTube-VIS-Annotationen oder Videos, die noch zu annotieren sind. Die Dateien bleiben, wie sie sind.</translation>
    </message>
    <message>
        <source>Choose a folder…</source>
        <translation>Ordner wählen …</translation>
    </message>
    <message>
        <source>&lt;p&gt;A folder of your own:&lt;/p&gt;&lt;pre&gt;train/guitar.mp4
train/guitar.masks/1.500.png   the mask of the frame at 1.5 s
val/piano.mp4                  other clips, to measure with
val/piano.masks/0.500.png&lt;/pre&gt;&lt;p&gt;Masks are PNG files as large as the video, not black where something sounds. Without train and val, a quarter of the clips is kept apart for measuring.&lt;/p&gt;</source>
        <translation>&lt;p&gt;Ein eigener Ordner:&lt;/p&gt;&lt;pre&gt;train/guitar.mp4
train/guitar.masks/1.500.png   die Maske des Bildes bei 1,5 s
val/piano.mp4                  andere Clips zum Messen
val/piano.masks/0.500.png&lt;/pre&gt;&lt;p&gt;Masken sind PNG-Dateien in der Größe des Videos und nicht schwarz, wo etwas klingt. Ohne train und val wird ein Viertel der Clips zum Messen beiseitegelegt.&lt;/p&gt;</translation>
    </message>
    <message>
        <source>Progress of the look at the data</source>
        <translation>Fortschritt der Datenprüfung</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Choose a folder of annotated clips</source>
        <translation>Einen Ordner mit annotierten Clips wählen</translation>
    </message>
    <message>
        <source>{0} pictures are written below {1}. Draw the masks, then choose the folder again.</source>
        <translation>{0} Bilder sind unter {1} geschrieben. Die Masken zeichnen und den Ordner dann noch einmal wählen.</translation>
    </message>
    <message>
        <source>Left out: {0}</source>
        <translation>Ausgelassen: {0}</translation>
    </message>
    <message>
        <source>The look at the data ended unexpectedly ({0}).</source>
        <translation>Die Datenprüfung endete unerwartet ({0}).</translation>
    </message>
    <message>
        <source>{0}: {1:.0f} of {2:.0f} clips</source>
        <translation>{0}: {1:.0f} von {2:.0f} Clips</translation>
    </message>
    <message>
        <source>Checking</source>
        <translation>Prüfung</translation>
    </message>
    <message>
        <source>Making previews</source>
        <translation>Vorschaubilder</translation>
    </message>
    <message>
        <source>Listening</source>
        <translation>Anhören</translation>
    </message>
    <message>
        <source>Importing</source>
        <translation>Import</translation>
    </message>
</context>
<context>
    <name>DeviceLine</name>
    <message>
        <source>opening…</source>
        <translation>wird geöffnet …</translation>
    </message>
    <message>
        <source>waiting</source>
        <translation>wartet</translation>
    </message>
    <message>
        <source>not available</source>
        <translation>nicht verfügbar</translation>
    </message>
    <message>
        <source>at its end</source>
        <translation>am Ende</translation>
    </message>
    <message>
        <source>off</source>
        <translation>aus</translation>
    </message>
    <message>
        <source>It is tried again and again.</source>
        <translation>Es wird immer wieder versucht.</translation>
    </message>
</context>
<context>
    <name>ExportDialog</name>
    <message>
        <source>Export</source>
        <translation>Exportieren</translation>
    </message>
    <message>
        <source>Overlay video</source>
        <translation>Video mit Masken</translation>
    </message>
    <message>
        <source>MP4 with the masks drawn in and the original sound</source>
        <translation>MP4 mit eingezeichneten Masken und dem ursprünglichen Ton</translation>
    </message>
    <message>
        <source>PNG masks</source>
        <translation>PNG-Masken</translation>
    </message>
    <message>
        <source>One per mask, with a JSON file of their times</source>
        <translation>Eine je Maske, mit einer JSON-Datei ihrer Zeiten</translation>
    </message>
    <message>
        <source>COCO annotations</source>
        <translation>COCO-Annotationen</translation>
    </message>
    <message>
        <source>JSON with run-length encoded masks</source>
        <translation>JSON mit lauflängenkodierten Masken</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Ordner</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>Wählen …</translation>
    </message>
    <message>
        <source>Export to</source>
        <translation>Exportieren nach</translation>
    </message>
</context>
<context>
    <name>ExportStrip</name>
    <message>
        <source>Export progress</source>
        <translation>Fortschritt des Exports</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Cancel the export</source>
        <translation>Export abbrechen</translation>
    </message>
    <message>
        <source>Exporting, {0:.0f} %</source>
        <translation>Export läuft, {0:.0f} %</translation>
    </message>
</context>
<context>
    <name>ExportTask</name>
    <message>
        <source>The export process ended unexpectedly ({0}).</source>
        <translation>Der Exportprozess endete unerwartet ({0}).</translation>
    </message>
</context>
<context>
    <name>Exporting</name>
    <message>
        <source>Masks are cut at the threshold of {0:.0f} %.</source>
        <translation>Masken beginnen bei der Schwelle von {0:.0f} %.</translation>
    </message>
    <message>
        <source>{0} of {1} masks are not there yet and will be missing.</source>
        <translation>{0} von {1} Masken sind noch nicht da und werden fehlen.</translation>
    </message>
    <message>
        <source>Exported {0} to {1}</source>
        <translation>{0} exportiert nach {1}</translation>
    </message>
    <message>
        <source>Show folder</source>
        <translation>Ordner zeigen</translation>
    </message>
    <message>
        <source>Export cancelled; formats that were finished before stay.</source>
        <translation>Export abgebrochen; Formate, die vorher fertig waren, bleiben.</translation>
    </message>
    <message>
        <source>one file</source>
        <translation>eine Datei</translation>
    </message>
    <message>
        <source>{0} files</source>
        <translation>{0} Dateien</translation>
    </message>
</context>
<context>
    <name>HistoryStrip</name>
    <message>
        <source>History of the last minute</source>
        <translation>Verlauf der letzten Minute</translation>
    </message>
    <message>
        <source>The last minute: the sounding share of the picture, the loudness, and what was heard</source>
        <translation>Die letzte Minute: der klingende Teil des Bildes, die Lautstärke und was zu hören war</translation>
    </message>
</context>
<context>
    <name>InsightView</name>
    <message>
        <source>Evaluation</source>
        <translation>Auswertung</translation>
    </message>
    <message>
        <source>Weights of the mixer</source>
        <translation>Gewichte des Mischers</translation>
    </message>
    <message>
        <source>channel, by last weight</source>
        <translation>Kanal, nach letztem Gewicht</translation>
    </message>
    <message>
        <source>evaluation</source>
        <translation>Auswertung</translation>
    </message>
    <message>
        <source>Which class is taken for which</source>
        <translation>Welche Klasse für welche gehalten wird</translation>
    </message>
    <message>
        <source>is</source>
        <translation>ist</translation>
    </message>
    <message>
        <source>is taken for</source>
        <translation>wird gehalten für</translation>
    </message>
    <message>
        <source>The mixer&apos;s weights, and with classes which is taken for which, appear here.</source>
        <translation>Die Gewichte des Mischers und, bei Klassen, welche für welche gehalten wird, erscheinen hier.</translation>
    </message>
    <message>
        <source>after epoch {0} (mIoU {1:.3f})</source>
        <translation>nach Epoche {0} (mIoU {1:.3f})</translation>
    </message>
    <message>
        <source>Mixer: {0} channels, mean {1:.3f}, from {2:.3f} to {3:.3f}</source>
        <translation>Mischer: {0} Kanäle, Mittel {1:.3f}, von {2:.3f} bis {3:.3f}</translation>
    </message>
    <message>
        <source>most mixed up: {0} taken for {1}, {2:.0f} %</source>
        <translation>am meisten verwechselt: {0} für {1} gehalten, {2:.0f} %</translation>
    </message>
    <message>
        <source>{0} is taken for {1}: {2:.1f} % of its pixels</source>
        <translation>{0} wird für {1} gehalten: {2:.1f} % der Pixel</translation>
    </message>
</context>
<context>
    <name>JobBar</name>
    <message>
        <source>Segmentation progress</source>
        <translation>Fortschritt der Segmentierung</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Cancel the segmentation</source>
        <translation>Segmentierung abbrechen</translation>
    </message>
    <message>
        <source>Resume the segmentation</source>
        <translation>Segmentierung fortsetzen</translation>
    </message>
    <message>
        <source>Segment anew</source>
        <translation>Neu segmentieren</translation>
    </message>
    <message>
        <source>Show the recorded masks</source>
        <translation>Aufgezeichnete Masken zeigen</translation>
    </message>
    <message>
        <source>Make masks of the whole recording with the chosen model; the recorded ones are kept</source>
        <translation>Macht Masken der ganzen Aufnahme mit dem gewählten Modell; die aufgezeichneten bleiben erhalten</translation>
    </message>
    <message>
        <source>Back to the masks that were made while this was recorded</source>
        <translation>Zurück zu den Masken, die während der Aufnahme entstanden</translation>
    </message>
    <message>
        <source>Recorded live: one mask</source>
        <translation>Live aufgezeichnet: eine Maske</translation>
    </message>
    <message>
        <source>Recorded live: {0} masks, {1:.1f} per second</source>
        <translation>Live aufgezeichnet: {0} Masken, {1:.1f} je Sekunde</translation>
    </message>
    <message>
        <source>Preparing the model…</source>
        <translation>Das Modell wird vorbereitet …</translation>
    </message>
    <message>
        <source>{0} of {1} masks</source>
        <translation>{0} von {1} Masken</translation>
    </message>
    <message>
        <source>Segmentation stopped: {0}</source>
        <translation>Segmentierung angehalten: {0}</translation>
    </message>
    <message>
        <source>Segmentation failed: {0}</source>
        <translation>Segmentierung fehlgeschlagen: {0}</translation>
    </message>
    <message>
        <source>Segmenting: {0}</source>
        <translation>Segmentierung läuft: {0}</translation>
    </message>
    <message>
        <source>Segmenting: {0}, about {1} left</source>
        <translation>Segmentierung läuft: {0}, noch etwa {1}</translation>
    </message>
    <message>
        <source>Segmented: one mask</source>
        <translation>Segmentiert: eine Maske</translation>
    </message>
    <message>
        <source>Segmented: {0} masks, {1:g} per second</source>
        <translation>Segmentiert: {0} Masken, {1:g} je Sekunde</translation>
    </message>
    <message>
        <source>{0} s</source>
        <translation>{0} s</translation>
    </message>
    <message>
        <source>{0} min</source>
        <translation>{0} min</translation>
    </message>
    <message>
        <source>{0:.1f} h</source>
        <translation>{0:.1f} h</translation>
    </message>
</context>
<context>
    <name>LevelMeter</name>
    <message>
        <source>Microphone level</source>
        <translation>Mikrofonpegel</translation>
    </message>
    <message>
        <source>Loudness and peak in dB below full scale; the light is red when the sound is cut off</source>
        <translation>Lautstärke und Spitze in dB unter Vollaussteuerung; das Licht ist rot, wenn der Ton übersteuert</translation>
    </message>
</context>
<context>
    <name>LibraryPage</name>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>What the video view and training can use.</source>
        <translation>Was die Videoansicht und das Training verwenden können.</translation>
    </message>
    <message>
        <source>Use this model</source>
        <translation>Verwenden</translation>
    </message>
    <message>
        <source>Fine-tune…</source>
        <translation>Feinabstimmen …</translation>
    </message>
    <message>
        <source>Save a copy…</source>
        <translation>Kopie speichern …</translation>
    </message>
    <message>
        <source>One safetensors file with the configuration inside, or an ONNX file</source>
        <translation>Eine Safetensors-Datei mit der Konfiguration darin oder eine ONNX-Datei</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>Umbenennen …</translation>
    </message>
    <message>
        <source>Measure the speed</source>
        <translation>Tempo messen</translation>
    </message>
    <message>
        <source>Milliseconds per frame on this computer; takes about half a minute</source>
        <translation>Millisekunden je Bild auf diesem Rechner; dauert etwa eine halbe Minute</translation>
    </message>
    <message>
        <source>Faster on this machine…</source>
        <translation>Schneller auf diesem Rechner …</translation>
    </message>
    <message>
        <source>Converts the model for onnxruntime, compares its answers, and uses what is faster; takes minutes</source>
        <translation>Wandelt das Modell für onnxruntime um, vergleicht seine Antworten und nimmt, was schneller ist; dauert Minuten</translation>
    </message>
    <message>
        <source>Model card…</source>
        <translation>Modellkarte …</translation>
    </message>
    <message>
        <source>What the model can and cannot do, and what it learnt from</source>
        <translation>Was das Modell kann und nicht kann und woraus es gelernt hat</translation>
    </message>
    <message>
        <source>Delete…</source>
        <translation>Löschen …</translation>
    </message>
    <message>
        <source>in use</source>
        <translation>in Gebrauch</translation>
    </message>
    <message>
        <source>your own</source>
        <translation>eigenes</translation>
    </message>
    <message>
        <source>came with the application</source>
        <translation>mit der Anwendung geliefert</translation>
    </message>
    <message>
        <source>Not while the model is in use, and only for models of your own</source>
        <translation>Nicht, solange das Modell in Gebrauch ist, und nur bei eigenen Modellen</translation>
    </message>
    <message>
        <source>No model yet</source>
        <translation>Noch kein Modell</translation>
    </message>
    <message>
        <source>{0}, {1} and {2}, frames of {3}x{4}</source>
        <translation>{0}, {1} und {2}, Bilder von {3}x{4}</translation>
    </message>
    <message>
        <source>what sounds, and what does not</source>
        <translation>was klingt und was nicht</translation>
    </message>
    <message>
        <source>{0} classes</source>
        <translation>{0} Klassen</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Answers</source>
        <translation>Antworten</translation>
    </message>
    <message>
        <source>About</source>
        <translation>Über</translation>
    </message>
    <message>
        <source>Made from</source>
        <translation>Entstanden aus</translation>
    </message>
    <message>
        <source>Learnt from</source>
        <translation>Gelernt aus</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>Quelle</translation>
    </message>
    <message>
        <source>Published as</source>
        <translation>Veröffentlicht als</translation>
    </message>
    <message>
        <source>Date</source>
        <translation>Datum</translation>
    </message>
    <message>
        <source>Licence</source>
        <translation>Lizenz</translation>
    </message>
    <message>
        <source>mIoU</source>
        <translation>mIoU</translation>
    </message>
    <message>
        <source>F-score</source>
        <translation>F-Maß</translation>
    </message>
    <message>
        <source>Validation</source>
        <translation>Validierung</translation>
    </message>
    <message>
        <source>Speed here</source>
        <translation>Tempo hier</translation>
    </message>
    <message>
        <source>Runs on</source>
        <translation>Läuft auf</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Datei</translation>
    </message>
    <message>
        <source>being measured…</source>
        <translation>wird gemessen …</translation>
    </message>
    <message>
        <source>not measured yet</source>
        <translation>noch nicht gemessen</translation>
    </message>
    <message>
        <source>{0:.0f} ms per frame, {1:.1f} frames per second ({2}, {3} threads)</source>
        <translation>{0:.0f} ms je Bild, {1:.1f} Bilder je Sekunde ({2}, {3} Threads)</translation>
    </message>
    <message>
        <source>{0} ({1:.0f} ms per frame on onnxruntime, {2:.0f} on PyTorch)</source>
        <translation>{0} ({1:.0f} ms je Bild auf onnxruntime, {2:.0f} auf PyTorch)</translation>
    </message>
    <message>
        <source>The speed could not be measured: {0}</source>
        <translation>Das Tempo konnte nicht gemessen werden: {0}</translation>
    </message>
    <message>
        <source>Model card of {0}</source>
        <translation>Modellkarte von {0}</translation>
    </message>
    <message>
        <source>Save a copy of {0}</source>
        <translation>Eine Kopie von {0} speichern</translation>
    </message>
    <message>
        <source>Weights (*.safetensors)</source>
        <translation>Gewichte (*.safetensors)</translation>
    </message>
    <message>
        <source>ONNX, for other programs (*.onnx)</source>
        <translation>ONNX, für andere Programme (*.onnx)</translation>
    </message>
    <message>
        <source>{0} is saved as {1}.</source>
        <translation>{0} ist als {1} gespeichert.</translation>
    </message>
    <message>
        <source>Converting {0}; it is compared before it is kept…</source>
        <translation>{0} wird umgewandelt und verglichen, bevor es behalten wird …</translation>
    </message>
    <message>
        <source>Its answers differ from PyTorch&apos;s by at most {0:.1e}.</source>
        <translation>Seine Antworten weichen von PyTorch um höchstens {0:.1e} ab.</translation>
    </message>
    <message>
        <source>Rename the model</source>
        <translation>Modell umbenennen</translation>
    </message>
    <message>
        <source>New name of {0}</source>
        <translation>Neuer Name von {0}</translation>
    </message>
    <message>
        <source>Delete the model</source>
        <translation>Modell löschen</translation>
    </message>
    <message>
        <source>Delete {0} for good? {1} are freed.</source>
        <translation>{0} endgültig löschen? {1} werden frei.</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Löschen</translation>
    </message>
</context>
<context>
    <name>LivePage</name>
    <message>
        <source>Live picture</source>
        <translation>Live-Bild</translation>
    </message>
    <message>
        <source>Sound, 10 s</source>
        <translation>Ton, 10 s</translation>
    </message>
    <message>
        <source>Last minute</source>
        <translation>Letzte Minute</translation>
    </message>
    <message>
        <source>Preparing the model…</source>
        <translation>Das Modell wird vorbereitet …</translation>
    </message>
    <message>
        <source>Choose a camera and a microphone and press Start</source>
        <translation>Kamera und Mikrofon wählen und Starten drücken</translation>
    </message>
    <message>
        <source>Looking for cameras and microphones…</source>
        <translation>Kameras und Mikrofone werden gesucht …</translation>
    </message>
    <message>
        <source>Frozen</source>
        <translation>Eingefroren</translation>
    </message>
    <message>
        <source>Other programs see this picture as the camera {0}.</source>
        <translation>Andere Programme sehen dieses Bild als die Kamera {0}.</translation>
    </message>
    <message>
        <source>Start the camera first, then calibrate.</source>
        <translation>Erst die Kamera starten, dann kalibrieren.</translation>
    </message>
    <message>
        <source>Clap three times now, in view and in hearing…</source>
        <translation>Jetzt dreimal klatschen, im Bild und in Hörweite …</translation>
    </message>
    <message>
        <source>The sound comes {0:.0f} ms after the picture; this is made good from now on.</source>
        <translation>Der Ton kommt {0:.0f} ms nach dem Bild; das wird ab jetzt ausgeglichen.</translation>
    </message>
    <message>
        <source>The live process ended unexpectedly ({0}) and was started again.</source>
        <translation>Der Live-Prozess endete unerwartet ({0}) und wurde neu gestartet.</translation>
    </message>
    <message>
        <source>The live process ends again and again ({0}).</source>
        <translation>Der Live-Prozess endet immer wieder ({0}).</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Noch einmal versuchen</translation>
    </message>
    <message>
        <source>Start or stop</source>
        <translation>Starten oder anhalten</translation>
    </message>
    <message>
        <source>Record</source>
        <translation>Aufnehmen</translation>
    </message>
    <message>
        <source>Freeze</source>
        <translation>Einfrieren</translation>
    </message>
    <message>
        <source>Snapshot</source>
        <translation>Schnappschuss</translation>
    </message>
    <message>
        <source>Presentation</source>
        <translation>Vorführung</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>Zurück</translation>
    </message>
</context>
<context>
    <name>LivePanel</name>
    <message>
        <source>Camera</source>
        <translation>Kamera</translation>
    </message>
    <message>
        <source>Microphone</source>
        <translation>Mikrofon</translation>
    </message>
    <message>
        <source>Channel mixer</source>
        <translation>Kanalmischer</translation>
    </message>
</context>
<context>
    <name>LookSection</name>
    <message>
        <source>Filled mask</source>
        <translation>Gefüllte Maske</translation>
    </message>
    <message>
        <source>Outline</source>
        <translation>Umriss</translation>
    </message>
    <message>
        <source>Heat map of the probability</source>
        <translation>Wärmebild der Wahrscheinlichkeit</translation>
    </message>
    <message>
        <source>Spotlight: all else is dark</source>
        <translation>Scheinwerfer: alles andere ist dunkel</translation>
    </message>
    <message>
        <source>No mask</source>
        <translation>Keine Maske</translation>
    </message>
    <message>
        <source>Opacity</source>
        <translation>Deckkraft</translation>
    </message>
    <message>
        <source>Threshold</source>
        <translation>Schwelle</translation>
    </message>
    <message>
        <source>Pixels that sound with a higher probability belong to the mask</source>
        <translation>Pixel, die mit höherer Wahrscheinlichkeit klingen, gehören zur Maske</translation>
    </message>
    <message>
        <source>Mask</source>
        <translation>Maske</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>Video</source>
        <translation>Video</translation>
    </message>
    <message>
        <source>Watch a video with its masks (Ctrl+1)</source>
        <translation>Ein Video mit seinen Masken ansehen (Strg+1)</translation>
    </message>
    <message>
        <source>Live</source>
        <translation>Live</translation>
    </message>
    <message>
        <source>Camera and microphone (Ctrl+L)</source>
        <translation>Kamera und Mikrofon (Strg+L)</translation>
    </message>
    <message>
        <source>Training</source>
        <translation>Training</translation>
    </message>
    <message>
        <source>Teach a model your own clips (Ctrl+2)</source>
        <translation>Einem Modell die eigenen Clips beibringen (Strg+2)</translation>
    </message>
    <message>
        <source>{0} is a folder. Open one of its videos, or let a model learn from what is in it.</source>
        <translation>{0} ist ein Ordner. Eines seiner Videos öffnen, oder ein Modell daraus lernen lassen.</translation>
    </message>
    <message>
        <source>Look at it under Training</source>
        <translation>Im Training ansehen</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Wie das System</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Hell</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Dunkel</translation>
    </message>
    <message>
        <source>&amp;Theme</source>
        <translation>&amp;Farbschema</translation>
    </message>
    <message>
        <source>&amp;Language</source>
        <translation>&amp;Sprache</translation>
    </message>
    <message>
        <source>Getting the model ready…</source>
        <translation>Das Modell wird vorbereitet …</translation>
    </message>
    <message>
        <source>Under the mouse</source>
        <translation>Unter der Maus</translation>
    </message>
    <message>
        <source>No model is loaded</source>
        <translation>Es ist kein Modell geladen</translation>
    </message>
    <message>
        <source>Opening {0}…</source>
        <translation>{0} wird geöffnet …</translation>
    </message>
    <message>
        <source>{0} runs on {1}. {2}</source>
        <translation>{0} läuft auf {1}. {2}</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Noch einmal versuchen</translation>
    </message>
    <message>
        <source>The other language is used from the next start on.</source>
        <translation>Die andere Sprache gilt ab dem nächsten Start.</translation>
    </message>
    <message>
        <source>Open a video</source>
        <translation>Ein Video öffnen</translation>
    </message>
    <message>
        <source>Videos</source>
        <translation>Videos</translation>
    </message>
    <message>
        <source>All files</source>
        <translation>Alle Dateien</translation>
    </message>
    <message>
        <source>Drop to look at what there is to learn from</source>
        <translation>Loslassen, um zu sehen, was sich daraus lernen lässt</translation>
    </message>
    <message>
        <source>Drop to open {0}</source>
        <translation>Loslassen, um {0} zu öffnen</translation>
    </message>
    <message>
        <source>One video at a time: {0} is opened, {1} more files are not.</source>
        <translation>Ein Video nach dem anderen: {0} wird geöffnet, {1} weitere Dateien nicht.</translation>
    </message>
    <message>
        <source>Unexpected error: {0}. The video stays open; if it happens again, restart.</source>
        <translation>Unerwarteter Fehler: {0}. Das Video bleibt offen; bei Wiederholung bitte neu starten.</translation>
    </message>
</context>
<context>
    <name>MaskHistory</name>
    <message>
        <source>Evaluation</source>
        <translation>Auswertung</translation>
    </message>
    <message>
        <source>Masks of a few validation frames appear here with the start and every evaluation.</source>
        <translation>Masken einiger Validierungsbilder erscheinen hier mit dem Start und jeder Auswertung.</translation>
    </message>
    <message>
        <source>Left: what the model answers. Right: the annotation.</source>
        <translation>Links: was das Modell antwortet. Rechts: die Annotation.</translation>
    </message>
    <message>
        <source>Answer for frame</source>
        <translation>Antwort zum Bild</translation>
    </message>
    <message>
        <source>Annotation of frame</source>
        <translation>Annotation des Bildes</translation>
    </message>
    <message>
        <source>before training</source>
        <translation>vor dem Training</translation>
    </message>
    <message>
        <source>after epoch {0} (mIoU {1:.3f})</source>
        <translation>nach Epoche {0} (mIoU {1:.3f})</translation>
    </message>
    <message>
        <source>after step {0}</source>
        <translation>nach Schritt {0}</translation>
    </message>
</context>
<context>
    <name>MessageBar</name>
    <message>
        <source>Dismiss the message</source>
        <translation>Meldung schließen</translation>
    </message>
</context>
<context>
    <name>ModeRail</name>
    <message>
        <source>Mode</source>
        <translation>Modus</translation>
    </message>
</context>
<context>
    <name>NewPage</name>
    <message>
        <source>Back</source>
        <translation>Zurück</translation>
    </message>
    <message>
        <source>Next: the recipe</source>
        <translation>Weiter: das Rezept</translation>
    </message>
    <message>
        <source>Start when the others are done</source>
        <translation>Starten, wenn die anderen fertig sind</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>Starten</translation>
    </message>
    <message>
        <source>New training: the data</source>
        <translation>Neues Training: die Daten</translation>
    </message>
    <message>
        <source>New training: the recipe</source>
        <translation>Neues Training: das Rezept</translation>
    </message>
    <message>
        <source>What the model is to learn from. Everything stays on this computer.</source>
        <translation>Woraus das Modell lernen soll. Alles bleibt auf diesem Rechner.</translation>
    </message>
    <message>
        <source>What it starts from and how it learns.</source>
        <translation>Womit es beginnt und wie es lernt.</translation>
    </message>
</context>
<context>
    <name>OfferView</name>
    <message>
        <source>Import</source>
        <translation>Importieren</translation>
    </message>
    <message>
        <source>Another folder…</source>
        <translation>Anderer Ordner …</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>Wählen …</translation>
    </message>
    <message>
        <source>Keep the kinds apart as classes</source>
        <translation>Die Arten als Klassen getrennt halten</translation>
    </message>
    <message>
        <source>Videos or pictures in</source>
        <translation>Videos oder Bilder in</translation>
    </message>
    <message>
        <source>What sounds</source>
        <translation>Was klingt</translation>
    </message>
    <message>
        <source>Pictures per second</source>
        <translation>Bilder je Sekunde</translation>
    </message>
    <message>
        <source>Data set folder</source>
        <translation>Ordner des Datensatzes</translation>
    </message>
    <message>
        <source>Write the pictures</source>
        <translation>Bilder schreiben</translation>
    </message>
    <message>
        <source>{0}: {1} videos without masks</source>
        <translation>{0}: {1} Videos ohne Masken</translation>
    </message>
    <message>
        <source>Pictures are written beside each video, as clip.frames/1.500.png for the frame at 1.5 s. Draw on them in any program, and save the mask as clip.masks/1.500.png: not black where something sounds.</source>
        <translation>Bilder werden neben jedes Video geschrieben, als clip.frames/1.500.png für das Bild bei 1,5 s. In einem beliebigen Programm darauf zeichnen und die Maske als clip.masks/1.500.png speichern: nicht schwarz, wo etwas klingt.</translation>
    </message>
    <message>
        <source>{0}: {1} annotations</source>
        <translation>{0}: {1}-Annotationen</translation>
    </message>
    <message>
        <source>{0} clips with {1} annotated pictures. Each becomes a video with masks at times; the originals stay as they are.</source>
        <translation>{0} Clips mit {1} annotierten Bildern. Jeder wird ein Video mit Masken zu Zeiten; die Originale bleiben, wie sie sind.</translation>
    </message>
    <message>
        <source>… and {0} more</source>
        <translation>… und {0} weitere</translation>
    </message>
    <message>
        <source>{0} ({1})</source>
        <translation>{0} ({1})</translation>
    </message>
    <message>
        <source>Where are the videos or pictures?</source>
        <translation>Wo sind die Videos oder Bilder?</translation>
    </message>
    <message>
        <source>Where should the data set be?</source>
        <translation>Wo soll der Datensatz sein?</translation>
    </message>
</context>
<context>
    <name>Player</name>
    <message>
        <source>The sound device stopped: playing without sound.</source>
        <translation>Das Tongerät ist ausgefallen: Wiedergabe ohne Ton.</translation>
    </message>
</context>
<context>
    <name>Presentation</name>
    <message>
        <source>AVSeg Studio: live</source>
        <translation>AVSeg Studio: live</translation>
    </message>
</context>
<context>
    <name>PreviewGrid</name>
    <message>
        <source>Clips with their masks; Space plays the sound</source>
        <translation>Clips mit ihren Masken; die Leertaste spielt den Ton</translation>
    </message>
    <message>
        <source>{0}: {1}x{2}, mask on {3:.0f} % of the frame</source>
        <translation>{0}: {1}x{2}, Maske auf {3:.0f} % des Bildes</translation>
    </message>
    <message>
        <source>Heard: {0}</source>
        <translation>Zu hören: {0}</translation>
    </message>
    <message>
        <source>Click to listen</source>
        <translation>Klicken zum Anhören</translation>
    </message>
</context>
<context>
    <name>RecentList</name>
    <message>
        <source>Recent videos</source>
        <translation>Zuletzt geöffnete Videos</translation>
    </message>
    <message>
        <source>{0}
Delete takes it off this list</source>
        <translation>{0}
Entf nimmt es von dieser Liste</translation>
    </message>
    <message>
        <source>not found</source>
        <translation>nicht gefunden</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
    <message>
        <source>Show folder</source>
        <translation>Ordner zeigen</translation>
    </message>
    <message>
        <source>Copy path</source>
        <translation>Pfad kopieren</translation>
    </message>
    <message>
        <source>Take off the list</source>
        <translation>Von der Liste nehmen</translation>
    </message>
</context>
<context>
    <name>RecentVideos</name>
    <message>
        <source>Nothing yet</source>
        <translation>Noch nichts</translation>
    </message>
    <message>
        <source>Clear the list</source>
        <translation>Liste leeren</translation>
    </message>
    <message>
        <source>The list of recent videos is empty.</source>
        <translation>Die Liste der zuletzt geöffneten Videos ist leer.</translation>
    </message>
    <message>
        <source>{0} is off the list; the file itself stays.</source>
        <translation>{0} steht nicht mehr auf der Liste; die Datei selbst bleibt.</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
</context>
<context>
    <name>RecipePage</name>
    <message>
        <source>All settings</source>
        <translation>Alle Einstellungen</translation>
    </message>
    <message>
        <source>Every setting of the training with its explanation</source>
        <translation>Jede Einstellung des Trainings mit ihrer Erklärung</translation>
    </message>
    <message>
        <source>Recipe</source>
        <translation>Rezept</translation>
    </message>
    <message>
        <source>Start from</source>
        <translation>Beginnen mit</translation>
    </message>
    <message>
        <source>Fast or thorough</source>
        <translation>Schnell oder gründlich</translation>
    </message>
    <message>
        <source>What learns</source>
        <translation>Was lernt</translation>
    </message>
    <message>
        <source>Vary the pictures (flip, scale, crop, colour)</source>
        <translation>Die Bilder variieren (spiegeln, skalieren, ausschneiden, Farbe)</translation>
    </message>
    <message>
        <source>Leave the computer usable for other work</source>
        <translation>Den Rechner für andere Arbeit brauchbar lassen</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>What the run and its folder are called.</source>
        <translation>Wie der Lauf und sein Ordner heißen.</translation>
    </message>
    <message>
        <source>Fine-tuning takes minutes on a processor; the recipes of the papers are meant for a graphics card.</source>
        <translation>Eine Feinabstimmung dauert auf einem Prozessor Minuten; die Rezepte der Veröffentlichungen sind für eine Grafikkarte gedacht.</translation>
    </message>
    <message>
        <source>The model whose knowledge is kept and extended.</source>
        <translation>Das Modell, dessen Wissen behalten und erweitert wird.</translation>
    </message>
    <message>
        <source>Sets what learns, and for how long; both can be changed below.</source>
        <translation>Bestimmt, was lernt und wie lange; beides lässt sich unten ändern.</translation>
    </message>
    <message>
        <source>The less learns, the faster it is and the less of what the model knows is lost.</source>
        <translation>Je weniger lernt, desto schneller ist es und desto weniger von dem, was das Modell weiß, geht verloren.</translation>
    </message>
    <message>
        <source>Epochs</source>
        <translation>Epochen</translation>
    </message>
    <message>
        <source>How often every clip is seen. The run stops by itself when it gains nothing any more, and you can stop it at any time.</source>
        <translation>Wie oft jeder Clip gesehen wird. Der Lauf hält von selbst an, wenn er nichts mehr gewinnt, und kann jederzeit angehalten werden.</translation>
    </message>
    <message>
        <source>Makes more of few clips; below is what it does to yours.</source>
        <translation>Macht mehr aus wenigen Clips; unten steht, was es mit diesen macht.</translation>
    </message>
    <message>
        <source>Other programs go first.</source>
        <translation>Andere Programme gehen vor.</translation>
    </message>
    <message>
        <source>As a command…</source>
        <translation>Als Befehl …</translation>
    </message>
    <message>
        <source>The same run for a terminal, another machine or a cluster (torchrun)</source>
        <translation>Derselbe Lauf für ein Terminal, einen anderen Rechner oder einen Cluster (torchrun)</translation>
    </message>
    <message>
        <source>Fine-tune a model</source>
        <translation>Ein Modell feinabstimmen</translation>
    </message>
    <message>
        <source>From scratch: a small model of your own</source>
        <translation>Von Grund auf: ein kleines eigenes Modell</translation>
    </message>
    <message>
        <source> as printed</source>
        <translation> wie gedruckt</translation>
    </message>
    <message>
        <source>There is no model to start from yet; choose another recipe.</source>
        <translation>Es gibt noch kein Modell, mit dem begonnen werden könnte; bitte ein anderes Rezept wählen.</translation>
    </message>
    <message>
        <source>Only what draws the masks: fastest</source>
        <translation>Nur was die Masken zeichnet: am schnellsten</translation>
    </message>
    <message>
        <source>A small addition to each layer (LoRA)</source>
        <translation>Eine kleine Zutat zu jeder Schicht (LoRA)</translation>
    </message>
    <message>
        <source>All but the picture network: recommended</source>
        <translation>Alles außer dem Bildnetz: empfohlen</translation>
    </message>
    <message>
        <source>Everything: slowest, for much data</source>
        <translation>Alles: am langsamsten, für viele Daten</translation>
    </message>
    <message>
        <source>As set under all settings</source>
        <translation>Wie unter allen Einstellungen</translation>
    </message>
    <message>
        <source>Quick look</source>
        <translation>Kurzer Blick</translation>
    </message>
    <message>
        <source>Fast</source>
        <translation>Schnell</translation>
    </message>
    <message>
        <source>Balanced</source>
        <translation>Ausgewogen</translation>
    </message>
    <message>
        <source>Thorough</source>
        <translation>Gründlich</translation>
    </message>
    <message>
        <source>Own choice</source>
        <translation>Eigene Wahl</translation>
    </message>
    <message>
        <source>Data: {0}</source>
        <translation>Daten: {0}</translation>
    </message>
    <message>
        <source> (left out: {0})</source>
        <translation> (ausgelassen: {0})</translation>
    </message>
    <message>
        <source>Give the run a name of letters, digits, dots and dashes.</source>
        <translation>Dem Lauf einen Namen aus Buchstaben, Ziffern, Punkten und Strichen geben.</translation>
    </message>
    <message>
        <source>Measuring how long it will take…</source>
        <translation>Es wird gemessen, wie lange es dauern wird …</translation>
    </message>
    <message>
        <source>This cannot be trained so: {0}</source>
        <translation>So kann nicht trainiert werden: {0}</translation>
    </message>
    <message>
        <source>At most {0} for {1} steps of {2:.1f} s on {3}, with {4} of memory, if the computer stays as busy.</source>
        <translation>Höchstens {0} für {1} Schritte von {2:.1f} s auf {3}, mit {4} Speicher, wenn der Rechner so beschäftigt bleibt.</translation>
    </message>
</context>
<context>
    <name>ReportView</name>
    <message>
        <source>Layout</source>
        <translation>Aufbau</translation>
    </message>
    <message>
        <source>Splits…</source>
        <translation>Aufteilung …</translation>
    </message>
    <message>
        <source>Which clip is for learning and which for measuring</source>
        <translation>Welcher Clip zum Lernen und welcher zum Messen ist</translation>
    </message>
    <message>
        <source>Pictures to annotate…</source>
        <translation>Bilder zum Annotieren …</translation>
    </message>
    <message>
        <source>Writes frames of the videos that have no masks yet</source>
        <translation>Schreibt Bilder der Videos, die noch keine Masken haben</translation>
    </message>
    <message>
        <source>Another folder…</source>
        <translation>Anderer Ordner …</translation>
    </message>
    <message>
        <source>Leave all of these clips out</source>
        <translation>Alle diese Clips auslassen</translation>
    </message>
    <message>
        <source>Problems</source>
        <translation>Probleme</translation>
    </message>
    <message>
        <source>videos with masks</source>
        <translation>Videos mit Masken</translation>
    </message>
    <message>
        <source>AVSBench S4</source>
        <translation>AVSBench S4</translation>
    </message>
    <message>
        <source>AVSBench MS3</source>
        <translation>AVSBench MS3</translation>
    </message>
    <message>
        <source>AVSBench AVSS</source>
        <translation>AVSBench AVSS</translation>
    </message>
    <message>
        <source>Problems: {0} (tick a clip to leave it out)</source>
        <translation>Probleme: {0} (einen Clip ankreuzen, um ihn auszulassen)</translation>
    </message>
    <message>
        <source>Problems: {0}</source>
        <translation>Probleme: {0}</translation>
    </message>
    <message>
        <source>{0} ({1})</source>
        <translation>{0} ({1})</translation>
    </message>
    <message>
        <source>Heard, by clips: {0}</source>
        <translation>Zu hören, nach Clips: {0}</translation>
    </message>
    <message>
        <source>Playing {0}; click again to stop.</source>
        <translation>{0} wird abgespielt; noch einmal klicken zum Anhalten.</translation>
    </message>
    <message>
        <source>Click a picture to hear its clip.</source>
        <translation>Ein Bild anklicken, um seinen Clip zu hören.</translation>
    </message>
    <message>
        <source>Training clips: {0}</source>
        <translation>Trainings-Clips: {0}</translation>
    </message>
    <message>
        <source>Validation clips: {0}</source>
        <translation>Validierungs-Clips: {0}</translation>
    </message>
    <message>
        <source>Test clips: {0}</source>
        <translation>Test-Clips: {0}</translation>
    </message>
    <message>
        <source>Clips: {0}</source>
        <translation>Clips: {0}</translation>
    </message>
    <message>
        <source>Masks: {0}</source>
        <translation>Masken: {0}</translation>
    </message>
    <message>
        <source>{0} classes</source>
        <translation>{0} Klassen</translation>
    </message>
    <message>
        <source>{0} pixels</source>
        <translation>{0} Pixel</translation>
    </message>
    <message>
        <source>{0} to {1}</source>
        <translation>{0} bis {1}</translation>
    </message>
    <message>
        <source>{0} left out</source>
        <translation>{0} ausgelassen</translation>
    </message>
    <message>
        <source>There is no clip left to learn from.</source>
        <translation>Es bleibt kein Clip, aus dem gelernt werden könnte.</translation>
    </message>
    <message>
        <source>There is no clip to measure with: choose some under Splits, or add a folder val.</source>
        <translation>Es gibt keinen Clip zum Messen: unter Aufteilung welche wählen oder einen Ordner val anlegen.</translation>
    </message>
    <message>
        <source>A single clip: it is measured on what it learns from, so the figures flatter.</source>
        <translation>Ein einziger Clip: Gemessen wird an dem, woraus gelernt wird, die Zahlen schmeicheln also.</translation>
    </message>
    <message>
        <source>No train and val folders: about a quarter of the clips is kept apart to measure.</source>
        <translation>Keine Ordner train und val: Etwa ein Viertel der Clips wird zum Messen beiseitegelegt.</translation>
    </message>
    <message>
        <source>So few clips teach a model little beyond themselves; more kinds of scenes help.</source>
        <translation>So wenige Clips lehren ein Modell kaum mehr als sich selbst; mehr Arten von Szenen helfen.</translation>
    </message>
</context>
<context>
    <name>Saving</name>
    <message>
        <source>Folder for recordings</source>
        <translation>Ordner für Aufnahmen</translation>
    </message>
    <message>
        <source>Saved {0}</source>
        <translation>{0} gespeichert</translation>
    </message>
    <message>
        <source>{0} cannot be written; choose another folder.</source>
        <translation>{0} kann nicht geschrieben werden; bitte einen anderen Ordner wählen.</translation>
    </message>
    <message>
        <source>Nothing came that could be recorded.</source>
        <translation>Es kam nichts, was aufgenommen werden konnte.</translation>
    </message>
    <message>
        <source>Recorded {0:.0f} s: {1}</source>
        <translation>{0:.0f} s aufgenommen: {1}</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Öffnen</translation>
    </message>
</context>
<context>
    <name>SettingsForm</name>
    <message>
        <source>Find a setting</source>
        <translation>Eine Einstellung finden</translation>
    </message>
    <message>
        <source>Training</source>
        <translation>Training</translation>
    </message>
    <message>
        <source>Data</source>
        <translation>Daten</translation>
    </message>
    <message>
        <source>Loss</source>
        <translation>Verlust</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
</context>
<context>
    <name>ShortcutsDialog</name>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>Tastenkürzel</translation>
    </message>
    <message>
        <source>Move the view when zoomed in</source>
        <translation>Ansicht verschieben, wenn sie vergrößert ist</translation>
    </message>
    <message>
        <source>Ctrl+Arrows</source>
        <translation>Strg+Pfeiltasten</translation>
    </message>
    <message>
        <source>From part to part</source>
        <translation>Von Teil zu Teil</translation>
    </message>
    <message>
        <source>Tab</source>
        <translation>Tab</translation>
    </message>
    <message>
        <source>New training</source>
        <translation>Neues Training</translation>
    </message>
    <message>
        <source>Window and view</source>
        <translation>Fenster und Ansicht</translation>
    </message>
    <message>
        <source>Playback</source>
        <translation>Wiedergabe</translation>
    </message>
    <message>
        <source>Live</source>
        <translation>Live</translation>
    </message>
    <message>
        <source>Training</source>
        <translation>Training</translation>
    </message>
</context>
<context>
    <name>Sidebar</name>
    <message>
        <source>New training</source>
        <translation>Neues Training</translation>
    </message>
    <message>
        <source>Choose data and a recipe, and start (Ctrl+N)</source>
        <translation>Daten und Rezept wählen und starten (Strg+N)</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelle</translation>
    </message>
    <message>
        <source>All models on this computer</source>
        <translation>Alle Modelle auf diesem Rechner</translation>
    </message>
    <message>
        <source>Training runs</source>
        <translation>Trainingsläufe</translation>
    </message>
    <message>
        <source>Add run folder…</source>
        <translation>Laufordner hinzufügen …</translation>
    </message>
    <message>
        <source>Shows a run that was copied back from another machine</source>
        <translation>Zeigt einen Lauf, der von einem anderen Rechner zurückkopiert wurde</translation>
    </message>
    <message>
        <source>No run yet. Start with a folder of videos and masks.</source>
        <translation>Noch kein Lauf. Mit einem Ordner von Videos und Masken beginnen.</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>Läufe</translation>
    </message>
    <message>
        <source>mIoU {0:.3f}</source>
        <translation>mIoU {0:.3f}</translation>
    </message>
</context>
<context>
    <name>SoundOutput</name>
    <message>
        <source>No sound device: playing without sound.</source>
        <translation>Kein Tongerät: Wiedergabe ohne Ton.</translation>
    </message>
</context>
<context>
    <name>SourceBar</name>
    <message>
        <source>Back</source>
        <translation>Zurück</translation>
    </message>
    <message>
        <source>Close the live view (Esc)</source>
        <translation>Live-Ansicht schließen (Esc)</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>Kamera</translation>
    </message>
    <message>
        <source>Microphone</source>
        <translation>Mikrofon</translation>
    </message>
    <message>
        <source>Picture size</source>
        <translation>Bildgröße</translation>
    </message>
    <message>
        <source>Record</source>
        <translation>Aufnehmen</translation>
    </message>
    <message>
        <source>Save what is shown as a picture</source>
        <translation>Das gezeigte Bild speichern</translation>
    </message>
    <message>
        <source>Freeze the view</source>
        <translation>Ansicht einfrieren</translation>
    </message>
    <message>
        <source>Presentation: only the picture, on the whole screen</source>
        <translation>Vorführung: nur das Bild, auf dem ganzen Schirm</translation>
    </message>
    <message>
        <source>Side panel</source>
        <translation>Seitenleiste</translation>
    </message>
    <message>
        <source>Test picture</source>
        <translation>Testbild</translation>
    </message>
    <message>
        <source>Video file…</source>
        <translation>Videodatei …</translation>
    </message>
    <message>
        <source>Network address…</source>
        <translation>Netzwerkadresse …</translation>
    </message>
    <message>
        <source>Sound of the source</source>
        <translation>Ton der Quelle</translation>
    </message>
    <message>
        <source>{0} (what this computer plays)</source>
        <translation>{0} (was dieser Rechner abspielt)</translation>
    </message>
    <message>
        <source>Play a video as camera</source>
        <translation>Ein Video als Kamera abspielen</translation>
    </message>
    <message>
        <source>Network camera</source>
        <translation>Netzwerkkamera</translation>
    </message>
    <message>
        <source>Address of the stream, for instance http://… or rtsp://…</source>
        <translation>Adresse des Streams, zum Beispiel http://… oder rtsp://…</translation>
    </message>
    <message>
        <source>{0} (not connected)</source>
        <translation>{0} (nicht angeschlossen)</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Anhalten</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>Starten</translation>
    </message>
    <message>
        <source>Start or stop camera and microphone (Space)</source>
        <translation>Kamera und Mikrofon starten oder anhalten (Leertaste)</translation>
    </message>
    <message>
        <source>Record picture, sound and masks (Ctrl+R)</source>
        <translation>Bild, Ton und Masken aufnehmen (Strg+R)</translation>
    </message>
    <message>
        <source>Stop  {0}:{1:02d}</source>
        <translation>Anhalten  {0}:{1:02d}</translation>
    </message>
    <message>
        <source>Finish the recording (Ctrl+R)</source>
        <translation>Aufnahme beenden (Strg+R)</translation>
    </message>
</context>
<context>
    <name>SpectrogramStrip</name>
    <message>
        <source>Spectrogram of the last ten seconds</source>
        <translation>Spektrogramm der letzten zehn Sekunden</translation>
    </message>
    <message>
        <source>What the microphone hears, from 125 to 7500 Hz, the last ten seconds</source>
        <translation>Was das Mikrofon hört, von 125 bis 7500 Hz, die letzten zehn Sekunden</translation>
    </message>
</context>
<context>
    <name>SplitEditor</name>
    <message>
        <source>Splits of {0}</source>
        <translation>Aufteilung von {0}</translation>
    </message>
    <message>
        <source>Clips for training teach; those for validation and test measure, and must not be seen before.</source>
        <translation>Clips zum Training lehren; die zur Validierung und zum Test messen und dürfen vorher nicht gesehen werden.</translation>
    </message>
    <message>
        <source>Until you choose, a quarter of the clips is kept apart by itself; then your list counts.</source>
        <translation>Bis hier gewählt wird, bleibt ein Viertel der Clips von selbst beiseite; dann zählt diese Liste.</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Rückgängig</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>Wiederholen</translation>
    </message>
    <message>
        <source>Clips and their splits</source>
        <translation>Clips und ihre Aufteilung</translation>
    </message>
    <message>
        <source>Clip</source>
        <translation>Clip</translation>
    </message>
    <message>
        <source>Heard</source>
        <translation>Zu hören</translation>
    </message>
    <message>
        <source>Masks</source>
        <translation>Masken</translation>
    </message>
    <message>
        <source>Used for</source>
        <translation>Verwendet für</translation>
    </message>
    <message>
        <source>Use of {0}</source>
        <translation>Verwendung von {0}</translation>
    </message>
    <message>
        <source>training</source>
        <translation>Training</translation>
    </message>
    <message>
        <source>validation</source>
        <translation>Validierung</translation>
    </message>
    <message>
        <source>test</source>
        <translation>Test</translation>
    </message>
</context>
<context>
    <name>StartPage</name>
    <message>
        <source>Try it</source>
        <translation>Ausprobieren</translation>
    </message>
    <message>
        <source>Shows, in any video, the pixels of the things that make the sound.</source>
        <translation>Zeigt in jedem Video die Pixel der Dinge, die den Ton machen.</translation>
    </message>
    <message>
        <source>Drop a video here</source>
        <translation>Ein Video hier ablegen</translation>
    </message>
    <message>
        <source>MP4, MOV, MKV, WebM, AVI and whatever else FFmpeg reads. Nothing leaves this computer.</source>
        <translation>MP4, MOV, MKV, WebM, AVI und was FFmpeg sonst liest. Nichts verlässt diesen Rechner.</translation>
    </message>
    <message>
        <source>Open a video…</source>
        <translation>Ein Video öffnen …</translation>
    </message>
    <message>
        <source>Open a video (Ctrl+O)</source>
        <translation>Ein Video öffnen (Strg+O)</translation>
    </message>
    <message>
        <source>Live camera…</source>
        <translation>Live-Kamera …</translation>
    </message>
    <message>
        <source>See live what sounds before a camera and a microphone (Ctrl+L)</source>
        <translation>Live sehen, was vor Kamera und Mikrofon klingt (Strg+L)</translation>
    </message>
    <message>
        <source>Things that sound in turn: watch the mask follow the sound.</source>
        <translation>Dinge, die abwechselnd klingen: Die Maske folgt dem Ton.</translation>
    </message>
    <message>
        <source>Demo clip</source>
        <translation>Beispielclip</translation>
    </message>
    <message>
        <source>Videos that you open appear here.</source>
        <translation>Geöffnete Videos erscheinen hier.</translation>
    </message>
    <message>
        <source>Recent videos</source>
        <translation>Zuletzt geöffnete Videos</translation>
    </message>
</context>
<context>
    <name>Timeline</name>
    <message>
        <source>Timeline</source>
        <translation>Zeitleiste</translation>
    </message>
    <message>
        <source>Heard</source>
        <translation>Zu hören</translation>
    </message>
    <message>
        <source>Area</source>
        <translation>Fläche</translation>
    </message>
    <message>
        <source>Sound</source>
        <translation>Ton</translation>
    </message>
    <message>
        <source>No sound track</source>
        <translation>Keine Tonspur</translation>
    </message>
    <message>
        <source>{0} of {1}</source>
        <translation>{0} von {1}</translation>
    </message>
    <message>
        <source>no mask here (yet)</source>
        <translation>hier (noch) keine Maske</translation>
    </message>
    <message>
        <source>{0:.1f} % of the picture sounds</source>
        <translation>{0:.1f} % des Bildes klingen</translation>
    </message>
</context>
<context>
    <name>Toolbar</name>
    <message>
        <source>Open…</source>
        <translation>Öffnen …</translation>
    </message>
    <message>
        <source>Open a video (Ctrl+O)</source>
        <translation>Ein Video öffnen (Strg+O)</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modell</translation>
    </message>
    <message>
        <source>Masks per second</source>
        <translation>Masken je Sekunde</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Exportieren …</translation>
    </message>
    <message>
        <source>Export masks or an overlay video (Ctrl+E)</source>
        <translation>Masken oder ein Video mit Masken exportieren (Strg+E)</translation>
    </message>
    <message>
        <source>Masks</source>
        <translation>Masken</translation>
    </message>
    <message>
        <source>1 every {0:g} s</source>
        <translation>1 alle {0:g} s</translation>
    </message>
    <message>
        <source>{0:g} per second</source>
        <translation>{0:g} je Sekunde</translation>
    </message>
</context>
<context>
    <name>TrainingPage</name>
    <message>
        <source>mIoU {0:.3f} on the validation clips.</source>
        <translation>mIoU {0:.3f} an den Validierungsclips.</translation>
    </message>
    <message>
        <source>Choose a run folder</source>
        <translation>Einen Laufordner wählen</translation>
    </message>
    <message>
        <source>Delete the run</source>
        <translation>Lauf löschen</translation>
    </message>
    <message>
        <source>Delete the run {0} with its curves and saved states for good?</source>
        <translation>Den Lauf {0} mit seinen Kurven und gespeicherten Ständen endgültig löschen?</translation>
    </message>
    <message>
        <source>Models that were made of it stay.</source>
        <translation>Modelle, die daraus entstanden, bleiben.</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Löschen</translation>
    </message>
    <message>
        <source>Use this model</source>
        <translation>Dieses Modell verwenden</translation>
    </message>
    <message>
        <source>The model&apos;s name in the lists of models:</source>
        <translation>Der Name des Modells in den Modelllisten:</translation>
    </message>
    <message>
        <source>{0} is now one of your models, and the one that videos are shown with.</source>
        <translation>{0} ist jetzt ein eigenes Modell und das, mit dem Videos gezeigt werden.</translation>
    </message>
</context>
<context>
    <name>Transport</name>
    <message>
        <source>Position</source>
        <translation>Position</translation>
    </message>
    <message>
        <source>Playback speed</source>
        <translation>Wiedergabetempo</translation>
    </message>
    <message>
        <source>Volume</source>
        <translation>Lautstärke</translation>
    </message>
    <message>
        <source>Pause (Space)</source>
        <translation>Pause (Leertaste)</translation>
    </message>
    <message>
        <source>Play (Space)</source>
        <translation>Wiedergabe (Leertaste)</translation>
    </message>
</context>
<context>
    <name>WatchView</name>
    <message>
        <source>Progress of the run</source>
        <translation>Fortschritt des Laufs</translation>
    </message>
    <message>
        <source>Log of the run</source>
        <translation>Protokoll des Laufs</translation>
    </message>
    <message>
        <source>Settings of the run</source>
        <translation>Einstellungen des Laufs</translation>
    </message>
    <message>
        <source>Curves</source>
        <translation>Kurven</translation>
    </message>
    <message>
        <source>Masks</source>
        <translation>Masken</translation>
    </message>
    <message>
        <source>Inside</source>
        <translation>Innen</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>Protokoll</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Einstellungen</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Pause</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>Weiter</translation>
    </message>
    <message>
        <source>Stop and keep the best</source>
        <translation>Anhalten und Bestes behalten</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Abbrechen</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Fortsetzen</translation>
    </message>
    <message>
        <source>Compare with before</source>
        <translation>Mit vorher vergleichen</translation>
    </message>
    <message>
        <source>On a video…</source>
        <translation>An einem Video …</translation>
    </message>
    <message>
        <source>Use this model…</source>
        <translation>Dieses Modell verwenden …</translation>
    </message>
    <message>
        <source>Open folder</source>
        <translation>Ordner öffnen</translation>
    </message>
    <message>
        <source>Delete…</source>
        <translation>Löschen …</translation>
    </message>
    <message>
        <source>Waits after the current step; other programs get the processor</source>
        <translation>Wartet nach dem laufenden Schritt; andere Programme bekommen den Prozessor</translation>
    </message>
    <message>
        <source>Ends the training now and exports the best model so far</source>
        <translation>Beendet das Training jetzt und exportiert das bisher beste Modell</translation>
    </message>
    <message>
        <source>Ends the training and exports nothing; the run can be resumed later</source>
        <translation>Beendet das Training und exportiert nichts; der Lauf kann später fortgesetzt werden</translation>
    </message>
    <message>
        <source>Continues exactly where the last state was saved</source>
        <translation>Macht genau dort weiter, wo der letzte Stand gespeichert wurde</translation>
    </message>
    <message>
        <source>Masks of this model and of the one it started from on any video, side by side</source>
        <translation>Masken dieses Modells und dessen, mit dem es begann, an einem beliebigen Video nebeneinander</translation>
    </message>
    <message>
        <source>Measures this model and the one it started from on the same validation clips</source>
        <translation>Misst dieses Modell und das, mit dem es begann, an denselben Validierungsclips</translation>
    </message>
    <message>
        <source>Take off the list</source>
        <translation>Von der Liste nehmen</translation>
    </message>
    <message>
        <source>Clips: {0} for training, {1} for validation</source>
        <translation>Clips: {0} zum Trainieren, {1} zum Validieren</translation>
    </message>
    <message>
        <source>{0:.1f} of {1:.1f} M weights learn</source>
        <translation>{0:.1f} von {1:.1f} Mio. Gewichten lernen</translation>
    </message>
    <message>
        <source>on {0}</source>
        <translation>auf {0}</translation>
    </message>
    <message>
        <source>{0} of memory</source>
        <translation>{0} Speicher</translation>
    </message>
    <message>
        <source>last sign of life {0}</source>
        <translation>letztes Lebenszeichen {0}</translation>
    </message>
    <message>
        <source>Resume, learning ten times slower</source>
        <translation>Fortsetzen, zehnmal langsamer lernend</translation>
    </message>
    <message>
        <source>Nothing yet.</source>
        <translation>Noch nichts.</translation>
    </message>
</context>
<context>
    <name>Wipe</name>
    <message>
        <source>{0} on the left, {1} on the right</source>
        <translation>{0} links, {1} rechts</translation>
    </message>
    <message>
        <source>Arrow keys move the divider</source>
        <translation>Pfeiltasten bewegen den Teiler</translation>
    </message>
</context>
<context>
    <name>WipeDialog</name>
    <message>
        <source>Before and after on a video</source>
        <translation>Vorher und nachher an einem Video</translation>
    </message>
    <message>
        <source>Choose a video, or drop one here; both models look at up to {0} moments of it.</source>
        <translation>Ein Video wählen oder hier ablegen; beide Modelle sehen sich bis zu {0} Augenblicke davon an.</translation>
    </message>
    <message>
        <source>Moment of the video</source>
        <translation>Moment des Videos</translation>
    </message>
    <message>
        <source>Choose a video…</source>
        <translation>Ein Video wählen …</translation>
    </message>
    <message>
        <source>Reading {0}…</source>
        <translation>{0} wird gelesen …</translation>
    </message>
    <message>
        <source>{0}: masks of {1} moments with {2}…</source>
        <translation>{0}: Masken von {1} Momenten mit {2} …</translation>
    </message>
    <message>
        <source>The models could not be shown on this video: {0}</source>
        <translation>Die Modelle konnten an diesem Video nicht gezeigt werden: {0}</translation>
    </message>
    <message>
        <source>Drag the divider. Left: {0}. Right: {1}.</source>
        <translation>Den Teiler ziehen. Links: {0}. Rechts: {1}.</translation>
    </message>
    <message>
        <source>{0:.1f} s</source>
        <translation>{0:.1f} s</translation>
    </message>
    <message>
        <source>Choose a video</source>
        <translation>Ein Video wählen</translation>
    </message>
</context>
<context>
    <name>WorkspacePage</name>
    <message>
        <source>Preparing the model…</source>
        <translation>Das Modell wird vorbereitet …</translation>
    </message>
    <message>
        <source>Being segmented…</source>
        <translation>Wird gerade segmentiert …</translation>
    </message>
    <message>
        <source>Not segmented: stopped</source>
        <translation>Nicht segmentiert: angehalten</translation>
    </message>
    <message>
        <source>Not segmented: failed</source>
        <translation>Nicht segmentiert: fehlgeschlagen</translation>
    </message>
    <message>
        <source>No mask was recorded here</source>
        <translation>Hier wurde keine Maske aufgezeichnet</translation>
    </message>
    <message>
        <source>{0}   no mask</source>
        <translation>{0}   keine Maske</translation>
    </message>
    <message>
        <source>{0}   sounds with {1:.0f} %</source>
        <translation>{0}   klingt mit {1:.0f} %</translation>
    </message>
</context>
<context>
    <name>_Heard</name>
    <message>
        <source>Heard now</source>
        <translation>Gerade zu hören</translation>
    </message>
    <message>
        <source>silence</source>
        <translation>Stille</translation>
    </message>
    <message>
        <source>Nothing is heard</source>
        <translation>Es ist nichts zu hören</translation>
    </message>
    <message>
        <source>Nothing that the model can name</source>
        <translation>Nichts, was das Modell benennen kann</translation>
    </message>
</context>
<context>
    <name>_HeardSection</name>
    <message>
        <source>Heard now</source>
        <translation>Gerade zu hören</translation>
    </message>
    <message>
        <source>silence</source>
        <translation>Stille</translation>
    </message>
    <message>
        <source>Nothing that the model can name</source>
        <translation>Nichts, was das Modell benennen kann</translation>
    </message>
</context>
<context>
    <name>_MixerSection</name>
    <message>
        <source>Strongest channels: point to see one large</source>
        <translation>Stärkste Kanäle: mit der Maus groß zeigen</translation>
    </message>
    <message>
        <source>Channel mixer</source>
        <translation>Kanalmischer</translation>
    </message>
    <message>
        <source>This model has no channel mixer.</source>
        <translation>Dieses Modell hat keinen Kanalmischer.</translation>
    </message>
    <message>
        <source>Mixer channel {0}, weight {1:.2f}</source>
        <translation>Mischerkanal {0}, Gewicht {1:.2f}</translation>
    </message>
    <message>
        <source>{0} channels</source>
        <translation>{0} Kanäle</translation>
    </message>
    <message>
        <source>{0}: {1:.2f}</source>
        <translation>{0}: {1:.2f}</translation>
    </message>
</context>
<context>
    <name>_Pairing</name>
    <message>
        <source>Sound of a picture</source>
        <translation>Ton zu einem Bild</translation>
    </message>
    <message>
        <source>The second before it (fast)</source>
        <translation>Die Sekunde davor (schnell)</translation>
    </message>
    <message>
        <source>The second around it</source>
        <translation>Die Sekunde darum herum</translation>
    </message>
    <message>
        <source>Pictures per second</source>
        <translation>Bilder je Sekunde</translation>
    </message>
    <message>
        <source>Sound comes later by</source>
        <translation>Ton kommt später um</translation>
    </message>
    <message>
        <source>Calibrate…</source>
        <translation>Kalibrieren …</translation>
    </message>
    <message>
        <source>Clap three times in view of the camera; it looks and listens for five seconds</source>
        <translation>Dreimal vor der Kamera klatschen; fünf Sekunden lang wird zugesehen und zugehört</translation>
    </message>
    <message>
        <source>Smoothing</source>
        <translation>Glättung</translation>
    </message>
    <message>
        <source>How slowly masks come and go</source>
        <translation>Wie langsam Masken kommen und gehen</translation>
    </message>
    <message>
        <source>Edges as in the picture</source>
        <translation>Kanten wie im Bild</translation>
    </message>
    <message>
        <source>Mirror the picture</source>
        <translation>Bild spiegeln</translation>
    </message>
    <message>
        <source>Left and right exchanged; recordings and snapshots are as you see them</source>
        <translation>Links und rechts vertauscht; Aufnahmen und Schnappschüsse sind, wie man sie sieht</translation>
    </message>
    <message>
        <source>Picture and sound</source>
        <translation>Bild und Ton</translation>
    </message>
    <message>
        <source>Sound later by</source>
        <translation>Ton später um</translation>
    </message>
</context>
<context>
    <name>_Recording</name>
    <message>
        <source>Picture</source>
        <translation>Bild</translation>
    </message>
    <message>
        <source>Masks</source>
        <translation>Masken</translation>
    </message>
    <message>
        <source>Sound</source>
        <translation>Ton</translation>
    </message>
    <message>
        <source>Virtual camera</source>
        <translation>Virtuelle Kamera</translation>
    </message>
    <message>
        <source>Other programs, such as video calls, can choose this picture as a camera</source>
        <translation>Andere Programme, etwa Videoanrufe, können dieses Bild als Kamera wählen</translation>
    </message>
    <message>
        <source>Folder…</source>
        <translation>Ordner …</translation>
    </message>
    <message>
        <source>Recording</source>
        <translation>Aufnahme</translation>
    </message>
</context>
<context>
    <name>_Timing</name>
    <message>
        <source>Capture</source>
        <translation>Erfassen</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Wartet</translation>
    </message>
    <message>
        <source>Seeing</source>
        <translation>Sehen</translation>
    </message>
    <message>
        <source>Hearing</source>
        <translation>Hören</translation>
    </message>
    <message>
        <source>Deciding</source>
        <translation>Entscheiden</translation>
    </message>
    <message>
        <source>Showing</source>
        <translation>Zeigen</translation>
    </message>
    <message>
        <source>Delay to the screen</source>
        <translation>Verzögerung bis zum Schirm</translation>
    </message>
    <message>
        <source>{0:.0f} pictures, {1:.1f} masks / s</source>
        <translation>{0:.0f} Bilder, {1:.1f} Masken / s</translation>
    </message>
    <message>
        <source>{0} of {1} pictures seen by the model</source>
        <translation>{0} von {1} Bildern vom Modell gesehen</translation>
    </message>
    <message>
        <source>{0} lost by the camera</source>
        <translation>{0} von der Kamera verloren</translation>
    </message>
    <message>
        <source>{0} updates skipped</source>
        <translation>{0} Aktualisierungen übersprungen</translation>
    </message>
    <message>
        <source>{0} sound overflows</source>
        <translation>{0} Überläufe des Tons</translation>
    </message>
    <message>
        <source>{0:.1f} s of sound missing</source>
        <translation>{0:.1f} s Ton fehlen</translation>
    </message>
    <message>
        <source>{0} pictures not recorded</source>
        <translation>{0} Bilder nicht aufgenommen</translation>
    </message>
    <message>
        <source>clocks drift by {0:.0f} ppm</source>
        <translation>Uhren laufen um {0:.0f} ppm auseinander</translation>
    </message>
</context>
</TS>
