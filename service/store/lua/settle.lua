-- ARGV[1]: msgpack list of outcomes, each {id, queue, fence, kind, fields, attempt, due, units, run_ms, result, next}.
-- kind is completed, failed, cancelled, retry, later, handback or suspend. Answers one word an outcome: the job's state
-- afterwards, lost when the lease is another's by now, in which case nothing was written, or `error` and what it was.

local function learn(j, outcome)
  if not outcome.run_ms then return end
  local key = P .. 'pace:' .. j.type
  local old = redis.call('HMGET', key, 'job_ms', 'unit_ms')
  local function blend(field, was, seen)
    local mean = was and tonumber(was) * 0.8 + seen * 0.2 or seen
    redis.call('HSET', key, field, string.format('%.3f', mean))
  end
  blend('job_ms', old[1], outcome.run_ms)
  if outcome.units > 0 then blend('unit_ms', old[2], outcome.run_ms / outcome.units) end
  redis.call('HINCRBY', key, 'seen', 1)
  clocked(j, 'r', 'run_ms', outcome.run_ms)
  local units = math.max(tonumber(j.units_done) or 0, outcome.units)
  if units > 0 then tally(j, 'units', units) end
end

local function wait_until(j, outcome)
  redis.call('HSET', job_key(j.id), 'state', 'retrying', 'worker', '', 'due_ms', outcome.due,
    'ready_ms', outcome.due, unpack(outcome.fields))
  redis.call('ZADD', j.queue, outcome.due, j.id)
  move(j, 'retrying')
end

local function unspend(j) redis.call('HINCRBY', job_key(j.id), 'attempt', -1) end

local settle = {}

function settle.completed(j, outcome)
  if j.parent ~= '' then advance(j, outcome.units) end
  if outcome.result then redis.call('HSET', job_key(j.id), 'result', outcome.result) end
  finish(j, 'completed', outcome.fields)
  -- Written with the completion: the next link of a chain is started once, or not at all.
  for _, job in ipairs(outcome.next) do
    if write(job).state == 'queued' then wake(job.queue) end
  end
  keep_clock()
  learn(j, outcome)
  if j.parent == '' then
    local small = outcome.result and #outcome.result <= 4096
    arq_result(j, true, small and cjson.decode(outcome.result) or cjson.null)
  end
end

function settle.failed(j, outcome)
  if j.parent ~= '' then advance(j, outcome.units) end
  finish(j, 'failed', outcome.fields)
  if j.parent == '' then arq_result(j, false, redis.call('HGET', job_key(j.id), 'error')) end
end

function settle.cancelled(j, outcome)
  cancel_parts(j.id)
  finish(j, 'cancelled', outcome.fields)
end

function settle.retry(j, outcome)
  wait_until(j, outcome)
  tally(j, 'retried', 1)
end

function settle.later(j, outcome)
  unspend(j)
  wait_until(j, outcome)
end

function settle.handback(j, outcome)
  unspend(j)
  requeue(j, outcome.fields)
end

function settle.suspend(j, outcome)
  redis.call('ZREM', j.queue, j.id)
  redis.call('HSET', job_key(j.id), 'worker', '')
  if tonumber(redis.call('HGET', job_key(j.id), 'waiting_parts') or '0') <= 0 then
    redis.call('HSET', job_key(j.id), 'resume', 1)
    ready(j)
    wake(j.queue)
  end
  move(j, 'active')
end

local function record(j, outcome)
  local key, kind = job_key(j.id), outcome.kind
  if outcome.attempt then note_attempt(j.id, outcome.attempt) end
  if outcome.attempt and outcome.attempt.outcome == 'timeout' then tally(j, 'timeout', 1) end
  redis.call('HSET', key, 'crashes', 0)
  local stop = redis.call('HGET', key, 'cancel_requested')
  if stop and stop ~= '' and kind ~= 'completed' and kind ~= 'failed' and kind ~= 'cancelled' then
    settle.cancelled(j, {fields = {'message', 'Cancelled'}})
  else
    settle[kind](j, outcome)
  end
  unlease(j)
end

local answers = {}
for i, outcome in ipairs(cmsgpack.unpack(ARGV[1])) do
  local held = redis.call('HGET', P .. 'running:' .. outcome.queue, outcome.id)
  local j = held == tostring(outcome.fence) and load(outcome.id)
  if not j then
    answers[i] = 'lost'
  else
    -- One that cannot be recorded takes no other with it: it keeps its lease, which runs out.
    local fine, problem = pcall(record, j, outcome)
    answers[i] = fine and j.state or 'error ' .. (type(problem) == 'table' and problem.err or tostring(problem))
  end
end
return answers
