-- New jobs that are asked for: `accept_jobs(jobs)` returns each one's outcome. One that is refused needs finish_job.lua too.

local function earlier(job)
  if job.external and redis.call('EXISTS', job_key(job.id)) == 1 then return {'same', job.id, ''} end
  if not job.idem then return nil end
  local seen = redis.call('GET', P .. 'idempotency:' .. job.owner .. ':' .. job.idem.key)
  if not seen then return nil end
  local fingerprint, id = string.match(seen, '^(%S+) (.+)$')
  local found = redis.call('HMGET', job_key(id), 'state', 'deleted_ms')
  local state = found[1]
  if not state or found[2] then
    -- One that was deleted is gone for its client, though its record lies in the bin: the same request is a new job. Not for
    -- a client that asked to be known for long, as a relay does, whose job may have done its work and been cleared away.
    if not job.idem.lasting then return nil end
    state = 'deleted'
  end
  return {fingerprint == job.idem.fingerprint and 'same' or 'conflict', id, state}
end

local waiting = {}
local function full(job)
  if not job.limit then return nil end
  if not waiting[job.owner] then
    waiting[job.owner] = 0
    for state in pairs(WAITING) do
      waiting[job.owner] = waiting[job.owner] + redis.call('ZCARD', P .. 'owner:' .. job.owner .. ':' .. state)
    end
  end
  if waiting[job.owner] >= job.limit then return {'full', '', ''} end
  waiting[job.owner] = waiting[job.owner] + 1
  return nil
end

-- Permits of a rate of its owner's, such as one for each message that it sends. `planned` counts those of jobs that go
-- together, of which nothing is taken yet.
local take
local function over(job, planned)
  local wanted = job.permits
  if not wanted then return nil end
  take = take or take_permits()
  local count = wanted.count + (planned and planned[wanted.name] or 0)
  local wait = take(wanted.name, wanted.interval, 0, wanted.burst, count, planned)
  if wait ~= 0 then return {'over', string.format('%d', wait), ''} end
  if planned then planned[wanted.name] = count end
  return nil
end

-- What keeps a new job from its owner's queue, or nil.
local function refused(job, planned)
  local answer = full(job)
  if answer then return answer end
  answer = over(job, planned)
  if answer and job.limit then waiting[job.owner] = waiting[job.owner] - 1 end
  return answer
end

-- A job that finds no other waiting before it may be an idle worker's immediately.
local dispatch, deliver
local function try_dispatch(j, record)
  if not vacant(j.queue) then return false end
  if not dispatch then dispatch, deliver = dispatch_to_idle() end
  return dispatch(j, record)
end

-- Made where a request asks for it.
local find_same, remember
local function same(job)
  if not (job.unique or job.debounce or job.merge) then return nil end
  if not find_same then find_same, remember = same_request() end
  return find_same(job)
end

local function keep_key(job, id)
  redis.call('SET', P .. 'idempotency:' .. job.owner .. ':' .. job.idem.key, job.idem.fingerprint .. ' ' .. id, 'EX', job.idem.for_s)
end

local woken = {}
local function accept(job)
  local j = write(job, not job.external and not job.refused and try_dispatch)
  if job.idem then keep_key(job, job.id) end
  if remember and (job.unique or job.debounce or job.merge) then remember(job) end
  if job.refused then
    finish(j, 'failed', {'error', job.refused, 'error_type', 'Refused'})
  elseif j.state == 'queued' then
    woken[job.queue] = true
  end
  return {'new', job.id, j.state == 'active' and 'queued' or j.state}
end

-- Of jobs that go together: what keeps each from being accepted, or nil where nothing keeps any of them.
local function obstacles(jobs)
  local answers, kept, planned = {}, false, {}
  for i, job in ipairs(jobs) do
    -- A debounced request is written as it is looked for: here it counts as a new one.
    answers[i] = earlier(job) or job.unique and same(job) or refused(job, planned) or {'held', '', ''}
    local outcome = answers[i][1]
    kept = kept or outcome == 'full' or outcome == 'over' or outcome == 'conflict'
  end
  -- Those that are accepted after this are counted again.
  waiting = {}
  return kept and answers or nil
end

-- With `together` either all are accepted or none; the others' outcome is then `held`.
local function accept_jobs(jobs, together)
  local answers = together and obstacles(jobs)
  if answers then return answers end
  answers = {}
  for i, job in ipairs(jobs) do
    local answer = earlier(job)
    if not answer then
      answer = same(job)
      if answer and job.idem then keep_key(job, answer[2]) end
    end
    answers[i] = answer or refused(job) or accept(job)
  end
  keep_clock()
  if deliver then deliver() end
  for queue in pairs(woken) do wake(queue) end
  return answers
end
