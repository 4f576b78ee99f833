"""What the recordings are, judged by ear once, and which of YAMNet's classes must be heard in them."""

from __future__ import annotations

SOUND_LABELS: dict[str, str] = {
    # stamps
    "bird": "birds/blackbird birds/lark birds/cuckoo",
    "crow": "birds/crow misc_crow",
    "duck": "birds/duck animals/duck",
    "goose": "birds/gander",
    "hen": "birds/hen birds/rooster animals/cat animals/rooster",
    "turkey": "birds/turkey birds/quetzal",
    "bee": "insects/bee insects/mosquito",
    "cow": "bovines/cow bovines/cow_white animals/cow",
    "goat": "bovines/goat bovines/mountaingoat",
    "sheep": "bovines/sheep bovines/ram",
    "lion": "cats/lion cats/tiger",
    "dog": "animals/dog dogs/dog dogs/fox",
    "frog": "amphibians/frog animals/frog LRFrogsInPondDuringStormLACut",
    "horse": "animals/horse equines/horse",
    "pig": "animals/pig bovines/sheep_lamb mammals/pig",
    "whale": "aquatic/whale",
    "elephant": "mammals/elephant",
    "cello": "string/cello resource/cello",
    "violin": "string/violin resource/violin",
    "bassoon": "wind/bassoon",
    "cymbal": "percussion/cymbal_crash resource/cymbal drum_cymbal_hard drum_splash_hard drum_cymbal_open"
    " drum_cymbal_soft",
    "drum": "percussion/drum_tomtom_floor percussion/drumkit resource/snare_drum resource/timpani resource/bongo "
    "drum_heavy_kick drum_tom_hi_hard drum_tom_mid_hard drum_roll drum_snare_hard loop_amen loop_breakbeat",
    "trumpet": "military/final-roll-call resource/trumpet",
    "emergency-car": "emergency/firetruck",
    "toilet": "household/toilet",
    "vacuum-cleaner": "household/vacuum_cleaner",
    # gcompris
    "accordion": "resource/accordion",
    "guitar": "resource/banjo resource/guitar resource/guitar_son4",
    "clarinet": "resource/clarinet",
    "flute": "resource/flute_traversiere",
    "harmonica": "resource/harmonica",
    "harp": "resource/harp",
    "horn": "resource/horn",
    "maraca": "resource/maracas",
    "piano": "resource/piano resource/LRLaPause_short",
    "saxophone": "resource/saxophone",
    "trombone": "resource/trombone",
    "tuba": "resource/tuba",
    "train": "resource/LRTrain_slowing_down_01_LA_cut sounds/train",
    "helicopter": "hh60/engine_inside hh65/engine_inside sounds/helicopter_engine_outside2",
    "airplane": "sounds/jet_engine_inside2 sounds/jet_engine_shutdown3 sounds/jet_engine_start",
    "car": "resource/LRStartAndStopCarEngine1LACut sound/gt40 sound/lotus sound/nsx"
    " sound/lamborghinidiablo sound/viper_long"
    " sound/mclarenf1 sound/xj220 sound/impreza2002_engine sound/porsche_engine sound/ford1b",
    "tabla": "tabla_na tabla_re tabla_te1 tabla_tas1 tabla_tun1 tabla_ghe4 tabla_dhec loop_tabla tabla_ke1 tabla_na_s",
}
NOISE_SOUNDS = (
    "resource/LRRain_in_garden_01_LA_cut resource/LRApplauses_1_LA_cut resource/LRDoor_Open_2_LA"
    " resource/LRFireballs_01_LA"
    " resource/LRFactory_noise_01_LA resource/LRFactory_noise_02_LA resource/LRFactory_noise_05_LA"
    " resource/LRHits_01_LA"
    " resource/LRObject_falling_01_LA resource/LRWeird_1_LA resource/LRWeird_4_LA resource/LRHeart_beat_01_LA"
    " naturalforces/lightningbolt sound/road-ride sound/out_of_road sounds/gear_down ambi_drone"
    " ambi_dark_woosh vinyl_hiss"
    " ambi_lunar_land ambi_soft_buzz perc_door perc_swoosh canal_lock/resource/door_open canal_lock/resource/water_fill"
    " watercycle/resource/bubble watercycle/resource/apert dishes/glass dishes/bottle household/kettle"
)

