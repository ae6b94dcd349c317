-- ARGV[1]: job id. Queues a failed or cancelled job again with a fresh budget of tries. Answers {state before, state after}.

local j = load(ARGV[1])
if not j or redis.call('HEXISTS', job_key(j.id), 'deleted_ms') == 1 then return {} end
local before = j.state
if before ~= 'failed' and before ~= 'cancelled' then return {before, before} end
place(P .. 'finished:' .. j.queue, j.id)
redis.call('HDEL', job_key(j.id), 'finished_ms', 'result')
redis.call('DEL', 'arq:result:' .. j.id)
arq_entry(j)
requeue(j, {'tries_base', j.attempt, 'crashes', 0, 'error', '', 'error_type', '', 'cancel_requested', '', 'redo', 1,
  'message', 'Queued again'})
tally(j, 'requeued', 1)
return {before, 'queued'}
