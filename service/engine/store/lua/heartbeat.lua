#!lua flags=allow-oom
-- Writes a worker's report of itself, by the server's clock. Returns that clock in ms.

local worker, report = ARGV[1], ARGV[2] -- the report as JSON
local remembered = tonumber(ARGV[3]) -- ms for which one that falls silent stays listed
local health_key, health = ARGV[4], ARGV[5] -- what `arq --check` reads
local health_for = tonumber(ARGV[6]) -- ms

redis.call('SET', P .. 'worker:' .. worker, report, 'PX', remembered)
redis.call('ZADD', P .. 'workers', now, worker)
redis.call('ZREMRANGEBYSCORE', P .. 'workers', '-inf', now - remembered)
redis.call('SET', health_key, health, 'PX', health_for)
return now