HEARD_AS: dict[str, str] = {
    "bird": "Bird|Chirp, tweet|Bird vocalization, bird call, bird song|Pigeon, dove|Coo",
    "crow": "Crow|Caw",
    "duck": "Duck|Quack",
    "goose": "Goose|Honk|Duck",
    "hen": "Chicken, rooster|Fowl|Cluck",
    "turkey": "Turkey|Gobble",
    "bee": "Bee, wasp, etc.|Insect|Fly, housefly|Buzz",
    "cow": "Cattle, bovinae|Moo",
    "goat": "Goat|Bleat",
    "sheep": "Sheep|Bleat",
    "lion": "Roaring cats (lions, tigers)|Roar",
    "dog": "Dog|Bark|Bow-wow",
    "frog": "Frog|Croak",
    "horse": "Horse|Neigh, whinny",
    "pig": "Pig|Oink",
    "whale": "Whale vocalization",
    "elephant": "Bellow",
    "cello": "Cello|Bowed string instrument",
    "violin": "Violin, fiddle|Bowed string instrument",
    "bassoon": "Wind instrument, woodwind instrument|Bassoon",
    "cymbal": "Cymbal|Hi-hat",
    "drum": "Drum|Drum kit|Snare drum|Bass drum|Percussion",
    "trumpet": "Trumpet|Brass instrument",
    "emergency-car": "Emergency vehicle|Siren|Fire engine, fire truck (siren)",
    "toilet": "Toilet flush",
    "vacuum-cleaner": "Vacuum cleaner",
    "accordion": "Accordion",
    "guitar": "Guitar|Banjo|Plucked string instrument",
    "clarinet": "Clarinet|Wind instrument, woodwind instrument",
    "flute": "Flute|Wind instrument, woodwind instrument",
    "harmonica": "Harmonica",
    "harp": "Harp",
    "horn": "Brass instrument|French horn",
    "maraca": "Maraca",
    "piano": "Piano|Keyboard (musical)|Electric piano",
    "saxophone": "Saxophone",
    "trombone": "Trombone|Brass instrument",
    "tuba": "Brass instrument",
    "train": "Train|Steam whistle|Rail transport",
    "helicopter": "Helicopter|Aircraft",
    "airplane": "Jet engine|Aircraft|Fixed-wing aircraft, airplane",
    "car": "Car|Motor vehicle (road)|Accelerating, revving, vroom|Race car, auto racing",
    "tabla": "Tabla|Drum|Percussion",
    "keyboard": "Typing|Computer keyboard|Typewriter",
    "person": "Speech|Singing|Child speech, kid speaking|Narration, monologue",
    "cat": "Cat|Meow",
    "owl": "Owl|Hoot",
    "cricket": "Cricket|Insect",
    "bell": "Bell|Church bell",
    "marimba": "Marimba, xylophone|Glockenspiel|Mallet percussion",
    "bus": "Bus|Vehicle",
    "truck": "Truck|Vehicle",
}
"""What YAMNet must hear in a recording, at `HEARD_SCORE` at least, for it to count as that label's sound."""
HEARD_SCORE = 0.2

LABEL_SOUNDS: dict[str, str] = {
    **{label: names.split("|")[0] for label, names in HEARD_AS.items()},
    "parrot": "Squawk",
    "motorcycle": "Motorcycle",
    "mower": "Lawn mower",
    "boat": "Motorboat, speedboat",
    "keyboard-instrument": "Keyboard (musical)",
    "tank": "Machine gun",
    "horn": "French horn",
    "man": "Speech",
    "woman": "Speech",
}
"""The one of YAMNet's classes that a label is."""

SOUNDFONT_PROGRAMS: dict[str, tuple[int, ...]] = {
    "piano": (0, 1),
    "accordion": (21,),
    "harmonica": (22,),
    "guitar": (24, 25, 27, 29, 105),
    "violin": (40,),
    "cello": (42,),
    "harp": (46,),
    "trumpet": (56,),
    "trombone": (57,),
    "tuba": (58,),
    "horn": (60,),
    "saxophone": (65, 66),
    "bassoon": (70,),
    "clarinet": (71,),
    "flute": (73,),
}
"""General MIDI programs whose notes YAMNet recognises well enough."""
