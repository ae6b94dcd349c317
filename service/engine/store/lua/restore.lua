#!lua
-- includes: load_job, list_job; when called: limit_keys
-- Takes a job out of the bin again. Returns its state, or nothing when it is not there.

local job_id = ARGV[1]

if redis.call('ZREM', P .. 'bin', job_id) == 0 then return false end
local j = load(job_id)
if not j then return false end
redis.call('HDEL', job_key(j.id), 'deleted_ms')
list(j, 'ZADD')
redis.call('PUBLISH', P .. 'event:' .. j.id, 'restored')
return j.state
