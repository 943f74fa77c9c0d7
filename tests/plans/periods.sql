-- the orders of January 2023: one call, the time zone first
SELECT month_start_date, count FROM monthly_metrics WHERE metric_id = '{metric:Placed Order}' AND month_start_date >= '2023-01-01' AND month_start_date < '2023-02-01';
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2023-01-01T05:00:00Z),less-than(datetime,2023-02-01T05:00:00Z)&interval=month&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York

-- a bare comparison cuts to full months: January 2023
SELECT MonthStartDate, Count FROM MonthlyMetrics WHERE MetricId = '{metric:Placed Order}' AND MonthStartDate > '2022-12-25' AND MonthStartDate < '2023-02-05';
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2023-01-01T05:00:00Z),less-than(datetime,2023-02-01T05:00:00Z)&interval=month&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York

-- all three measurements are one call
SELECT count, sum_value, unique_count FROM monthly_metrics WHERE metric_id = '{metric:Placed Order}' AND month_start_date = '2026-10-01';
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count,sum_value,unique&metric_id={metric:Placed Order}&timezone=America/New_York

-- one measurement
SELECT sum_value FROM monthly_metrics WHERE metric_id = '{metric:Placed Order}' AND month_start_date = '2026-10-01';
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=sum_value&metric_id={metric:Placed Order}&timezone=America/New_York

-- unique profiles
SELECT unique_count FROM monthly_metrics WHERE metric_id = '{metric:Placed Order}' AND month_start_date = '2026-10-01';
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=unique&metric_id={metric:Placed Order}&timezone=America/New_York

-- no measurement at all: the count tells which periods there are
SELECT month_start_date FROM monthly_metrics WHERE metric_id = '{metric:Placed Order}' AND month_start_date = '2026-10-01';
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York

-- no range is the last year
SELECT * FROM monthly_metrics WHERE metric_id = '{metric:Placed Order}';
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2025-12-01T05:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count,sum_value,unique&metric_id={metric:Placed Order}&timezone=America/New_York

-- a start alone is one year from it
SELECT count FROM monthly_metrics WHERE metric_id = '{metric:Placed Order}' AND month_start_date >= '2025-01-01';
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2025-01-01T05:00:00Z),less-than(datetime,2026-01-01T05:00:00Z)&interval=month&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York

-- an end alone is the year before it
SELECT count FROM monthly_metrics WHERE metric_id = '{metric:Placed Order}' AND month_start_date < '2026-01-01';
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2025-01-01T05:00:00Z),less-than(datetime,2026-01-01T05:00:00Z)&interval=month&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York

-- two years are two calls
SELECT count FROM monthly_metrics WHERE metric_id = '{metric:Placed Order}' AND month_start_date >= '2025-01-01' AND month_start_date < '2026-11-01';
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2025-01-01T05:00:00Z),less-than(datetime,2026-01-01T05:00:00Z)&interval=month&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-01-01T05:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York

-- a leap year is a day too long for one call
SELECT count FROM monthly_metrics WHERE metric_id = '{metric:Placed Order}' AND month_start_date >= '2024-01-01' AND month_start_date < '2025-01-01';
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2024-01-01T05:00:00Z),less-than(datetime,2024-12-01T05:00:00Z)&interval=month&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2024-12-01T05:00:00Z),less-than(datetime,2025-01-01T05:00:00Z)&interval=month&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York

-- two years of days are two calls
SELECT count FROM daily_metrics WHERE metric_id = '{metric:Placed Order}' AND date >= '2025-01-01' AND date < '2026-11-01';
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2025-01-01T05:00:00Z),less-than(datetime,2026-01-01T05:00:00Z)&interval=day&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-01-01T05:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=day&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York

-- two years of weeks are two calls
SELECT count FROM weekly_metrics WHERE metric_id = '{metric:Placed Order}' AND week_start_date >= '2025-01-01' AND week_start_date < '2026-11-01';
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2025-01-06T05:00:00Z),less-than(datetime,2026-01-05T05:00:00Z)&interval=week&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-01-05T05:00:00Z),less-than(datetime,2026-10-26T04:00:00Z)&interval=week&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York

-- days over the change of the clock
SELECT date, count FROM daily_metrics WHERE metric_id = '{metric:Placed Order}' AND date BETWEEN '2026-03-07' AND '2026-03-09';
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-03-07T05:00:00Z),less-than(datetime,2026-03-10T04:00:00Z)&interval=day&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York

