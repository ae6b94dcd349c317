#!lua
-- includes: load_job, finish_job, create_job; when called: limit_keys
-- Queues a failed, cancelled or expired job again with a fresh budget of tries. Returns {state before, state after}, and nothing where
-- there is no such job.

local job_id = ARGV[1]

local j = load(job_id)
if not j or redis.call('HEXISTS', job_key(j.id), 'deleted_ms') == 1 then return {} end
local before = j.state
if before ~= 'failed' and before ~= 'cancelled' and before ~= 'expired' then return {before, before} end
place(P .. 'finished:' .. j.queue, j.id)
-- A job that is retried by hand is wanted although it is late.
redis.call('HDEL', job_key(j.id), 'finished_ms', 'result', 'not_after_ms', 'resume', 'waits_event', 'wait_due_ms', 'question')
place(P .. 'expiring', j.id)
redis.call('DEL', 'arq:result:' .. j.id)
-- Events that did not come in time are waited for once more.
for _, field in ipairs(redis.call('HKEYS', P .. 'events:' .. j.id)) do
  if string.sub(field, 1, 4) == 'due:' then redis.call('HDEL', P .. 'events:' .. j.id, field) end
end
arq_entry(j)
local fresh = {'tries_base', j.attempt, 'crashes', 0, 'error', '', 'error_type', '', 'permanent', '', 'cancel_requested', '', 'redo', 1,
  'message', 'Queued again'}
tally(j, 'requeued', 1)
if (tonumber(redis.call('HGET', job_key(j.id), 'waits_for') or nil) or 0) > 0 then
  -- Those before it in its workflow have not ended: it waits for them, as it did.
  redis.call('HSET', job_key(j.id), 'state', 'scheduled', 'worker', '', unpack(fresh))
  move(j, 'scheduled')
  return {before, 'scheduled'}
end
requeue(j, fresh)
return {before, 'queued'}
