#!lua flags=allow-oom
-- includes: advance_progress
-- Records progress of an attempt and publishes it. Returns 1, or 0 when the lease is lost and nothing was written.

local id, queue, fence = ARGV[1], ARGV[2], ARGV[3]
local percent, message = tonumber(ARGV[4]), ARGV[5]
local more = cjson.decode(ARGV[6]) -- merged into the data that is there
local units = tonumber(ARGV[7]) -- done by now; -1 where the task does not say

if redis.call('HGET', P .. 'running:' .. queue, id) ~= fence then return 0 end
local key = job_key(id)
local old = redis.call('HMGET', key, 'progress', 'data', 'parent', 'units_done')
local data = cjson.decode(old[2] or '{}')
for name, value in pairs(more) do data[name] = value end
redis.call('HSET', key, 'progress', math.max(percent, tonumber(old[1]) or 0), 'message', message,
  'data', next(data) and cjson.encode(data) or '{}')
if units >= 0 then advance({id = id, parent = old[3] or '', units_done = old[4]}, units) end
redis.call('PUBLISH', P .. 'event:' .. id, 'progress')
return 1
