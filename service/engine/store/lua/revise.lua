#!lua
-- includes: load_job
-- Gives a completed job other files and another result, all at once: its readers see the old ones or the new ones.
-- Only where it is at the revision that they were made from. Returns 1 where that was so.

local job_id, revision, fields, tags = ARGV[1], tonumber(ARGV[2]), cmsgpack.unpack(ARGV[3]), cmsgpack.unpack(ARGV[4])

local j = load(job_id)
if not j or j.state ~= 'completed' then return 0 end
local key = job_key(j.id)
if (tonumber(redis.call('HGET', key, 'revision') or nil) or 0) ~= revision then return 0 end

-- Its tags are those of its result; one in the bin is in no list until it is restored.
local packed, find = redis.call('HGET', key, 'find'), {}
local listed = redis.call('HEXISTS', key, 'deleted_ms') == 0
for _, name in ipairs(packed and cmsgpack.unpack(packed) or {}) do
  if string.sub(name, 1, 4) == 'tag:' then place(P .. 'find:' .. name, j.id)
  else find[#find + 1] = name end
end
for _, name in ipairs(tags) do
  find[#find + 1] = name
  if listed then place(P .. 'find:' .. name, j.id, j.stamp) end
end
redis.call('HSET', key, 'find', cmsgpack.pack(find), 'revision', revision + 1, unpack(fields))
redis.call('PUBLISH', P .. 'event:' .. j.id, 'revised')
return 1
