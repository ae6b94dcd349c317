#!lua flags=allow-oom
-- Takes a permit. Returns 0 with the permit taken, or the milliseconds after which it is worth asking again.
-- The generic cell rate algorithm (ITU-T I.371, annex A) with a burst of one: what is kept is the theoretical arrival
-- time of the next cell. Permits are counted from when they were taken, so a pause is never made up for.

local key = P .. 'rate:' .. ARGV[1]
local interval = tonumber(ARGV[2]) -- microseconds from one permit to the next
local longest = tonumber(ARGV[3]) -- the longest such spacing there is

local arrival = tonumber(redis.call('GET', key) or '0')
-- Only a clock set back leaves an arrival so far ahead; it must not stop the queue for as long as it was set back by.
local set_back = arrival - now_us > longest
if set_back then arrival = now_us + interval end
local wait = arrival - now_us
if wait <= 0 then arrival = now_us + interval end
if wait <= 0 or set_back then
  redis.call('SET', key, string.format('%.0f', arrival), 'PX', math.ceil(longest / 1000))
end
return math.max(0, math.ceil(wait / 1000))
