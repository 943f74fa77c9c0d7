-- a contradictory range
SELECT * FROM events WHERE datetime > '2026-02-01' AND datetime < '2026-01-01';
-- > nothing

-- an empty range
SELECT * FROM events WHERE datetime >= '2026-01-01' AND datetime < '2026-01-01';
-- > nothing

-- two different ids
SELECT * FROM profiles WHERE id = 'A' AND id = 'B';
-- > nothing

-- an id and a list without it
SELECT * FROM profiles WHERE id = 'A' AND id IN ('B', 'C');
-- > nothing

-- two lists that do not meet
SELECT * FROM profiles WHERE email IN ('a@example.com', 'b@example.com') AND email IN ('c@example.com');
-- > nothing

-- an empty list
SELECT * FROM profiles WHERE id IN ();
-- > nothing

-- a comparison with NULL is never true
SELECT * FROM profiles WHERE email = NULL;
-- > nothing

-- a range up to NULL
SELECT * FROM events WHERE datetime > ?;
-- @bind [null]
-- > nothing

-- a list of NULL
SELECT * FROM profiles WHERE id IN (NULL);
-- > nothing

-- NULL in a column that never is
SELECT * FROM events WHERE datetime IS NULL;
-- > nothing

-- a subquery without rows
SELECT * FROM events WHERE metric_id = (SELECT 'x' WHERE 0);
-- > nothing

-- a constant that is false
SELECT * FROM profiles WHERE 1 = 0;
-- > nothing

-- an instant outside a range
SELECT * FROM events WHERE datetime = '2026-01-01' AND datetime > '2026-02-01';
-- > nothing

-- numbers that contradict each other
SELECT * FROM events WHERE timestamp > 10 AND timestamp < 5;
-- > nothing

-- a list of members that contradicts itself does not even read the lists
SELECT * FROM list_profiles WHERE email = 'a@example.com' AND email = 'b@example.com';
-- > nothing

-- two parents that contradict each other
SELECT * FROM list_profiles WHERE list_id = 'A' AND list_id = 'B';
-- > nothing

-- a time that lies between two, bound
SELECT * FROM events WHERE datetime > :start AND datetime < :end;
-- @bind {"start": "2026-02-01", "end": "2026-01-01"}
-- > nothing

-- the driver's own tables ask for nothing
SELECT count(*) FROM klaviyo_tables, klaviyo_requests;
-- > nothing
