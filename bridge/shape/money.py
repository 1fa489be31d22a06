"""Money as it is sent: major units, with the decimals that the currency has."""

from decimal import ROUND_HALF_UP, Context, Decimal

# ISO 4217 minor units other than two.
_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DECIMALS = "CLF UYW"
_WIDE = Context(prec=60, rounding=ROUND_HALF_UP)
_DECIMALS = {
    currency: decimals
    for decimals, currencies in ((0, _NO_DECIMALS), (3, _THREE_DECIMALS), (4, _FOUR_DECIMALS))
    for currency in currencies.split()
}


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Return *amount* with the decimals of *currency*, half up."""
    step = Decimal(1).scaleb(-_DECIMALS.get(currency.upper(), 2))
    return amount.quantize(step, context=_WIDE)
