-- names and activity
SELECT name FROM segments WHERE is_active = 1;
-- > GET /api/segments?fields[segment]=is_active,name&filter=equals(is_active,true)&page[size]=10&sort=id

-- inactive ones
SELECT name FROM segments WHERE is_active = 0;
-- > GET /api/segments?fields[segment]=is_active,name&filter=equals(is_active,false)&page[size]=10&sort=id

-- both values of a boolean
SELECT name FROM segments WHERE is_active IN (0, 1);
-- > GET /api/segments?fields[segment]=is_active,name&filter=any(is_active,[false,true])&page[size]=10&sort=id
-- > GET /api/segments?fields[segment]=is_active,name&filter=any(is_active,[false,true])&page[cursor]=…&page[size]=10&sort=id

-- a number that is no boolean equals none
SELECT name FROM segments WHERE is_active = 2;
-- > nothing

-- is_starred is accepted by Klaviyo and not applied, so it is not sent
SELECT name FROM segments WHERE is_starred = 1;
-- > GET /api/segments?fields[segment]=is_starred,name&page[size]=10&sort=id
-- > GET /api/segments?fields[segment]=is_starred,name&page[cursor]=…&page[size]=10&sort=id

-- a name
SELECT id FROM segments WHERE name = 'Engaged (90 days)';
-- > GET /api/segments?fields[segment]=name&filter=equals(name,"Engaged (90 days)")&page[size]=10&sort=id

-- two names
SELECT id FROM segments WHERE name IN ('A', 'B');
-- > GET /api/segments?fields[segment]=name&filter=any(name,["A","B"])&page[size]=10&sort=id

-- one id
SELECT name FROM segments WHERE id = '{segment:0}';
-- > GET /api/segments/{segment:0}?fields[segment]=name

-- two ids
SELECT name FROM segments WHERE id IN ({segment:0..1});
-- > GET /api/segments?fields[segment]=name&filter=any(id,["{segment:0}","{segment:1}"])&page[size]=10&sort=id

-- created after
SELECT id FROM segments WHERE created > '2026-01-01';
-- > GET /api/segments?fields[segment]=created&filter=greater-than(created,2026-01-01T00:00:00Z)&page[size]=10&sort=id

-- updated at or after
SELECT id FROM segments WHERE updated >= '2026-01-01';
-- > GET /api/segments?fields[segment]=updated&filter=greater-than(updated,2025-12-31T23:59:59Z)&page[size]=10&sort=id

-- newest first
SELECT name FROM segments ORDER BY created DESC LIMIT 2;
-- > GET /api/segments?fields[segment]=created,name&page[size]=2&sort=-created

-- last changed first
SELECT name FROM segments ORDER BY updated DESC LIMIT 2;
-- > GET /api/segments?fields[segment]=name,updated&page[size]=2&sort=-updated

-- the definition only when it is read
SELECT definition FROM segments LIMIT 1;
-- > GET /api/segments?fields[segment]=definition&page[size]=1&sort=id

-- profile_count of one segment
SELECT profile_count FROM segments WHERE id = '{segment:0}';
-- > GET /api/segments/{segment:0}?additional-fields[segment]=profile_count&fields[segment]=profile_count

-- a star leaves profile_count out
SELECT * FROM segments LIMIT 1;
-- > GET /api/segments?fields[segment]=created,definition,is_active,is_processing,is_starred,name,updated&page[size]=1&sort=id
