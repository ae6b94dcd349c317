#!lua
-- Adds lines to a job's log, of which the last 200 stay. Returns 0 where the job is gone: it has no log.

local job_id = ARGV[1]
-- Then the lines as JSON.

if redis.call('EXISTS', job_key(job_id)) == 0 then return 0 end
local key = P .. 'log:' .. job_id
redis.call('RPUSH', key, unpack(ARGV, 2))
redis.call('LTRIM', key, -200, -1)
return 1
