"""What the material shows and sounds like, judged by eye and ear once: labels, families, photos, backgrounds, splits.

Labels follow AVSBench-Semantic where it has a name. Things of one family could make each other's sounds, so they are
never set against each other as "sounds" and "is silent".
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path

from fetch import PACKAGES, folder_name
from sound_labels import NOISE_SOUNDS, SOUND_LABELS

STAMPS = "tuxpaint-stamps-default/usr/share/tuxpaint/stamps"
GCOMPRIS = "gcompris-qt-data/rcc"
EMOJI = "lobehub-fluent-emoji-3d/package/assets"

STAMP_LABELS: dict[str, str] = {
    "frog": "frog frog-1",
    "parrot": "adelaide-rosella rainbow-lorikeet",
    "bird": "blackbird lark cuckoo quetzal silver-gull seagull pigeon heron_greatblue heron_greatblue_flying tucan",
    "crow": "crow magpie",
    "hen": "hen chicken_profile rooster",
    "turkey": "turkey guineafowl helmeted_guineafowl",
    "duck": "duck drake",
    "goose": "gander",
    "owl": "owl",
    "bee": "hoverfly hornet fly",
    "cricket": "grasshopper",
    "monkey": "chimp gorilla tamarin_emperor",
    "whale": "whale orca dolphin",
    "bear": "bear european-bear",
    "cow": "bull cow cow_white zebu yak bison",
    "goat": "goat mountaingoat",
    "sheep": "ram sheep sheep_lamb",
    "lion": "lion lion-2 tiger tiger_sumatran",
    "dog": "dog dingo fox",
    "elephant": "elephant",
    "horse": "horse donkey donkey_eating zebra",
    "pig": "pig pig_golden pig_golden2 wildboar",
    "trumpet": "trumpet",
    "cymbal": "cymbal_crash",
    "drum": "drum_tomtom_floor drumkit",
    "cello": "cello",
    "guitar": "guitar_classical guitar_electric guitar_electric_bass guitar2",
    "violin": "violin",
    "bassoon": "bassoon",
    "car": "beetle sedan sportscar2 indycar truck garbagetruck",
    "emergency-car": "firetruck",
    "airplane": "747 f22_raptor",
    "tank": "bradley infantry-stryker ww2_german_gun",
    "man": "fireman240a fireman200b",
    "toilet": "toilet",
}
DRAWN_STAMPS = re.compile(
    r"/cartoon/|symbols/|/(bee|echidna|hedgehog|eye|sedan_police\w*|Woodlouse|Brown_slug|fly)\.png|roadsigns/|flags/"
    r"|seasonal/(christmas|hanukkah|easter|halloween)|town/houses|money/"
)

EMOJI_LABELS: dict[str, str] = {
    "dog": "DOG|DOG FACE|POODLE|GUIDE DOG|WOLF FACE|FOX FACE",
    "cat": "CAT|CAT FACE",
    "cow": "COW|COW FACE|OX|WATER BUFFALO|BISON",
    "pig": "PIG|PIG FACE|BOAR",
    "sheep": "SHEEP|RAM",
    "goat": "GOAT",
    "horse": "HORSE|HORSE FACE|DONKEY|ZEBRA FACE",
    "hen": "CHICKEN|ROOSTER|HATCHING CHICK|BABY CHICK|FRONT-FACING BABY CHICK",
    "turkey": "TURKEY",
    "duck": "DUCK",
    "goose": "GOOSE|SWAN",
    "owl": "OWL",
    "parrot": "PARROT",
    "bird": "BIRD|DOVE OF PEACE",
    "frog": "FROG FACE",
    "lion": "LION FACE|TIGER|TIGER FACE|LEOPARD",
    "elephant": "ELEPHANT|MAMMOTH",
    "monkey": "MONKEY|MONKEY FACE|GORILLA|ORANGUTAN",
    "whale": "WHALE|SPOUTING WHALE|DOLPHIN",
    "bear": "BEAR FACE",
    "bee": "HONEYBEE|FLY|MOSQUITO",
    "cricket": "CRICKET",
    "guitar": "GUITAR|BANJO",
    "violin": "VIOLIN",
    "trumpet": "TRUMPET|POSTAL HORN",
    "saxophone": "SAXOPHONE",
    "piano": "MUSICAL KEYBOARD",
    "accordion": "ACCORDION",
    "drum": "DRUM WITH DRUMSTICKS|LONG DRUM",
    "maraca": "MARACAS",
    "flute": "FLUTE",
    "harp": "HARP",
    "car": "AUTOMOBILE|RACING CAR|ONCOMING AUTOMOBILE|TAXI|ONCOMING TAXI|RECREATIONAL VEHICLE"
    "|DELIVERY TRUCK|PICKUP TRUCK",
    "bus": "BUS|ONCOMING BUS|MINIBUS|TROLLEYBUS",
    "emergency-car": "FIRE ENGINE|POLICE CAR|ONCOMING POLICE CAR|AMBULANCE",
    "tractor": "TRACTOR",
    "motorcycle": "RACING MOTORCYCLE|MOTOR SCOOTER",
    "train": "TRAIN|STEAM LOCOMOTIVE|HIGH-SPEED TRAIN|METRO|LIGHT RAIL|TRAM|TRAM CAR|RAILWAY CAR",
    "helicopter": "HELICOPTER",
    "airplane": "AIRPLANE|SMALL AIRPLANE",
    "boat": "SPEEDBOAT|MOTOR BOAT|FERRY|SHIP",
    "keyboard": "KEYBOARD|PERSONAL COMPUTER",
    "bell": "BELL|BELLHOP BELL",
    "toilet": "TOILET",
}
_PEOPLE = re.compile(
    r"^(BABY|CHILD|BOY|GIRL|ADULT|MAN|WOMAN|OLDER ADULT|OLDER MAN|OLDER WOMAN|PERSON .*|POLICE OFFICER|GUARDSMAN|PRINCE"
    r"|PRINCESS|CONSTRUCTION WORKER|BEARDED PERSON|MAN .*|WOMAN .*|BRIDE .*|DANCER|FACE PALM|SHRUG"
    r"|SURFER|NURSE|MERPERSON"
    r"|HAPPY PERSON .*|INFORMATION DESK PERSON|FATHER CHRISTMAS|MOTHER CHRISTMAS|SUPERHERO"
    r"|SUPERVILLAIN|MAGE|FAIRY|ELF)$"
)

PEOPLE = frozenset({"man", "woman", "person"})
FAMILIES: tuple[frozenset[str], ...] = tuple(
    frozenset(names.split())
    for names in (
        "sheep goat",
        "duck goose hen turkey",
        "bird parrot crow owl duck goose hen turkey",
        "lion bear",
        "dog wolf",
        "cow lion",
        "bee cricket",
        "guitar banjo ukulele harp",
        "violin cello",
        "trumpet trombone tuba horn saxophone",
        "bassoon clarinet flute saxophone",
        "drum cymbal tabla maraca",
        "piano marimba organ accordion harmonica keyboard-instrument",
        "car bus emergency-car motorcycle tractor tank truck boat",
        "airplane helicopter",
        "tractor mower motorcycle",
    )
)

PHOTO_LABELS: dict[str, str] = {
    "bee": "bee",
    "calf": "cow",
    "cheetah": "lion",
    "dolphin": "whale",
    "gibbon": "monkey",
    "gorilla": "monkey",
    "macaque": "monkey",
    "long_nosed_monkey": "monkey",
    "goat": "goat",
    "nubian_ibex": "goat",
    "gosling": "goose",
    "swans": "goose",
    "heron": "bird",
    "kingfisher": "bird",
    "northern_harrier": "bird",
    "spoonbills": "bird",
    "toucan": "bird",
    "penguin": "bird",
    "horse": "horse",
    "kitten": "cat",
    "chelsea": "cat",
    "chicky_512": "dog",
    "000": "bird",
    "Kleiber_by_Lukas_Baubkus": "bird",
    "free_by_Peter_Nerlich": "bird",
    "messi5": "man",
    "astronaut": "woman",
    "motorcycle_left": "motorcycle",
    "friends_by_Aitzol_Berasategi": "dog",
}
_TEST_PHOTOS = (
    "bee calf goat swans heron kingfisher toucan horse chicky_512 000 gorilla giraffe messi5 motorcycle_left gosling"
    " rhinoceros red_panda squirrel_cls northern_harrier fish3 fish7 fish12 scissors2 hammer4 windmill7 coffee"
)
_VAL_PHOTOS = "nubian_ibex spoonbills camels butterfly kitten fish9 fish21 plier2 windmill3 penguin"

_OBJECT_PHOTOS = (
    re.compile(r"erase/.*/(?!eraser)\w+\.webp$"),
    re.compile(
        r"resource/images/(fishes|tools)/|/renewable/windmill|resource/images/others/(?!igloo|knife|spoons)\w+\.webp$"
    ),
    re.compile(
        r"/data/(butterfly|squirrel_cls|chicky_512|messi5|apple|orange|000)\.\w+$|/(astronaut|coffee"
        r"|motorcycle_left|chelsea"
        r"|rocket)\.\w+$|/(LadyBird|YellowFlower|FreshFlower)\.jpg$|/flower\.jpg$"
        r"|/(Dragonfly_by_Bolly|Kleiber_by_Lukas_Baubkus|free_by_Peter_Nerlich|friends_by_Aitzol_Berasategi)\.jpg$"
    ),
)
_BACKGROUNDS = (
    re.compile(
        r"resource/images/monuments/|renewable/(dam|solar|geothermal)|clickgame/.*sea\d"
        r"|details/image/[A-Z]\w+_background"
    ),
    re.compile(
        r"/data/(leuvenA|home|building|aloeL|stuff|board|graf1|rubberwhale1|scenetext0[1-5]|starry_night)\.\w+$"
    ),
    re.compile(
        r"/(Garden|Dune|Aqua|Storm|GreenMeadow|RainDrops|TwoWings)\.jpg$|lomiri.*/(?!Dragonfly|Kleiber"
        r"|free_|friends_)\w+\.jpg$"
    ),
    re.compile(
        r"tuxpaint-data.*/(corn_maze|wool_mill_machine|sun_behind_\w+|ocean_\w+|redwoods_above"
        r"|burnt_bark|cliff|trees_\w+"
        r"|mudstone|rocks|mossy_\w+|spiders_web)\.jpg$|scikit-learn/.*/china\.jpg$|plasma.*/(3840x2160"
        r"|2560x1600|5120x2880)\.\w+$"
    ),
)


MODELS: dict[str, str] = {
    "dog": "BlendSwap-CC-BY/bulldog Scopia/dog",
    "cat": "BlendSwap-CC-BY/siameseCat Scopia/cat",
    "horse": "BlendSwap-CC-0/horse2 BlendSwap-CC-BY/horse",
    "hen": "BlendSwap-CC-0/chicken",
    "piano": "BlendSwap-CC-0/pianoAQueue BlendSwap-CC-BY/piano",
    "guitar": "BlendSwap-CC-0/electricGuitar",
    "marimba": "BlendSwap-CC-BY/xylophone",
    "keyboard-instrument": "KatorLegaz/MIDI-keyboard",
    "keyboard": "BlendSwap-CC-BY/laptop KatorLegaz/apple-ibook-2001",
    "car": "Scopia/chevrolet Scopia/smart-car KatorLegaz/VW-new-beetle KatorLegaz/concept-sedan-01v1"
    " BlendSwap-CC-BY/fordFocus",
    "truck": "BlendSwap-CC-0/peterbilt BlendSwap-CC-BY/dafTruck Scopia/truck",
    "bus": "Scopia/bus",
    "motorcycle": "BlendSwap-CC-0/motorbike KatorLegaz/scooter",
    "mower": "Scopia/mower",
    "man": "Reallusion/male01 Reallusion/male02 Reallusion/male03 Reallusion/sitMale01"
    " Reallusion/sitMale02 Reallusion/sitMale03"
    " Reallusion/holdingMale01 Reallusion/boyStanding Reallusion/boySitting KatorLegaz/male-01-suit",
    "woman": "Reallusion/female01 Reallusion/female02 Reallusion/female03 Reallusion/sitFemale01 Reallusion/sitFemale02"
    " Reallusion/sitFemale03 Reallusion/holdingFemale01 Reallusion/holdingFemale02 Reallusion/girlStanding"
    " Reallusion/girlSittingGround KatorLegaz/female-01-casual-clothing",
    "": "BlendSwap-CC-0/deer BlendSwap-CC-0/teddyBear BlendSwap-CC-BY/bike BlendSwap-CC-BY/rowboat"
    " BlendSwap-CC-BY/washing_machine"
    " BlendSwap-CC-BY/radio BlendSwap-CC-BY/toyTrain BlendSwap-CC-0/forkLift"
    " BlendSwap-CC-BY/microwave BlendSwap-CC-0/cuckooClock",
}
"""label -> library/model of Sweet Home 3D's furniture that is rendered from several sides."""
DEMO_MODELS = frozenset({"Scopia/dog", "BlendSwap-CC-0/chicken"})
"""The demo clip's: kept out of training."""


