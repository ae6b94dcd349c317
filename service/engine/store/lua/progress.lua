-- ARGV: job id, queue, fence, percent, message, data as JSON (merged into what is there), units done or -1.
-- One write: hash and publish together. Answers 1, or 0 when the lease is lost and nothing was written.

local id, queue = ARGV[1], ARGV[2]
if redis.call('HGET', P .. 'running:' .. queue, id) ~= ARGV[3] then return 0 end
local key, units = job_key(id), tonumber(ARGV[7])
local old = redis.call('HMGET', key, 'progress', 'data', 'parent', 'units_done')
local data = cjson.decode(old[2] or '{}')
for name, value in pairs(cjson.decode(ARGV[6])) do data[name] = value end
redis.call('HSET', key, 'progress', math.max(tonumber(ARGV[4]), tonumber(old[1]) or 0), 'message', ARGV[5],
  'data', next(data) and cjson.encode(data) or '{}')
if units >= 0 then advance({id = id, parent = old[3] or '', units_done = old[4]}, units) end
redis.call('PUBLISH', P .. 'event:' .. id, 'progress')
return 1
