"""The country codes a profile or the catalogue may name, and the European Union among them.

A code that no list ever answers with would never match, and its claim would hold for nothing: `UK`
for `GB` must be an error.

Source: ISO 3166-1 alpha-2, 249 codes as of 2024; and XK, the user-assigned code that address lists
use for Kosovo. Members of the Union: Treaty on European Union, article 52, after 2020.
"""

from collections.abc import Collection

COUNTRY_CODES = frozenset(
    """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ
    BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM
    DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS
    GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN
    KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ
    MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM
    PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV
    SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI
    VN VU WF WS XK YE YT ZA ZM ZW
    """.split()  # noqa: SIM905 - 250 quoted words hide a missing one
)

EUROPEAN_UNION = frozenset(
    """
    AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK
    """.split()  # noqa: SIM905 - as above
)


def with_union(codes: Collection[str]) -> list[str]:
    """Codes in order, for a person: `the EU (27 countries)` first, in place of its members, if all
    of them are there. Other words are left as they are."""
    if not EUROPEAN_UNION.issubset(codes):
        return sorted(codes)
    others = sorted(word for word in codes if word not in EUROPEAN_UNION)
    return [f"the EU ({len(EUROPEAN_UNION)} countries)", *others]
