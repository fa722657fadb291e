"""What one phone inbox must be told."""

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

from channels.payload import is_region
from channels.signature import SharedSecret


def _known_region(region: str) -> str:
    if region and not is_region(region):
        raise ValueError("not a country of two letters, such as JP, DE or US")
    return region


def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (KeyError, OSError, ValueError):  # KeyError: unknown; OSError: it names a folder
        raise ValueError("not a time zone, such as Asia/Tokyo or Europe/Berlin") from None


def _upper(text: object) -> object:
    return text.strip().upper() if isinstance(text, str) else text


class PhoneConfig(SharedSecret):
    region: Annotated[str, BeforeValidator(_upper), AfterValidator(_known_region)] = Field(
        default="",
        title="Country",
        description="Two letters: where numbers without + are dialled. Empty: only + numbers.",
    )
    time_zone: Annotated[str, AfterValidator(_known_zone)] = Field(
        default="UTC",
        title="Time zone",
        description="Of call logs and entries that tell no offset, such as Asia/Tokyo.",
    )
    language: Literal["en", "ja", "de"] = Field(
        default="en",
        title="Language",
        description="Of subjects, and of the sentence filed for a call without notes.",
    )
    encoding: Literal["", "utf-8", "cp932", "euc_jp", "cp1252"] = Field(
        default="",
        title="Encoding of log files",
        description="Empty: found out. Needed for EUC-JP, which looks like other encodings.",
    )
