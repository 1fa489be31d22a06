"""States of the US and provinces of Canada, by code and by name."""

import unicodedata

_STATES = """
AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut
DE Delaware|DC District of Columbia|DC Washington DC|FL Florida|GA Georgia|HI Hawaii|ID Idaho
IL Illinois|IN Indiana|IA Iowa|KS Kansas|KY Kentucky|LA Louisiana|ME Maine|MD Maryland
MA Massachusetts|MI Michigan|MN Minnesota|MS Mississippi|MO Missouri|MT Montana|NE Nebraska
NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York|NC North Carolina
ND North Dakota|OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|RI Rhode Island
SC South Carolina|SD South Dakota|TN Tennessee|TX Texas|UT Utah|VT Vermont|VA Virginia
WA Washington|WA Washington State|WV West Virginia|WI Wisconsin|WY Wyoming
AS American Samoa|GU Guam|MP Northern Mariana Islands|PR Puerto Rico|VI Virgin Islands
VI US Virgin Islands|AA Armed Forces Americas|AE Armed Forces Europe|AP Armed Forces Pacific
"""

_PROVINCES = """
AB Alberta|BC British Columbia|MB Manitoba|NB New Brunswick|NL Newfoundland and Labrador
NL Newfoundland|NL Newfoundland & Labrador|NT Northwest Territories|NS Nova Scotia|NU Nunavut
ON Ontario|PE Prince Edward Island|QC Quebec|SK Saskatchewan|YT Yukon|YT Yukon Territory
"""


def place_key(text: str) -> str:
    """Return *text* as letters a-z without accents, a key to look up; empty if it has others."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    key = "".join(char for char in text.lower() if char.isalnum())
    return key if key.isascii() and key.isalpha() else ""


def _codes(table: str) -> dict[str, str]:
    codes = {}
    for entry in table.replace("\n", "|").strip("|").split("|"):
        code, name = entry[:2].lower(), entry[3:]
        codes[code] = codes[place_key(name)] = code
    return codes


STATES = _codes(_STATES)
PROVINCES = _codes(_PROVINCES)
