-- a year of orders by month: one request and no event
SELECT strftime('%Y-%m', datetime) AS month, count(*) FROM events WHERE metric_id = '{metric:Placed Order}' AND datetime >= '2025-01-01' AND datetime < '2026-01-01' GROUP BY month;
-- @with counts=aggregates
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2025-01-01T00:00:00Z),less-than(datetime,2026-01-01T00:00:00Z)&interval=day&measurements=count&metric_id={metric:Placed Order}&timezone=UTC

-- by default it is the events that are counted
SELECT strftime('%Y-%m', datetime) AS month, count(*) FROM events WHERE metric_id = '{metric:Placed Order}' AND datetime >= '2026-11-01' AND datetime < '2026-11-08' GROUP BY month;
-- > GET /api/events?fields[event]=datetime&filter=equals(metric_id,"{metric:Placed Order}"),greater-or-equal(datetime,2026-11-01T00:00:00Z),less-than(datetime,2026-11-08T00:00:00Z)&page[size]=1000&sort=datetime

-- a request for each year, 365 days long
SELECT count(*) FROM events WHERE metric_id = '{metric:Placed Order}' AND datetime >= '2024-01-01' AND datetime < '2026-01-01';
-- @with counts=aggregates
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2024-01-01T00:00:00Z),less-than(datetime,2024-12-31T00:00:00Z)&interval=day&measurements=count&metric_id={metric:Placed Order}&timezone=UTC
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2024-12-31T00:00:00Z),less-than(datetime,2025-12-31T00:00:00Z)&interval=day&measurements=count&metric_id={metric:Placed Order}&timezone=UTC
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2025-12-31T00:00:00Z),less-than(datetime,2026-01-01T00:00:00Z)&interval=day&measurements=count&metric_id={metric:Placed Order}&timezone=UTC

-- without an end, events of the future are looked for as well
SELECT count(*) FROM events WHERE metric_id = '{metric:Placed Order}' AND datetime >= '2026-11-01';
-- @with counts=aggregates
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-11-01T00:00:00Z),less-than(datetime,2026-11-21T00:00:00Z)&interval=day&measurements=count&metric_id={metric:Placed Order}&timezone=UTC
-- > GET /api/events?fields[event]=datetime&filter=equals(metric_id,"{metric:Placed Order}"),greater-or-equal(datetime,2026-11-21T00:00:00Z)&page[size]=1000&sort=datetime

-- ends at hours, or hours that are shown, are counted by the hour
SELECT count(*) FROM events WHERE metric_id = '{metric:Placed Order}' AND datetime >= '2026-11-01T08:00+01:00' AND datetime < '2026-11-08';
-- @with counts=aggregates
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-11-01T07:00:00Z),less-than(datetime,2026-11-08T00:00:00Z)&interval=hour&measurements=count&metric_id={metric:Placed Order}&timezone=UTC

-- ends within an hour: the events are read
SELECT count(*) FROM events WHERE metric_id = '{metric:Placed Order}' AND datetime >= '2026-11-01T08:15' AND datetime < '2026-11-08';
-- @with counts=aggregates
-- > GET /api/events?fields[event]=datetime&filter=equals(metric_id,"{metric:Placed Order}"),greater-or-equal(datetime,2026-11-01T08:15:00Z),less-than(datetime,2026-11-08T00:00:00Z)&page[size]=1000&sort=datetime

-- sums are added up by Klaviyo when that is allowed
SELECT sum(value) FROM events WHERE metric_id = '{metric:Placed Order}' AND datetime >= '2026-11-01' AND datetime < '2026-11-08';
-- @with counts=aggregates+sums
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-11-01T00:00:00Z),less-than(datetime,2026-11-08T00:00:00Z)&interval=day&measurements=count,sum_value&metric_id={metric:Placed Order}&timezone=UTC

-- sums are added up here when it is not
SELECT sum(value) FROM events WHERE metric_id = '{metric:Placed Order}' AND datetime >= '2026-11-01' AND datetime < '2026-11-08';
-- @with counts=aggregates
-- > GET /api/events?fields[event]=datetime,event_properties&filter=equals(metric_id,"{metric:Placed Order}"),greater-or-equal(datetime,2026-11-01T00:00:00Z),less-than(datetime,2026-11-08T00:00:00Z)&page[size]=1000&sort=datetime

-- metrics by name: they are read first, however the tables are named in the join
SELECT metrics.name, count(*) FROM events JOIN metrics ON metrics.id = events.metric_id WHERE metrics.name = 'Placed Order' AND datetime >= '2026-11-01' AND datetime < '2026-11-08' GROUP BY metrics.id;
-- @with counts=aggregates
-- > GET /api/metrics?fields[metric]=name
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-11-01T00:00:00Z),less-than(datetime,2026-11-08T00:00:00Z)&interval=day&measurements=count&metric_id={metric:Placed Order}&timezone=UTC
