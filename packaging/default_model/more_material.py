"""Later additions to the material: games' recordings, voices, two more soundfonts, photos, cut-outs of people.

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
    Package("deb", "scratch", "CC-BY-SA 3.0"),
    Package("deb", "megaglest-data", "CC-BY-SA 3.0"),
    Package("deb", "openttd-opensfx", "CC0, CC-BY 3.0, CC-BY-SA 3.0 (per sound)"),
    Package("deb", "simutrans-pak64", "Artistic 1.0"),
    Package("deb", "lugaru-data", "CC-BY-SA 3.0"),
    Package("deb", "hydrogen-drumkits", "GPL-2+, CC-BY-SA 3.0 (per kit)"),
    Package("deb", "musescore-general-soundfont-small", "MIT"),
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
    "scratch": {
        "bird": "Animal/Bird",
        "cat": "Animal/Cat Animal/Kitten Animal/Meow",
        "cricket": "Animal/Cricket*",
        "dog": "Animal/Dog? Animal/WolfHowl",
        "duck": "Animal/Duck",
        "goose": "Animal/Goose",
        "hen": "Animal/Rooster",
        "horse": "Animal/Horse*",
        "owl": "Animal/Owl",
        "bell": "Effects/BellToll",
        "car": "Effects/CarPassing",
        "clarinet": "Music?Loops/Medieval2",
        "cymbal": "Percussion/*Cymbal*",
        "drum": "Music?Loops/Drum Music?Loops/DrumSet?",
        "guitar": "Instruments/GuitarStrum Music?Loops/GuitarChords?",
        "marimba": "Music?Loops/Xylo?",
        "trumpet": "Instruments/Trumpet?",
        "violin": "Instruments/SpookyString",
        "person": "Vocals/* Human/Laugh* Human/Party* Human/Scream* Human/Cough-male",
        "noise": "Effects/Water* Effects/Ripples Effects/Bubbles Effects/Door* Effects/Pop Effects/Plunge"
        " Effects/Sewing* Effects/Rattle Human/Footsteps* Human/FingerSnap Electronic/* Percussion/Shaker",
    },
    "megaglest-data": {
        "cow": "sounds/cow_*",
        "hen": "chicken/sounds/chicken_* birch_forest/sounds/chicken",
        "pig": "sounds/pig_*",
        "sheep": "sheep/sounds/sheep?*",
        "person": "worker/sounds/worker_ack* princess/sounds/princess_ack* battlemage/sounds/battlemage_ack*"
        " summoner/sounds/summoner_ack*",
        "noise": "sounds/anvil* water_sounds/* sounds/arrow_hit* sounds/catapult_* sounds/tech_building_fall*"
        " swordman/sounds/swordman_attack*",
    },
    "openttd-opensfx": {
        "airplane": "opensfx/*-Propeller-plane-start opensfx/*-Early-jet* opensfx/*-Modern-jet*",
        "helicopter": "opensfx/*-Helicopter",
        "train": "opensfx/*Steam-train* opensfx/*Steam-engine* opensfx/*Diesel-electric* opensfx/*Factory-Whistle",
        "bus": "opensfx/*-Modern-bus-* opensfx/*-Old-bus-*",
        "truck": "opensfx/*-Truck-*",
        "car": "opensfx/*-Modern-car-horn",
        "cow": "opensfx/*-Cow",
        "horse": "opensfx/*-Horse",
        "sheep": "opensfx/*-Sheep",
        "noise": "opensfx/*-Splat* opensfx/*-Mining* opensfx/*-Electric-sparking opensfx/*-Level* opensfx/*-Crash"
        " opensfx/*-Explosion opensfx/*-Big-crash opensfx/*-Cash* opensfx/*-Morse opensfx/*-Jackhammer"
        " opensfx/*-Building* opensfx/*-Sawmill opensfx/*-Applause opensfx/*-Toyland-Sugar*"
        " opensfx/*-Toyland-To* opensfx/*-Toyland-Bubble*",
    },
    "simutrans-pak64": {
        "airplane": "sound/comet-jet sound/planelow",
        "bird": "sound/forest sound/tropic sound/seagulls",
        "bus": "sound/bus",
        "cricket": "sound/desert",
        "horse": "sound/horse",
        "truck": "sound/truck",
        "noise": "sound/dock sound/gavel sound/tree-cutting sound/jackhammer sound/Water sound/cash sound/arctic"
        " sound/explosion sound/boing sound/buzzsaw",
    },
    "lugaru-data": {
        "dog": "Sounds/Bark*",
        "bird": "Sounds/Hawk",
        "noise": "Sounds/Clank* Sounds/*Whoosh Sounds/FootStep* Sounds/Fire* Sounds/Thud Sounds/Wind Sounds/Skid"
        " Sounds/Land* Sounds/StaffBreak Sounds/BushRustle Sounds/DesertAmbient",
    },
    "hydrogen-drumkits": {
        "drum": "ColomboAcousticDrumkit/bassdrum* ColomboAcousticDrumkit/snare* ColomboAcousticDrumkit/tom*"
        " BJA_Pacific/BD_* BJA_Pacific/SN* BJA_Pacific/TM* Millo_MultiLayered2/*tom_* Millo_MultiLayered2/*snare_*"
        " Millo_MultiLayered3/[fst][12td]_* circAfrique?v4/*Djembe* The?Black?Pearl*/PearlTom*"
        " The?Black?Pearl*/PearlKick* The?Black?Pearl*/PearlSnare*",
        "cymbal": "ColomboAcousticDrumkit/crash* ColomboAcousticDrumkit/hihat* BJA_Pacific/HH* BJA_Pacific/RD*"
        " Millo_MultiLayered2/crash_* Millo_MultiLayered2/hh* Millo_MultiLayered2/ride_* ForzeeStereo/Crash*"
        " ForzeeStereo/HiHat* ForzeeStereo/Ride* The?Black?Pearl*/Paiste* The?Black?Pearl*/Sabian*",
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
    "Animal/Owl",
    "Animal/Goose",
    "Instruments/Trumpet2",
    "Music?Loops/GuitarChords1",
    "sheep/sounds/sheep7",
    "sounds/pig_ack3",
    "opensfx/*-Early-jet*",
    "opensfx/*-Horse",
    "ColomboAcousticDrumkit/tom*",
)
_NOISE = 8
"""Every so many noises validate one."""
_VOICES = tuple(package.name for package in PACKAGES if package.name.startswith("asterisk"))
_SOUNDFONTS = ("timgm6mb-soundfont", "musescore-general-soundfont-small")
_SUFFIXES = (".ogg", ".wav", ".flac", ".mp3", ".aiff")

PHOTOS: dict[str, str] = {
    "bike-3x4": "",
    "bird-2x3": "bird",
    "gorilla2-3x3": "monkey",
    "train-2x2": "train",
}
"""Puzzles whose picture shows one thing, and well cut out by the saliency network -> its label."""
BACKGROUNDS = ("castle-6x3", "clouds-4x4", "tobogan-4x3")
CUTOUTS: dict[str, str] = {
    "man": "amon1 breakdancer[123] calvrett* dan? ed football-* jay nathan paul1 referee? sam",
    "woman": "anjuli-? anna-? cassy-* chamak? jodi? lee-fan mako-* marissa* nina1 ribbon-dancer thai-dancer*",
    "airplane": "airplane",
    "bird": "bird-flying",
    "boat": "sail-boat tug-boat yacht",
    "bus": "bus",
    "car": "car-*",
    "cow": "cow1",
    "elephant": "elephant",
    "train": "train",
    "truck": "street-cleaner-mit",
    "": "buffalo1 grasshopper2 insect* squirrel1 bike fire-hydrant flower-vase fruit_platter lamp lego marble-building"
    " palmtree tennisball trampoline umbrella cheesy-puffs fortune_cookie",
}
"""Photographs among Scratch's costumes, by label."""
PLACES = (
    "hall kitchen clothing-store the-movies-inside beach-malibu canyon flower-bed forest garden-rock grand-canyon"
    " gravel-desert hill lake moon pathway tree water-and-rocks wave atom-playground bench-with-view boardwalk"
    " brick-wall-and-stairs brick-wall2 building-at-mit building-fireproof castle city-with-water city-with-water2"
    " driveway hallway_outdoors hay_field houses mansion parking-ramp pool route66 silos the-movies train-tracks1"
    " train-tracks2 village wooden-house basketball-court1-? playing-field tennis-backboard"
)
"""Photographs among Scratch's backgrounds."""


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
    found = [path for path in sorted((raw / package).rglob("*")) if path.suffix in _SUFFIXES]
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


