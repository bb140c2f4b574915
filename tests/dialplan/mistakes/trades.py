"""What client firms of a trade are, and say: each text in French and in English."""

from __future__ import annotations

from dataclasses import dataclass

Text = tuple[str, str]
"""French, English."""


@dataclass(frozen=True, kw_only=True)
class Trade:
    """A kind of firm."""

    name: str
    titles: Text
    """Followed by a family name."""
    queue: str
    urgent: Text
    """What an urgent call is about."""
    usual: Text
    """What any other call is about."""
    also: Text
    """A third subject."""
    closed: Text


TRADES = (
    Trade(
        name="surgery",
        titles=("Cabinet du docteur", "The surgery of Doctor"),
        queue="medical",
        urgent=("une urgence médicale", "a medical emergency"),
        usual=("un rendez-vous", "an appointment"),
        also=("le renouvellement d'une ordonnance", "a repeat prescription"),
        closed=("En cas d'urgence vitale, composez le 15 ou le 112.", "If a life is in danger, dial 112."),
    ),
    Trade(
        name="notary",
        titles=("Étude de maître", "The law office of"),
        queue="legal",
        urgent=("une succession en cours", "an estate"),
        usual=("prendre rendez-vous", "an appointment"),
        also=("un acte de vente", "a deed of sale"),
        closed=("L'étude vous reçoit du lundi au vendredi.", "We are open from Monday to Friday."),
    ),
    Trade(
        name="plumber",
        titles=("Plomberie", "Plumbers"),
        queue="trades",
        urgent=("une fuite d'eau", "a water leak"),
        usual=("un devis", "a quotation"),
        also=("une facture", "an invoice"),
        closed=("L'atelier ouvre à 8 heures.", "The workshop opens at 8."),
    ),
    Trade(
        name="vet",
        titles=("Clinique vétérinaire", "The veterinary clinic"),
        queue="medical",
        urgent=("un animal en danger", "an animal in danger"),
        usual=("un rendez-vous", "an appointment"),
        also=("des résultats d'analyses", "test results"),
        closed=("La clinique est fermée à cette heure.", "The clinic is closed at this hour."),
    ),
    Trade(
        name="garage",
        titles=("Garage", "The garage"),
        queue="trades",
        urgent=("un dépannage", "a breakdown"),
        usual=("l'atelier", "the workshop"),
        also=("la vente", "sales"),
        closed=("Le garage est fermé.", "The garage is closed."),
    ),
    Trade(
        name="hotel",
        titles=("Hôtel", "Hotel"),
        queue="shop",
        urgent=("la réception", "the front desk"),
        usual=("une réservation", "a reservation"),
        also=("un séminaire", "a conference"),
        closed=("La réception est fermée de 23 heures à 7 heures.", "The front desk is closed from 23 to 7."),
    ),
)
FAMILIES = ("Moreau", "Lenoir", "Garnier", "Payet", "Hoarau", "Césaire", "Tremblay", "Peeters", "Rochat", "Clarke")

GREETING: Text = ("{firm}, bonjour.", "{firm}, good morning.")
ITEM: Text = ("Pour {what}, tapez {key}.", "For {what}, press {key}.")
ITEM_TOUCHED: Text = ("Pour {what}, appuyez sur la touche {key}.", "For {what}, press key {key}.")
UNKNOWN_CHOICE: Text = ("Ce choix n'existe pas.", "Sorry, that is not one of the choices.")
ASK_FILE: Text = ("Tapez votre numéro de dossier à 4 chiffres.", "Please key in the 4 digits of your file.")
FILE_SAID: Text = ("Dossier {{dossier}}, merci.", "File {{dossier}}, thank you.")
ASK_WORD: Text = (
    "Laissez votre nom et votre numéro après le bip.",
    "Please leave your name and your number after the tone.",
)
BYE: Text = ("Merci de votre appel. Au revoir.", "Thank you for calling. Goodbye.")
BUSY: Text = ("Toutes nos lignes sont occupées.", "All our lines are busy.")
NO_SALES: Text = ("Nous ne prenons pas d'appels commerciaux.", "We do not take sales calls.")
SEASON: Text = ("Nous sommes en horaires d'hiver.", "We keep our winter hours.")
URGENT_AT_NIGHT: Text = ("Pour {what}, tapez {key}, sinon patientez.", "For {what}, press {key}, or hold the line.")
