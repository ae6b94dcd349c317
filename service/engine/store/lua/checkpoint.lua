#!lua flags=allow-oom
-- Keeps a value for later attempts of a job; the first under a name stays. Returns the value that stands, or nothing when
-- the lease is lost and nothing was written.

local job_id, queue, fence, name, value = unpack(ARGV)
-- Then other names under which it may stand: those of keys of encryption before the present one.

local key = P .. 'checkpoint:' .. job_id
if redis.call('HGET', P .. 'running:' .. queue, job_id) ~= fence then return false end
for at = 6, #ARGV do
  local before = redis.call('HGET', key, ARGV[at])
  if before then return before end
end
redis.call('HSETNX', key, name, value)
return redis.call('HGET', key, name)