@dataclass(frozen=True)
class Item:
    """One picture or sound of the material; `key` names the whole object, so that its variants share a split."""

    path: Path
    label: str
    """Empty: nothing here names its sound."""
    key: str
    split: str
    photo: bool = True
    """Photographed rather than drawn or shaded."""


def split_of(key: str, test: float = 0.25, val: float = 0.1) -> str:
    """The split of a key, fixed for ever by its hash."""
    number = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") / 2**32
    return "test" if number < test else "val" if number < test + val else "train"


def related(first: str, second: str) -> bool:
    """Whether a thing labelled `first` could make the sound labelled `second`."""
    return first == second or {first, second} <= PEOPLE or any({first, second} <= family for family in FAMILIES)


def cutouts(raw: Path) -> list[Item]:
    """Stamps and emoji; drawings are marked as such."""
    by_name = {name: label for label, names in STAMP_LABELS.items() for name in names.split()}
    items = []
    for path in sorted((raw / STAMPS).rglob("*.png")):
        name = str(path.relative_to(raw / STAMPS))
        if re.search(r"symbols/|_mirror|bumpers|_desc", name):
            continue
        key = "stamp:" + re.sub(r"[-_]?\d+$|_(left|right|flying|eating)$", "", path.stem)
        photo = not DRAWN_STAMPS.search("/" + name)
        label = by_name.get(path.stem, "") if photo else ""
        items.append(Item(path, label, key, split_of(key, 0.2, 0.1), photo))
    return _stratified(items) + _emoji(raw)


