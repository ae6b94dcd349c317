#!lua flags=allow-oom
-- Keeps a value for later attempts of a job; the first under a name stays. Returns the value that stands, or nothing when
-- the lease is lost and nothing was written.

local job_id, queue, fence, name, value = unpack(ARGV)

local key = P .. 'checkpoint:' .. job_id
if redis.call('HGET', P .. 'running:' .. queue, job_id) ~= fence then return false end
redis.call('HSETNX', key, name, value)
return redis.call('HGET', key, name)