-- days: no range is the last year up to yesterday
SELECT count FROM daily_metrics WHERE metric_id = '{metric:Placed Order}';
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2025-11-20T05:00:00Z),less-than(datetime,2026-11-20T05:00:00Z)&interval=day&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York

-- weeks begin on Monday
SELECT week_start_date, count FROM weekly_metrics WHERE metric_id = '{metric:Placed Order}' AND week_start_date >= '2026-10-01' AND week_start_date < '2026-11-01';
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-05T04:00:00Z),less-than(datetime,2026-10-26T04:00:00Z)&interval=week&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York

-- a list of months is one call over them
SELECT count FROM monthly_metrics WHERE metric_id = '{metric:Placed Order}' AND month_start_date IN ('2026-08-01', '2026-10-01');
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-08-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York

-- two metrics are two calls
SELECT count FROM monthly_metrics WHERE metric_id IN ('{metric:Placed Order}', '{metric:Refunded Order}') AND month_start_date = '2026-10-01';
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:Refunded Order}&timezone=America/New_York

-- no metric: the metrics first, then each
SELECT sum(count) FROM monthly_metrics WHERE month_start_date = '2026-10-01';
-- > GET /api/accounts?fields[account]=timezone
-- > GET /api/metrics?fields[metric]=id
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:Clicked Email}&timezone=America/New_York
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:Started Checkout}&timezone=America/New_York
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:Subscribed to List}&timezone=America/New_York
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:13}&timezone=America/New_York
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:Ordered Product}&timezone=America/New_York
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:Refunded Order}&timezone=America/New_York
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:Bounced Email}&timezone=America/New_York
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:Imported without integration}&timezone=America/New_York
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:Opened Email}&timezone=America/New_York
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:Received Email}&timezone=America/New_York
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:Active on Site}&timezone=America/New_York
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:Never happened}&timezone=America/New_York
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:Unsubscribed from Email Marketing}&timezone=America/New_York
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:3}&timezone=America/New_York
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:4}&timezone=America/New_York

-- this month is not complete: no call
SELECT count FROM monthly_metrics WHERE metric_id = '{metric:Placed Order}' AND month_start_date >= '2026-11-01';
-- > GET /api/accounts?fields[account]=timezone

-- today is not complete
SELECT count FROM daily_metrics WHERE metric_id = '{metric:Placed Order}' AND date = '2026-11-20';
-- > GET /api/accounts?fields[account]=timezone

-- less than a month is none
SELECT count FROM monthly_metrics WHERE metric_id = '{metric:Placed Order}' AND month_start_date > '2026-10-01' AND month_start_date < '2026-10-31';
-- > GET /api/accounts?fields[account]=timezone

-- a contradiction does not even read the time zone
SELECT count FROM monthly_metrics WHERE month_start_date > '2026-02-01' AND month_start_date < '2026-01-01';
-- > nothing

-- a Tuesday begins no week
SELECT count FROM weekly_metrics WHERE metric_id = '{metric:Placed Order}' AND week_start_date = '2026-10-06';
-- > GET /api/accounts?fields[account]=timezone

-- the time zone is read once for a connection
SELECT count FROM weekly_metrics WHERE metric_id = '{metric:Placed Order}' AND week_start_date = '2026-10-05';
-- @before SELECT count FROM monthly_metrics WHERE metric_id = '{metric:Placed Order}' AND month_start_date = '2026-10-01'
-- @with cache_seconds=0
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-05T04:00:00Z),less-than(datetime,2026-10-12T04:00:00Z)&interval=week&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York

-- a metric that does not exist
SELECT count FROM monthly_metrics WHERE metric_id = '{none:0}' AND month_start_date = '2026-10-01';
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-10-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id=NONE0000&timezone=America/New_York

-- a metric by its name
SELECT month_start_date, count FROM monthly_metrics WHERE metric_id = (SELECT id FROM metrics WHERE name = 'Placed Order') AND month_start_date >= '2026-09-01';
-- > GET /api/metrics?fields[metric]=name
-- > GET /api/accounts?fields[account]=timezone
-- > POST /api/metric-aggregates?filter=greater-or-equal(datetime,2026-09-01T04:00:00Z),less-than(datetime,2026-11-01T04:00:00Z)&interval=month&measurements=count&metric_id={metric:Placed Order}&timezone=America/New_York
