"""Amounts and currencies as Meta takes them."""

from decimal import Decimal

import orjson

MAX_VALUE = Decimal(1_000_000_000)

# Source: ISO 4217 list one, without funds, metals and test codes; ANG and BGN, withdrawn of
# late, are still sent by shops (read 2026-11-23).
_CODES = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP
BYN BZD CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP
GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR
KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR
SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS
UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES = frozenset(_CODES.split())


def currency(value: str | None) -> str | None:
    """Return the ISO 4217 code in upper case, or None."""
    code = (value or "").strip().upper()
    return code if code in CURRENCIES else None


def amount(value: Decimal | None) -> orjson.Fragment | None:
    """Return *value* as the shortest exact JSON number.

    None if it is no amount: negative, endless, over a thousand million or absurdly small.
    """
    if value is None or not value.is_finite() or not 0 <= value <= MAX_VALUE:
        return None
    if not value:
        return orjson.Fragment(b"0")
    if value.adjusted() < -20:
        return None
    text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return orjson.Fragment(text.encode())
