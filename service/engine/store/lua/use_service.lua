#!lua flags=allow-oom
-- includes: ; when called: take_permits
-- Begins one use of an external service, or renews it. Returns 0 where it is under way, else the milliseconds after which it
-- is worth asking again.

local name, holder = ARGV[1], ARGV[2]
local rate = ARGV[3] -- name of the rate
local interval = tonumber(ARGV[4]) -- microseconds from one use to the next; 0 without a rate
local spacing = tonumber(ARGV[5]) -- the longest such interval there is
local at_once = tonumber(ARGV[6]) -- uses under way at the same time; 0 for any number
local lease_ms = tonumber(ARGV[7]) -- for so long a use without renewal is under way: then its worker is gone
local poll_ms = tonumber(ARGV[8])

local slots, waiting = P .. 'service:' .. name, P .. 'service-waiting:' .. name

local function hold()
  redis.call('ZADD', slots, now + lease_ms, holder)
  redis.call('PEXPIRE', slots, lease_ms)
end

if redis.call('ZSCORE', slots, holder) then
  hold()
  return 0
end
redis.call('ZREMRANGEBYSCORE', slots, '-inf', now)
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
  return wait
end
redis.call('ZREM', waiting, holder)
hold()
local used = P .. 'service-used:' .. name .. ':' .. math.floor(now / 60000)
if redis.call('INCR', used) == 1 then redis.call('EXPIRE', used, 7200) end
redis.call('SADD', P .. 'services', name)
return 0
