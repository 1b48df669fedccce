"""The tables over the whole corpus, and coverage: counted anew by DuckDB from the tables of all nights.

Nothing of them is kept between runs but what they are counted from, so a night that is run again cannot count twice.
DuckDB works out of core: memory stays under MEMORY_LIMIT whatever the corpus.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from tasks import tables

MEMORY_LIMIT = "1500MB"

QUOTE_GROUPS = """
with groups as (
    select q.quote_group,
           arg_max(q.text, (length(q.text), q.quote_id)) as text,
           mode(q.source_id order by q.source_id) as source_id,
           count(distinct a.article_key) as n_articles,
           count(distinct coalesce(a.copy_group, a.article_key)) as n_independent,
           arg_min(a.outlet, (coalesce(a.published_at, a.fetched_at), a.article_id)) as first_outlet,
           min(coalesce(a.published_at, a.fetched_at)) as first_seen,
           list_sort(list(distinct q.text)) as forms
    from quotes q join articles a using (article_id)
    where q.quote_group is not null
    group by q.quote_group
)
select * exclude (forms), list_filter(forms, lambda form: form <> text)[1:20] as variants
from groups
order by quote_group
"""

SOURCE_INDEX = """
with named as (
    select s.*, a.outlet, a.article_key, s.dt
    from sources s join articles a using (article_id)
    where s.source_id in (select source_id from sources where named)  -- a description may stand for a named one
), roles as (
    select source_id, list({'name': role, 'first_seen': first, 'last_seen': last} order by role) as roles
    from (select source_id, role, min(dt) as first, max(dt) as last from named where role is not null group by all)
    group by source_id
)
select n.source_id,
       coalesce(mode(n.name order by length(n.name) desc, n.name) filter (n.named and contains(n.name, ' ')),
                mode(n.name order by length(n.name) desc, n.name)) as name,
       list_sort(list(distinct n.name)) as aliases,
       mode(n.kind order by n.kind) as kind,
       coalesce(any_value(r.roles), []) as roles,
       coalesce(list_sort(list(distinct n.affiliation) filter (n.affiliation is not null)), []) as affiliations,
       count(distinct n.article_key) as n_articles,
       sum(n.n_quotes)::bigint as n_quotes,
       coalesce(list_sort(list(distinct n.outlet) filter (n.outlet is not null)), []) as outlets,
       min(n.dt) as first_seen,
       max(n.dt) as last_seen
from named n left join roles r using (source_id)
group by n.source_id
order by n.source_id
"""

STORIES = """
with told as (
    select *, coalesce(published_at, fetched_at) as seen from articles where story_id is not null
), happened as (
    select e.*, a.outlet from events e join articles a using (article_id)
    where e.story_id is not null and e.modality in ('asserted', 'reported', 'alleged')
), tolls as (
    select distinct story_id, field, min, max, attributed_to, outlet, article_id from (
        select story_id, 'killed' as field, killed_min as min, killed_max as max, attributed_to, outlet, article_id
        from happened where killed_min is not null or killed_max is not null
        union all
        select story_id, 'injured', injured_min, injured_max, attributed_to, outlet, article_id
        from happened where injured_min is not null or injured_max is not null
    )
), toll_lists as (
    select story_id, list({'field': field, 'min': min, 'max': max, 'attributed_to': attributed_to, 'outlet': outlet,
                           'article_id': article_id} order by article_id, field, min, max, attributed_to)[1:50] as tolls
    from tolls group by story_id
), types as (
    select story_id, list(type order by n desc, type) as types
    from (select story_id, type, count(*) as n from happened group by all) group by story_id
), places as (
    select story_id, arg_max({'name': place_name, 'country': place_country, 'lat': lat, 'lon': lon},
                             (n, lat is not null, place_name)) as place
    from (select story_id, place_name, place_country, lat, lon, count(*) as n
          from happened where place_name is not null group by all)
    group by story_id
), sums as (
    select story_id, min(date_start) as date_start, max(date_end) as date_end,
           min(coalesce(killed_min, killed_max)) as killed_min, max(coalesce(killed_max, killed_min)) as killed_max,
           min(coalesce(injured_min, injured_max)) as injured_min,
           max(coalesce(injured_max, injured_min)) as injured_max
    from happened group by story_id
), heads as (
    select story_id,
           arg_min(title, (seen, article_id)) as headline,
           min(seen) as first_seen, max(seen) as last_seen,
           count(distinct article_key) as n_articles,
           count(distinct outlet) as n_outlets,
           count(distinct coalesce(copy_group, article_key)) as n_independent
    from told group by story_id
)
select h.story_id, h.headline, h.first_seen, h.last_seen, h.n_articles, h.n_outlets, h.n_independent,
       coalesce(t.types, []) as types,
       p.place.name as place_name, p.place.country as place_country, p.place.lat as lat, p.place.lon as lon,
       s.date_start, s.date_end, s.killed_min, s.killed_max, s.injured_min, s.injured_max,
       coalesce(l.tolls, []) as tolls
