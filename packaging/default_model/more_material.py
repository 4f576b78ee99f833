"""Later additions to the material: games' recordings, voices, a second soundfont, photos.

All of it trains; a few recordings validate, none tests: the test material stays what it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from catalogue import Item
from fetch import Package
from soundbank import render_notes

PACKAGES = (
    Package("deb", "0ad-data", "CC-BY-SA 3.0", inside="audio/"),
    Package("deb", "widelands-data", "GPL-2+"),
    Package("deb", "lincity-ng-data", "GPL-2+"),
    Package("deb", "wesnoth-1.16-data", "GPL-2+"),
    Package("deb", "jigzo-data", "GPL-2+ (the penguin, CC-BY-NC-SA, is not used)"),
    Package("deb", "timgm6mb-soundfont", "GPL-2"),
    Package("deb", "asterisk-core-sounds-fr-wav", "CC-BY-SA 3.0"),
    Package("deb", "asterisk-core-sounds-es-wav", "CC-BY-SA 3.0"),
    Package("deb", "asterisk-core-sounds-it-wav", "CC-BY 3.0"),
    Package("deb", "asterisk-core-sounds-ru-wav", "CC-BY 3.0"),
)

SOUNDS: dict[str, dict[str, str]] = {
    "0ad-data": {
        "cow": "animal/cattle_*",
        "horse": "animal/horse_attack* animal/horse_death* death/death_horse_11",
        "lion": "animal/lion_* animal/elephant_death2",
        "sheep": "animal/sheep_*",
        "goat": "fauna/death/goat_1[12456]* fauna/death/goat_17",
        "goose": "animal/flamingo_10",
        "hen": "building/amb_farm_1[123]",
        "bird": "dayscape/day_t*",
        "noise": "water/* weather/* siege/ballist_* siege/onager_* siege/ram_attack siege/ram_move destruction/*"
        " ship/ship_move ship/warship_death_0[12] impact/arrow_*_0[123] impact/fleshimp_* impact/shield_*_0[1234]"
        " impact/siegeprojectilehit_* impact/sling_*_0[12] weapon/Musket_* weapon/arrowfly_0[123]"
        " weapon/bow_attack_0[1234] weapon/pike_attack_0[12] weapon/sword_attack_0[123] weapon/swordhit_1[0-9]"
        " Footsteps/* fire/c_1[12] fire/sp_1[12]",
    },
    "widelands-data": {
        "bird": "animals/bird*",
        "cow": "farm/ox_*",
        "sheep": "farm/sheep_0[12]",
        "horse": "farm/horse_00",
        "pig": "farm/farm_animal_01",
        "duck": "duck/duck_*",
        "dog": "animals/coyote_* animals/wolf_*",
        "cricket": "animals/crickets*",
        "noise": "cutting/* saw/* mortar stonegrind taverns/* weaver empire/*bubble_* scythe_* hammering/*"
        " metal/* smiths/* stonecutting/* woodcutting/* sawmill/* other/falling_tools_*"
        " mill/mill_turning_* fisher/* sound/click sound/message_*",
    },
    "lincity-ng-data": {
        "sheep": "sounds/Farm1",
        "hen": "sounds/Farm3 sounds/OrganicFarm3 sounds/ParklandPlane1",
        "cow": "sounds/OrganicFarm2",
        "cat": "sounds/OrganicFarm1",
        "owl": "sounds/PowerSolar3",
        "frog": "sounds/Green2 sounds/MonumentConstruction3",
        "bird": "sounds/Green1 sounds/Green3 sounds/Monument1 sounds/ParklandPlane[23]",
        "duck": "sounds/Harbor3 sounds/ParklandLake[12]",
        "crow": "sounds/Green4 sounds/FireWasteland1",
        "dog": "sounds/Shanty[45]",
        "bee": "sounds/Tip[13]",
        "car": "sounds/TraficHigh[123] sounds/TraficLow[123]",
        "cricket": "sounds/PowerSolar2",
        "bell": "sounds/Commune2",
        "emergency-car": "sounds/FireStation3 sounds/Health4",
        "train": "sounds/RailTrain2",
        "person": "sounds/MarketFull1 sounds/MarketMed1 sounds/ResidentialMed[23] sounds/SportsCroud[12]",
        "noise": "sounds/Blacksmith[12] sounds/Fire[123] sounds/Harbor[12] sounds/MarketEmpty1 sounds/IndustryLight3"
        " sounds/OreMine2 sounds/Mill[12] sounds/Raze* sounds/Pottery1 sounds/PowerCoalLow sounds/PowerLine1"
        " sounds/Recycle1 sounds/Health5 sounds/Build2 sounds/Click sounds/Rocket1 sounds/Rocket3"
        " sounds/RocketExplosion1 sounds/RocketTakeoff1 sounds/WindMill[12] sounds/Water5 sounds/WindowOpen",
    },
    "wesnoth-1.16-data": {
        "bird": "ambient/birds* ambient/morning",
        "horse": "sounds/horse-die sounds/horse-hit-*",
        "dog": "sounds/wolf-*",
        "trumpet": "horn-signals/horn-*",
        "frog": "ambient/night",
        "pig": "sounds/tusker-charge-miss",
        "bell": "sounds/bell",
        "noise": "ambient/campfire ambient/ship sounds/fire sounds/explosion sounds/cave-in sounds/lightning"
        " sounds/rumble sounds/magic-[dfmt]* sounds/water-blast sounds/flame-big sounds/open-chest sounds/gold"
        " sounds/receive sounds/select sounds/sword-1 sounds/axe sounds/spear sounds/bow sounds/crossbow sounds/club"
        " sounds/mace sounds/fist sounds/staff sounds/sling sounds/poison sounds/potion sounds/entangle sounds/net"
        " sounds/throw-* sounds/torch sounds/fuse sounds/dart sounds/slider sounds/timer sounds/gunshot",
    },
}
"""package -> label -> patterns of its recordings, by the last folders of their paths and without the suffix."""
_VALIDATION = (
    "animals/bird6_*",
    "death/goat_17",
    "animal/horse_attack3",
    "animal/cattle_01",
    "sounds/ParklandPlane1",
    "sounds/ParklandLake2",
    "animal/lion_attack2",
    "horn-signals/horn-5",
    "sounds/Shanty5",
)
_NOISE = 8
"""Every so many noises validate one."""
_VOICES = tuple(package.name for package in PACKAGES if package.name.startswith("asterisk"))
_SOUNDFONTS = ("timgm6mb-soundfont",)

PHOTOS: dict[str, str] = {
    "bike-3x4": "",
    "bird-2x3": "bird",
    "gorilla2-3x3": "monkey",
    "train-2x2": "train",
}
"""Puzzles whose picture shows one thing, and well cut out by the saliency network -> its label."""
BACKGROUNDS = ("castle-6x3", "clouds-4x4", "tobogan-4x3")


def sounds(raw: Path, work: Path) -> list[Item]:
    """Recordings, voices and notes; the notes are played into `work` on the first call."""
    recordings = [item for package in SOUNDS for item in _recordings(raw, package)]
    notes = [
        item
        for name in _SOUNDFONTS
        for item in render_notes(next((raw / name).rglob("*.sf[23]")), work / f"notes-{name.split('-')[0]}")
    ]
    return [*recordings, *_voices(raw), *notes]


def _recordings(raw: Path, package: str) -> Iterator[Item]:
    found = [path for path in sorted((raw / package).rglob("*")) if path.suffix in (".ogg", ".wav")]
    for label, patterns in SOUNDS[package].items():
        for number, path in enumerate(path for path in found if _matches(path, patterns.split())):
            validates = number % _NOISE == 0 if label == "noise" else _matches(path, _VALIDATION)
            name = f"sound:{package}/{path.parent.name}/{path.stem}"
            yield Item(path, label, name, "val" if validates else "train")


def _matches(path: Path, patterns: Sequence[str]) -> bool:
    return any(path.with_suffix("").match(pattern) for pattern in patterns)


def _voices(raw: Path, per_voice: int = 24) -> Iterator[Item]:
    """Announcements in other languages, evenly chosen among those long enough to say something."""
    for package in _VOICES:
        files = sorted(path for path in (raw / package).rglob("*.wav") if path.stat().st_size > 20000)
        for path in files[:: max(1, len(files) // per_voice)]:
            yield Item(path, "person", f"speech:{package}/{path.stem}", "train")


def photos(raw: Path) -> list[Item]:
    """Photographs of one thing each; all train."""
    return [Item(_puzzle(raw, name), label, f"photo:jigzo/{name}", "train") for name, label in PHOTOS.items()]


def backgrounds(raw: Path) -> list[Item]:
    """Photographs in which nothing makes a sound; all train."""
    return [Item(_puzzle(raw, name), "", f"background:jigzo/{name}", "train") for name in BACKGROUNDS]


def _puzzle(raw: Path, name: str) -> Path:
    return raw / f"jigzo-data/usr/share/games/jigzo/puzzles/00_default/{name}.png"
