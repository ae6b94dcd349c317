#!lua flags=allow-oom
-- includes: load_job, service_breaker; when called: limit_keys
-- Lets jobs that waited for a paused service come back now, a little apart. Returns how many are left.

local name, at_most = ARGV[1], tonumber(ARGV[2])

local parked = P .. 'service-parked:' .. name
local ids = redis.call('ZRANGE', parked, 0, at_most - 1)
local queues = {}
for i, id in ipairs(ids) do
  redis.call('ZREM', parked, id)
  local j = load(id)
  local due = now + RETURN_MS * i
  -- One whose attempt is only being put back, or that is due before, comes back at its own time.
  if j and j.state == 'retrying' and (tonumber(redis.call('HGET', job_key(id), 'due_ms') or nil) or 0) > due then
    redis.call('HSET', job_key(id), 'due_ms', due, 'ready_ms', due)
    place(j.queue, id, due)
    queues[j.queue] = true
  end
end
for queue in pairs(queues) do wake(queue) end
return redis.call('ZCARD', parked)