def _stratified(items: list[Item]) -> list[Item]:
    """The labelled ones split within their label, so that testing meets as many labels as it can."""
    keys: dict[str, set[str]] = {}
    for item in items:
        keys.setdefault(item.label, set()).add(item.key)
    splits: dict[str, str] = {}
    for label in sorted(filter(None, keys)):
        ranked = sorted(keys[label], key=lambda key: hashlib.sha256(key.encode()).digest())
        splits |= {key: _rank_split(rank, len(ranked), key) for rank, key in enumerate(ranked)}
    return [replace(item, split=splits[item.key]) if item.label else item for item in items]


def _emoji(raw: Path) -> list[Item]:
    """One picture per base character: skin tones of a person are one object."""
    by_name = {name: label for label, names in EMOJI_LABELS.items() for name in names.split("|")}
    seen: dict[str, Item] = {}
    for path in sorted((raw / EMOJI).glob("*.webp")):
        points = [int(word, 16) for word in path.stem.split("-") if word]
        if any(0x1F1E6 <= point <= 0x1F1FF or point == 0x20E3 for point in points):
            continue
        base = points[0]
        name = unicodedata.name(chr(base), "")
        label = by_name.get(name, "")
        if _PEOPLE.match(name) or 0x1F468 in points or 0x1F469 in points or 0x1F9D1 in points:
            label = "person"
        tone = next((point for point in points if 0x1F3FB <= point <= 0x1F3FF), 0)
        key = f"emoji:{base:x}"
        seen.setdefault(
            f"{path.stem if label == 'person' else key}:{tone if label == 'person' else 0}",
            Item(path, label, key, split_of(key, 0.1, 0.05), False),
        )
    return list(seen.values())


