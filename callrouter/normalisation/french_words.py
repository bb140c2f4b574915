"""Tables of French: what is said for what is written, and the names of the letters."""

from __future__ import annotations

from collections.abc import Mapping
from string import ascii_lowercase

_LETTER_NAMES = (
    *("a", "bé", "cé", "dé", "euh", "effe", "gé", "hache", "i", "ji", "ka", "elle", "emme"),
    *("enne", "o", "pé", "ku", "erre", "esse", "té", "u", "vé", "double vé", "ixe", "i grec", "zède"),
)
LETTERS: Mapping[str, str] = dict(zip(ascii_lowercase, _LETTER_NAMES, strict=True))

TITLES: Mapping[str, str] = {
    "M.": "monsieur",
    "Mr": "monsieur",
    "MM.": "messieurs",
    "Mme": "madame",
    "Mmes": "mesdames",
    "Mlle": "mademoiselle",
    "Mlles": "mesdemoiselles",
    "Me": "maître",
    "Mes": "maîtres",
    "Mgr": "monseigneur",
    "Dr": "docteur",
    "Drs": "docteurs",
    "Dre": "docteure",
    "Pr": "professeur",
    "Pre": "professeure",
    "Vve": "veuve",
}
"""Before a name; `Me voici` holds none."""

SAINTS: Mapping[str, str] = {"St": "saint", "Ste": "sainte", "Sts": "saints", "Stes": "saintes"}

DOTTED: Mapping[str, str] = {
    "av.": "avenue",
    "bât.": "bâtiment",
    "bd.": "boulevard",
    "bld.": "boulevard",
    "boul.": "boulevard",
    "c.-à-d.": "c'est-à-dire",
    "cf.": "voir",
    "chem.": "chemin",
    "env.": "environ",
    "esc.": "escalier",
    "etc.": "et cétéra.",
    "ex.": "exemple",
    "fg.": "faubourg",
    "imp.": "impasse",
    "p. ex.": "par exemple",
    "p.ex.": "par exemple",
    "pl.": "place",
    "rte.": "route",
    "tél.": "téléphone",
}
"""Abbreviations that end in a dot, in small letters; written large they are found too."""

UNDOTTED: Mapping[str, str] = {
    "apt": "appartement",
    "appt": "appartement",
    "bd": "boulevard",
    "bld": "boulevard",
    "cie": "compagnie",
    "ets": "établissements",
    "éts": "établissements",
    "rdv": "rendez-vous",
    "rte": "route",
    "stp": "s'il te plaît",
    "svp": "s'il vous plaît",
    "tél": "téléphone",
}

CAPITALS: Mapping[str, str] = {
    "ANPE": "a enne pé euh",
    "CNAM": "quename",
    "CPAM": "cé pé a emme",
    "CROUS": "crousse",
    "DREAL": "dréal",
    "EHPAD": "épade",
    "EURL": "euh u erre elle",
    "HT": "hors taxes",
    "INSEE": "inssé",
    "MAIF": "ma-ife",
    "MGEN": "emme gé euh enne",
    "MSA": "emme esse a",
    "NB": "nota béné",
    "OPCO": "opco",
    "PACS": "paxe",
    "RDV": "rendez-vous",
    "RIB": "ribe",
    "SA": "esse a",
    "SACEM": "sacème",
    "SARL": "esse a erre elle",
    "SASU": "sasu",
    "SCOP": "scope",
    "SELARL": "sélarle",
    "SELAS": "sélasse",
    "SELASU": "sélasu",
    "SOS": "esse o esse",
    "SVP": "s'il vous plaît",
    "TTC": "toutes taxes comprises",
    "URSSAF": "ursaf",
    "ZAC": "zaque",
}
"""Words in capitals that their letters do not tell how to say."""

_SHORT = """
    AU AUX AXA BIO BIS BON BUS CAF CE CES DE DES DIX DU DUE EN ET EST ETE EUX FAX GAN GAZ ICI IL ILS JE LA LE LES LUI
    MA ME MER MES MOI NE NI NON NOS NOUS ON OU OUI PAR PAS PIN PRO QUE QUI RUE SE SIX SES SI SIM SON SUD SUR TA TER TES
    TOI TOM TON TU UN UNE VOS VU
"""
SHORT_WORDS = frozenset(_SHORT.split())
"""Words of two or three letters; what else is that short, and in capitals, is spelt."""

UNACCENTED: Mapping[str, str] = {
    "CONGES": "congés",
    "ETAGE": "étage",
    "ETES": "êtes",
    "ETRE": "être",
    "MEDECIN": "médecin",
    "NUMERO": "numéro",
    "REPONDEUR": "répondeur",
    "SECRETARIAT": "secrétariat",
    "SOCIETE": "société",
    "TELEPHONE": "téléphone",
}
"""Words that are often written in capitals without their accents."""

UNITS: Mapping[str, tuple[str, str]] = {
    "°C": ("degré", "degrés"),
    "°": ("degré", "degrés"),
    "cm": ("centimètre", "centimètres"),
    "g": ("gramme", "grammes"),
    "Go": ("gigaoctet", "gigaoctets"),
    "kg": ("kilo", "kilos"),
    "km": ("kilomètre", "kilomètres"),
    "km/h": ("kilomètre heure", "kilomètres heure"),
    "kWh": ("kilowatt heure", "kilowatt heures"),
    "l": ("litre", "litres"),
    "m": ("mètre", "mètres"),
    "m2": ("mètre carré", "mètres carrés"),
    "m3": ("mètre cube", "mètres cubes"),
    "m²": ("mètre carré", "mètres carrés"),
    "m³": ("mètre cube", "mètres cubes"),
    "min": ("minute", "minutes"),
    "mm": ("millimètre", "millimètres"),
    "mn": ("minute", "minutes"),
    "Mo": ("mégaoctet", "mégaoctets"),
    "s": ("seconde", "secondes"),
    "sec": ("seconde", "secondes"),
}
"""After a number: one, and several."""

PER: Mapping[str, str] = {
    "an": "par an",
    "appel": "par appel",
    "h": "de l'heure",
    "heure": "de l'heure",
    "j": "par jour",
    "jour": "par jour",
    "kg": "le kilo",
    "min": "la minute",
    "minute": "la minute",
    "mn": "la minute",
    "mois": "par mois",
    "personne": "par personne",
    "SMS": "par esse emme esse",
}
"""After an amount: `0,15 €/min`."""

MONTHS = (
    *("janvier", "février", "mars", "avril", "mai", "juin", "juillet"),
    *("août", "septembre", "octobre", "novembre", "décembre"),
)

SHORT_MONTHS: Mapping[str, str] = {
    "janv": "janvier",
    "févr": "février",
    "fév": "février",
    "avr": "avril",
    "juil": "juillet",
    "sept": "septembre",
    "oct": "octobre",
    "nov": "novembre",
    "déc": "décembre",
}

DAYS: Mapping[str, str] = {
    "lun": "lundi",
    "mar": "mardi",
    "mer": "mercredi",
    "jeu": "jeudi",
    "ven": "vendredi",
    "sam": "samedi",
    "dim": "dimanche",
}

SYMBOLS: Mapping[str, str] = {
    "&": "et",
    "#": "dièse",
    "*": "étoile",
    "§": "paragraphe",
    "=": "égale",
    "€": "euros",
    "@": "arobase",
}
