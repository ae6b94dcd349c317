"""Campaigns whose job is gone for good: their rows go too. Suppressions stay."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select

from service.database import Campaign, Database, Delivery
from service.database.column_types import utc_now

ROWS_AT_ONCE = 2_000
"""Deliveries one transaction removes: some 50 ms in which an SQLite file has no other writer."""

BATCH_SIZE = 500


class CampaignRemoval:
    """Removes campaigns by the ids of their jobs.

    The rows are what keeps a campaign from being sent twice. So they go only when the job's record has gone: as long as
    there is one, in the bin too, the job may be restored and retried. Without its record no worker can take it up again,
    and a delivery that is not there cannot be claimed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def forget(self, job_ids: Sequence[str]) -> int:
        """Remove the campaigns among these jobs, the deliveries first. Returns how many there were."""
        if not job_ids:
            return 0
        async with self._database.reading() as session:
            found = list(
                await session.scalars(select(Campaign.campaign_id).where(Campaign.campaign_id.in_(list(job_ids))))
            )
        for campaign_id in found:
            while await self._some_deliveries(campaign_id):
                pass
            async with self._database.writing() as session:
                await session.execute(delete(Campaign).where(Campaign.campaign_id == campaign_id))
        return len(found)

    async def _some_deliveries(self, campaign_id: str) -> int:
        some = select(Delivery.position).where(Delivery.campaign_id == campaign_id).limit(ROWS_AT_ONCE)
        async with self._database.writing() as session:
            positions = list(await session.scalars(some))
            if positions:
                mine = (Delivery.campaign_id == campaign_id) & Delivery.position.in_(positions)
                await session.execute(delete(Delivery).where(mine))
        return len(positions)

    async def older(self, older_than_s: float, after: str = "") -> list[str]:
        """Ids of campaigns that were opened so long ago, in order, some at a time: those behind `after`."""
        before = utc_now() - timedelta(seconds=older_than_s)
        statement = select(Campaign.campaign_id).where(Campaign.created_at < before, Campaign.campaign_id > after)
        async with self._database.reading() as session:
            return list(await session.scalars(statement.order_by(Campaign.campaign_id).limit(BATCH_SIZE)))
