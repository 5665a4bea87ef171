"""List the claims of all papers."""

from __future__ import annotations

from explorer.claims import hao_2019, hao_2020, merchant_2020, zhou_2022
from explorer.claims.claim import Claim

CLAIMS: tuple[Claim, ...] = (*hao_2020.CLAIMS, *hao_2019.CLAIMS, *merchant_2020.CLAIMS, *zhou_2022.CLAIMS)
"""All claims, in the order of the papers."""
