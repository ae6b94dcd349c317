#!lua flags=allow-oom
-- includes: ; when called: take_permits
-- Takes permits of a rate. Returns 0 with them taken, the milliseconds after which it is worth asking again, or -1 where so
-- many are never to be had at once.

local name = ARGV[1]
local interval = tonumber(ARGV[2]) -- microseconds from one permit to the next
local spacing = tonumber(ARGV[3]) -- the longest interval of any that use the rate
local burst = tonumber(ARGV[4] or '1') -- permits that may be taken at once
local count = tonumber(ARGV[5] or '1')

return take_permits()(name, interval, spacing, burst, count)