def cutouts(raw: Path) -> list[Item]:
    """Photographed things cut out by hand; all train."""
    found = sorted(_scratch(raw, "Costumes"))
    return [
        Item(path, label, f"cutout:scratch/{path.stem}", "train")
        for label, patterns in CUTOUTS.items()
        for path in found
        if _matches(path, patterns.split())
    ]


def _scratch(raw: Path, kind: str) -> list[Path]:
    found = (raw / "scratch/usr/share/scratch/Media" / kind).rglob("*")
    return [path for path in found if path.suffix in (".gif", ".jpg", ".png")]


def photos(raw: Path) -> list[Item]:
    """Photographs of one thing each; all train."""
    return [Item(_puzzle(raw, name), label, f"photo:jigzo/{name}", "train") for name, label in PHOTOS.items()]


def backgrounds(raw: Path) -> list[Item]:
    """Photographs in which nothing makes a sound; all train."""
    puzzles = [Item(_puzzle(raw, name), "", f"background:jigzo/{name}", "train") for name in BACKGROUNDS]
    found = [path for path in sorted(_scratch(raw, "Backgrounds")) if _matches(path, PLACES.split())]
    return puzzles + [Item(path, "", f"background:scratch/{path.stem}", "train") for path in found]


def _puzzle(raw: Path, name: str) -> Path:
    return raw / f"jigzo-data/usr/share/games/jigzo/puzzles/00_default/{name}.png"
