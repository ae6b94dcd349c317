#!lua flags=allow-oom
-- includes: load_job, list_job; when called: limit_keys
-- Puts a job that has ended into the bin: out of every list, its record still there.
-- Returns {state, 1 if it is in the bin now}, and nothing where there is no such job.

local job_id = ARGV[1]

local j = load(job_id)
if not j or redis.call('HEXISTS', job_key(j.id), 'deleted_ms') == 1 then return {} end
if not TERMINAL[j.state] then return {j.state, 0} end
list(j, 'ZREM')
redis.call('HSET', job_key(j.id), 'deleted_ms', now)
redis.call('ZADD', P .. 'bin', now, j.id)
redis.call('PUBLISH', P .. 'event:' .. j.id, 'deleted')
return {j.state, 1}
