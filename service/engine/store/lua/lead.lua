#!lua flags=allow-oom
-- Elects the process that does what one at a time does, or prolongs its term. Returns {1 where it is this one, the server's
-- clock in ms}.

local process = ARGV[1]
local term = tonumber(ARGV[2]) -- ms; 0 to resign

local key = P .. 'caretaker'
local elected = redis.call('GET', key)
if elected and elected ~= process then return {0, now} end
if term == 0 then redis.call('DEL', key) return {0, now} end
redis.call('SET', key, process, 'PX', term)
return {1, now}
