-- a repeated query is answered from memory
SELECT email FROM profiles LIMIT 5;
-- @before SELECT email FROM profiles LIMIT 5
-- > nothing

-- without a cache it is asked again
SELECT email FROM profiles LIMIT 5;
-- @before SELECT email FROM profiles LIMIT 5
-- @with cache_seconds=0
-- > GET /api/profiles?fields[profile]=email&page[size]=5&sort=id

-- all pages of a repeated scan come from memory
SELECT count(*) FROM profiles;
-- @before SELECT count(*) FROM profiles
-- > nothing

-- other columns are another request
SELECT first_name FROM profiles LIMIT 5;
-- @before SELECT email FROM profiles LIMIT 5
-- > GET /api/profiles?fields[profile]=first_name&page[size]=5&sort=id

-- a cache too small for the reply does not help
SELECT email FROM profiles LIMIT 5;
-- @before SELECT email FROM profiles LIMIT 5
-- @with cache_bytes=10
-- > GET /api/profiles?fields[profile]=email&page[size]=5&sort=id