def models(views: Path) -> list[Item]:
    """Rendered models in the folder that `render3d.save_views` filled."""
    items = []
    for label, names in MODELS.items():
        for name in names.split():
            if name not in DEMO_MODELS:
                items += [
                    Item(path, label, "model:" + name, split_of("model:" + name, 0.15, 0.0))
                    for path in sorted((views / name.replace("/", "-")).glob("*.png"))
                ]
    return items


def photos(raw: Path) -> list[Item]:
    """Photographs of one thing (or a few alike) that a saliency network can cut out."""
    items, seen = [], set()
    for path in _pictures(raw, _OBJECT_PHOTOS):
        if path.stem in seen or "monuments" in str(path):
            continue
        seen.add(path.stem)
        split = "test" if path.stem in _TEST_PHOTOS.split() else "val" if path.stem in _VAL_PHOTOS.split() else "train"
        items.append(Item(path, PHOTO_LABELS.get(path.stem, ""), "photo:" + path.stem, split))
    return items


def backgrounds(raw: Path) -> list[Item]:
    """Photographs in which nothing makes a sound."""
    return [
        Item(
            path,
            "",
            "background:" + path.stem + path.parent.parent.name,
            split_of("background:" + str(path.relative_to(raw)), 0.25, 0.08),
        )
        for path in _pictures(raw, _BACKGROUNDS)
    ]


