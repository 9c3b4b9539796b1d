"""What is read of every venue in use, by name. No logic here."""

from celery import shared_task

from exchanges import listing


@shared_task(acks_late=True)
def read_all_instruments() -> None:
    for venue in listing.venues_in_use():
        read_instruments.delay(*venue)


@shared_task(acks_late=True)
def read_all_marks() -> None:
    for venue in listing.venues_in_use():
        read_marks.apply_async(venue, expires=10)


@shared_task(acks_late=True)
def read_instruments(exchange: str, environment: str) -> None:
    listing.read_instruments(exchange, environment)


@shared_task(acks_late=True)
def read_marks(exchange: str, environment: str) -> None:
    listing.read_marks(exchange, environment)
