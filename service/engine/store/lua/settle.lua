#!lua flags=allow-oom
-- includes: load_job, finish_job, create_job, advance_progress, expire_job; when called: limit_keys, breaker
-- Records how attempts ended. Returns one word an outcome: the job's state afterwards; `lost` when the lease is another's by
-- now, in which case nothing was written; or `error` and what it was.

-- A list of {id, queue, fence, kind, fields, attempt, timed_out, delay_ms, waited_ms, units, run_ms, result, next, counts,
-- fingerprint, problem}. kind is
-- completed, failed, cancelled, retry, later, handback or suspend. Workers' clocks differ: an outcome tells how long it has
-- waited to be sent and how long to wait with the next try, and this server's clock makes times of both. run_ms
-- is how long it took; true where that is from its start to its end; false where nothing is to be learned from it.
local outcomes = cmsgpack.unpack(ARGV[1])

-- After how many jobs in a row that fail with one error their queue's breaker opens (0: never), and for how long (ms).
local after, first_ms = tonumber(ARGV[2] or '0'), tonumber(ARGV[3] or '0')
-- The pause doubles up to so many times the first.
local breaking = {after = after, first_ms = first_ms, longest_ms = 20 * first_ms}
local breakers
local quiet = {} -- queues of which this call knows that nothing fails in a row

-- What attempts take, by type: means that follow the latest, read and written once a call.
local paces = {}
local function pace_of(name)
  local pace = paces[name]
  if not pace then
    local old = redis.call('HMGET', P .. 'pace:' .. name, 'job_ms', 'unit_ms')
    pace = {job_ms = tonumber(old[1] or nil), unit_ms = tonumber(old[2] or nil), seen = 0}
    paces[name] = pace
  end
  return pace
end

local function blend(before, seen) return before and before * 0.8 + seen * 0.2 or seen end

local function learn(j, outcome)
  local run_ms = outcome.run_ms
  if not run_ms then return end
  if run_ms == true then run_ms = math.max(0, outcome.ended - (tonumber(j.started_ms) or outcome.ended)) end
  local pace = pace_of(j.type)
  pace.job_ms = blend(pace.job_ms, run_ms)
  if outcome.units > 0 then pace.unit_ms = blend(pace.unit_ms, run_ms / outcome.units) end
  pace.seen = pace.seen + 1
  clocked(j, 'r', 'run_ms', run_ms)
  local units = math.max(tonumber(j.units_done) or 0, outcome.units)
  if units > 0 then tally(j, 'units', units) end
end

-- What owners have used, to be charged: added up over the call (service/monitoring/metering.py takes it from there).
local used = {}
local function meter(j, outcome, field, by)
  if by <= 0 then return end
  local name = field .. '|' .. math.floor(outcome.ended / 86400000) .. '|' .. j.owner
  change(used, name, (used[name] or 0) + by)
end

-- CPU time is charged as it is spent, whatever comes of the attempt; results once, as they are delivered.
local function meter_all(j, outcome)
  local cpu_ms = outcome.cpu_ms or 0
  if outcome.renewed then
    -- The renewals of this lease have counted some of it (renew.lua).
    local fence, known = string.match(redis.call('HGET', job_key(j.id), 'metered') or '', '^(%d+):(%d+)$')
    if tonumber(fence or nil) == outcome.fence then cpu_ms = cpu_ms - tonumber(known) end
    redis.call('HDEL', job_key(j.id), 'metered')
  end
  meter(j, outcome, 'cpu_ms', cpu_ms)
  if outcome.kind == 'completed' and j.parent == '' then
    meter(j, outcome, 'jobs', 1)
    for field, by in pairs(outcome.usage or {}) do meter(j, outcome, field, by) end
  end
end

local function write_used()
  for name, by in pairs(used) do redis.call('HINCRBY', P .. 'usage', name, by) end
end

local function write_paces()
  for name, pace in pairs(paces) do
    local key = P .. 'pace:' .. name
    redis.call('HSET', key, 'job_ms', string.format('%.3f', pace.job_ms))
    if pace.unit_ms then redis.call('HSET', key, 'unit_ms', string.format('%.3f', pace.unit_ms)) end
    redis.call('HINCRBY', key, 'seen', pace.seen)
  end
end