def _pictures(raw: Path, patterns: tuple[re.Pattern[str], ...]) -> list[Path]:
    found = (path for path in _files(raw) if path.suffix in (".png", ".jpg", ".webp") and path.is_file())
    return [path for path in found if any(pattern.search(str(path)) for pattern in patterns)]


def _files(raw: Path) -> list[Path]:
    """What the packages of `fetch.PACKAGES` hold: a later package must not change what is chosen by name here."""
    return sorted(path for package in PACKAGES for path in (raw / folder_name(package)).rglob("*"))


def sounds(raw: Path) -> list[Item]:
    """Recorded sounds whose label holds; the last third of each label's files is for testing, one of
    them for validation."""
    by_name = {name: label for label, names in SOUND_LABELS.items() for name in names.split()}
    by_name |= dict.fromkeys(NOISE_SOUNDS.split(), "noise")
    chosen: dict[str, list[Path]] = {}
    for path in _files(raw):
        if path.suffix not in (".ogg", ".wav", ".flac", ".mp3"):
            continue
        stem = path.stem
        for name in (stem, f"{path.parent.name}/{stem}", f"{path.parent.parent.name}/{path.parent.name}/{stem}"):
            if name in by_name:
                chosen.setdefault(by_name[name], []).append(path)
                break
    items = []
    for label, paths in sorted(chosen.items()):
        ranked = sorted(paths, key=lambda path: hashlib.sha256(path.name.encode()).digest())
        for rank, path in enumerate(ranked):
            items.append(Item(path, label, "sound:" + path.stem, _rank_split(rank, len(ranked), path.name)))
    return items


def _rank_split(rank: int, count: int, name: str) -> str:
    """Two of three for training; a single file goes to one side by its hash."""
    if count == 1:
        return "test" if split_of(name, 0.5, 0.0) == "test" else "train"
    if rank >= count - max(1, count // 3):
        return "test"
    return "val" if count >= 5 and rank == 0 else "train"
