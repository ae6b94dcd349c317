#!lua flags=allow-oom
-- includes: service_breaker; when called: take_permits
-- Begins one use of an external service, or renews it. Returns {0} where it is under way, {the milliseconds after which it is
-- worth asking again} where its bounds are reached, and {-1, ms, kind, pause} where the service is paused.

local name, holder = ARGV[1], ARGV[2]
local rate = ARGV[3] -- name of the rate
local interval = tonumber(ARGV[4]) -- microseconds from one use to the next; 0 without a rate
local spacing = tonumber(ARGV[5]) -- the longest such interval there is
local at_once = tonumber(ARGV[6]) -- uses under way at the same time; 0 for any number
local lease_ms = tonumber(ARGV[7]) -- for so long a use without renewal is under way: then its worker is gone
local poll_ms = tonumber(ARGV[8])
local job = ARGV[9] -- that waits; empty for a use that no pause keeps
local share = tonumber(ARGV[10])

local slots, waiting = P .. 'service:' .. name, P .. 'service-waiting:' .. name

local function hold()
  redis.call('ZADD', slots, now + lease_ms, holder)
  redis.call('PEXPIRE', slots, lease_ms)
end

-- A use that begins is known by then: while the server was away, its lease may have ended.
local function under_way(use) return use and (tonumber(redis.call('ZSCORE', slots, use) or nil) or 0) > now end

if redis.call('ZSCORE', slots, holder) then
  hold()
  return {0}
end
redis.call('ZREMRANGEBYSCORE', slots, '-inf', now)
local breaker
if job ~= '' then
  local pause, b = state_of(name)
  if pause then
    local till = cjson.decode(pause).until_ms
    if type(till) == 'number' and till <= now then
      redis.call('HDEL', P .. 'service-state:' .. name, 'pause')
    else
      redis.call('ZREM', waiting, holder)
      return refuse(name, job, type(till) == 'number' and till - now or 60000, share, 'pause', pause)
    end
  end
  if b and (b.until_ms > now or under_way(b.canary_use)) then
    redis.call('ZREM', waiting, holder)
    return refuse_open(name, job, share, b)
  end
  breaker = b
end
local wait = 0
if at_once > 0 and redis.call('ZCARD', slots) >= at_once then
  wait = poll_ms
elseif interval > 0 then
  wait = take_permits()(rate, interval, spacing, 1, 1)
end
redis.call('ZREMRANGEBYSCORE', waiting, '-inf', now)
if wait > 0 then
  -- A caller that does not ask again soon after its time waits no longer.
  redis.call('ZADD', waiting, now + wait + lease_ms, holder)
  redis.call('PEXPIRE', waiting, wait + lease_ms)
  return {wait}
end
redis.call('ZREM', waiting, holder)
if job ~= '' then redis.call('ZREM', P .. 'service-parked:' .. name, job) end
hold()
if breaker then
  breaker.canary, breaker.canary_use = job, holder
  keep_breaker(name, breaker)
end
local used = P .. 'service-used:' .. name .. ':' .. math.floor(now / 60000)
if redis.call('INCR', used) == 1 then redis.call('EXPIRE', used, 7200) end
redis.call('SADD', P .. 'services', name)
return {0}
