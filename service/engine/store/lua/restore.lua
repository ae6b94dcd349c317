-- ARGV[1]: job id. Takes a job out of the bin again. Answers its state, or nothing when it is not there.

if redis.call('ZREM', P .. 'bin', ARGV[1]) == 0 then return false end
local j = load(ARGV[1])
if not j then return false end
redis.call('HDEL', job_key(j.id), 'deleted_ms')
list(j, 'ZADD')
redis.call('PUBLISH', P .. 'event:' .. j.id, 'restored')
return j.state