local function wait(j, outcome)
  local due = outcome.ended + outcome.delay_ms
  local not_after = tonumber(j.not_after_ms)
  if not_after and due > not_after then
    cancel_parts(j.id)
    return expire(j, outcome.fields, outcome.ended)
  end
  redis.call('HSET', job_key(j.id), 'state', 'retrying', 'worker', '', 'due_ms', due,
    'ready_ms', due, unpack(outcome.fields))
  place(j.queue, j.id, due)
  move(j, 'retrying')
end

local function unspend(j) redis.call('HINCRBY', job_key(j.id), 'attempt', -1) end

-- What arq's client reads for ten minutes of a job that ended. One that came from a plain arq client keeps that client's
-- format; a cancelled one leaves no result, for which arq wants an exception.
local function arq_result(j, success, value, ended)
  local pack = j.arq_format == 'json' and cjson.encode or cmsgpack.pack
  redis.call('SET', 'arq:result:' .. j.id, pack({t = tonumber(j.attempt), f = j.type, a = {j.id}, k = {}, s = success,
    et = tonumber(j.created_ms), r = value, st = tonumber(j.started_ms) or ended, ft = ended, q = j.queue, id = j.id}), 'PX', 600000)
end

local settle = {}

-- Search keys that the result gives a job, in addition to those of its payload.
local function find_by(j, names)
  if not names or #names == 0 then return end
  local packed = redis.call('HGET', job_key(j.id), 'find')
  local find = packed and cmsgpack.unpack(packed) or {}
  for _, name in ipairs(names) do
    find[#find + 1] = name
    place(P .. 'find:' .. name, j.id, j.stamp)
  end
  redis.call('HSET', job_key(j.id), 'find', cmsgpack.pack(find))
end

function settle.completed(j, outcome)
  for name, number in pairs(outcome.counts or {}) do count(j.queue, name, number) end
  -- What may fail stands before what cannot be taken back.
  -- One that is encrypted (sealing.py) is not JSON, and not for arq's client, which has no key.
  local small = j.parent == '' and outcome.result and #outcome.result <= 4096 and string.byte(outcome.result) ~= 2
  local value = small and cjson.decode(outcome.result) or cjson.null
  if j.parent ~= '' then advance(j, outcome.units) end
  local fields = outcome.fields
  if outcome.result then fields[#fields + 1], fields[#fields + 2] = 'result', outcome.result end
  find_by(j, outcome.find)
  for _, name in ipairs(outcome.find or {}) do
    if name == 'tag:incomplete' or name == 'tag:doubtful' then
      count_for_alerts(j, 'incomplete')
      break
    end
  end
  finish(j, 'completed', fields, outcome.ended)
  -- Written with the completion: the next link of a chain is started once, or not at all.
  if #outcome.next > 0 then
    for _, job in ipairs(outcome.next) do
      if not job.onward and write(job).state == 'queued' then wake(job.queue) end
    end
    keep_clock()
  end
  learn(j, outcome)
  if j.parent == '' then arq_result(j, true, value, outcome.ended) end
end

local function shown(error)
  return error and string.byte(error) == 2 and 'The error is encrypted: the API and the page of the job show it.' or error
end

function settle.failed(j, outcome)
  if j.parent ~= '' then advance(j, outcome.units) end
  finish(j, 'failed', outcome.fields, outcome.ended)
  if j.parent == '' then arq_result(j, false, shown(redis.call('HGET', job_key(j.id), 'error')), outcome.ended) end
end

function settle.cancelled(j, outcome)
  if j.parent ~= '' and j.cancel_requested == '' and redis.call('HDEL', job_key(j.id), 'wanted_again') == 1 then
    return requeue(j, {'tries_base', j.attempt, 'crashes', 0})
  end
  cancel_parts(j.id)
  finish(j, 'cancelled', outcome.fields, outcome.ended)
end

function settle.retry(j, outcome)
  wait(j, outcome)
  if j.state == 'retrying' then tally(j, 'retried', 1) end
end

-- A job whose parts wait says what they wait for; its next progress says something else again.
local function tell_parent(j, fields)
  local key = job_key(j.parent)
  if TERMINAL[redis.call('HGET', key, 'state') or 'completed'] then return end
  for i = 1, #fields, 2 do
    if fields[i] == 'message' then
      redis.call('HSET', key, 'message', fields[i + 1])
      redis.call('PUBLISH', P .. 'event:' .. j.parent, 'progress')
    end
  end
end

function settle.later(j, outcome)
  unspend(j)
  if j.parent ~= '' then tell_parent(j, outcome.fields) end
  wait(j, outcome)
end

function settle.handback(j, outcome)
  unspend(j)
  requeue(j, outcome.fields)
end

-- Put aside for its parts, or for an event: the first claim after the time for that is over finds it (claim.lua).
function settle.suspend(j, outcome)
  place(j.queue, j.id)
  redis.call('HSET', job_key(j.id), 'worker', '', 'crashes', 0)
  local waits = redis.call('HMGET', job_key(j.id), 'waiting_parts', 'waits_event', 'wait_due_ms')
  if waits[2] and redis.call('HEXISTS', P .. 'events:' .. j.id, 'event:' .. waits[2]) == 0 then
    place(j.queue, j.id, waits[3])
    -- Workers look again when the first deferred job is due.
    wake(j.queue)
  elseif tonumber(waits[1] or '0') <= 0 then
    redis.call('HSET', job_key(j.id), 'resume', 1)
    ready(j)
    wake(j.queue)
  end
  move(j, 'active')
end

-- An attempt that met the error for which its queue's breaker is open, or opens now, is put back and spends no try.
local function put_back(j, outcome)
  if not outcome.fingerprint or breaking.after == 0 or j.cancel_requested ~= '' then return end
  breakers = breakers or breaker()
  quiet[j.queue] = nil
  local b = breakers.failed(j, outcome, breaking)
  if not b then return end
  outcome.kind, outcome.attempt, outcome.timed_out = 'later', false, false
  outcome.delay_ms = math.max(outcome.delay_ms, b.until_ms - now)
  outcome.fields = {'message', 'Put back without spending a try, as its queue fails: ' .. (outcome.problem or '')}
end

local function record(j, outcome)
  put_back(j, outcome)
  local kind, fields = outcome.kind, outcome.fields
  outcome.ended = now - outcome.waited_ms
  if outcome.attempt then
    -- JSON text of an object, to which its times are added.
    local started = j.started_ms ~= '' and j.started_ms or j.created_ms
    note_attempt(j.id, string.format('%s,"started_ms":%s,"finished_ms":%.0f}', string.sub(outcome.attempt, 1, -2),
      started, outcome.ended))
  end
  if outcome.timed_out then tally(j, 'timeout', 1) end
  if j.crashes ~= '' and j.crashes ~= '0' then fields[#fields + 1], fields[#fields + 2] = 'crashes', 0 end
  if j.cancel_requested ~= '' and kind ~= 'completed' and kind ~= 'failed' and kind ~= 'cancelled' then
    settle.cancelled(j, {fields = {'message', 'Cancelled', 'crashes', 0}, ended = outcome.ended})
  else
    settle[kind](j, outcome)
  end
  meter_all(j, outcome)
  unlease(j)
  if kind == 'completed' and not quiet[j.queue] then
    quiet[j.queue] = true
    -- Most queues fail with nothing.
    local failing = redis.call('HMGET', P .. 'queue:' .. j.queue, 'breaker', 'failing')
    if failing[1] or failing[2] then
      breakers = breakers or breaker()
      breakers.completed(j.queue)
    end
  end
end

-- One that cannot be recorded takes no other with it, and leaves nothing half done: it keeps its lease, which runs out.
local function undone(j, outcome, problem)
  take_back()
  redis.call('HSET', job_key(j.id), 'state', 'active')
  if j.limits ~= '' then limit_keys().acquire(j, false) end
  for _, job in ipairs(outcome.next or {}) do redis.call('DEL', job_key(job.id), 'arq:job:' .. job.id) end
  return 'error ' .. (type(problem) == 'table' and problem.err or tostring(problem))
end

-- Jobs that follow on another server: maintenance moves them there (service/engine/store/outbox.py).
local function send_onward(jobs)
  for _, job in ipairs(jobs) do
    if job.onward then redis.call('RPUSH', P .. 'onward:' .. job.queue, job.text) end
  end
end

local answers = {}
for i, outcome in ipairs(outcomes) do
  local held = redis.call('HGET', P .. 'running:' .. outcome.queue, outcome.id)
  local j = held == tostring(outcome.fence) and load(outcome.id)
  if not j then
    answers[i] = 'lost'
  else
    keep_changes()
    local fine, problem = pcall(record, j, outcome)
    answers[i] = fine and j.state or undone(j, outcome, problem)
    if answers[i] == 'completed' and #outcome.next > 0 then send_onward(outcome.next) end
  end
end
write_paces()
write_used()
return answers
