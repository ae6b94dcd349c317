#!lua flags=allow-oom
-- includes: load_job, finish_job; when called: limit_keys
-- Stops a job: at once where it waits. Returns {state before, state after}; the latter is active while a worker still has
-- to stop, and nothing where there is no such job.

local job_id = ARGV[1]

local j = load(job_id)
if not j then return {} end
local before = j.state
if TERMINAL[before] then return {before, before} end
if redis.call('HEXISTS', P .. 'running:' .. j.queue, j.id) == 1 then
  redis.call('HSET', job_key(j.id), 'cancel_requested', now, 'message', 'Stopping')
  wake(j.queue, 'cancel ' .. j.id)
  redis.call('PUBLISH', P .. 'event:' .. j.id, 'cancel')
  return {before, 'active'}
end
cancel_parts(j.id)
finish(j, 'cancelled', {'message', 'Cancelled'})
return {before, 'cancelled'}
