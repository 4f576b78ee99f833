<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de_DE" sourcelanguage="en">
<context>
    <name>Sounds</name>
    <message>
        <source>Speech</source>
        <translation>Sprache</translation>
    </message>
    <message>
        <source>Child speech, kid speaking</source>
        <translation>Sprechendes Kind</translation>
    </message>
    <message>
        <source>Conversation</source>
        <translation>Gespräch</translation>
    </message>
    <message>
        <source>Narration, monologue</source>
        <translation>Erzählung, Monolog</translation>
    </message>
    <message>
        <source>Babbling</source>
        <translation>Lallen</translation>
    </message>
    <message>
        <source>Speech synthesizer</source>
        <translation>Künstliche Stimme</translation>
    </message>
    <message>
        <source>Shout</source>
        <translation>Ruf</translation>
    </message>
    <message>
        <source>Bellow</source>
        <translation>Brüllen (Mensch)</translation>
    </message>
    <message>
        <source>Whoop</source>
        <translation>Freudenschrei</translation>
    </message>
    <message>
        <source>Yell</source>
        <translation>Gellender Schrei</translation>
    </message>
    <message>
        <source>Children shouting</source>
        <translation>Rufende Kinder</translation>
    </message>
    <message>
        <source>Screaming</source>
        <translation>Schreien</translation>
    </message>
    <message>
        <source>Whispering</source>
        <translation>Flüstern</translation>
    </message>
    <message>
        <source>Laughter</source>
        <translation>Lachen</translation>
    </message>
    <message>
        <source>Baby laughter</source>
        <translation>Lachendes Baby</translation>
    </message>
    <message>
        <source>Giggle</source>
        <translation>Kichern</translation>
    </message>
    <message>
        <source>Snicker</source>
        <translation>Hämisches Kichern</translation>
    </message>
    <message>
        <source>Belly laugh</source>
        <translation>Schallendes Lachen</translation>
    </message>
    <message>
        <source>Chuckle, chortle</source>
        <translation>Glucksendes Lachen</translation>
    </message>
    <message>
        <source>Crying, sobbing</source>
        <translation>Weinen, Schluchzen</translation>
    </message>
    <message>
        <source>Baby cry, infant cry</source>
        <translation>Weinendes Baby</translation>
    </message>
    <message>
        <source>Whimper</source>
        <translation>Wimmern</translation>
    </message>
    <message>
        <source>Wail, moan</source>
        <translation>Klagen, Stöhnen</translation>
    </message>
    <message>
        <source>Sigh</source>
        <translation>Seufzen</translation>
    </message>
    <message>
        <source>Singing</source>
        <translation>Gesang</translation>
    </message>
    <message>
        <source>Choir</source>
        <translation>Chor</translation>
    </message>
    <message>
        <source>Yodeling</source>
        <translation>Jodeln</translation>
    </message>
    <message>
        <source>Chant</source>
        <translation>Sprechgesang</translation>
    </message>
    <message>
        <source>Mantra</source>
        <translation>Mantra</translation>
    </message>
    <message>
        <source>Child singing</source>
        <translation>Singendes Kind</translation>
    </message>
    <message>
        <source>Synthetic singing</source>
        <translation>Künstlicher Gesang</translation>
    </message>
    <message>
        <source>Rapping</source>
        <translation>Rap</translation>
    </message>
    <message>
        <source>Humming</source>
        <translation>Summen</translation>
    </message>
    <message>
        <source>Groan</source>
        <translation>Ächzen</translation>
    </message>
    <message>
        <source>Grunt</source>
        <translation>Grunzlaut (Mensch)</translation>
    </message>
    <message>
        <source>Whistling</source>
        <translation>Pfeifen</translation>
    </message>
    <message>
        <source>Breathing</source>
        <translation>Atmen</translation>
    </message>
    <message>
        <source>Wheeze</source>
        <translation>Keuchen</translation>
    </message>
    <message>
        <source>Snoring</source>
        <translation>Schnarchen</translation>
    </message>
    <message>
        <source>Gasp</source>
        <translation>Nach Luft schnappen</translation>
    </message>
    <message>
        <source>Pant</source>
        <translation>Hecheln</translation>
    </message>
    <message>
        <source>Snort</source>
        <translation>Schnauben</translation>
    </message>
    <message>
        <source>Cough</source>
        <translation>Husten</translation>
    </message>
    <message>
        <source>Throat clearing</source>
        <translation>Räuspern</translation>
    </message>
    <message>
        <source>Sneeze</source>
        <translation>Niesen</translation>
    </message>
    <message>
        <source>Sniff</source>
        <translation>Schniefen</translation>
    </message>
    <message>
        <source>Run</source>
        <translation>Rennen</translation>
    </message>
    <message>
        <source>Shuffle</source>
        <translation>Schlurfen</translation>
    </message>
    <message>
        <source>Walk, footsteps</source>
        <translation>Gehen, Schritte</translation>
    </message>
    <message>
        <source>Chewing, mastication</source>
        <translation>Kauen</translation>
    </message>
    <message>
        <source>Biting</source>
        <translation>Beißen</translation>
    </message>
    <message>
        <source>Gargling</source>
        <translation>Gurgeln</translation>
    </message>
    <message>
        <source>Stomach rumble</source>
        <translation>Magenknurren</translation>
    </message>
    <message>
        <source>Burping, eructation</source>
        <translation>Aufstoßen, Rülpsen</translation>
    </message>
    <message>
        <source>Hiccup</source>
        <translation>Schluckauf</translation>
    </message>
    <message>
        <source>Fart</source>
        <translation>Furz</translation>
    </message>
    <message>
        <source>Hands</source>
        <translation>Hände</translation>
    </message>
    <message>
        <source>Finger snapping</source>
        <translation>Fingerschnippen</translation>
    </message>
    <message>
        <source>Clapping</source>
        <translation>Klatschen</translation>
    </message>
    <message>
        <source>Heart sounds, heartbeat</source>
        <translation>Herztöne, Herzschlag</translation>
    </message>
    <message>
        <source>Heart murmur</source>
        <translation>Herzgeräusch</translation>
    </message>
    <message>
        <source>Cheering</source>
        <translation>Jubel</translation>
    </message>
    <message>
        <source>Applause</source>
        <translation>Applaus</translation>
    </message>
    <message>
        <source>Chatter</source>
        <translation>Geplauder</translation>
    </message>
    <message>
        <source>Crowd</source>
        <translation>Menschenmenge</translation>
    </message>
    <message>
        <source>Hubbub, speech noise, speech babble</source>
        <translation>Stimmengewirr</translation>
    </message>
    <message>
        <source>Children playing</source>
        <translation>Spielende Kinder</translation>
    </message>
    <message>
        <source>Animal</source>
        <translation>Tier</translation>
    </message>
    <message>
        <source>Domestic animals, pets</source>
        <translation>Haustiere</translation>
    </message>
    <message>
        <source>Dog</source>
        <translation>Hund</translation>
    </message>
    <message>
        <source>Bark</source>
        <translation>Bellen</translation>
    </message>
    <message>
        <source>Yip</source>
        <translation>Kläffen</translation>
    </message>
    <message>
        <source>Howl</source>
        <translation>Heulen</translation>
    </message>
    <message>
        <source>Bow-wow</source>
        <translation>Wauwau</translation>
    </message>
    <message>
        <source>Growling</source>
        <translation>Knurren</translation>
    </message>
    <message>
        <source>Whimper (dog)</source>
        <translation>Winseln (Hund)</translation>
    </message>
    <message>
        <source>Cat</source>
        <translation>Katze</translation>
    </message>
    <message>
        <source>Purr</source>
        <translation>Schnurren</translation>
    </message>
    <message>
        <source>Meow</source>
        <translation>Miauen</translation>
    </message>
    <message>
        <source>Hiss</source>
        <translation>Fauchen</translation>
    </message>
    <message>
        <source>Caterwaul</source>
        <translation>Katzengeschrei</translation>
    </message>
    <message>
        <source>Livestock, farm animals, working animals</source>
        <translation>Nutztiere</translation>
    </message>
    <message>
        <source>Horse</source>
        <translation>Pferd</translation>
    </message>
    <message>
        <source>Clip-clop</source>
        <translation>Hufgeklapper</translation>
    </message>
    <message>
        <source>Neigh, whinny</source>
        <translation>Wiehern</translation>
    </message>
    <message>
        <source>Cattle, bovinae</source>
        <translation>Rinder</translation>
    </message>
    <message>
        <source>Moo</source>
        <translation>Muhen</translation>
    </message>
    <message>
        <source>Cowbell</source>
        <translation>Kuhglocke</translation>
    </message>
    <message>
        <source>Pig</source>
        <translation>Schwein</translation>
    </message>
    <message>
        <source>Oink</source>
        <translation>Grunzen (Schwein)</translation>
    </message>
    <message>
        <source>Goat</source>
        <translation>Ziege</translation>
    </message>
    <message>
        <source>Bleat</source>
        <translation>Meckern, Blöken</translation>
    </message>
    <message>
        <source>Sheep</source>
        <translation>Schaf</translation>
    </message>
    <message>
        <source>Fowl</source>
        <translation>Geflügel</translation>
    </message>
    <message>
        <source>Chicken, rooster</source>
        <translation>Huhn, Hahn</translation>
    </message>
    <message>
        <source>Cluck</source>
        <translation>Gackern</translation>
    </message>
    <message>
        <source>Crowing, cock-a-doodle-doo</source>
        <translation>Krähen (Hahn), Kikeriki</translation>
    </message>
    <message>
        <source>Turkey</source>
        <translation>Truthahn</translation>
    </message>
    <message>
        <source>Gobble</source>
        <translation>Kollern (Truthahn)</translation>
    </message>
    <message>
        <source>Duck</source>
        <translation>Ente</translation>
    </message>
    <message>
        <source>Quack</source>
        <translation>Quaken (Ente)</translation>
    </message>
    <message>
        <source>Goose</source>
        <translation>Gans</translation>
    </message>
    <message>
        <source>Honk</source>
        <translation>Schnattern (Gans)</translation>
    </message>
    <message>
        <source>Wild animals</source>
        <translation>Wilde Tiere</translation>
    </message>
    <message>
        <source>Roaring cats (lions, tigers)</source>
        <translation>Brüllende Großkatzen (Löwen, Tiger)</translation>
    </message>
    <message>
        <source>Roar</source>
        <translation>Brüllen</translation>
    </message>
    <message>
        <source>Bird</source>
        <translation>Vogel</translation>
    </message>
    <message>
        <source>Bird vocalization, bird call, bird song</source>
        <translation>Vogelruf, Vogelgesang</translation>
    </message>
    <message>
        <source>Chirp, tweet</source>
        <translation>Zwitschern</translation>
    </message>
    <message>
        <source>Squawk</source>
        <translation>Vogelkreischen</translation>
    </message>
    <message>
        <source>Pigeon, dove</source>
        <translation>Taube</translation>
    </message>
    <message>
        <source>Coo</source>
        <translation>Gurren</translation>
    </message>
    <message>
        <source>Crow</source>
        <translation>Krähe</translation>
    </message>
    <message>
        <source>Caw</source>
        <translation>Krächzen</translation>
    </message>
    <message>
        <source>Owl</source>
        <translation>Eule</translation>
    </message>
    <message>
        <source>Hoot</source>
        <translation>Eulenruf</translation>
    </message>
    <message>
        <source>Bird flight, flapping wings</source>
        <translation>Vogelflug, Flügelschlagen</translation>
    </message>
    <message>
        <source>Canidae, dogs, wolves</source>
        <translation>Hundeartige, Hunde, Wölfe</translation>
    </message>
    <message>
        <source>Rodents, rats, mice</source>
        <translation>Nagetiere, Ratten, Mäuse</translation>
    </message>
    <message>
        <source>Mouse</source>
        <translation>Maus</translation>
    </message>
    <message>
        <source>Patter</source>
        <translation>Trippeln</translation>
    </message>
    <message>
        <source>Insect</source>
        <translation>Insekt</translation>
    </message>
    <message>
        <source>Cricket</source>
        <translation>Grille</translation>
    </message>
    <message>
        <source>Mosquito</source>
        <translation>Stechmücke</translation>
    </message>
    <message>
        <source>Fly, housefly</source>
        <translation>Fliege, Stubenfliege</translation>
    </message>
    <message>
        <source>Buzz</source>
        <translation>Surren</translation>
    </message>
    <message>
        <source>Bee, wasp, etc.</source>
        <translation>Biene, Wespe usw.</translation>
    </message>
    <message>
        <source>Frog</source>
        <translation>Frosch</translation>
    </message>
    <message>
        <source>Croak</source>
        <translation>Quaken (Frosch)</translation>
    </message>
    <message>
        <source>Snake</source>
        <translation>Schlange</translation>
    </message>
    <message>
        <source>Rattle</source>
        <translation>Rasseln</translation>
    </message>
    <message>
        <source>Whale vocalization</source>
        <translation>Walgesang</translation>
    </message>
    <message>
        <source>Music</source>
        <translation>Musik</translation>
    </message>
    <message>
        <source>Musical instrument</source>
        <translation>Musikinstrument</translation>
    </message>
    <message>
        <source>Plucked string instrument</source>
        <translation>Zupfinstrument</translation>
    </message>
    <message>
        <source>Guitar</source>
        <translation>Gitarre</translation>
    </message>
    <message>
        <source>Electric guitar</source>
        <translation>E-Gitarre</translation>
    </message>
    <message>
        <source>Bass guitar</source>
        <translation>Bassgitarre</translation>
    </message>
    <message>
        <source>Acoustic guitar</source>
        <translation>Akustische Gitarre</translation>
    </message>
    <message>
        <source>Steel guitar, slide guitar</source>
        <translation>Steel-Gitarre, Slide-Gitarre</translation>
    </message>
    <message>
        <source>Tapping (guitar technique)</source>
        <translation>Tapping (Gitarrentechnik)</translation>
    </message>
    <message>
        <source>Strum</source>
        <translation>Schrammeln</translation>
    </message>
    <message>
        <source>Banjo</source>
        <translation>Banjo</translation>
    </message>
    <message>
        <source>Sitar</source>
        <translation>Sitar</translation>
    </message>
    <message>
        <source>Mandolin</source>
        <translation>Mandoline</translation>
    </message>
    <message>
        <source>Zither</source>
        <translation>Zither</translation>
    </message>
    <message>
        <source>Ukulele</source>
        <translation>Ukulele</translation>
    </message>
    <message>
        <source>Keyboard (musical)</source>
        <translation>Tasteninstrument</translation>
    </message>
    <message>
        <source>Piano</source>
        <translation>Klavier</translation>
    </message>
    <message>
        <source>Electric piano</source>
        <translation>E-Piano</translation>
    </message>
    <message>
        <source>Organ</source>
        <translation>Orgel</translation>
    </message>
    <message>
        <source>Electronic organ</source>
        <translation>Elektronische Orgel</translation>
    </message>
    <message>
        <source>Hammond organ</source>
        <translation>Hammondorgel</translation>
    </message>
    <message>
        <source>Synthesizer</source>
        <translation>Synthesizer</translation>
    </message>
    <message>
        <source>Sampler</source>
        <translation>Sampler</translation>
    </message>
    <message>
        <source>Harpsichord</source>
        <translation>Cembalo</translation>
    </message>
    <message>
        <source>Percussion</source>
        <translation>Schlaginstrumente</translation>
    </message>
    <message>
        <source>Drum kit</source>
        <translation>Schlagzeug</translation>
    </message>
    <message>
        <source>Drum machine</source>
        <translation>Drumcomputer</translation>
    </message>
    <message>
        <source>Drum</source>
        <translation>Trommel</translation>
    </message>
    <message>
        <source>Snare drum</source>
        <translation>Kleine Trommel</translation>
    </message>
    <message>
        <source>Rimshot</source>
        <translation>Rimshot</translation>
    </message>
    <message>
        <source>Drum roll</source>
        <translation>Trommelwirbel</translation>
    </message>
    <message>
        <source>Bass drum</source>
        <translation>Große Trommel</translation>
    </message>
    <message>
        <source>Timpani</source>
        <translation>Pauken</translation>
    </message>
    <message>
        <source>Tabla</source>
        <translation>Tabla</translation>
    </message>
    <message>
        <source>Cymbal</source>
        <translation>Becken</translation>
    </message>
    <message>
        <source>Hi-hat</source>
        <translation>Hi-Hat</translation>
    </message>
    <message>
        <source>Wood block</source>
        <translation>Holzblock</translation>
    </message>
    <message>
        <source>Tambourine</source>
        <translation>Tamburin</translation>
    </message>
    <message>
        <source>Rattle (instrument)</source>
        <translation>Rassel (Instrument)</translation>
    </message>
    <message>
        <source>Maraca</source>
        <translation>Maraca</translation>
    </message>
    <message>
        <source>Gong</source>
        <translation>Gong</translation>
    </message>
    <message>
        <source>Tubular bells</source>
        <translation>Röhrenglocken</translation>
    </message>
    <message>
        <source>Mallet percussion</source>
        <translation>Stabspiele</translation>
    </message>
    <message>
        <source>Marimba, xylophone</source>
        <translation>Marimba, Xylophon</translation>
    </message>
    <message>
        <source>Glockenspiel</source>
        <translation>Glockenspiel</translation>
    </message>
    <message>
        <source>Vibraphone</source>
        <translation>Vibraphon</translation>
    </message>
    <message>
        <source>Steelpan</source>
        <translation>Steelpan</translation>
    </message>
    <message>
        <source>Orchestra</source>
        <translation>Orchester</translation>
    </message>
    <message>
        <source>Brass instrument</source>
        <translation>Blechblasinstrument</translation>
    </message>
    <message>
        <source>French horn</source>
        <translation>Waldhorn</translation>
    </message>
    <message>
        <source>Trumpet</source>
        <translation>Trompete</translation>
    </message>
    <message>
        <source>Trombone</source>
        <translation>Posaune</translation>
    </message>
    <message>
        <source>Bowed string instrument</source>
        <translation>Streichinstrument</translation>
    </message>
    <message>
        <source>String section</source>
        <translation>Streicher</translation>
    </message>
    <message>
        <source>Violin, fiddle</source>
        <translation>Violine, Fiedel</translation>
    </message>
    <message>
        <source>Pizzicato</source>
        <translation>Pizzicato</translation>
    </message>
    <message>
        <source>Cello</source>
        <translation>Cello</translation>
    </message>
    <message>
        <source>Double bass</source>
        <translation>Kontrabass</translation>
    </message>
    <message>
        <source>Wind instrument, woodwind instrument</source>
        <translation>Holzblasinstrument</translation>
    </message>
    <message>
        <source>Flute</source>
        <translation>Flöte</translation>
    </message>
    <message>
        <source>Saxophone</source>
        <translation>Saxophon</translation>
    </message>
    <message>
        <source>Clarinet</source>
        <translation>Klarinette</translation>
    </message>
    <message>
        <source>Harp</source>
        <translation>Harfe</translation>
    </message>
    <message>
        <source>Bell</source>
        <translation>Glocke</translation>
    </message>
    <message>
        <source>Church bell</source>
        <translation>Kirchenglocke</translation>
    </message>
    <message>
        <source>Jingle bell</source>
        <translation>Schelle</translation>
    </message>
    <message>
        <source>Bicycle bell</source>
        <translation>Fahrradklingel</translation>
    </message>
    <message>
        <source>Tuning fork</source>
        <translation>Stimmgabel</translation>
    </message>
    <message>
        <source>Chime</source>
        <translation>Glockenklang</translation>
    </message>
    <message>
        <source>Wind chime</source>
        <translation>Windspiel</translation>
    </message>
    <message>
        <source>Change ringing (campanology)</source>
        <translation>Wechselläuten</translation>
    </message>
    <message>
        <source>Harmonica</source>
        <translation>Mundharmonika</translation>
    </message>
    <message>
        <source>Accordion</source>
        <translation>Akkordeon</translation>
    </message>
    <message>
        <source>Bagpipes</source>
        <translation>Dudelsack</translation>
    </message>
    <message>
        <source>Didgeridoo</source>
        <translation>Didgeridoo</translation>
    </message>
    <message>
        <source>Shofar</source>
        <translation>Schofar</translation>
    </message>
    <message>
        <source>Theremin</source>
        <translation>Theremin</translation>
    </message>
    <message>
        <source>Singing bowl</source>
        <translation>Klangschale</translation>
    </message>
    <message>
        <source>Scratching (performance technique)</source>
        <translation>Scratching (Plattenspieler)</translation>
    </message>
    <message>
        <source>Pop music</source>
        <translation>Popmusik</translation>
    </message>
    <message>
        <source>Hip hop music</source>
        <translation>Hip-Hop</translation>
    </message>
    <message>
        <source>Beatboxing</source>
        <translation>Beatboxing</translation>
    </message>
    <message>
        <source>Rock music</source>
        <translation>Rockmusik</translation>
    </message>
    <message>
        <source>Heavy metal</source>
        <translation>Heavy Metal</translation>
    </message>
    <message>
        <source>Punk rock</source>
        <translation>Punkrock</translation>
    </message>
    <message>
        <source>Grunge</source>
        <translation>Grunge</translation>
    </message>
    <message>
        <source>Progressive rock</source>
        <translation>Progressive Rock</translation>
    </message>
    <message>
        <source>Rock and roll</source>
        <translation>Rock ’n’ Roll</translation>
    </message>
    <message>
        <source>Psychedelic rock</source>
        <translation>Psychedelic Rock</translation>
    </message>
    <message>
        <source>Rhythm and blues</source>
        <translation>Rhythm and Blues</translation>
    </message>
    <message>
        <source>Soul music</source>
        <translation>Soul</translation>
    </message>
    <message>
        <source>Reggae</source>
        <translation>Reggae</translation>
    </message>
    <message>
        <source>Country</source>
        <translation>Country</translation>
    </message>
    <message>
        <source>Swing music</source>
        <translation>Swing</translation>
    </message>
    <message>
        <source>Bluegrass</source>
        <translation>Bluegrass</translation>
    </message>
    <message>
        <source>Funk</source>
        <translation>Funk</translation>
    </message>
    <message>
        <source>Folk music</source>
        <translation>Volksmusik</translation>
    </message>
    <message>
        <source>Middle Eastern music</source>
        <translation>Musik des Nahen Ostens</translation>
    </message>
    <message>
        <source>Jazz</source>
        <translation>Jazz</translation>
    </message>
    <message>
        <source>Disco</source>
        <translation>Disco</translation>
    </message>
    <message>
        <source>Classical music</source>
        <translation>Klassische Musik</translation>
    </message>
    <message>
        <source>Opera</source>
        <translation>Oper</translation>
    </message>
    <message>
        <source>Electronic music</source>
        <translation>Elektronische Musik</translation>
    </message>
    <message>
        <source>House music</source>
        <translation>House</translation>
    </message>
    <message>
        <source>Techno</source>
        <translation>Techno</translation>
    </message>
    <message>
        <source>Dubstep</source>
        <translation>Dubstep</translation>
    </message>
    <message>
        <source>Drum and bass</source>
        <translation>Drum and Bass</translation>
    </message>
    <message>
        <source>Electronica</source>
        <translation>Electronica</translation>
    </message>
    <message>
        <source>Electronic dance music</source>
        <translation>Elektronische Tanzmusik</translation>
    </message>
    <message>
        <source>Ambient music</source>
        <translation>Ambient</translation>
    </message>
    <message>
        <source>Trance music</source>
        <translation>Trance</translation>
    </message>
    <message>
        <source>Music of Latin America</source>
        <translation>Lateinamerikanische Musik</translation>
    </message>
    <message>
        <source>Salsa music</source>
        <translation>Salsa</translation>
    </message>
    <message>
        <source>Flamenco</source>
        <translation>Flamenco</translation>
    </message>
    <message>
        <source>Blues</source>
        <translation>Blues</translation>
    </message>
    <message>
        <source>Music for children</source>
        <translation>Kindermusik</translation>
    </message>
    <message>
        <source>New-age music</source>
        <translation>New-Age-Musik</translation>
    </message>
    <message>
        <source>Vocal music</source>
        <translation>Vokalmusik</translation>
    </message>
    <message>
        <source>A capella</source>
        <translation>A cappella</translation>
    </message>
    <message>
        <source>Music of Africa</source>
        <translation>Afrikanische Musik</translation>
    </message>
    <message>
        <source>Afrobeat</source>
        <translation>Afrobeat</translation>
    </message>
    <message>
        <source>Christian music</source>
        <translation>Christliche Musik</translation>
    </message>
    <message>
        <source>Gospel music</source>
        <translation>Gospel</translation>
    </message>
    <message>
        <source>Music of Asia</source>
        <translation>Asiatische Musik</translation>
    </message>
    <message>
        <source>Carnatic music</source>
        <translation>Karnatische Musik</translation>
    </message>
    <message>
        <source>Music of Bollywood</source>
        <translation>Bollywood-Musik</translation>
    </message>
    <message>
        <source>Ska</source>
        <translation>Ska</translation>
    </message>
    <message>
        <source>Traditional music</source>
        <translation>Traditionelle Musik</translation>
    </message>
    <message>
        <source>Independent music</source>
        <translation>Independent-Musik</translation>
    </message>
    <message>
        <source>Song</source>
        <translation>Lied</translation>
    </message>
    <message>
        <source>Background music</source>
        <translation>Hintergrundmusik</translation>
    </message>
    <message>
        <source>Theme music</source>
        <translation>Titelmusik</translation>
    </message>
    <message>
        <source>Jingle (music)</source>
        <translation>Jingle (Musik)</translation>
    </message>
    <message>
        <source>Soundtrack music</source>
        <translation>Filmmusik</translation>
    </message>
    <message>
        <source>Lullaby</source>
        <translation>Wiegenlied</translation>
    </message>
    <message>
        <source>Video game music</source>
        <translation>Videospielmusik</translation>
    </message>
    <message>
        <source>Christmas music</source>
        <translation>Weihnachtsmusik</translation>
    </message>
    <message>
        <source>Dance music</source>
        <translation>Tanzmusik</translation>
    </message>
    <message>
        <source>Wedding music</source>
        <translation>Hochzeitsmusik</translation>
    </message>
    <message>
        <source>Happy music</source>
        <translation>Fröhliche Musik</translation>
    </message>
    <message>
        <source>Sad music</source>
        <translation>Traurige Musik</translation>
    </message>
    <message>
        <source>Tender music</source>
        <translation>Zarte Musik</translation>
    </message>
    <message>
        <source>Exciting music</source>
        <translation>Aufregende Musik</translation>
    </message>
    <message>
        <source>Angry music</source>
        <translation>Wütende Musik</translation>
    </message>
    <message>
        <source>Scary music</source>
        <translation>Gruselige Musik</translation>
    </message>
    <message>
        <source>Wind</source>
        <translation>Wind</translation>
    </message>
    <message>
        <source>Rustling leaves</source>
        <translation>Raschelnde Blätter</translation>
    </message>
    <message>
        <source>Wind noise (microphone)</source>
        <translation>Wind im Mikrofon</translation>
    </message>
    <message>
        <source>Thunderstorm</source>
        <translation>Gewitter</translation>
    </message>
    <message>
        <source>Thunder</source>
        <translation>Donner</translation>
    </message>
    <message>
        <source>Water</source>
        <translation>Wasser</translation>
    </message>
    <message>
        <source>Rain</source>
        <translation>Regen</translation>
    </message>
    <message>
        <source>Raindrop</source>
        <translation>Regentropfen</translation>
    </message>
    <message>
        <source>Rain on surface</source>
        <translation>Prasselnder Regen</translation>
    </message>
    <message>
        <source>Stream</source>
        <translation>Bach</translation>
    </message>
    <message>
        <source>Waterfall</source>
        <translation>Wasserfall</translation>
    </message>
    <message>
        <source>Ocean</source>
        <translation>Meer</translation>
    </message>
    <message>
        <source>Waves, surf</source>
        <translation>Wellen, Brandung</translation>
    </message>
    <message>
        <source>Steam</source>
        <translation>Dampf</translation>
    </message>
    <message>
        <source>Gurgling</source>
        <translation>Gluckern</translation>
    </message>
    <message>
        <source>Fire</source>
        <translation>Feuer</translation>
    </message>
    <message>
        <source>Crackle</source>
        <translation>Knistern</translation>
    </message>
    <message>
        <source>Vehicle</source>
        <translation>Fahrzeug</translation>
    </message>
    <message>
        <source>Boat, Water vehicle</source>
        <translation>Boot, Wasserfahrzeug</translation>
    </message>
    <message>
        <source>Sailboat, sailing ship</source>
        <translation>Segelboot, Segelschiff</translation>
    </message>
    <message>
        <source>Rowboat, canoe, kayak</source>
        <translation>Ruderboot, Kanu, Kajak</translation>
    </message>
    <message>
        <source>Motorboat, speedboat</source>
        <translation>Motorboot, Rennboot</translation>
    </message>
    <message>
        <source>Ship</source>
        <translation>Schiff</translation>
    </message>
    <message>
        <source>Motor vehicle (road)</source>
        <translation>Kraftfahrzeug</translation>
    </message>
    <message>
        <source>Car</source>
        <translation>Auto</translation>
    </message>
    <message>
        <source>Vehicle horn, car horn, honking</source>
        <translation>Autohupe, Hupen</translation>
    </message>
    <message>
        <source>Toot</source>
        <translation>Tuten</translation>
    </message>
    <message>
        <source>Car alarm</source>
        <translation>Auto-Alarmanlage</translation>
    </message>
    <message>
        <source>Power windows, electric windows</source>
        <translation>Elektrische Fensterheber</translation>
    </message>
    <message>
        <source>Skidding</source>
        <translation>Schleudern (Fahrzeug)</translation>
    </message>
    <message>
        <source>Tire squeal</source>
        <translation>Reifenquietschen</translation>
    </message>
    <message>
        <source>Car passing by</source>
        <translation>Vorbeifahrendes Auto</translation>
    </message>
    <message>
        <source>Race car, auto racing</source>
        <translation>Rennwagen, Autorennen</translation>
    </message>
    <message>
        <source>Truck</source>
        <translation>Lastwagen</translation>
    </message>
    <message>
        <source>Air brake</source>
        <translation>Druckluftbremse</translation>
    </message>
    <message>
        <source>Air horn, truck horn</source>
        <translation>Drucklufthorn, Lastwagenhupe</translation>
    </message>
    <message>
        <source>Reversing beeps</source>
        <translation>Rückfahrpiepser</translation>
    </message>
    <message>
        <source>Ice cream truck, ice cream van</source>
        <translation>Eiswagen</translation>
    </message>
    <message>
        <source>Bus</source>
        <translation>Bus</translation>
    </message>
    <message>
        <source>Emergency vehicle</source>
        <translation>Einsatzfahrzeug</translation>
    </message>
    <message>
        <source>Police car (siren)</source>
        <translation>Polizeiauto (Sirene)</translation>
    </message>
    <message>
        <source>Ambulance (siren)</source>
        <translation>Krankenwagen (Sirene)</translation>
    </message>
    <message>
        <source>Fire engine, fire truck (siren)</source>
        <translation>Feuerwehr (Sirene)</translation>
    </message>
    <message>
        <source>Motorcycle</source>
        <translation>Motorrad</translation>
    </message>
    <message>
        <source>Traffic noise, roadway noise</source>
        <translation>Verkehrslärm, Straßenlärm</translation>
    </message>
    <message>
        <source>Rail transport</source>
        <translation>Schienenverkehr</translation>
    </message>
    <message>
        <source>Train</source>
        <translation>Zug</translation>
    </message>
    <message>
        <source>Train whistle</source>
        <translation>Zugpfeife</translation>
    </message>
    <message>
        <source>Train horn</source>
        <translation>Zughorn</translation>
    </message>
    <message>
        <source>Railroad car, train wagon</source>
        <translation>Eisenbahnwagen</translation>
    </message>
    <message>
        <source>Train wheels squealing</source>
        <translation>Quietschende Zugräder</translation>
    </message>
    <message>
        <source>Subway, metro, underground</source>
        <translation>U-Bahn</translation>
    </message>
    <message>
        <source>Aircraft</source>
        <translation>Luftfahrzeug</translation>
    </message>
    <message>
        <source>Aircraft engine</source>
        <translation>Flugzeugtriebwerk</translation>
    </message>
    <message>
        <source>Jet engine</source>
        <translation>Düsentriebwerk</translation>
    </message>
    <message>
        <source>Propeller, airscrew</source>
        <translation>Propeller, Luftschraube</translation>
    </message>
    <message>
        <source>Helicopter</source>
        <translation>Hubschrauber</translation>
    </message>
    <message>
        <source>Fixed-wing aircraft, airplane</source>
        <translation>Flugzeug (Starrflügler)</translation>
    </message>
    <message>
        <source>Bicycle</source>
        <translation>Fahrrad</translation>
    </message>
    <message>
        <source>Skateboard</source>
        <translation>Skateboard</translation>
    </message>
    <message>
        <source>Engine</source>
        <translation>Motor</translation>
    </message>
    <message>
        <source>Light engine (high frequency)</source>
        <translation>Kleiner Motor (hohe Frequenz)</translation>
    </message>
    <message>
        <source>Dental drill, dentist&apos;s drill</source>
        <translation>Zahnarztbohrer</translation>
    </message>
    <message>
        <source>Lawn mower</source>
        <translation>Rasenmäher</translation>
    </message>
    <message>
        <source>Chainsaw</source>
        <translation>Kettensäge</translation>
    </message>
    <message>
        <source>Medium engine (mid frequency)</source>
        <translation>Mittlerer Motor (mittlere Frequenz)</translation>
    </message>
    <message>
        <source>Heavy engine (low frequency)</source>
        <translation>Schwerer Motor (tiefe Frequenz)</translation>
    </message>
    <message>
        <source>Engine knocking</source>
        <translation>Motorklopfen</translation>
    </message>
    <message>
        <source>Engine starting</source>
        <translation>Startender Motor</translation>
    </message>
    <message>
        <source>Idling</source>
        <translation>Leerlauf</translation>
    </message>
    <message>
        <source>Accelerating, revving, vroom</source>
        <translation>Aufheulender Motor, Beschleunigen</translation>
    </message>
    <message>
        <source>Door</source>
        <translation>Tür</translation>
    </message>
    <message>
        <source>Doorbell</source>
        <translation>Türklingel</translation>
    </message>
    <message>
        <source>Ding-dong</source>
        <translation>Dingdong</translation>
    </message>
    <message>
        <source>Sliding door</source>
        <translation>Schiebetür</translation>
    </message>
    <message>
        <source>Slam</source>
        <translation>Zuschlagen</translation>
    </message>
    <message>
        <source>Knock</source>
        <translation>Klopfen</translation>
    </message>
    <message>
        <source>Tap</source>
        <translation>Antippen</translation>
    </message>
    <message>
        <source>Squeak</source>
        <translation>Quietschen</translation>
    </message>
    <message>
        <source>Cupboard open or close</source>
        <translation>Schrank auf oder zu</translation>
    </message>
    <message>
        <source>Drawer open or close</source>
        <translation>Schublade auf oder zu</translation>
    </message>
    <message>
        <source>Dishes, pots, and pans</source>
        <translation>Geschirr, Töpfe und Pfannen</translation>
    </message>
    <message>
        <source>Cutlery, silverware</source>
        <translation>Besteck</translation>
    </message>
    <message>
        <source>Chopping (food)</source>
        <translation>Hacken (Speisen)</translation>
    </message>
    <message>
        <source>Frying (food)</source>
        <translation>Braten (Speisen)</translation>
    </message>
    <message>
        <source>Microwave oven</source>
        <translation>Mikrowelle</translation>
    </message>
    <message>
        <source>Blender</source>
        <translation>Mixer</translation>
    </message>
    <message>
        <source>Water tap, faucet</source>
        <translation>Wasserhahn</translation>
    </message>
    <message>
        <source>Sink (filling or washing)</source>
        <translation>Waschbecken (Füllen, Waschen)</translation>
    </message>
    <message>
        <source>Bathtub (filling or washing)</source>
        <translation>Badewanne (Füllen, Waschen)</translation>
    </message>
    <message>
        <source>Hair dryer</source>
        <translation>Haartrockner</translation>
    </message>
    <message>
        <source>Toilet flush</source>
        <translation>Toilettenspülung</translation>
    </message>
    <message>
        <source>Toothbrush</source>
        <translation>Zahnbürste</translation>
    </message>
    <message>
        <source>Electric toothbrush</source>
        <translation>Elektrische Zahnbürste</translation>
    </message>
    <message>
        <source>Vacuum cleaner</source>
        <translation>Staubsauger</translation>
    </message>
    <message>
        <source>Zipper (clothing)</source>
        <translation>Reißverschluss</translation>
    </message>
    <message>
        <source>Keys jangling</source>
        <translation>Schlüsselklappern</translation>
    </message>
    <message>
        <source>Coin (dropping)</source>
        <translation>Münze (fallend)</translation>
    </message>
    <message>
        <source>Scissors</source>
        <translation>Schere</translation>
    </message>
    <message>
        <source>Electric shaver, electric razor</source>
        <translation>Elektrorasierer</translation>
    </message>
    <message>
        <source>Shuffling cards</source>
        <translation>Kartenmischen</translation>
    </message>
    <message>
        <source>Typing</source>
        <translation>Tippen</translation>
    </message>
    <message>
        <source>Typewriter</source>
        <translation>Schreibmaschine</translation>
    </message>
    <message>
        <source>Computer keyboard</source>
        <translation>Computertastatur</translation>
    </message>
    <message>
        <source>Writing</source>
        <translation>Schreiben</translation>
    </message>
    <message>
        <source>Alarm</source>
        <translation>Alarm</translation>
    </message>
    <message>
        <source>Telephone</source>
        <translation>Telefon</translation>
    </message>
    <message>
        <source>Telephone bell ringing</source>
        <translation>Telefonklingeln</translation>
    </message>
    <message>
        <source>Ringtone</source>
        <translation>Klingelton</translation>
    </message>
    <message>
        <source>Telephone dialing, DTMF</source>
        <translation>Telefonwahl, Tonwahl</translation>
    </message>
    <message>
        <source>Dial tone</source>
        <translation>Wählton</translation>
    </message>
    <message>
        <source>Busy signal</source>
        <translation>Besetztzeichen</translation>
    </message>
    <message>
        <source>Alarm clock</source>
        <translation>Wecker</translation>
    </message>
    <message>
        <source>Siren</source>
        <translation>Sirene</translation>
    </message>
    <message>
        <source>Civil defense siren</source>
        <translation>Luftschutzsirene</translation>
    </message>
    <message>
        <source>Buzzer</source>
        <translation>Summer</translation>
    </message>
    <message>
        <source>Smoke detector, smoke alarm</source>
        <translation>Rauchmelder</translation>
    </message>
    <message>
        <source>Fire alarm</source>
        <translation>Feueralarm</translation>
    </message>
    <message>
        <source>Foghorn</source>
        <translation>Nebelhorn</translation>
    </message>
    <message>
        <source>Whistle</source>
        <translation>Pfeife</translation>
    </message>
    <message>
        <source>Steam whistle</source>
        <translation>Dampfpfeife</translation>
    </message>
    <message>
        <source>Mechanisms</source>
        <translation>Mechanik</translation>
    </message>
    <message>
        <source>Ratchet, pawl</source>
        <translation>Ratsche, Sperrklinke</translation>
    </message>
    <message>
        <source>Clock</source>
        <translation>Uhr</translation>
    </message>
    <message>
        <source>Tick</source>
        <translation>Ticken</translation>
    </message>
    <message>
        <source>Tick-tock</source>
        <translation>Ticktack</translation>
    </message>
    <message>
        <source>Gears</source>
        <translation>Zahnräder</translation>
    </message>
    <message>
        <source>Pulleys</source>
        <translation>Flaschenzüge</translation>
    </message>
    <message>
        <source>Sewing machine</source>
        <translation>Nähmaschine</translation>
    </message>
    <message>
        <source>Mechanical fan</source>
        <translation>Ventilator</translation>
    </message>
    <message>
        <source>Air conditioning</source>
        <translation>Klimaanlage</translation>
    </message>
    <message>
        <source>Cash register</source>
        <translation>Registrierkasse</translation>
    </message>
    <message>
        <source>Printer</source>
        <translation>Drucker</translation>
    </message>
    <message>
        <source>Camera</source>
        <translation>Kamera</translation>
    </message>
    <message>
        <source>Single-lens reflex camera</source>
        <translation>Spiegelreflexkamera</translation>
    </message>
    <message>
        <source>Tools</source>
        <translation>Werkzeuge</translation>
    </message>
    <message>
        <source>Hammer</source>
        <translation>Hammer</translation>
    </message>
    <message>
        <source>Jackhammer</source>
        <translation>Presslufthammer</translation>
    </message>
    <message>
        <source>Sawing</source>
        <translation>Sägen</translation>
    </message>
    <message>
        <source>Filing (rasp)</source>
        <translation>Feilen (Raspel)</translation>
    </message>
    <message>
        <source>Sanding</source>
        <translation>Schleifen</translation>
    </message>
    <message>
        <source>Power tool</source>
        <translation>Elektrowerkzeug</translation>
    </message>
    <message>
        <source>Drill</source>
        <translation>Bohrer</translation>
    </message>
    <message>
        <source>Explosion</source>
        <translation>Explosion</translation>
    </message>
    <message>
        <source>Gunshot, gunfire</source>
        <translation>Schuss, Schüsse</translation>
    </message>
    <message>
        <source>Machine gun</source>
        <translation>Maschinengewehr</translation>
    </message>
    <message>
        <source>Fusillade</source>
        <translation>Gewehrsalve</translation>
    </message>
    <message>
        <source>Artillery fire</source>
        <translation>Artilleriefeuer</translation>
    </message>
    <message>
        <source>Cap gun</source>
        <translation>Spielzeugpistole</translation>
    </message>
    <message>
        <source>Fireworks</source>
        <translation>Feuerwerk</translation>
    </message>
    <message>
        <source>Firecracker</source>
        <translation>Knallkörper</translation>
    </message>
    <message>
        <source>Burst, pop</source>
        <translation>Platzen, Knall</translation>
    </message>
    <message>
        <source>Eruption</source>
        <translation>Ausbruch</translation>
    </message>
    <message>
        <source>Boom</source>
        <translation>Dröhnen</translation>
    </message>
    <message>
        <source>Wood</source>
        <translation>Holz</translation>
    </message>
    <message>
        <source>Chop</source>
        <translation>Hacken (Holz)</translation>
    </message>
    <message>
        <source>Splinter</source>
        <translation>Splittern</translation>
    </message>
    <message>
        <source>Crack</source>
        <translation>Knacken</translation>
    </message>
    <message>
        <source>Glass</source>
        <translation>Glas</translation>
    </message>
    <message>
        <source>Chink, clink</source>
        <translation>Gläserklirren</translation>
    </message>
    <message>
        <source>Shatter</source>
        <translation>Zersplittern</translation>
    </message>
    <message>
        <source>Liquid</source>
        <translation>Flüssigkeit</translation>
    </message>
    <message>
        <source>Splash, splatter</source>
        <translation>Platschen, Spritzen</translation>
    </message>
    <message>
        <source>Slosh</source>
        <translation>Schwappen</translation>
    </message>
    <message>
        <source>Squish</source>
        <translation>Matschen</translation>
    </message>
    <message>
        <source>Drip</source>
        <translation>Tropfen</translation>
    </message>
    <message>
        <source>Pour</source>
        <translation>Gießen</translation>
    </message>
    <message>
        <source>Trickle, dribble</source>
        <translation>Rinnen, Tröpfeln</translation>
    </message>
    <message>
        <source>Gush</source>
        <translation>Herausschießen</translation>
    </message>
    <message>
        <source>Fill (with liquid)</source>
        <translation>Einfüllen (Flüssigkeit)</translation>
    </message>
    <message>
        <source>Spray</source>
        <translation>Sprühen</translation>
    </message>
    <message>
        <source>Pump (liquid)</source>
        <translation>Pumpe (Flüssigkeit)</translation>
    </message>
    <message>
        <source>Stir</source>
        <translation>Rühren</translation>
    </message>
    <message>
        <source>Boiling</source>
        <translation>Sieden</translation>
    </message>
    <message>
        <source>Sonar</source>
        <translation>Sonar</translation>
    </message>
    <message>
        <source>Arrow</source>
        <translation>Pfeil</translation>
    </message>
    <message>
        <source>Whoosh, swoosh, swish</source>
        <translation>Rauschen, Zischen (Bewegung)</translation>
    </message>
    <message>
        <source>Thump, thud</source>
        <translation>Dumpfer Aufprall</translation>
    </message>
    <message>
        <source>Thunk</source>
        <translation>Dumpfer Schlag</translation>
    </message>
    <message>
        <source>Electronic tuner</source>
        <translation>Elektronisches Stimmgerät</translation>
    </message>
    <message>
        <source>Effects unit</source>
        <translation>Effektgerät</translation>
    </message>
    <message>
        <source>Chorus effect</source>
        <translation>Chorus-Effekt</translation>
    </message>
    <message>
        <source>Basketball bounce</source>
        <translation>Prellender Basketball</translation>
    </message>
    <message>
        <source>Bang</source>
        <translation>Knall</translation>
    </message>
    <message>
        <source>Slap, smack</source>
        <translation>Klaps, Klatscher</translation>
    </message>
    <message>
        <source>Whack, thwack</source>
        <translation>Schlag, Hieb</translation>
    </message>
    <message>
        <source>Smash, crash</source>
        <translation>Zerschmettern, Krachen</translation>
    </message>
    <message>
        <source>Breaking</source>
        <translation>Zerbrechen</translation>
    </message>
    <message>
        <source>Bouncing</source>
        <translation>Hüpfen, Prellen</translation>
    </message>
    <message>
        <source>Whip</source>
        <translation>Peitsche</translation>
    </message>
    <message>
        <source>Flap</source>
        <translation>Flattern</translation>
    </message>
    <message>
        <source>Scratch</source>
        <translation>Kratzen</translation>
    </message>
    <message>
        <source>Scrape</source>
        <translation>Schaben</translation>
    </message>
    <message>
        <source>Rub</source>
        <translation>Reiben</translation>
    </message>
    <message>
        <source>Roll</source>
        <translation>Rollen</translation>
    </message>
    <message>
        <source>Crushing</source>
        <translation>Zermalmen</translation>
    </message>
    <message>
        <source>Crumpling, crinkling</source>
        <translation>Knüllen, Knistern</translation>
    </message>
    <message>
        <source>Tearing</source>
        <translation>Zerreißen</translation>
    </message>
    <message>
        <source>Beep, bleep</source>
        <translation>Piepton</translation>
    </message>
    <message>
        <source>Ping</source>
        <translation>Ping</translation>
    </message>
    <message>
        <source>Ding</source>
        <translation>Kling</translation>
    </message>
    <message>
        <source>Clang</source>
        <translation>Scheppern</translation>
    </message>
    <message>
        <source>Squeal</source>
        <translation>Quietschlaut</translation>
    </message>
    <message>
        <source>Creak</source>
        <translation>Knarren</translation>
    </message>
    <message>
        <source>Rustle</source>
        <translation>Rascheln</translation>
    </message>
    <message>
        <source>Whir</source>
        <translation>Schwirren</translation>
    </message>
    <message>
        <source>Clatter</source>
        <translation>Klappern</translation>
    </message>
    <message>
        <source>Sizzle</source>
        <translation>Brutzeln</translation>
    </message>
    <message>
        <source>Clicking</source>
        <translation>Klicken</translation>
    </message>
    <message>
        <source>Clickety-clack</source>
        <translation>Klickediklack</translation>
    </message>
    <message>
        <source>Rumble</source>
        <translation>Grollen</translation>
    </message>
    <message>
        <source>Plop</source>
        <translation>Plumpsen</translation>
    </message>
    <message>
        <source>Jingle, tinkle</source>
        <translation>Klimpern</translation>
    </message>
    <message>
        <source>Hum</source>
        <translation>Brummen</translation>
    </message>
    <message>
        <source>Zing</source>
        <translation>Sirren</translation>
    </message>
    <message>
        <source>Boing</source>
        <translation>Boing</translation>
    </message>
    <message>
        <source>Crunch</source>
        <translation>Knirschen</translation>
    </message>
    <message>
        <source>Silence</source>
        <translation>Stille</translation>
    </message>
    <message>
        <source>Sine wave</source>
        <translation>Sinuston</translation>
    </message>
    <message>
        <source>Harmonic</source>
        <translation>Obertöne</translation>
    </message>
    <message>
        <source>Chirp tone</source>
        <translation>Gleitton (Chirp)</translation>
    </message>
    <message>
        <source>Sound effect</source>
        <translation>Klangeffekt</translation>
    </message>
    <message>
        <source>Pulse</source>
        <translation>Puls</translation>
    </message>
    <message>
        <source>Inside, small room</source>
        <translation>Innen, kleiner Raum</translation>
    </message>
    <message>
        <source>Inside, large room or hall</source>
        <translation>Innen, großer Raum oder Saal</translation>
    </message>
    <message>
        <source>Inside, public space</source>
        <translation>Innen, öffentlicher Raum</translation>
    </message>
    <message>
        <source>Outside, urban or manmade</source>
        <translation>Außen, städtisch oder bebaut</translation>
    </message>
    <message>
        <source>Outside, rural or natural</source>
        <translation>Außen, ländlich oder natürlich</translation>
    </message>
    <message>
        <source>Reverberation</source>
        <translation>Nachhall</translation>
    </message>
    <message>
        <source>Echo</source>
        <translation>Echo</translation>
    </message>
    <message>
        <source>Noise</source>
        <translation>Lärm, Geräusch</translation>
    </message>
    <message>
        <source>Environmental noise</source>
        <translation>Umgebungsgeräusch</translation>
    </message>
    <message>
        <source>Static</source>
        <translation>Statisches Rauschen</translation>
    </message>
    <message>
        <source>Mains hum</source>
        <translation>Netzbrummen</translation>
    </message>
    <message>
        <source>Distortion</source>
        <translation>Verzerrung</translation>
    </message>
    <message>
        <source>Sidetone</source>
        <translation>Mithörton</translation>
    </message>
    <message>
        <source>Cacophony</source>
        <translation>Kakophonie</translation>
    </message>
    <message>
        <source>White noise</source>
        <translation>Weißes Rauschen</translation>
    </message>
    <message>
        <source>Pink noise</source>
        <translation>Rosa Rauschen</translation>
    </message>
    <message>
        <source>Throbbing</source>
        <translation>Pulsierendes Brummen</translation>
    </message>
    <message>
        <source>Vibration</source>
        <translation>Vibration</translation>
    </message>
    <message>
        <source>Television</source>
        <translation>Fernsehen</translation>
    </message>
    <message>
        <source>Radio</source>
        <translation>Radio</translation>
    </message>
    <message>
        <source>Field recording</source>
        <translation>Außenaufnahme</translation>
    </message>
</context>
</TS>
