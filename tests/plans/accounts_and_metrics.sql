-- the one account
SELECT timezone, preferred_currency FROM accounts;
-- > GET /api/accounts?fields[account]=preferred_currency,timezone

-- an address is asked for by its own path
SELECT contact_information_street_address_city FROM accounts;
-- > GET /api/accounts?fields[account]=contact_information.street_address.city

-- everything of the account
SELECT * FROM accounts;
-- > GET /api/accounts?fields[account]=contact_information,industry,locale,preferred_currency,public_api_key,test_account,timezone

-- all metrics
SELECT id, name FROM metrics;
-- > GET /api/metrics?fields[metric]=name

-- the name of one metric
SELECT name FROM metrics WHERE id = '{metric:Placed Order}';
-- > GET /api/metrics/{metric:Placed Order}?fields[metric]=name

-- two metrics: there is no filter on ids, so the whole is read
SELECT name FROM metrics WHERE id IN ('{metric:Placed Order}', '{metric:Refunded Order}');
-- > GET /api/metrics?fields[metric]=name

-- names are SQLite's: there is no filter on them
SELECT id FROM metrics WHERE name = 'Placed Order';
-- > GET /api/metrics?fields[metric]=name

-- the integration's name
SELECT name FROM metrics WHERE integration_name = 'Shopify';
-- > GET /api/metrics?fields[metric]=integration,name&filter=equals(integration.name,"Shopify")

-- a filter on the category is accepted by Klaviyo and returns nothing, so it is not sent
SELECT name FROM metrics WHERE integration_category = 'eCommerce';
-- > GET /api/metrics?fields[metric]=integration,name

-- a limit does not size the page: Klaviyo has no page size here
SELECT name FROM metrics LIMIT 2;
-- > GET /api/metrics?fields[metric]=name

-- order and time are SQLite's
SELECT name FROM metrics WHERE created > '2020-01-01' ORDER BY created DESC LIMIT 2;
-- > GET /api/metrics?fields[metric]=created,name

-- two integrations are two scans
SELECT name FROM metrics WHERE integration_name IN ('Shopify', 'API');
-- > GET /api/metrics?fields[metric]=integration,name&filter=equals(integration.name,"API")
-- > GET /api/metrics?fields[metric]=integration,name&filter=equals(integration.name,"Shopify")

-- the integration as a whole and in part is one field
SELECT integration_key, integration FROM metrics;
-- > GET /api/metrics?fields[metric]=integration
