"""What medicine knows: guidelines, formulas and terms as data; no pixels here."""
