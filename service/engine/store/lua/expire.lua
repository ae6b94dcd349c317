#!lua flags=allow-oom
-- includes: load_job, finish_job, expire_job; when called: limit_keys
-- Ends jobs that could not begin in time. Returns how many were looked at.

local at_most = tonumber(ARGV[1])

local key = P .. 'expiring'
local ids = redis.call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, at_most)
for _, id in ipairs(ids) do
  local j = load(id)
  if j and j.state == 'active' then
    -- It has begun. If it is returned it has not.
    redis.call('ZADD', key, now + 10000, id)
  else
    redis.call('ZREM', key, id)
    if j and WAITING[j.state] and j.not_after_ms ~= '' then
      cancel_parts(id)
      expire(j, {}, now)
    end
  end
end
return #ids
