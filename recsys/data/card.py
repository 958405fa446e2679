"""What a user of a data set has to know of it before any number: whose it is and what may be done with it."""


class DataCard:
    """licence: what may be done with the data, in short. citation: what to cite. url: the publisher's page."""

    def __init__(self, *, licence: str, citation: str, url: str) -> None:
        self.licence = licence
        self.citation = citation
        self.url = url

    def lines(self) -> list[str]:
        """A line each."""
        return [f"licence: {self.licence}", f"cite: {self.citation}", f"publisher: {self.url}"]
