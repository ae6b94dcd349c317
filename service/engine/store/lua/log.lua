-- ARGV: job id, then lines as JSON. Adds them to the job's log, of which the last 200 stay; a job that is gone has none.

if redis.call('EXISTS', job_key(ARGV[1])) == 0 then return 0 end
local key = P .. 'log:' .. ARGV[1]
redis.call('RPUSH', key, unpack(ARGV, 2))
redis.call('LTRIM', key, -200, -1)
return 1