from heads h
left join types t using (story_id) left join places p using (story_id)
left join sums s using (story_id) left join toll_lists l using (story_id)
order by h.story_id
"""

# An outlet's expectation is the median of its last 28 nights without an outage (one that lasts weeks would else become
# what is expected, and pass for ok), from the third night on. A night under half of it is low: with a median of 20 and
# Poisson counts, chance alone falls under 10 in one night of a hundred.
#
# No gap is a night that is `whole`: the sources could all be read and still list what was seen before, so that nothing
# can have come and gone in between, and no page was lost but those the outlet itself took away. Then few or no new
# articles are the outlet's doing. Pages lost earlier and not asked again (attempts = 0) counted when they were lost.
COVERAGE = """
with measured as (
    select outlet, articles from coverage_earlier where status in ('ok', 'low')
    qualify row_number() over (partition by outlet order by night desc) <= 28
), earlier as (
    select outlet, median(articles) as median, count(*) as nights from measured group by outlet
), fates as (
    select outlet,
           count(*) filter (fate = 'unchanged') as unchanged,
           count(*) filter (step = 'discover'
                            or fate = 'failed' and attempts > 0 and reason is distinct from 'http_gone'
                            or reason = 'consent_wall') as lost
    from inputs where dt = $night and run_id = $run and outlet is not null group by outlet
), counts as (
    select coalesce(v.outlet, n.outlet, o.outlet) as outlet,
           -- a second crawl of the night meets less, since the first has been there: what the first met stays
           coalesce(greatest(v.found, o.found), n.articles) as found,
           coalesce(greatest(v.fetched, o.fetched), n.articles) as fetched,
           coalesce(n.articles, 0) as articles,
           coalesce(v.robots, 'unknown') as robots, coalesce(v.feed_dead, false) as feed_dead,
           v.known > 0 or v.listed > 0 and f.unchanged > 0 as continues,
           -- an ingest into a night that was crawled keeps what the crawl met
           case when v.outlet is null then o.status end as met
    from visits v
    full join (select outlet, count(*) as articles from articles where dt = $night and outlet is not null
               group by outlet) n using (outlet)
    full join coverage_before o on o.outlet = coalesce(v.outlet, n.outlet)
    left join fates f on f.outlet = v.outlet
)
select c.outlet, $night::date as night, c.found, c.fetched, c.articles,
       case when e.nights >= 2 then e.median end as expected,
       case when c.met in ('blocked', 'feed_dead', 'ok') then c.met
            when c.robots in ('unreachable', 'blocked') then 'blocked'
            when c.feed_dead then 'feed_dead'
            when c.continues and coalesce(f.lost, 0) = 0 then 'ok'
            when c.articles = 0 and coalesce(e.median, 1) > 0 then 'zero'
            when e.nights >= 2 and c.articles < 0.5 * e.median then 'low'
            else 'ok' end as status,
       status = 'ok' as usable_for_trends
from counts c left join earlier e using (outlet) left join fates f using (outlet)
order by c.outlet
"""

OUTLETS = """
with nights as (
    select outlet, avg(articles) as articles_per_night, count(*) as nights,
           max(night) filter (articles > 0) as last_success
    from coverage_all group by outlet
), spoken as (
    select outlet, mode(language order by language) as language from articles where outlet is not null group by outlet
), old as (select * from outlets_earlier)
select n.outlet,
       coalesce(c.name, o.name) as name,
       coalesce(c.country, o.country) as country,
       coalesce(c.language, o.language, s.language) as language,
       coalesce(c.feeds, o.feeds, []) as feeds,
       n.articles_per_night, n.nights, n.last_success,
       coalesce(v.robots, o.robots) as robots
from nights n
left join configs c using (outlet) left join old o using (outlet)
left join spoken s using (outlet) left join visits v using (outlet)
order by n.outlet
"""


@contextmanager
def corpus(files: Mapping[str, list[Path]], temp: Path) -> Iterator[Any]:
    """A DuckDB connection with a view over the given files of each table; each has `dt` from its folder's name."""
    temp.mkdir(parents=True, exist_ok=True)
    try:
        with duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "threads": 2, "temp_directory": str(temp)}) as db:
            db.execute("set timezone = 'UTC'")
            db.execute("set preserve_insertion_order = false")
            db.execute("set enable_progress_bar = false")  # drawn on standard output, into logs and JSON
            for table, paths in files.items():
                add_view(db, table, table, paths)
            yield db
    finally:
        shutil.rmtree(temp, ignore_errors=True)


def add_view(db: Any, name: str, table: str, files: list[Path]) -> None:
    """A view over files of one table; an empty one with the right columns where there are no files.

    A column that came later is null in the nights written before it, if any of the files has it.
    """
    if files:
        listed = ", ".join("'" + str(f).replace("'", "''") + "'" for f in files)
        db.execute(
            f"create or replace view {name} as select *, "
            "cast(regexp_extract(filename, 'dt=([0-9-]+)', 1) as date) as dt "
            f"from read_parquet([{listed}], filename = true, hive_partitioning = false, union_by_name = true)"
        )
    else:
        empty = tables.schema(table).append(pa.field("dt", pa.date32())).empty_table()
        db.register(f"{name}_empty", empty)
        db.execute(f"create or replace view {name} as select * from {name}_empty")


def batches(db: Any, sql: str, **params: object) -> Iterator[Any]:
    """The answer of a query as record batches."""
    yield from db.sql(sql, params=params or None).to_arrow_reader(20_000)
