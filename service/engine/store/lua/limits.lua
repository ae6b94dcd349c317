#!lua flags=allow-oom
-- when called: limit_keys
-- Looks at keys whose jobs wait for them, those first that were not looked at for longest: a holder that is active no more is
-- none, and a job that may begin does. Returns how many holders were none.

local queue = ARGV[1]
local at_most = tonumber(ARGV[2])

local limits, stale = limit_keys(), 0
for _, key in ipairs(redis.call('ZRANGE', P .. 'blocked:' .. queue, 0, at_most - 1)) do
  redis.call('ZADD', P .. 'blocked:' .. queue, 'XX', now, key)
  for _, id in ipairs(redis.call('SMEMBERS', P .. 'held:' .. key)) do
    if redis.call('HGET', job_key(id), 'state') ~= 'active' then
      stale = stale + limits.release(key, id)
    end
  end
  limits.nudge(queue, key)
end
return stale
