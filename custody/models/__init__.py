"""The papers of acts upon goods in hand: reports of loss, write-offs, destructions."""
