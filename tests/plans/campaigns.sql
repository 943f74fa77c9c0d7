-- all campaigns with their messages, tags and audiences: a request for each channel, archived or not
SELECT id, name, audiences_included, audiences_excluded, tags, messages FROM campaigns;
-- > GET /api/campaigns?fields[campaign-message]=definition,send_times&fields[campaign]=archived,audiences,name&fields[tag]=name&filter=equals(messages.channel,"email"),equals(archived,false)&include=campaign-messages,tags&page[size]=100&sort=id
-- > GET /api/campaigns?fields[campaign-message]=definition,send_times&fields[campaign]=archived,audiences,name&fields[tag]=name&filter=equals(messages.channel,"email"),equals(archived,false)&include=campaign-messages,tags&page[cursor]=…&page[size]=100&sort=id
-- > GET /api/campaigns?fields[campaign-message]=definition,send_times&fields[campaign]=archived,audiences,name&fields[tag]=name&filter=equals(messages.channel,"email"),equals(archived,true)&include=campaign-messages,tags&page[size]=100&sort=id
-- > GET /api/campaigns?fields[campaign-message]=definition,send_times&fields[campaign]=archived,audiences,name&fields[tag]=name&filter=equals(messages.channel,"sms"),equals(archived,false)&include=campaign-messages,tags&page[size]=100&sort=id
-- > GET /api/campaigns?fields[campaign-message]=definition,send_times&fields[campaign]=archived,audiences,name&fields[tag]=name&filter=equals(messages.channel,"sms"),equals(archived,true)&include=campaign-messages,tags&page[size]=100&sort=id
-- > GET /api/campaigns?fields[campaign-message]=definition,send_times&fields[campaign]=archived,audiences,name&fields[tag]=name&filter=equals(messages.channel,"mobile_push"),equals(archived,false)&include=campaign-messages,tags&page[size]=100&sort=id
-- > GET /api/campaigns?fields[campaign-message]=definition,send_times&fields[campaign]=archived,audiences,name&fields[tag]=name&filter=equals(messages.channel,"mobile_push"),equals(archived,true)&include=campaign-messages,tags&page[size]=100&sort=id

-- messages come along with the campaigns
SELECT campaign_id, subject FROM campaign_messages;
-- > GET /api/campaigns?fields[campaign-message]=definition.content.subject&fields[campaign]=archived&filter=equals(messages.channel,"email"),equals(archived,false)&include=campaign-messages&page[size]=100&sort=id
-- > GET /api/campaigns?fields[campaign-message]=definition.content.subject&fields[campaign]=archived&filter=equals(messages.channel,"email"),equals(archived,false)&include=campaign-messages&page[cursor]=…&page[size]=100&sort=id
-- > GET /api/campaigns?fields[campaign-message]=definition.content.subject&fields[campaign]=archived&filter=equals(messages.channel,"email"),equals(archived,true)&include=campaign-messages&page[size]=100&sort=id
-- > GET /api/campaigns?fields[campaign-message]=definition.content.subject&fields[campaign]=archived&filter=equals(messages.channel,"sms"),equals(archived,false)&include=campaign-messages&page[size]=100&sort=id
-- > GET /api/campaigns?fields[campaign-message]=definition.content.subject&fields[campaign]=archived&filter=equals(messages.channel,"sms"),equals(archived,true)&include=campaign-messages&page[size]=100&sort=id
-- > GET /api/campaigns?fields[campaign-message]=definition.content.subject&fields[campaign]=archived&filter=equals(messages.channel,"mobile_push"),equals(archived,false)&include=campaign-messages&page[size]=100&sort=id
-- > GET /api/campaigns?fields[campaign-message]=definition.content.subject&fields[campaign]=archived&filter=equals(messages.channel,"mobile_push"),equals(archived,true)&include=campaign-messages&page[size]=100&sort=id

-- a channel and archived or not: one chain
SELECT name FROM email_campaigns WHERE archived = 0;
-- > GET /api/campaigns?fields[campaign]=archived,name&filter=equals(messages.channel,"email"),equals(archived,false)&page[size]=100&sort=id
-- > GET /api/campaigns?fields[campaign]=archived,name&filter=equals(messages.channel,"email"),equals(archived,false)&page[cursor]=…&page[size]=100&sort=id

-- one campaign: by its id, with the channel of its message
SELECT channel, status FROM campaigns WHERE id = '{none:0}';
-- > GET /api/campaigns/{none:0}?fields[campaign-message]=definition.channel&fields[campaign]=status&include=campaign-messages

-- the template of one campaign's messages: the campaign's own list of messages
SELECT id, template_id FROM campaign_messages WHERE campaign_id = '{none:0}';
-- > GET /api/campaigns/{none:0}/campaign-messages?fields[campaign-message]=id&fields[template]=id&include=template

-- the campaigns of a tag: the tag knows them
SELECT campaign_id FROM campaign_tags WHERE tag_id = '{none:0}';
-- > GET /api/tags/{none:0}/relationships/campaigns

-- a channel that there is not: nothing is sent
SELECT id FROM campaigns WHERE channel = 'fax';
-- > nothing
