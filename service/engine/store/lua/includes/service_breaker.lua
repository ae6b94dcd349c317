-- Pauses of external services: an operator's, and that of the breaker, which opens when so many jobs in a row fail within uses of
-- the service (docs/flow-control.md). Both are in the hash `service-state:`, as JSON: `pause`, and `breaker` {print, error, jobs,
-- since_ms, until_ms, wait_ms, canary, canary_use}; jobs that failed in a row are the set `service-failing:`, their error is in
-- the field `failing`.

local RETURN_MS = 10 -- jobs that wait for a service come back this far apart: a service that has just recovered is not flooded
local FORGET_MS = 60000 -- a job that has not come back so long after its time waits no longer
local CANARY_MS = 5000 -- before others ask whether the canary has ended
local DAY_MS = 86400000

local function state_of(name)
  local state = redis.call('HMGET', P .. 'service-state:' .. name, 'pause', 'breaker', 'failing')
  return state[1], state[2] and cjson.decode(state[2]), state[3]
end

local function keep_breaker(name, b) redis.call('HSET', P .. 'service-state:' .. name, 'breaker', cjson.encode(b)) end

local function note(name, what, b)
  local events = P .. 'breaker-events'
  redis.call('RPUSH', events, cjson.encode({service = name, what = what, error = b.error, jobs = b.jobs, at_ms = now}))
  redis.call('LTRIM', events, -1000, -1)
end

-- A job is to come back later. Returns -1, when (ms from now), and the pause as JSON. `share` is a number from 0 to 1 of its own.
local function refuse(name, job, wait_ms, share, kind, pause)
  local parked = P .. 'service-parked:' .. name
  redis.call('ZREMRANGEBYSCORE', parked, '-inf', now)
  local spread = math.max(1000, RETURN_MS * redis.call('ZCARD', parked))
  wait_ms = math.ceil(wait_ms + share * spread)
  redis.call('ZADD', parked, now + wait_ms + FORGET_MS, job)
  redis.call('PEXPIRE', parked, wait_ms + spread + FORGET_MS)
  return {-1, wait_ms, kind, pause}
end

local function refuse_open(name, job, share, b)
  return refuse(name, job, b.until_ms > now and b.until_ms - now or CANARY_MS, share, 'breaker', cjson.encode(b))
end
